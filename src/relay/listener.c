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

/*
 * Joins on the first socket that has room for another membership: the kernel
 * allows igmp_max_memberships on each (kernel-facts 2.1), optmem_max likewise.
 */
static int join_somewhere(struct listener *l, unsigned device, struct ear **ret)
{
	struct ear *e;
	int err;

	for (e = l->ears; e; e = e->next)
		if (ear_claim(e, device)) {
			*ret = e;
			return 0;
		}
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
	ear_adopt_all(l);
	return l;
}

static void listener_free_if_idle(struct listener *l)
{
	struct ear *e, *next;

	if (l->hearings)
		return;
	/* Those that were taken over, and claimed by nobody. */
	DL_FOREACH_SAFE(l->ears, e, next)
	ear_close(e);
	DL_DELETE(l->relay->listeners, l);
	free(l->sources);
	free(l);
}

void listener_drop_unclaimed(struct relay *r)
{
	struct listener *l;
	struct ear *e, *next;

	DL_FOREACH(r->listeners, l)
	DL_FOREACH_SAFE(l->ears, e, next)
	ear_drop_unclaimed(e);
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
	int err;

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
