#include "relay/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

void socket_address(const struct net_address *a, uint16_t port, unsigned device,
	union udp_address *ret)
{
	*ret = (union udp_address){ 0 };
	(void)net_address_to_socket(a, port, &ret->sa);
	if (a->family == AF_INET6)
		ret->in6.sin6_scope_id = device;
}

static void ear_closed(struct udp *u)
{
	free(u->data);
}

static void ear_close(struct ear *e)
{
	DL_DELETE(e->listener->ears, e);
	e->listener = NULL;
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

static int ear_new(struct listener *l, struct ear **ret)
{
	struct relay *r = l->relay;
	struct ear *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	err = udp_init(r->loop, &e->udp);
	if (err < 0) {
		free(e);
		return err;
	}
	e->udp.data = e;
	e->listener = l;
	DL_APPEND(l->ears, e);
	err = ear_bind(e);
	if (err < 0)
		goto fail;
	/* A smaller buffer than asked for only loses sooner. */
	(void)udp_set_recv_buffer(&e->udp, RELAY_RECV_BUFFER);
	err = udp_recv_start(&e->udp, r->batch, fanout_receive);
	if (err < 0)
		goto fail;
	*ret = e;
	return 0;
fail:
	ear_close(e);
	return err;
}

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

static int ear_join(struct ear *e, unsigned device)
{
	int err;

	err = join(e, device);
	if (err == 0)
		e->joined++;
	return err;
}

static void ear_leave(struct ear *e, unsigned device)
{
	leave(e, device, e->listener->n_sources);
	if (--e->joined == 0)
		ear_close(e);
}

/*
 * Joins on the first socket that has room for another membership: the kernel
 * allows igmp_max_memberships on each (kernel-facts 2.1), optmem_max likewise.
 */
static int join_somewhere(struct listener *l, unsigned device, struct ear **ret)
{
	struct ear *e;
	int err;

	for (e = l->ears; e; e = e->next) {
		err = ear_join(e, device);
		if (err == 0) {
			*ret = e;
			return 0;
		}
		if (err != -ENOBUFS && err != -ENOMEM)
			return err;
	}
	err = ear_new(l, &e);
	if (err < 0)
		return err;
	err = ear_join(e, device);
	if (err < 0) {
		ear_close(e);
		return err;
	}
	*ret = e;
	return 0;
}

/* What a segment asks for. */
struct wish {
	const struct net_address *address;
	uint16_t port;
	const struct net_address *sources;
	size_t n_sources;
};

static struct wish wish_of(const struct net_address *address, uint16_t port,
	const struct relay_segment *s)
{
	const struct relay_channel *c = s->channel;
	struct wish w = { .address = address, .port = port };

	if (net_address_is_multicast(address)) {
		w.sources = c->sources;
		w.n_sources = c->n_sources;
	}
	return w;
}

/* Groups that want other sources hear by other sockets: one would get what
 * the other asked for. */
static bool is_same(const struct listener *l, const struct wish *w)
{
	size_t i;

	if (l->port != w->port || l->n_sources != w->n_sources ||
		!net_address_equal(&l->address, w->address))
		return false;
	for (i = 0; i < l->n_sources; i++)
		if (!net_address_equal(&l->sources[i], &w->sources[i]))
			return false;
	return true;
}

static struct listener *listener_find(
	const struct relay *r, const struct wish *w)
{
	struct listener *l;

	for (l = r->listeners; l; l = l->next)
		if (is_same(l, w))
			return l;
	return NULL;
}

static struct listener *listener_new(struct relay *r, const struct wish *w)
{
	struct listener *l = calloc(1, sizeof(*l));
	size_t i;

	if (!l)
		return NULL;
	if (w->n_sources) {
		l->sources = calloc(w->n_sources, sizeof(*l->sources));
		if (!l->sources) {
			free(l);
			return NULL;
		}
	}
	for (i = 0; i < w->n_sources; i++)
		l->sources[i] = w->sources[i];
	l->n_sources = w->n_sources;
	l->relay = r;
	l->address = *w->address;
	l->port = w->port;
	DL_APPEND(r->listeners, l);
	return l;
}

static void listener_free_if_idle(struct listener *l)
{
	if (l->hearings)
		return;
	DL_DELETE(l->relay->listeners, l);
	free(l->sources);
	free(l);
}

struct hearing *listener_hearing(const struct listener *l, unsigned device)
{
	struct hearing *h;

	HASH_FIND(hh, l->hearings, &device, sizeof(device), h);
	return h;
}

static int hearing_new(
	struct listener *l, unsigned device, struct hearing **ret)
{
	struct hearing *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->device = device;
	HASH_ADD(hh, l->hearings, device, sizeof(h->device), h);
	if (!h->hh.tbl) {
		free(h);
		return -ENOMEM;
	}
	err = join_somewhere(l, device, &h->ear);
	if (err < 0) {
		HASH_DEL(l->hearings, h);
		free(h);
		return err;
	}
	*ret = h;
	return 0;
}

static void hearing_free_if_idle(struct listener *l, struct hearing *h)
{
	if (h->n_segments)
		return;
	HASH_DEL(l->hearings, h);
	ear_leave(h->ear, h->device);
	free(h->segments);
	free(h);
}

static int hearing_add(struct hearing *h, struct relay_segment *s)
{
	struct relay_segment **grown;

	grown = realloc(h->segments,
		(h->n_segments + 1) * sizeof(struct relay_segment *));
	if (!grown)
		return -ENOMEM;
	grown[h->n_segments++] = s;
	h->segments = grown;
	return 0;
}

int listener_attach(struct relay *r, const struct net_address *address,
	uint16_t port, unsigned device, struct relay_segment *s)
{
	struct wish w = wish_of(address, port, s);
	struct listener *l = listener_find(r, &w);
	struct hearing *h = NULL;
	int err = -ENOMEM;

	if (!l)
		l = listener_new(r, &w);
	if (!l)
		return -ENOMEM;
	h = listener_hearing(l, device);
	if (!h) {
		err = hearing_new(l, device, &h);
		if (err < 0)
			goto fail;
	}
	err = hearing_add(h, s);
	if (err < 0)
		goto fail;
	return 0;
fail:
	if (h)
		hearing_free_if_idle(l, h);
	listener_free_if_idle(l);
	return err;
}

void listener_detach(struct relay *r, const struct net_address *address,
	uint16_t port, unsigned device, struct relay_segment *s)
{
	struct wish w = wish_of(address, port, s);
	struct listener *l = listener_find(r, &w);
	struct hearing *h = l ? listener_hearing(l, device) : NULL;
	size_t i = 0;

	if (!h)
		return;
	while (i < h->n_segments && h->segments[i] != s)
		i++;
	if (i == h->n_segments)
		return;
	h->segments[i] = h->segments[--h->n_segments];
	hearing_free_if_idle(l, h);
	listener_free_if_idle(l);
}
