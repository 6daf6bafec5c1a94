#include "config/dump.h"
#include "config/done.h"
#include "config/read.h"

#include <errno.h>
#include <inttypes.h>

static void dump_ttl(struct emit *e, int ttl)
{
	if (ttl == CONFIG_TTL_UNSET)
		return;
	emit_word(e, "ttl");
	if (ttl == CONFIG_TTL_KEEP)
		emit_word(e, "keep");
	else if (ttl == CONFIG_TTL_DECREMENT)
		emit_word(e, "decrement");
	else
		emit_format(e, "%d", ttl);
}

/* 0 is `off`, where a duration can be. */
static void dump_duration(struct emit *e, const char *key, uint64_t ms)
{
	char text[DURATION_TEXT];

	emit_pair(e, key, ms == 0 ? "off" : duration_text(ms, text));
}

static void dump_address(struct emit *e, const struct net_address *a)
{
	char text[NET_ADDRESS_TEXT];

	emit_word(e, net_address_format(a, NULL, text));
}

static void dump_addresses(
	struct emit *e, const char *key, const struct net_address *at, size_t n)
{
	emit_word(e, key);
	emit_list(e);
	for (size_t i = 0; i < n; i++)
		dump_address(e, &at[i]);
	emit_list_end(e);
}

void dump_strings(
	struct emit *e, const char *key, const struct config_strings *s)
{
	emit_word(e, key);
	emit_list(e);
	for (size_t i = 0; i < s->n; i++)
		emit_word(e, s->at[i]);
	emit_list_end(e);
}

static void dump_prefixes(struct emit *e, const struct config_filter *f)
{
	char text[NET_PREFIX_TEXT];

	emit_word(e, "sources");
	emit_list(e);
	for (size_t i = 0; i < f->n_sources; i++)
		emit_word(e, net_prefix_format(&f->sources[i], text));
	emit_list_end(e);
}

static void dump_sizes(struct emit *e, const struct config_filter *f)
{
	emit_word(e, "sizes");
	emit_list(e);
	for (size_t i = 0; i < f->n_sizes; i++)
		emit_format(e, "%" PRIu32 "-%" PRIu32, f->sizes[i].low,
			f->sizes[i].high);
	emit_list_end(e);
}

void dump_filter(struct emit *e, const char *key, const struct config_filter *f,
	bool also_empty)
{
	if (filter_is_empty(f) && !also_empty)
		return;
	emit_word(e, key);
	emit_map(e, EMIT_FLOW);
	if (f->n_sources > 0)
		dump_prefixes(e, f);
	if (f->services.n > 0)
		dump_strings(e, "services", &f->services);
	if (f->targets.n > 0)
		dump_strings(e, "targets", &f->targets);
	if (f->n_sizes > 0)
		dump_sizes(e, f);
	emit_map_end(e);
}

void dump_rate(struct emit *e, uint32_t rate)
{
	emit_word(e, "rate");
	if (rate > 0)
		emit_format(e, "%" PRIu32 "/s", rate);
	else
		emit_word(e, "off");
}

void dump_number(struct emit *e, const char *key, uint32_t number)
{
	emit_word(e, key);
	emit_format(e, "%" PRIu32, number);
}

static void dump_top(struct emit *e, const struct config *c)
{
	const struct config_limits *l = &c->limits;
	char mode[16];

	emit_word(e, "control");
	emit_map(e, EMIT_BLOCK);
	emit_pair(e, "socket", c->control.socket);
	(void)snprintf(mode, sizeof(mode), "%04o", c->control.mode);
	emit_word(e, "mode");
	emit_string(e, mode);
	emit_pair(e, "group", c->control.group);
	emit_map_end(e);
	emit_word(e, "limits");
	emit_map(e, EMIT_BLOCK);
	dump_number(e, "discovered", l->discovered);
	dump_number(e, "flows", l->flows);
	dump_number(e, "clients", l->clients);
	dump_number(e, "remembered", l->remembered);
	emit_map_end(e);
	if (c->flow_port_low == 0)
		return;
	emit_word(e, "flow-ports");
	emit_format(e, "%d-%d", c->flow_port_low, c->flow_port_high);
}

