/*
 * The receiving sockets.
 *
 * Each has a name by which the process that comes after this one finds it
 * again, as it is, with what it has joined and what waits in it: see
 * heritage.c, and the callbacks adopt, retain and release.
 */
#include "relay/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

enum {
	NAME = 160,
	/* Sockets of one listener that are looked for: each has many devices.
	 */
	ADOPT_MAX = 64,
};

/* Tells listeners of one group apart that want other sources. No secret: the
 * next process must find the same. */
static uint64_t hash_sources(const struct listener *l)
{
	const struct siphash_key key = { 0 };
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n_sources; i++)
		sum = sum * 3 + siphash(&key, l->sources[i].bytes,
					net_address_size(&l->sources[i]));
	return sum;
}

/* No colons: the fd store does not take them. Returns `buffer`. */
static const char *name_of(
	const struct listener *l, unsigned number, char buffer[NAME])
{
	char address[NET_ADDRESS_TEXT], *c;
	int n;

	(void)net_address_format(&l->address, NULL, address);
	for (c = address; *c; c++)
		if (*c == ':')
			*c = '_';
	n = snprintf(buffer, NAME, "udp-%s-%u-%u", address, l->port, number);
	if (l->n_sources)
		(void)snprintf(buffer + n, NAME - (size_t)n, "-%016llx",
			(unsigned long long)hash_sources(l));
	return buffer;
}

/* ---- open and close ---- */

static void ear_closed(struct udp *u)
{
	free(u->data);
}

void ear_close(struct ear *e)
{
	const struct relay_callbacks *cb = &e->listener->relay->callbacks;
	char name[NAME];

	if (cb->release && udp_fileno(&e->udp) >= 0)
		cb->release(cb->data, name_of(e->listener, e->number, name));
	e->listener->relay->sockets_changed = true;
	DL_DELETE(e->listener->ears, e);
	e->listener = NULL;
	free(e->unclaimed);
	udp_close(&e->udp, ear_closed);
}

/* A link-scope group must not tie the socket to one device, and a socket hears
 * what it joined itself and nothing else (kernel-facts 2.3, 2.5). */
static int ear_bind(struct ear *e)
{
	struct listener *l = e->listener;
	unsigned flags = UDP_SHARE | UDP_OWN_GROUPS;
	union udp_address a;

	if (l->address.family == AF_INET6)
		flags |= UDP_IPV6ONLY;
	if (net_address_is_link_scope_multicast(&l->address) &&
		l->address.family == AF_INET6)
		flags |= UDP_ANY_DEVICE;
	socket_address(&l->address, l->port, 0, &a);
	return udp_bind(&e->udp, &a, flags);
}

static unsigned free_number(const struct listener *l)
{
	const struct ear *e = l->ears;
	unsigned number = 1;

	while (e) {
		if (e->number == number) {
			number++;
			e = l->ears;
		} else {
			e = e->next;
		}
	}
	return number;
}

/* One that has no socket yet. */
static int ear_make(struct listener *l, unsigned number, struct ear **ret)
{
	struct ear *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	err = udp_init(l->relay->loop, &e->udp);
	if (err < 0) {
		free(e);
		return err;
	}
	e->udp.data = e;
	e->number = number;
	e->listener = l;
	DL_APPEND(l->ears, e);
	*ret = e;
	return 0;
}

/* A smaller one than asked for only loses sooner. */
static void set_buffer(struct ear *e)
{
	struct relay *r = e->listener->relay;
	size_t bytes;

	if (udp_set_recv_buffer(&e->udp, RELAY_RECV_BUFFER) < 0 ||
		udp_get_recv_buffer(&e->udp, &bytes) < 0 ||
		bytes >= 2 * (size_t)RELAY_RECV_BUFFER || r->told_of_buffer)
		return;
	r->told_of_buffer = true;
	if (r->callbacks.buffer)
		r->callbacks.buffer(r->callbacks.data, bytes);
}

static int ear_start(struct ear *e)
{
	struct relay *r = e->listener->relay;

	r->sockets_changed = true;
	set_buffer(e);
	return udp_recv_start(&e->udp, r->batch, fanout_receive);
}

int ear_new(struct listener *l, struct ear **ret)
{
	const struct relay_callbacks *cb = &l->relay->callbacks;
	unsigned number = free_number(l);
	char name[NAME];
	struct ear *e;
	int err;

	err = ear_make(l, number, &e);
	if (err < 0)
		return err;
	err = ear_bind(e);
	if (err == 0)
		err = ear_start(e);
	if (err < 0) {
		ear_close(e);
		return err;
	}
	if (cb->retain)
		cb->retain(cb->data, name_of(l, number, name),
			udp_fileno(&e->udp));
	*ret = e;
	return 0;
}

/* ---- memberships ---- */

static int set_membership(struct ear *e, unsigned device,
	const struct net_address *source, enum udp_membership what)
{
	struct listener *l = e->listener;
	union udp_address group, from;

	socket_address(&l->address, 0, device, &group);
	if (!source)
		return udp_set_membership(&e->udp, &group, device, NULL, what);
	socket_address(source, 0, 0, &from);
	return udp_set_membership(&e->udp, &group, device, &from, what);
}

/* Leaves the first `n` of the sources, or the group where there are none. Also
 * of a device that is gone: its membership counts until it is left, and its
 * index may come back (kernel-facts 5.2). */
static void leave(struct ear *e, unsigned device, size_t n)
{
	const struct listener *l = e->listener;
	size_t i;

	if (!net_address_is_multicast(&l->address))
		return;
	if (!l->n_sources)
		(void)set_membership(e, device, NULL, UDP_LEAVE);
	for (i = 0; i < n; i++)
		(void)set_membership(e, device, &l->sources[i], UDP_LEAVE);
}

