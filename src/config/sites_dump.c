#include "config/done.h"
#include "config/dump.h"

static void dump_brokers(struct emit *e, const struct config_sites *c)
{
	emit_word(e, "brokers");
	emit_list(e);
	for (size_t i = 0; i < c->n_brokers; i++)
		emit_word(e, c->brokers[i].url);
	emit_list_end(e);
}

static void dump_path(struct emit *e, const char *key, const char *path)
{
	if (path != NULL)
		emit_pair(e, key, path);
}

static void dump_tls(struct emit *e, const struct config_sites *c)
{
	emit_word(e, "tls");
	emit_map(e, EMIT_BLOCK);
	dump_path(e, "ca", c->tls.ca);
	dump_path(e, "certificate", c->tls.certificate);
	dump_path(e, "key", c->tls.key);
	emit_bool_pair(e, "verify", c->tls.verify);
	emit_map_end(e);
}

static void dump_top(struct emit *e, const struct config_sites *c)
{
	emit_pair(e, "site", c->site);
	dump_brokers(e, c);
	emit_pair(e, "prefix", c->prefix);
	if (c->user != NULL) {
		emit_word(e, "user");
		emit_string(e, c->user);
	}
	dump_path(e, "password-file", c->password_file);
	dump_tls(e, c);
	dump_strings(e, "plain-text", &c->plain_text);
	emit_bool_pair(e, "hub", c->hub);
	emit_word(e, "control");
	emit_map(e, EMIT_BLOCK);
	emit_pair(e, "socket", c->socket);
	emit_map_end(e);
	emit_word(e, "limits");
	emit_map(e, EMIT_BLOCK);
	dump_number(e, "known", c->limits.known);
	dump_number(e, "own", c->limits.own);
	dump_number(e, "searches", c->limits.searches);
	emit_map_end(e);
}

static void dump_publish(struct emit *e, const struct config_site_group *g)
{
	if (!g->publishes || (filter_is_empty(&g->publish_allow) &&
				     filter_is_empty(&g->publish_deny))) {
		emit_bool_pair(e, "publish", g->publishes);
		return;
	}
	emit_word(e, "publish");
	emit_map(e, EMIT_BLOCK);
	dump_filter(e, "allow", &g->publish_allow, false);
	dump_filter(e, "deny", &g->publish_deny, false);
	emit_map_end(e);
}

static void dump_take(struct emit *e, const struct config_site_group *g)
{
	if (!g->takes) {
		emit_bool_pair(e, "take", false);
		return;
	}
	emit_word(e, "take");
	emit_map(e, EMIT_BLOCK);
	dump_strings(e, "from", &g->from);
	dump_filter(e, "allow", &g->take_allow, false);
	dump_filter(e, "deny", &g->take_deny, false);
	dump_rate(e, g->rate);
	emit_map_end(e);
}

static void dump_group(struct emit *e, const struct config_site_group *g)
{
	emit_word(e, g->name);
	emit_map(e, EMIT_BLOCK);
	dump_publish(e, g);
	dump_take(e, g);
	emit_bool_pair(e, "searches", g->searches);
	emit_map_end(e);
}

int config_sites_dump(const struct config_sites *s, FILE *out)
{
	struct emit e;

	/* The library writes no comments, so it stands before all else. */
	if (s->password != NULL)
		(void)fputs("# password: \"***\", which is not shown: it "
			    "needs to be filled in again\n",
			out);
	emit_begin(&e, out);
	dump_top(&e, s);
	emit_word(&e, "groups");
	emit_map(&e, EMIT_BLOCK);
	for (size_t i = 0; i < s->n_groups; i++)
		dump_group(&e, &s->groups[i]);
	emit_map_end(&e);
	return dump_end(&e, out);
}