static void dump_interface(struct emit *e, const struct config_interface *i)
{
	emit_word(e, i->name);
	emit_map(e, EMIT_BLOCK);
	dump_strings(e, "device", &i->device);
	dump_ttl(e, i->ttl);
	if (i->n_peers > 0)
		dump_addresses(e, "peers", i->peers, i->n_peers);
	emit_map_end(e);
}

static void dump_use(
	struct emit *e, const struct config *c, const struct config_use *u)
{
	emit_map(e, EMIT_FLOW);
	emit_pair(e, "name", c->interfaces[u->interface].name);
	if (u->role & CONFIG_SENT_TO)
		dump_ttl(e, u->ttl);
	if (net_address_is_set(&u->target)) {
		emit_word(e, "target");
		dump_address(e, &u->target);
	}
	dump_filter(e, "allow", &u->allow, false);
	dump_filter(e, "deny", &u->deny, false);
	emit_map_end(e);
}

/* Those uses whose role has `bits` among `mask`. */
static void dump_uses(struct emit *e, const char *key, const struct config *c,
	const struct config_group *g, unsigned mask, unsigned bits)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_uses; i++) {
		if ((g->uses[i].role & mask) != bits)
			continue;
		if (n++ == 0) {
			emit_word(e, key);
			emit_list(e);
		}
		dump_use(e, c, &g->uses[i]);
	}
	if (n > 0)
		emit_list_end(e);
}

static void dump_every_use(
	struct emit *e, const struct config *c, const struct config_group *g)
{
	const unsigned both = CONFIG_HEARS | CONFIG_SENT_TO;
	const unsigned pair = CONFIG_SEARCHERS | CONFIG_DEVICES;

	dump_uses(e, "interfaces", c, g, both | pair, both);
	dump_uses(e, "from", c, g, both, CONFIG_HEARS);
	dump_uses(e, "to", c, g, both, CONFIG_SENT_TO);
	dump_uses(e, "searchers", c, g, CONFIG_SEARCHERS, CONFIG_SEARCHERS);
	dump_uses(e, "devices", c, g, CONFIG_DEVICES, CONFIG_DEVICES);
}

static void dump_ports(struct emit *e, const struct config_group *g)
{
	emit_word(e, "port");
	emit_list(e);
	for (size_t i = 0; i < g->n_ports; i++)
		emit_format(e, "%d", g->ports[i]);
	emit_list_end(e);
}

static void dump_strip(struct emit *e, unsigned strip)
{
	emit_word(e, "strip");
	emit_list(e);
	for (unsigned i = 0; words_strip[i] != NULL; i++) {
		if (strip & 1U << i)
			emit_word(e, words_strip[i]);
	}
	emit_list_end(e);
}

static void dump_channels(struct emit *e, const struct config_group *g)
{
	/* Empty lists, too: a preset may have others. */
	dump_addresses(e, "address", g->addresses, g->n_addresses);
	emit_bool_pair(e, "broadcast", g->broadcast);
	if (g->n_ports > 0)
		dump_ports(e, g);
	dump_addresses(e, "sources", g->sources, g->n_sources);
}

/* What groups and presets share. */
static void dump_shared(struct emit *e, const struct config_group *g)
{
	dump_channels(e, g);
	dump_ttl(e, g->ttl);
	emit_bool_pair(e, "loop", g->loop);
	emit_pair(e, "source", config_source_word(g->source));
	emit_pair(e, "send", config_send_word(g->send));
	emit_pair(e, "payload", config_payload_word(g->payload));
	if (g->payload == CONFIG_PAYLOAD_MDNS)
		dump_strip(e, g->strip);
	emit_pair(e, "replies", config_replies_word(g->replies));
	dump_duration(e, "reply-timeout", g->reply_timeout_ms);
	dump_filter(e, "allow", &g->allow, g->preset != NULL);
	dump_filter(e, "deny", &g->deny, g->preset != NULL);
	dump_rate(e, g->rate);
	dump_duration(e, "dedup", g->dedup_ms);
	dump_duration(e, "hold", g->hold_ms);
	dump_duration(e, "repeat", g->repeat_ms);
	emit_bool_pair(e, "standby", g->standby);
}

