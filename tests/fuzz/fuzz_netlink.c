/*
 * Whatever the kernel would say of devices and addresses: the table stays in
 * order, and what cannot be read changes nothing. The input is a datagram of
 * netlink messages, as events and as an answer to a dump.
 */
#include "fuzz.h"
#include "net/internal.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

/* More than the corpus has. */
enum { DEVICES = 12 };

static void check_address(const struct net_table *t, const struct net_device *d,
	const struct net_device_address *a)
{
	const struct net_address *local = &a->local.address;

	MUST(local->family == AF_INET || local->family == AF_INET6);
	MUST(a->local.length <= 8 * net_address_size(local));
	MUST(a->on_link.address.family == local->family);
	MUST(a->on_link.length == a->local.length);
	MUST(!a->usable || !a->duplicate);
	MUST(a->duplicate || net_own_has(t->own, local));
	MUST(local->scope == 0 || local->scope == d->index);
	if (net_address_is_set(&a->broadcast))
		MUST(a->broadcast.family == AF_INET &&
			local->family == AF_INET && a->local.length <= 30);
}

static void check_device(const struct net_table *t, const struct net_device *d)
{
	MUST(net_table_find(t, d->index) != NULL);
	MUST(&net_table_find(t, d->index)->device == d);
	MUST(d->name[0] != '\0');
	MUST(strnlen(d->name, sizeof(d->name)) < sizeof(d->name));
	MUST(strnlen(d->kind, sizeof(d->kind)) < sizeof(d->kind));
	MUST(d->incarnation4 > 0 && d->incarnation4 <= t->incarnations);
	MUST(d->incarnation6 > 0 && d->incarnation6 <= t->incarnations);
	MUST(!d->is_port || d->master != 0);
	for (size_t i = 0; i < d->n_addresses; i++)
		check_address(t, d, &d->addresses[i]);
}

static void check_table(const struct net_table *t)
{
	const struct net_entry *e;
	unsigned last = 0;

	for (e = t->entries; e != NULL; e = e->hh.next) {
		MUST(e->device.index > last);
		last = e->device.index;
		check_device(t, &e->device);
	}
}

/* As net/devices.c does; one that is malformed ends it. */
static void apply(struct net_table *t, const uint8_t *data, size_t size)
{
	struct net_messages messages = { data, size };
	const struct nlmsghdr *next;
	bool changed;
	int r;

	while ((r = net_messages_next(&messages, &next)) > 0) {
		MUST((const uint8_t *)next + next->nlmsg_len <= data + size);
		changed = t->changed;
		t->changed = false;
		r = net_table_apply(t, next);
		MUST(r == 0 || r == -EBADMSG);
		MUST(r == 0 || !t->changed);
		t->changed |= changed;
		check_table(t);
	}
	MUST(r == 0 || r == -EBADMSG);
}

/* Addresses of devices that are not there say nothing. */
static void add_devices(struct net_table *t)
{
	for (unsigned i = 1; i <= DEVICES; i++) {
		struct net_link link = {
			.device = { .index = i, .mtu = 1500, .flags = IFF_UP }
		};

		(void)snprintf(
			link.device.name, sizeof(link.device.name), "eth%u", i);
		MUST(net_table_set_link(t, &link) == 0);
	}
}

static void check_dumps(struct net_table *t, const uint8_t *data, size_t size)
{
	net_table_begin_dump(t);
	apply(t, data, size);
	net_table_end_dump(t, true);
	check_table(t);
	t->changed = false;
	/* Told once more there is nothing new, unless it contradicts itself. */
	net_table_begin_dump(t);
	apply(t, data, size);
	net_table_end_dump(t, false);
	check_table(t);
	/* A dump without anything leaves nothing. */
	net_table_begin_dump(t);
	net_table_end_dump(t, true);
	MUST(t->entries == NULL);
	MUST(t->own == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_table t = { 0 };

	add_devices(&t);
	/* What comes from the heap is aligned as a message needs it. */
	apply(&t, data, size);
	net_table_bury(&t);
	check_table(&t);
	check_dumps(&t, data, size);
	net_table_done(&t);
	return 0;
}
