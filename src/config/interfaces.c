#include "config/items.h"

#include <stdlib.h>

static const struct key interface_keys[] = {
	{ .name = "device",
		LIST(struct config_interface, device.at, device.n,
			list_devices),
		.missing = "a device, such as eth0 or \"br-*\"" },
	{ .name = "ttl",
		.read = read_ttl,
		MEMBER(struct config_interface, ttl) },
	{ .name = "peers",
		LIST(struct config_interface, peers, n_peers, list_unicast) },
};

static void check_excludes(
	const struct spot *s, const struct config_interface *i)
{
	struct spot device;

	if (glob_list_only_excludes(&i->device) &&
		spot_get(s, "device", &device))
		spot_error(&device,
			"only excludes devices, needs one to exclude from");
}

static void read_interface(const struct spot *s, struct config_interface *i)
{
	set_string(s, &i->name, s->key);
	i->line = s->key_node->line;
	if (read_map(s, i, KEYS(interface_keys), NO_KEYS))
		check_excludes(s, i);
}

void read_interfaces(const struct spot *s, void *base, const struct key *k)
{
	struct config *c = base;
	struct spot pair;

	(void)k;
	if (!check_names(s, "interfaces")) {
		s->reader->interfaces_wrong = true;
		return;
	}
	c->interfaces = calloc(spot_pairs(s) + 1, sizeof(*c->interfaces));
	if (c->interfaces == NULL) {
		spot_no_memory(s);
		return;
	}
	for (size_t i = 0; i < spot_pairs(s); i++) {
		spot_pair(s, i, &pair);
		if (check_name(&pair))
			read_interface(
				&pair, &c->interfaces[c->n_interfaces++]);
		else
			s->reader->interfaces_wrong = true;
	}
}
