#include "config/groups.h"
#include "config/items.h"

#include <stdlib.h>
#include <string.h>

#define GROUP(member) MEMBER(struct config_group, member)
#define SECONDS(n)    ((n)*UINT64_C(1000))

enum { RATE_MAX = 1000000 };
/* The address and port pairs of a group: each is a set of sockets. */
enum { CHANNELS_MAX = 1024 };

static const struct key shared[] = {
	{ .name = "address",
		LIST(struct config_group, addresses, n_addresses,
			list_multicast) },
	{ .name = "broadcast", .read = read_bool, GROUP(broadcast) },
	{ .name = "port",
		LIST(struct config_group, ports, n_ports, list_ports) },
	{ .name = "sources",
		LIST(struct config_group, sources, n_sources, list_unicast) },
	{ .name = "ttl", .read = read_ttl, GROUP(ttl) },
	{ .name = "loop", .read = read_bool, GROUP(loop) },
	{ .name = "source",
		.read = read_word,
		GROUP(source),
		.words = words_source },
	{ .name = "send", .read = read_word, GROUP(send), .words = words_send },
	{ .name = "payload",
		.read = read_word,
		GROUP(payload),
		.words = words_payload },
	{ .name = "strip", .read = read_strip, GROUP(strip) },
	{ .name = "replies",
		.read = read_word,
		GROUP(replies),
		.words = words_replies },
	{ .name = "reply-timeout",
		.read = read_duration,
		GROUP(reply_timeout_ms),
		.low = 100,
		.high = SECONDS(600) },
	{ .name = "allow", .read = read_filter, GROUP(allow) },
	{ .name = "deny", .read = read_filter, GROUP(deny) },
	{ .name = "rate",
		.read = read_rate,
		GROUP(rate),
		.low = 1,
		.high = RATE_MAX,
		.words = words_off },
	{ .name = "dedup",
		.read = read_duration,
		GROUP(dedup_ms),
		.low = 1,
		.high = SECONDS(60),
		.words = words_off },
	{ .name = "hold",
		.read = read_duration,
		GROUP(hold_ms),
		.low = SECONDS(1),
		.high = SECONDS(86400) },
	{ .name = "repeat",
		.read = read_duration,
		GROUP(repeat_ms),
		.low = SECONDS(1),
		.high = SECONDS(86400),
		.words = words_off },
	{ .name = "standby", .read = read_bool, GROUP(standby) },
};

const struct keys group_shared_keys = { shared,
	sizeof(shared) / sizeof(*shared) };

/* After the shared ones: a use is read once the group's addresses are known. */
static const struct key of_groups_alone[] = {
	{ .name = "preset", .read = read_preset_name },
	{ .name = "interfaces",
		.read = read_uses,
		.low = CONFIG_HEARS | CONFIG_SENT_TO },
	{ .name = "from", .read = read_uses, .low = CONFIG_HEARS },
	{ .name = "to", .read = read_uses, .low = CONFIG_SENT_TO },
	{ .name = "searchers",
		.read = read_uses,
		.low = CONFIG_HEARS | CONFIG_SENT_TO | CONFIG_SEARCHERS },
	{ .name = "devices",
		.read = read_uses,
		.low = CONFIG_HEARS | CONFIG_SENT_TO | CONFIG_DEVICES },
};

void group_set_defaults(struct config_group *g)
{
	*g = (struct config_group){
		.ttl = CONFIG_TTL_UNSET,
		.reply_timeout_ms = SECONDS(10),
		.dedup_ms = SECONDS(2),
		.hold_ms = SECONDS(120),
	};
}

/* True if a key is given, but with a value that was reported. */
static bool is_given_wrong(
	const struct spot *s, const char *key, const char *right)
{
	struct spot value;

	return spot_get(s, key, &value) &&
	       (value.node->kind != NODE_SCALAR ||
		       strcmp(value.node->text, right) != 0);
}

static void check_address(const struct spot *s, const struct config_group *g)
{
	struct spot address;

	if (g->n_addresses > 0 || g->broadcast ||
		is_given_wrong(s, "broadcast", "false"))
		return;
	if (!spot_get(s, "address", &address))
		spot_missing(s, "address",
			g->preset != NULL
				? "a multicast address (or broadcast: true), "
				  "since the preset has none"
				: "a multicast address, unless there is "
				  "broadcast: true or a preset");
	else if (address.node->kind == NODE_LIST && address.node->n == 0)
		spot_error(&address,
			"an empty list, needs a multicast address (or "
			"broadcast: true)");
}

static void check_channels(const struct spot *s, const struct config_group *g)
{
	size_t n = g->n_addresses + (g->broadcast ? 1 : 0);

	/* Who knows what a preset would have filled in that is none? */
	if (spot_has(s, "preset") && g->preset == NULL)
		return;
	check_address(s, g);
	if (g->n_ports == 0 && !spot_has(s, "port"))
		spot_missing(s, "port",
			g->preset != NULL
				? "1 to 65535, since the preset has none"
				: "1 to 65535 or a list, unless there is a "
				  "preset");
	if (n * g->n_ports > CHANNELS_MAX)
		spot_key_error(s,
			"%zu addresses with %zu ports are %zu channels, at "
			"most %d",
			n, g->n_ports, n * g->n_ports, CHANNELS_MAX);
}

static void read_group(const struct spot *s, struct config_group *g)
{
	group_set_defaults(g);
	set_string(s, &g->name, s->key);
	g->line = s->key_node->line;
	s->reader->uses_wrong = false;
	if (!spot_is_map(s))
		return;
	preset_apply(s, g);
	(void)read_map(s, g, group_shared_keys, KEYS(of_groups_alone));
	check_channels(s, g);
	group_check(s, g);
	group_check_sources(s, g);
	uses_complete(s, g);
}

void read_groups(const struct spot *s, void *base, const struct key *k)
{
	struct config *c = base;
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
			read_group(&pair, &c->groups[c->n_groups++]);
	}
}
