#include "config/done.h"
#include "config/groups.h"

#include <stdlib.h>
#include <string.h>

/* Of all groups together, so that memory stays bounded. */
enum { USES_MAX = 16384 };

/* A use while it is read. */
struct reading {
	struct config_use use;
	bool is_known; /* use.interface is set */
	const struct config_group *group;
};

static const char *interface_name(const struct config *c, size_t i)
{
	return i < c->n_interfaces ? c->interfaces[i].name : NULL;
}

static void read_interface_name(
	const struct spot *s, void *base, const struct key *k)
{
	struct reading *reading = base;

	(void)k;
	reading->is_known = read_reference(
		s, "interface", interface_name, &reading->use.interface);
}

static void read_target(const struct spot *s, void *base, const struct key *k)
{
	static const char want[] =
		"the address of a host or a group, such as 192.0.2.7";
	struct reading *reading = base;
	struct net_address a;

	(void)k;
	if (!read_address(s, want, &a))
		return;
	if (net_address_is_any(&a))
		spot_wrong(s, want);
	else if (group_has_family(reading->group, a.family))
		reading->use.target = a;
	else
		spot_error(s,
			"a target of %s, but the group has no address of it",
			family_text(a.family));
}

#define USE(name) MEMBER(struct reading, use.name)

static const struct key keys_heard[] = {
	{ .name = "name",
		.read = read_interface_name,
		.missing = "the name of an interface" },
	{ .name = "allow", .read = read_filter, USE(allow) },
	{ .name = "deny", .read = read_filter, USE(deny) },
};

static const struct key keys_sent_to[] = {
	{ .name = "ttl", .read = read_ttl, USE(ttl) },
	{ .name = "target", .read = read_target },
};

static void read_use(
	const struct spot *s, unsigned role, struct reading *reading)
{
	if (s->node->kind == NODE_MAP) {
		(void)read_map(s, reading, KEYS(keys_heard),
			(role & CONFIG_SENT_TO) ? KEYS(keys_sent_to) : NO_KEYS);
		group_check_filters(s, reading->group->payload);
	} else {
		read_interface_name(s, reading, NULL);
	}
	if (!reading->is_known)
		s->reader->uses_wrong = true;
}

static void merge_filter(struct config_filter *f, struct config_filter *more)
{
	if (filter_is_empty(more))
		return;
	filter_done(f);
	*f = *more;
	*more = (struct config_filter){ 0 };
}

/* The place of the use of interface `i`, or where it would belong. */
static size_t find_place(const struct config_group *g, size_t i)
{
	size_t at = 0;

	while (at < g->n_uses && g->uses[at].interface < i)
		at++;
	return at;
}

static bool insert_use(
	const struct spot *s, struct config_group *g, size_t at, size_t i)
{
	struct config_use *uses;

	if (s->reader->n_uses == USES_MAX) {
		if (!s->reader->uses_wrong)
			spot_error(s,
				"the groups name more than %d interfaces "
				"together",
				USES_MAX);
		s->reader->uses_wrong = true;
		return false;
	}
	uses = reallocarray(g->uses, g->n_uses + 1, sizeof(*uses));
	if (uses == NULL) {
		spot_no_memory(s);
		return false;
	}
	memmove(uses + at + 1, uses + at, (g->n_uses - at) * sizeof(*uses));
	uses[at] =
		(struct config_use){ .interface = i, .ttl = CONFIG_TTL_UNSET };
	g->uses = uses;
	g->n_uses++;
	s->reader->n_uses++;
	return true;
}

/* An interface that stands in several lists has the roles of all of them. */
static void add_use(const struct spot *s, struct config_group *g, unsigned role,
	struct config_use *more)
{
	size_t at = find_place(g, more->interface);
	struct config_use *u;

