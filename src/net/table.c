#include "net/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8200, 5. Below it the kernel takes IPv6 off a device. */
enum { IPV6_LEAST_MTU = 1280 };

static int by_index(const struct net_entry *a, const struct net_entry *b)
{
	return (a->device.index > b->device.index) -
	       (a->device.index < b->device.index);
}

static void forget_address(
	struct net_table *t, struct net_device *device, size_t i)
{
	struct net_device_address *a = &device->addresses[i];

	if (!a->duplicate)
		net_own_drop(&t->own, &a->local.address);
	device->n_addresses--;
	memmove(a, a + 1, (device->n_addresses - i) * sizeof(*a));
	t->changed = true;
}

static void forget_entry(struct net_table *t, struct net_entry *e)
{
	while (e->device.n_addresses > 0)
		forget_address(t, &e->device, e->device.n_addresses - 1);
	HASH_DEL(t->entries, e);
	e->next = t->gone;
	t->gone = e;
	t->changed = true;
}

void net_table_bury(struct net_table *t)
{
	while (t->gone != NULL) {
		struct net_entry *e = t->gone;

		t->gone = e->next;
		free(e->device.addresses);
		free(e);
	}
}

void net_table_done(struct net_table *t)
{
	while (t->entries != NULL)
		forget_entry(t, t->entries);
	net_table_bury(t);
	memset(t, 0, sizeof(*t));
}

struct net_entry *net_table_find(const struct net_table *t, unsigned index)
{
	struct net_entry *e;

	HASH_FIND(hh, t->entries, &index, sizeof(index), e);
	return e;
}

static int add_link(struct net_table *t, const struct net_link *link)
{
	struct net_entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -ENOMEM;
	e->device = link->device;
	e->device.addresses = NULL;
	e->device.n_addresses = 0;
	e->device.incarnation4 = t->incarnations + 1;
	e->device.incarnation6 = t->incarnations + 1;
	e->identity = link->identity;
	e->mark = t->mark;
	HASH_ADD_INORDER(hh, t->entries, device.index, sizeof(e->device.index),
		e, by_index);
	if (e->hh.tbl == NULL) {
		free(e);
		return -ENOMEM;
	}
	t->incarnations++;
	t->changed = true;
	return 0;
}

/* The memberships of this device may be lost. */
static void renew(struct net_table *t, struct net_device *device)
{
	t->incarnations++;
	device->incarnation4 = t->incarnations;
	device->incarnation6 = t->incarnations;
	t->changed = true;
}

/*
 * After lost events an index that is still there may be another device's: its
 * RTM_DELLINK may be what was lost. Nothing in a dump says so, but a device
 * that was made anew mostly differs in what follows, and its count of carrier
 * changes began again. A name says nothing: a rename keeps memberships. So does
 * a new hardware address, but then a needless leave and join does no harm,
 * while a missed one leaves the device deaf.
 */
static bool is_another(const struct net_entry *e, const struct net_link *link)
{
	const struct net_identity *old = &e->identity, *new = &link->identity;

	return strcmp(e->device.kind, link->device.kind) != 0 ||
	       old->type != new->type || old->parent != new->parent ||
	       old->carrier_changes > new->carrier_changes ||
	       old->n_address != new->n_address ||
	       memcmp(old->address, new->address, new->n_address) != 0;
}

static bool says_something_new(
	const struct net_device *old, const struct net_device *new)
{
	return old->flags != new->flags || old->mtu != new->mtu ||
	       old->master != new->master || old->is_port != new->is_port ||
	       strcmp(old->name, new->name) != 0 ||
	       strcmp(old->kind, new->kind) != 0;
}

static void update_link(
	struct net_table *t, struct net_entry *e, const struct net_link *link)
{
	struct net_device *device = &e->device;

	e->mark = t->mark;
	if (t->dumping && is_another(e, link)) {
		renew(t, device);
	} else if (device->mtu < IPV6_LEAST_MTU &&
		   link->device.mtu >= IPV6_LEAST_MTU) {
		/* IPv6 memberships went when it fell (kernel-facts 5.2). */
		device->incarnation6 = ++t->incarnations;
	}
	e->identity = link->identity;
	if (!says_something_new(device, &link->device))
		return;
	memcpy(device->name, link->device.name, sizeof(device->name));
	memcpy(device->kind, link->device.kind, sizeof(device->kind));
	device->flags = link->device.flags;
	device->mtu = link->device.mtu;
	device->master = link->device.master;
	device->is_port = link->device.is_port;
	t->changed = true;
}

int net_table_set_link(struct net_table *t, const struct net_link *link)
{
	struct net_entry *e = net_table_find(t, link->device.index);

	if (e == NULL)
		return add_link(t, link);
	update_link(t, e, link);
	return 0;
}

