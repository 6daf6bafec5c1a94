/*
 * What a group's keys say against each other. Only what is written beside the
 * rest is wrong: what a preset merely fills in gives way where it can.
 */
#include "config/groups.h"

/* The first of two keys that is given, or false. */
static bool find_culprit(const struct spot *s, const char *first,
	const char *second, struct spot *ret)
{
	return spot_get(s, first, ret) || spot_get(s, second, ret);
}

static void check_replies(const struct spot *s, struct config_group *g)
{
	struct spot value;

	if (g->source != CONFIG_SOURCE_PRESERVE ||
		g->replies != CONFIG_REPLIES_PROXY)
		return;
	if (spot_get(s, "replies", &value))
		spot_error(&value,
			"proxy does not go with source: preserve, which "
			"implies none");
	/* Answers go to the searcher itself, whose address was preserved. */
	g->replies = CONFIG_REPLIES_NONE;
}

static void check_send(const struct spot *s, const struct config_group *g)
{
	struct spot value;

	if (g->loop && g->send == CONFIG_SEND_FRAME &&
		find_culprit(s, "send", "loop", &value))
		spot_error(&value,
			"send: frame does not go with loop: true, since this "
			"host never hears its own frames");
}

static void check_repeat(const struct spot *s, const struct config_group *g)
{
	struct spot value;

	if (g->repeat_ms > 0 && g->payload == CONFIG_PAYLOAD_MDNS &&
		find_culprit(s, "repeat", "payload", &value))
		spot_error(&value,
			"repeat does not go with payload: mdns, whose hosts "
			"repeat themselves");
}

static void check_strip(const struct spot *s, struct config_group *g)
{
	struct spot value;

	if (g->strip == 0 || g->payload == CONFIG_PAYLOAD_MDNS)
		return;
	if (spot_get(s, "strip", &value))
		spot_error(&value, "strip needs payload: mdns");
	g->strip = 0;
}

static void check_filter(const struct spot *filter, enum config_payload payload)
{
	struct spot value;

	if (payload != CONFIG_PAYLOAD_MDNS &&
		spot_get(filter, "services", &value))
		spot_error(&value, "services need a group with payload: mdns");
	if (payload != CONFIG_PAYLOAD_SSDP &&
		spot_get(filter, "targets", &value))
		spot_error(&value, "targets need a group with payload: ssdp");
}

void group_check_filters(const struct spot *s, enum config_payload payload)
{
	struct spot filter;

	if (spot_get(s, "allow", &filter))
		check_filter(&filter, payload);
	if (spot_get(s, "deny", &filter))
		check_filter(&filter, payload);
}

/* A filter of the preset, beside a payload of the group's own. */
static void check_inherited(const struct spot *s, const char *key,
	const struct config_group *g, const struct config_filter *f)
{
	struct spot value;

	if (spot_has(s, key) || !spot_get(s, "payload", &value))
		return;
	if (f->services.n > 0 && g->payload != CONFIG_PAYLOAD_MDNS)
		spot_error(&value,
			"the preset's %s has services, which need mdns", key);
	if (f->targets.n > 0 && g->payload != CONFIG_PAYLOAD_SSDP)
		spot_error(&value,
			"the preset's %s has targets, which need ssdp", key);
}

const char *family_text(sa_family_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static bool has_multicast(const struct config_group *g, sa_family_t family)
{
	for (size_t i = 0; i < g->n_addresses; i++) {
		if (g->addresses[i].family == family)
			return true;
	}
	return false;
}

bool group_has_family(const struct config_group *g, sa_family_t family)
{
	return (g->broadcast && family == AF_INET) || has_multicast(g, family);
}

static void drop_foreign_sources(struct config_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_sources; i++) {
		if (has_multicast(g, g->sources[i].family))
			g->sources[n++] = g->sources[i];
	}
	g->n_sources = n;
}

static void report_foreign_sources(
	const struct spot *list, const struct config_group *g)
{
	struct spot item;
	struct net_address a;

	for (size_t i = 0; i < spot_items(list); i++) {
		spot_item(list, i, &item);
		/* What is no address was reported when it was read. */
		if (item.node->kind != NODE_SCALAR ||
			net_address_parse(item.node->text, &a) < 0 ||
			has_multicast(g, a.family))
			continue;
		spot_error(&item,
			"a source of %s needs a multicast address of %s",
			family_text(a.family), family_text(a.family));
	}
}

/* Not of presets: whoever uses one may name other addresses. */
void group_check_sources(const struct spot *s, struct config_group *g)
{
	struct spot list;

	/* A group without any address has an error of its own. */
	if (g->n_sources == 0 || (g->n_addresses == 0 && !g->broadcast))
		return;
	if (spot_get(s, "sources", &list))
		report_foreign_sources(&list, g);
	else
		drop_foreign_sources(g);
}

void group_check(const struct spot *s, struct config_group *g)
{
	check_replies(s, g);
	check_send(s, g);
	check_repeat(s, g);
	check_strip(s, g);
	group_check_filters(s, g->payload);
	check_inherited(s, "allow", g, &g->allow);
	check_inherited(s, "deny", g, &g->deny);
}