static int join(struct ear *e, unsigned device)
{
	const struct listener *l = e->listener;
	size_t i;
	int err = 0;

	if (!net_address_is_multicast(&l->address))
		return 0;
	if (!l->n_sources)
		return set_membership(e, device, NULL, UDP_JOIN);
	for (i = 0; i < l->n_sources && err == 0; i++)
		err = set_membership(e, device, &l->sources[i], UDP_JOIN);
	if (err < 0)
		leave(e, device, i - 1);
	return err;
}

int ear_join(struct ear *e, unsigned device)
{
	int err;

	err = join(e, device);
	if (err == -EADDRINUSE) {
		/* Of the process before, which ended between joining and
		 * writing it down; or of a device that had this index. */
		leave(e, device, e->listener->n_sources);
		err = join(e, device);
	}
	if (err == 0) {
		e->joined++;
		e->listener->relay->sockets_changed = true;
	}
	return err;
}

void ear_leave(struct ear *e, unsigned device)
{
	/* At the end the kernel leaves for us, unless the socket goes on in
	 * another process. */
	if (!e->listener->relay->closing)
		leave(e, device, e->listener->n_sources);
	e->listener->relay->sockets_changed = true;
	if (--e->joined == 0)
		ear_close(e);
}

/* A broadcast's socket has nothing to join, and is one for all devices. */
bool ear_claim(struct ear *e, unsigned device)
{
	for (size_t i = 0; i < e->n_unclaimed; i++)
		if (e->unclaimed[i] == device) {
			e->unclaimed[i] = e->unclaimed[--e->n_unclaimed];
			return true;
		}
	return false;
}

void ear_drop_unclaimed(struct ear *e)
{
	unsigned *devices = e->unclaimed;
	size_t n = e->n_unclaimed;

	e->unclaimed = NULL;
	e->n_unclaimed = 0;
	if (e->joined == 0)
		ear_close(e);
	/* It closes with the last one at the earliest: all are counted. */
	for (size_t i = 0; i < n; i++)
		ear_leave(e, devices[i]);
	free(devices);
}

/* ---- from the process before ---- */

/* Whether it is what its name says. */
static bool is_bound(const struct ear *e)
{
	const struct listener *l = e->listener;
	struct net_address a;
	union udp_address at;
	uint16_t port;

	return udp_getsockname(&e->udp, &at) == 0 &&
	       net_address_from_socket(&at.sa, &a, &port) == 0 &&
	       port == l->port && a.family == l->address.family &&
	       memcmp(a.bytes, l->address.bytes, net_address_size(&a)) == 0;
}

/* What it had joined, and the device is still the same. The rest is left, since
 * a membership counts until then, and bars another device of the same index
 * (kernel-facts 5.2). Returns 0 or -ENOMEM. */
static int take_devices(struct ear *e, const struct heir *h)
{
	const struct net_devices *devices = e->listener->relay->devices;

	if (h->n_devices == 0)
		return 0;
	e->unclaimed = calloc(h->n_devices, sizeof(*e->unclaimed));
	if (!e->unclaimed)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_devices; i++) {
		const struct heir_device *was = &h->devices[i];
		const struct net_device *d =
			net_devices_by_index(devices, was->index);

		if (d && strcmp(d->name, was->name) == 0)
			e->unclaimed[e->n_unclaimed++] = was->index;
		else
			leave(e, was->index, e->listener->n_sources);
	}
	e->joined = e->n_unclaimed;
	return 0;
}

static void adopt(struct listener *l, unsigned number, const struct heir *h)
{
	const struct relay_callbacks *cb = &l->relay->callbacks;
	int fd = cb->adopt(cb->data, h->name);
	struct ear *e;

	if (fd < 0)
		return;
	if (ear_make(l, number, &e) < 0) {
		(void)close(fd);
		return;
	}
	if (udp_open(&e->udp, fd, 0) < 0) {
		(void)close(fd);
		ear_close(e);
		return;
	}
	if (!is_bound(e) || take_devices(e, h) < 0 || ear_start(e) < 0) {
		ear_close(e);
		return;
	}
	/* What it lost while nobody read it is a loss of ours. */
	udp_set_drops_counted(&e->udp, h->drops);
}

void ear_adopt_all(struct listener *l)
{
	const struct relay *r = l->relay;
	const struct heir *h;
	char name[NAME];
	unsigned number;

	for (number = 1; r->callbacks.adopt && r->heirs && number <= ADOPT_MAX;
		number++) {
		h = heritage_find(r, name_of(l, number, name));
		if (h)
			adopt(l, number, h);
	}
}

/* ---- for the process that comes after ---- */

static void put_device(struct stash_writer *w, unsigned index,
	const struct net_devices *devices)
{
	const struct net_device *d = net_devices_by_index(devices, index);

	stash_put_number(w, index);
	stash_put_text(w, d ? d->name : "");
}

static void save(
	const struct relay *r, const struct ear *e, struct stash_writer *w)
{
	const struct hearing *h;
	char name[NAME];

	stash_record(w, STASH_SOCKET);
	stash_put_text(w, name_of(e->listener, e->number, name));
	stash_put_number(w, udp_drops_counted(&e->udp));
	stash_put_number(w, e->joined);
	for (h = e->listener->hearings; h; h = h->hh.next)
		if (h->ear == e)
			put_device(w, h->device, r->devices);
	for (size_t i = 0; i < e->n_unclaimed; i++)
		put_device(w, e->unclaimed[i], r->devices);
}

void relay_save_sockets(const struct relay *r, struct stash_writer *out)
{
	const struct listener *l;
	const struct ear *e;

	DL_FOREACH(r->listeners, l)
	DL_FOREACH(l->ears, e)
	save(r, e, out);
}
