/*
 * What of a group crosses the broker.
 */
#include "config/done.h"
#include "config/items.h"
#include "config/sites_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define GROUP(member) MEMBER(struct config_site_group, member)

enum { RATE_DEFAULT = 500, RATE_MAX = 1000000 };

const char *site_problem(const char *name)
{
	if (*name == '\0')
		return "names no site";
	if (strlen(name) > CONFIG_SITE_NAME)
		return "is longer than 63 characters";
	/* A leading minus would be an option to some program. */
	if (*name == '-')
		return "begins with \"-\", needs a letter, a digit or \"_\"";
	for (; *name != '\0'; name++) {
		if (!isascii(*name) ||
			(!isalnum(*name) && *name != '_' && *name != '-'))
			return "is not made of letters (A to Z, a to z), "
			       "digits, \"_\" and \"-\"";
	}
	return NULL;
}

static const char *pattern_problem(const char *text)
{
	if (*text == '!')
		text++;
	return glob_is_pattern(text) ? glob_problem(text) : site_problem(text);
}

static bool read_pattern(const struct spot *s, void *ret)
{
	const char *text = spot_text(s, "a site, such as house-b or \"*\"");
	char given[QUOTE_TEXT];
	const char *why;

	if (text == NULL)
		return false;
	why = pattern_problem(text);
	if (why != NULL) {
		spot_error(s, "\"%s\" %s", quote(text, given), why);
		return false;
	}
	return keep_string(s, text, ret);
}

static const struct list_kind list_sites = {
	.size = sizeof(char *),
	.read = read_pattern,
	.is_same = is_same_string,
	.done = string_done,
	.want = "a site, such as house-b or \"*\", or take: false",
};

static const struct key publish_keys[] = {
	{ .name = "allow", .read = read_filter, GROUP(publish_allow) },
	{ .name = "deny", .read = read_filter, GROUP(publish_deny) },
};

static const struct key take_keys[] = {
	{ .name = "from",
		LIST(struct config_site_group, from.at, from.n, list_sites) },
	{ .name = "allow", .read = read_filter, GROUP(take_allow) },
	{ .name = "deny", .read = read_filter, GROUP(take_deny) },
	{ .name = "rate",
		.read = read_rate,
		GROUP(rate),
		.low = 1,
		.high = RATE_MAX,
		.words = words_off },
};

/* True or false, or a mapping of more, which means true. */
static void read_way(const struct spot *s, struct config_site_group *g,
	bool *way, struct keys keys, const char *want)
{
	if (s->node->kind != NODE_MAP) {
		read_switch(s, want, way);
		return;
	}
	*way = true;
	(void)read_map(s, g, keys, NO_KEYS);
}

static void read_publish(const struct spot *s, void *base, const struct key *k)
{
	struct config_site_group *g = base;

	(void)k;
	read_way(s, g, &g->publishes, KEYS(publish_keys),
		"true, false or a mapping of allow and deny");
}

static void read_take(const struct spot *s, void *base, const struct key *k)
{
	struct config_site_group *g = base;

	(void)k;
	read_way(s, g, &g->takes, KEYS(take_keys),
		"true, false or a mapping of from, allow, deny and rate");
}

static const struct key group_keys[] = {
	{ .name = "publish", .read = read_publish },
	{ .name = "take", .read = read_take },
	{ .name = "searches", .read = read_bool, GROUP(searches) },
};

/* All sites, where the file does not say. */
static void complete_from(const struct spot *s, struct config_strings *from)
{
	if (from->n > 0)
		return;
	free(from->at);
	from->at = calloc(1, sizeof(*from->at));
	if (from->at == NULL) {
		spot_no_memory(s);
		return;
	}
	if (keep_string(s, "*", from->at))
		from->n = 1;
}

/* What this site has published is not brought back, so who names it is
 * mistaken. A pattern may well match it, too. */
static void check_from(const struct spot *s, const char *site)
{
	struct spot take, list, item;

	if (site == NULL || !spot_get(s, "take", &take) ||
		!spot_get(&take, "from", &list) ||
		(list.node->kind == NODE_LIST && list.node->n > SPOT_ITEMS_MAX))
		return;
	for (size_t i = 0; i < spot_items(&list); i++) {
		spot_item(&list, i, &item);
		if (item.node->kind == NODE_SCALAR &&
			strcmp(item.node->text, site) == 0)
			spot_error(&item,
				"this is the site itself, and what it has "
				"published is never taken back");
	}
}

static void read_group(const struct spot *s, struct config_site_group *g,
	const struct config_sites *c)
{
	*g = (struct config_site_group){
		.publishes = true,
		.takes = true,
		.rate = RATE_DEFAULT,
		.searches = true,
		.line = s->key_node->line,
	};
	set_string(s, &g->name, s->key);
	if (!read_map(s, g, KEYS(group_keys), NO_KEYS))
		return;
	complete_from(s, &g->from);
	check_from(s, c->site);
	if (!g->publishes && !g->takes)
		spot_key_error(s,
			"neither publishes nor takes anything, needs one of "
			"them, or to be left out");
}

void read_site_groups(const struct spot *s, void *base, const struct key *k)
{
	struct config_sites *c = base;
	struct spot pair;

	(void)k;
	if (!check_names(s, "groups"))
		return;
	if (spot_pairs(s) == 0) {
		spot_error(s, "empty, needs at least one group");
		return;
	}
	c->groups = calloc(spot_pairs(s), sizeof(*c->groups));
	if (c->groups == NULL) {
		spot_no_memory(s);
		return;
	}
	for (size_t i = 0; i < spot_pairs(s); i++) {
		spot_pair(s, i, &pair);
		if (check_name(&pair))
			read_group(&pair, &c->groups[c->n_groups++], c);
	}
}
