#include "relay/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static struct relay *relay_of(const struct relay_segment *s)
{
	return s->channel->group->relay;
}

/* ---- the searchers ---- */

static void forget_searcher(struct relay_flow *f, struct flow_searcher *w)
{
	DL_DELETE(f->searchers, w);
	f->n_searchers--;
	free(w->site);
	pool_give(&relay_of(f->out)->searchers, w);
}

static bool is_at(const struct flow_searcher *w, const struct flow_search *q)
{
	return q->origin ? w->site && strcmp(w->site, q->origin->site) == 0
			 : !w->site;
}

static struct flow_searcher *find_searcher(
	const struct relay_flow *f, const struct flow_search *q)
{
	struct flow_searcher *w;

	for (w = f->searchers; w; w = w->next)
		if (w->in == q->in && w->port == q->port &&
			net_address_equal(&w->address, &q->address) &&
			is_at(w, q))
			return w;
	return NULL;
}

/* The oldest of its host gives way to one port too many, and the oldest of
 * all to one searcher too many. */
static void make_room(struct relay_flow *f, const struct flow_search *q)
{
	struct flow_searcher *w, *oldest = NULL;
	unsigned ports = 0;

	for (w = f->searchers; w; w = w->next) {
		if (!net_address_equal(&w->address, &q->address))
			continue;
		if (!oldest)
			oldest = w;
		ports++;
	}
	if (ports >= FLOW_PORTS)
		forget_searcher(f, oldest);
	else if (f->n_searchers >= FLOW_SEARCHERS)
		forget_searcher(f, f->searchers);
}

static struct flow_searcher *add_searcher(
	struct relay_flow *f, const struct flow_search *q)
{
	struct flow_searcher *w;

	make_room(f, q);
	w = pool_take(&relay_of(f->out)->searchers);
	if (!w)
		return NULL;
	w->site = NULL;
	w->is_nameless = false;
	if (q->origin) {
		w->site = strdup(q->origin->site);
		w->is_nameless = !net_address_is_set(&q->origin->address);
		if (!w->site) {
			pool_give(&relay_of(f->out)->searchers, w);
			return NULL;
		}
	}
	w->in = q->in;
	w->address = q->address;
	w->port = q->port;
	DL_APPEND(f->searchers, w);
	f->n_searchers++;
	return w;
}

bool flow_can_reach(
	const struct relay_segment *in, const struct net_address *searcher)
{
	const struct net_device *d =
		net_devices_by_index(relay_of(in)->devices, in->index);

	if (in->is_outside)
		return true;
	if (!in->sender || !d || segment_is_stranger(in, searcher))
		return false;
	/* Unless rp_filter is on, the kernel takes it for a source. */
	if (net_device_is_everybody(d, searcher))
		return false;
	return segment_interface(in)->n_peers ||
	       net_address_is_link_local(searcher) ||
	       net_device_is_on_link(d, searcher);
}

/* ---- the flow ---- */

static void flow_close_handle(struct relay_flow *f)
{
	if (--f->open_handles)
		return;
	free(f->heard);
	free(f);
}

static void udp_closed(struct udp *u)
{
	flow_close_handle(u->data);
}

static void timer_closed(uv_handle_t *h)
{
	flow_close_handle(h->data);
}

static void close_handles(struct relay_flow *f)
{
	bool has_socket = !f->out->is_outside;

	f->out = NULL;
	if (has_socket)
		udp_close(&f->udp, udp_closed);
	uv_close((uv_handle_t *)&f->timer, timer_closed);
}

static void flow_end(struct relay_flow *f)
{
	struct relay *r = relay_of(f->out);

	while (f->searchers)
		forget_searcher(f, f->searchers);
	HASH_DEL(r->flows, f);
	DL_DELETE(r->flow_list, f);
	quota_remove(&r->flow_quota, &f->item);
	close_handles(f);
}

static void expired(uv_timer_t *t)
{
	flow_end(t->data);
}