static void dump_preset(struct emit *e, const struct config_preset *p)
{
	emit_word(e, p->name);
	emit_map(e, EMIT_BLOCK);
	dump_shared(e, &p->group);
	if (p->group.speaks != CONFIG_SPEAKS_UNKNOWN)
		emit_pair(e, "speaks", words_speaks[p->group.speaks]);
	if (p->notes != NULL) {
		emit_word(e, "notes");
		emit_string(e, p->notes);
	}
	emit_map_end(e);
}

static void dump_group(
	struct emit *e, const struct config *c, const struct config_group *g)
{
	emit_word(e, g->name);
	emit_map(e, EMIT_BLOCK);
	if (g->preset != NULL)
		emit_pair(e, "preset", g->preset);
	dump_shared(e, g);
	dump_every_use(e, c, g);
	emit_map_end(e);
}

static void dump_data(
	struct emit *e, const char *key, const struct config_data *d)
{
	if (d->kind == CONFIG_DATA_NONE)
		return;
	emit_word(e, key);
	emit_map(e, EMIT_FLOW);
	emit_word(e, d->written_as);
	emit_string(e, d->written);
	emit_map_end(e);
}

static void dump_service(struct emit *e, const struct config_service *s)
{
	emit_word(e, "service");
	emit_map(e, EMIT_BLOCK);
	emit_word(e, "name");
	emit_string(e, s->name);
	emit_pair(e, "type", s->type);
	emit_word(e, "port");
	emit_format(e, "%d", s->port);
	if (s->txt.n > 0)
		dump_strings(e, "txt", &s->txt);
	if (s->host != NULL)
		emit_pair(e, "host", s->host);
	emit_map_end(e);
}

/* What stands in its mapping. */
static void dump_declaration(struct emit *e, const struct config *c,
	const struct config_announcement *a)
{
	emit_pair(e, "group", c->groups[a->group].name);
	dump_data(e, "payload", &a->payload);
	if (a->service != NULL)
		dump_service(e, a->service);
	dump_duration(e, "interval", a->interval_ms);
	dump_number(e, "burst", a->burst);
	dump_data(e, "goodbye", &a->goodbye);
}

static void dump_announcement(struct emit *e, const struct config *c,
	const struct config_announcement *a)
{
	emit_word(e, a->name);
	emit_map(e, EMIT_BLOCK);
	dump_declaration(e, c, a);
	emit_map_end(e);
}

static void dump_presets(struct emit *e, const struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_presets; i++) {
		if (c->presets[i].built_in)
			continue;
		if (n++ == 0) {
			emit_word(e, "presets");
			emit_map(e, EMIT_BLOCK);
		}
		dump_preset(e, &c->presets[i]);
	}
	if (n > 0)
		emit_map_end(e);
}

static void dump_interfaces(struct emit *e, const struct config *c)
{
	emit_word(e, "interfaces");
	emit_map(e, EMIT_BLOCK);
	for (size_t i = 0; i < c->n_interfaces; i++)
		dump_interface(e, &c->interfaces[i]);
	emit_map_end(e);
}

static void dump_groups(struct emit *e, const struct config *c)
{
	emit_word(e, "groups");
	emit_map(e, EMIT_BLOCK);
	for (size_t i = 0; i < c->n_groups; i++)
		dump_group(e, c, &c->groups[i]);
	emit_map_end(e);
}

static void dump_announcements(struct emit *e, const struct config *c)
{
	if (c->n_announcements == 0)
		return;
	emit_word(e, "announcements");
	emit_map(e, EMIT_BLOCK);
	for (size_t i = 0; i < c->n_announcements; i++)
		dump_announcement(e, c, &c->announcements[i]);
	emit_map_end(e);
}

/* The library does not look at what fwrite() kept back. */
int dump_end(struct emit *e, FILE *out)
{
	int r = emit_end(e);

	return fflush(out) != 0 || ferror(out) ? -EIO : r;
}

int config_dump_announcement(
	const struct config *c, const struct config_announcement *a, FILE *out)
{
	struct emit e;

	emit_begin(&e, out);
	dump_declaration(&e, c, a);
	return dump_end(&e, out);
}

int config_dump(const struct config *c, FILE *out)
{
	struct emit e;

	emit_begin(&e, out);
	dump_top(&e, c);
	dump_presets(&e, c);
	dump_interfaces(&e, c);
	dump_groups(&e, c);
	dump_announcements(&e, c);
	return dump_end(&e, out);
}