	if ((at == g->n_uses || g->uses[at].interface != more->interface) &&
		!insert_use(s, g, at, more->interface))
		return;
	u = &g->uses[at];
	u->role |= role;
	if (more->ttl != CONFIG_TTL_UNSET)
		u->ttl = more->ttl;
	if (net_address_is_set(&more->target))
		u->target = more->target;
	merge_filter(&u->allow, &more->allow);
	merge_filter(&u->deny, &more->deny);
}

static void read_list_of_uses(
	const struct spot *s, struct config_group *g, unsigned role, bool *seen)
{
	struct spot item;
	size_t n = spot_items(s);

	for (size_t i = 0; i < n; i++) {
		struct reading reading = { .group = g };

		reading.use.ttl = CONFIG_TTL_UNSET;
		spot_item(s, i, &item);
		read_use(&item, role, &reading);
		if (reading.is_known && seen[reading.use.interface]) {
			spot_error(&item, "given twice in this list");
		} else if (reading.is_known) {
			seen[reading.use.interface] = true;
			add_use(&item, g, role, &reading.use);
		}
		use_done(&reading.use);
	}
}

void read_uses(const struct spot *s, void *base, const struct key *k)
{
	bool *seen = calloc(s->reader->config->n_interfaces + 1, sizeof(*seen));

	if (seen == NULL) {
		spot_no_memory(s);
		return;
	}
	read_list_of_uses(s, base, (unsigned)k->low, seen);
	free(seen);
}

static void take_every_interface(const struct spot *s, struct config_group *g)
{
	size_t n = s->reader->config->n_interfaces;

	for (size_t i = 0; i < n; i++) {
		struct config_use use = { .interface = i };

		add_use(s, g, CONFIG_HEARS | CONFIG_SENT_TO, &use);
	}
	if (n == 0 && !s->reader->interfaces_wrong)
		spot_missing(s, "interfaces",
			"the name of an interface, but there are none");
}

static void check_pair(const struct spot *s)
{
	static const char *const others[] = { "interfaces", "from", "to" };
	static const char *const pair[] = { "searchers", "devices" };
	struct spot value;

	for (size_t i = 0; i < 3; i++) {
		if (spot_get(s, others[i], &value))
			spot_key_error(&value,
				"does not go with searchers and devices, which "
				"name all interfaces of the group");
	}
	for (size_t i = 0; i < 2; i++) {
		if (!spot_get(s, pair[i], &value))
			spot_missing(s, pair[i],
				"the name of an interface, as the other half "
				"of searchers and devices");
		else if (value.node->kind == NODE_LIST && value.node->n == 0)
			spot_error(&value,
				"an empty list, needs the name of an "
				"interface");
	}
}

static void check_hears(const struct spot *s, const struct config_group *g)
{
	static const char want[] =
		"the name of an interface, or the group hears nowhere";
	struct spot value;

	for (size_t i = 0; i < g->n_uses; i++) {
		if (g->uses[i].role & CONFIG_HEARS)
			return;
	}
	if (s->reader->uses_wrong)
		return;
	if (spot_get(s, "from", &value) || spot_get(s, "interfaces", &value))
		spot_error(&value, "an empty list, needs %s", want);
	else
		spot_missing(s, "from", want);
}

static void resolve_ttls(const struct config *c, struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		struct config_use *u = &g->uses[i];

		if (u->ttl == CONFIG_TTL_UNSET)
			u->ttl = g->ttl;
		if (u->ttl == CONFIG_TTL_UNSET)
			u->ttl = c->interfaces[u->interface].ttl;
		if (u->ttl == CONFIG_TTL_UNSET)
			u->ttl = 1;
	}
}

void uses_complete(const struct spot *s, struct config_group *g)
{
	if (spot_has(s, "searchers") || spot_has(s, "devices"))
		check_pair(s);
	else if (!spot_has(s, "interfaces") && !spot_has(s, "from") &&
		 !spot_has(s, "to"))
		take_every_interface(s, g);
	else
		check_hears(s, g);
	resolve_ttls(s->reader->config, g);
}