static int bind_port(struct relay_flow *f, uint16_t port)
{
	const struct relay_segment *s = f->out;
	union udp_address a;

	socket_address(&s->source, port, s->index, &a);
	return udp_bind(
		&f->udp, &a, s->source.family == AF_INET6 ? UDP_IPV6ONLY : 0);
}

/* A free port of `flow-ports`, from a place that is different each time. */
static int bind_range(struct relay_flow *f, uint16_t low, uint16_t high)
{
	unsigned n = (unsigned)(high - low) + 1;
	unsigned at = (unsigned)(f->key.digest % n), i;
	int err = -EADDRINUSE;

	for (i = 0; i < n && err == -EADDRINUSE; i++)
		err = bind_port(f, (uint16_t)(low + (at + i) % n));
	return err;
}

/* With `own-port` the searcher's port is taken where it is free. */
static int bind_flow(struct relay_flow *f, const struct flow_search *q)
{
	const struct relay_group *g = f->out->channel->group;
	const struct config *c = g->config;

	if (g->c->source == CONFIG_SOURCE_OWN_PORT && !q->origin &&
		bind_port(f, q->port) == 0)
		return 0;
	if (c->flow_port_low)
		return bind_range(f, c->flow_port_low, c->flow_port_high);
	return bind_port(f, 0);
}

static int open_flow(struct relay_flow *f, const struct flow_search *q)
{
	struct relay_segment *s = f->out;
	union udp_address a;
	int err;

	err = bind_flow(f, q);
	if (err < 0)
		return err;
	err = sender_set_options(s, &f->udp);
	if (err < 0)
		return err;
	err = udp_getsockname(&f->udp, &a);
	if (err < 0)
		return err;
	(void)net_address_from_socket(
		&a.sa, &(struct net_address){ 0 }, &f->port);
	return udp_recv_start(&f->udp, relay_of(s)->batch, flow_receive);
}

static void make_room_for_flow(struct relay *r)
{
	struct quota_item *surplus;

	while ((surplus = quota_surplus(&r->flow_quota))) {
		flow_end((struct relay_flow *)(void *)surplus);
		r->flow_quota.evicted++;
	}
}

/* Puts a flow, whose handles are open, into the relay's tables. */
static int enter(
	struct relay *r, struct relay_flow *f, const struct flow_search *q)
{
	int err;

	make_room_for_flow(r);
	HASH_ADD(hh, r->flows, key, sizeof(f->key), f);
	if (!f->hh.tbl)
		return -ENOMEM;
	err = quota_add(&r->flow_quota, &f->item, &q->address);
	if (err < 0) {
		HASH_DEL(r->flows, f);
		return err;
	}
	DL_APPEND(r->flow_list, f);
	return 0;
}

static int flow_new(struct relay_segment *out, const struct flow_search *q,
	struct relay_flow **ret)
{
	struct relay *r = relay_of(out);
	struct relay_flow *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->out = out;
	f->key.out = out->id;
	f->key.digest = q->digest;
	err = out->is_outside ? 0 : udp_init(r->loop, &f->udp);
	if (err < 0) {
		free(f);
		return err;
	}
	f->udp.data = f;
	(void)uv_timer_init(r->loop, &f->timer);
	f->timer.data = f;
	f->open_handles = out->is_outside ? 1 : 2;
	if (!out->is_outside)
		err = open_flow(f, q);
	if (err == 0)
		err = enter(r, f, q);
	if (err < 0)
		goto fail;
	f->id = ++r->next_flow;
	*ret = f;
	return 0;
fail:
	close_handles(f);
	return err;
}

static struct relay_flow *find(
	const struct relay_segment *out, const struct flow_search *q)
{
	const struct relay *r = relay_of(out);
	struct flow_key key = { out->id, q->digest };
	struct relay_flow *f;

	/* A key without gaps; its bytes are what clang's analyzer loses. */
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	HASH_FIND(hh, r->flows, &key, sizeof(key), f);
	return f;
}

static void not_sent(void *data, size_t index, int error)
{
	int *failure = data;

	(void)index;
	*failure = error;
}

