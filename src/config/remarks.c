#include "config/done.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What must not be relayed: it is no discovery, and a copy of it does harm
 * where it arrives.
 */
struct hazard {
	const char *among;  /* addresses; NULL: any, broadcasts too */
	const char *except; /* the one address that is fine; NULL: none */
	uint16_t low, high; /* ports, both included */
	/* Bytes: a group whose allow: sizes has nothing larger is fine; 0: none
	 * is. */
	uint32_t harmless;
	const char *text;
};

static const struct hazard hazards[] = {
	{ NULL, NULL, 319, 320, 0,
		"ports 319 and 320 are PTP, which measures delays: what a "
		"relay sends sets clocks wrong" },
	{ "224.0.23.12", NULL, 3671, 3671, 14,
		"224.0.23.12 carries KNX telegrams, and a duplicate acts "
		"twice: let only searches pass (preset knx, or "
		"allow: { sizes: 14 })" },
	{ NULL, NULL, 6454, 6454, 0,
		"port 6454 is Art-Net, whose searches share it with lighting "
		"data, which a relay multiplies: keep it on its segment" },
	{ "239.255.0.0/16", "239.255.250.214", 5568, 5568, 0,
		"port 5568 is sACN lighting data: let multicast routing "
		"carry it; only the discovery on 239.255.250.214 is for a "
		"relay" },
	{ "239.0.0.0/8", NULL, 4321, 4321, 0,
		"port 4321 in 239.0.0.0/8 is Dante audio, which a relay "
		"delays and multiplies: let multicast routing carry it" },
	{ "239.0.0.0/8", NULL, 5004, 5004, 0,
		"port 5004 in 239.0.0.0/8 is AES67 audio, which a relay "
		"delays and multiplies: let multicast routing carry it" },
};

enum { HAZARDS = sizeof(hazards) / sizeof(*hazards) };

static bool has_port(const struct hazard *h, const struct config_group *g)
{
	for (size_t i = 0; i < g->n_ports; i++) {
		if (g->ports[i] >= h->low && g->ports[i] <= h->high)
			return true;
	}
	return false;
}

static bool has_address(const struct hazard *h, const struct config_group *g)
{
	struct net_address except = { 0 };
	struct net_prefix among;

	if (h->among == NULL)
		return true;
	(void)net_prefix_parse(h->among, &among);
	if (h->except != NULL)
		(void)net_address_parse(h->except, &except);
	for (size_t i = 0; i < g->n_addresses; i++) {
		if (net_prefix_contains(&among, &g->addresses[i]) &&
			!net_address_equal(&except, &g->addresses[i]))
			return true;
	}
	return false;
}

/* Whether nothing passes but what is small enough to do no harm. */
static bool is_harmless(const struct hazard *h, const struct config_group *g)
{
	for (size_t i = 0; i < g->allow.n_sizes; i++) {
		if (g->allow.sizes[i].high > h->harmless)
			return false;
	}
	return g->allow.n_sizes > 0;
}

static bool is_sent(const struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		if (g->uses[i].role & CONFIG_SENT_TO)
			return true;
	}
	return false;
}

/* Where remarks go. */
struct listener {
	void (*say)(void *data, const char *path, const char *text);
	void *data;
};

int config_find_group(const char *name, gid_t *ret)
{
	struct group group, *found = NULL;
	size_t size = 1024;
	char *buffer = NULL, *larger;
	int r = ERANGE;

	/* The list of its members may be long. */
	while (r == ERANGE && size <= 1 << 20) {
		larger = realloc(buffer, size);
		if (larger == NULL) {
			r = ENOMEM;
			break;
		}
		buffer = larger;
		r = getgrnam_r(name, &group, buffer, size, &found);
		size *= 2;
	}
	if (r == 0 && found != NULL)
		*ret = found->gr_gid;
	else if (r == 0)
		r = ENOENT;
	free(buffer);
	return -r;
}

/* False only where the host says so: an error is no answer. */
static bool group_exists(const char *name)
{
	gid_t gid;

	return config_find_group(name, &gid) != -ENOENT;
}

static void say_hazards(const struct listener *l, const char *path,
	const struct config_group *g)
{
	for (size_t i = 0; i < HAZARDS; i++) {
		if (has_port(&hazards[i], g) && has_address(&hazards[i], g) &&
			!is_harmless(&hazards[i], g))
			l->say(l->data, path, hazards[i].text);
	}
}

static void say_of_group(const struct listener *l, const struct config_group *g)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "groups.%s", g->name);
	if (g->notes != NULL)
		l->say(l->data, path, g->notes);
	if (!is_sent(g))
		l->say(l->data, path, "only listens, sends nowhere");
	else
		say_hazards(l, path, g);
	if (g->source == CONFIG_SOURCE_PRESERVE)
		l->say(l->data, path,
			"source: preserve needs CAP_NET_RAW; hosts with "
			"rp_filter drop what comes from an address that they "
			"have no route to on that segment");
}

static void say_flow_ports(const struct listener *l, const struct config *c)
{
	if (c->flow_port_low > 0)
		return;
	for (size_t i = 0; i < c->n_groups; i++) {
		if (c->groups[i].replies != CONFIG_REPLIES_PROXY)
			continue;
		l->say(l->data, "flow-ports",
			"not set: answers to searches come to ephemeral UDP "
			"ports; where this host has a firewall, set them and "
			"let them in");
		return;
	}
}

void config_remarks(const struct config *c,
	void (*say)(void *data, const char *path, const char *text), void *data)
{
	const struct listener l = { say, data };

	if (!group_exists(c->control.group))
		say(data, "control.group",
			"there is no such group on this host, so only root "
			"and the daemon's own user may change things");
	say_flow_ports(&l, c);
	for (size_t i = 0; i < c->n_groups; i++)
		say_of_group(&l, &c->groups[i]);
}