void net_table_remove_link(struct net_table *t, unsigned index)
{
	struct net_entry *e = net_table_find(t, index);

	if (e != NULL)
		forget_entry(t, e);
}

static bool is_same_prefix(
	const struct net_prefix *a, const struct net_prefix *b)
{
	return a->length == b->length &&
	       net_address_equal(&a->address, &b->address);
}

/*
 * As the kernel tells addresses of one device apart: IPv6 by the address, IPv4
 * by prefix and peer too.
 */
static struct net_device_address *find_address(
	const struct net_device *device, const struct net_device_address *a)
{
	for (size_t i = 0; i < device->n_addresses; i++) {
		struct net_device_address *known = &device->addresses[i];

		if (!net_address_equal(
			    &known->local.address, &a->local.address))
			continue;
		if (a->local.address.family == AF_INET6 ||
			(is_same_prefix(&known->local, &a->local) &&
				is_same_prefix(&known->on_link, &a->on_link)))
			return known;
	}
	return NULL;
}

static int add_address(struct net_table *t, struct net_device *device,
	const struct net_device_address *a)
{
	size_t n = device->n_addresses;
	struct net_device_address *addresses;

	addresses = realloc(device->addresses, (n + 1) * sizeof(*addresses));
	if (addresses == NULL)
		return -ENOMEM;
	device->addresses = addresses;
	if (!a->duplicate && net_own_add(&t->own, &a->local.address) < 0)
		return -ENOMEM;
	addresses[n] = *a;
	addresses[n].mark = t->mark;
	device->n_addresses = n + 1;
	t->changed = true;
	return 0;
}

/* The kernel makes these itself, and only when a device comes up anew. */
static bool is_made_by_the_kernel(const struct net_device_address *a)
{
	return a->local.address.family == AF_INET6 &&
	       net_address_is_link_local(&a->local.address);
}

static int update_address(struct net_table *t, struct net_device *device,
	struct net_device_address *known, const struct net_device_address *a)
{
	bool same = known->usable == a->usable &&
		    known->duplicate == a->duplicate &&
		    known->deprecated == a->deprecated &&
		    is_same_prefix(&known->local, &a->local) &&
		    is_same_prefix(&known->on_link, &a->on_link) &&
		    net_address_equal(&known->broadcast, &a->broadcast);

	if (known->duplicate && !a->duplicate) {
		if (net_own_add(&t->own, &a->local.address) < 0)
			return -ENOMEM;
	} else if (!known->duplicate && a->duplicate) {
		net_own_drop(&t->own, &a->local.address);
	}
	/*
	 * With lost events, an address that was made anew is all that tells of
	 * a device that went to another namespace and came back, or whose MTU
	 * fell below 1280 for a moment. It may just have been down and up as
	 * well: see is_another() for why that is no matter.
	 */
	if (t->dumping && is_made_by_the_kernel(a) &&
		known->created != a->created)
		renew(t, device);
	*known = *a;
	known->mark = t->mark;
	if (!same)
		t->changed = true;
	return 0;
}

int net_table_set_address(
	struct net_table *t, unsigned index, const struct net_device_address *a)
{
	struct net_entry *e = net_table_find(t, index);
	struct net_device_address *known;

	if (e == NULL)
		return 0;
	known = find_address(&e->device, a);
	if (known == NULL)
		return add_address(t, &e->device, a);
	return update_address(t, &e->device, known, a);
}

void net_table_remove_address(
	struct net_table *t, unsigned index, const struct net_device_address *a)
{
	struct net_entry *e = net_table_find(t, index);
	struct net_device_address *known;

	if (e == NULL)
		return;
	known = find_address(&e->device, a);
	if (known != NULL)
		forget_address(
			t, &e->device, (size_t)(known - e->device.addresses));
}

void net_table_begin_dump(struct net_table *t)
{
	t->dumping = true;
	t->mark++;
}

static void sweep_addresses(struct net_table *t, struct net_device *device)
{
	for (size_t i = device->n_addresses; i-- > 0;) {
		struct net_device_address *a = &device->addresses[i];

		if (a->mark == t->mark)
			continue;
		/* As in update_address(): it may come back, made anew. */
		if (is_made_by_the_kernel(a))
			renew(t, device);
		forget_address(t, device, i);
	}
}

void net_table_end_dump(struct net_table *t, bool complete)
{
	struct net_entry *e, *next;

	t->dumping = false;
	if (!complete)
		return;
	HASH_ITER(hh, t->entries, e, next)
	{
		if (e->mark != t->mark)
			forget_entry(t, e);
		else
			sweep_addresses(t, &e->device);
	}
}