static int send_to(struct relay_flow *f, const struct flow_search *q,
	const union udp_address *to)
{
	const struct relay_segment *s = f->out;
	union udp_address source;
	int failure = 0;
	struct udp_out out = {
		.data = q->data,
		.size = q->size,
		.destination = to,
		.source = &source,
		.device = s->index,
		.ttl = q->ttl,
	};

	if (s->sender->has_frames)
		return frames_send(
			s->sender, f->port, to, q->ttl, q->data, q->size);
	socket_address(&s->source, 0, s->index, &source);
	(void)udp_send_batch(&f->udp, &out, 1, not_sent, &failure);
	return failure;
}

/* To one destination, or to every peer. Returns how many copies were sent, or
 * the first error where none was. */
static int send_search(struct relay_flow *f, const struct flow_search *q)
{
	const struct destinations *to = &f->out->to;
	int err, first = 0, sent = 0;
	size_t i;

	/* Who carries it there is told of it. */
	if (f->out->is_outside)
		return 1;
	if (!to->n_peers) {
		err = send_to(f, q, q->directed ? &to->own : &to->group);
		return err < 0 ? err : 1;
	}
	for (i = 0; i < to->n_peers; i++) {
		err = send_to(f, q, &to->peers[i]);
		if (err == 0)
			sent++;
		else if (first == 0)
			first = err;
	}
	return sent ? sent : first;
}

/* A pause of a window ends what was in a row. */
static void note_pause(struct relay_flow *f, const struct flow_search *q)
{
	if (q->now_ms - f->sent_ms >= f->out->channel->group->c->dedup_ms)
		f->in_a_row = 0;
}

/* Sends the search of a flow that may have been asked before. */
static int ask(struct relay_flow *f, const struct flow_search *q)
{
	int sent;

	note_pause(f, q);
	f->sent_ms = q->now_ms;
	(void)uv_timer_start(&f->timer, expired, q->ttl_ms, 0);
	sent = send_search(f, q);
	if (sent > 0)
		f->searches++;
	return sent;
}

int flow_send(struct relay_segment *out, const struct flow_search *q,
	uint64_t *ret_id)
{
	struct relay *r = relay_of(out);
	struct relay_flow *f = find(out, q);
	struct flow_searcher *w = NULL;
	int err = 0, sent;

	if (!f)
		err = flow_new(out, q, &f);
	if (err == 0 && !find_searcher(f, q)) {
		w = add_searcher(f, q);
		err = w ? 0 : -ENOMEM;
	}
	if (err < 0) {
		r->flow_quota.refused++;
		return err;
	}
	sent = ask(f, q);
	/* Only now: what is delivered may be edited over the search. */
	if (w)
		flow_deliver_kept(f, w);
	/* Asked again, devices answer again, and in the same words. */
	if (f->heard) {
		f->heard->n_seen = 0;
		f->heard->used = 0;
	}
	*ret_id = f->id;
	return sent;
}

int flow_join(struct relay_segment *out, const struct flow_search *q,
	uint64_t *ret_id)
{
	struct relay_flow *f = find(out, q);
	struct flow_searcher *w;

	if (!f)
		return -ENOENT;
	*ret_id = f->id;
	if (find_searcher(f, q)) {
		note_pause(f, q);
		/* Two relays that join each other's flows would go on. */
		return f->in_a_row++ < FLOW_REPEATS ? -EALREADY : 0;
	}
	/* Without memory it will ask again. */
	w = add_searcher(f, q);
	if (w)
		flow_deliver_kept(f, w);
	return 0;
}

void flow_forget_segment(struct relay_segment *s)
{
	struct relay *r = relay_of(s);
	struct relay_flow *f, *next;
	struct flow_searcher *w, *other;

	for (f = r->flow_list; f; f = next) {
		next = f->next;
		if (f->out == s) {
			flow_end(f);
			continue;
		}
		for (w = f->searchers; w; w = other) {
			other = w->next;
			if (w->in == s)
				forget_searcher(f, w);
		}
	}
}
