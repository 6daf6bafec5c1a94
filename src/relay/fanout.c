/*
 * The path of a datagram: from a receive batch, through the decision and the
 * loop guard, into the queues of the segments out, and off in one system call
 * for each. Nothing here allocates.
 */
#include "relay/internal.h"

#include <errno.h>

/* What a receive batch's datagram is, for every channel that hears it. */
struct arrival {
	const struct udp_datagram *datagram;
	struct net_address source, destination;
	uint16_t port;
	uint64_t digest;
	uint64_t now_ms;
	bool own;
};

/* ---- out ---- */

/* One sendmmsg() of one segment, for the report of what failed. */
struct departure {
	struct relay_segment *segment;
	struct outgoing *at[RELAY_BATCH];
};

static enum relay_verdict verdict_of(int error)
{
	switch (error) {
	case -EAGAIN:
	case -ENOBUFS:
	case -ENOMEM:
		return RELAY_QUEUE;
	default:
		return RELAY_ERROR;
	}
}

static void not_sent(void *data, size_t index, int error)
{
	const struct departure *d = data;
	const struct outgoing *o = d->at[index];
	struct relay_segment *s = d->segment;

	s->counters.sent--;
	s->counters.sent_bytes -= o->size;
	s->counters.dropped[verdict_of(error)]++;
	guard_unsent(&s->channel->guard, &o->ruling, s->slot,
		uv_now(s->channel->group->relay->loop));
	segment_trouble(s, error);
}

/* A broadcast names its destination, and the device and source that the
 * kernel would otherwise look up by route (kernel-facts 4.2). */
struct addresses {
	union udp_address all, own, source;
};

static void broadcast_addresses(
	const struct relay_segment *s, struct addresses *ret)
{
	const struct relay_channel *c = s->channel;

	socket_address(&c->address, c->port, 0, &ret->all);
	socket_address(&s->broadcast, c->port, 0, &ret->own);
	socket_address(&s->source, 0, 0, &ret->source);
}

static void address_broadcast(const struct relay_segment *s,
	const struct addresses *a, const struct outgoing *o,
	struct udp_out *out)
{
	out->destination = o->directed ? &a->own : &a->all;
	out->source = &a->source;
	out->device = s->index;
}

/* Sends up to a batch of what `s` has queued. */
static void depart(struct relay_segment *s)
{
	struct departure d = { .segment = s };
	struct udp_out out[RELAY_BATCH];
	struct addresses a;
	size_t n;

	if (s->channel->broadcast)
		broadcast_addresses(s, &a);
	for (n = 0; n < RELAY_BATCH && s->queue_head; n++) {
		struct outgoing *o = s->queue_head;

		s->queue_head = o->next;
		d.at[n] = o;
		out[n] = (struct udp_out){
			.data = o->data, .size = o->size, .ttl = o->ttl
		};
		if (s->channel->broadcast)
			address_broadcast(s, &a, o, &out[n]);
		s->counters.sent_bytes += o->size;
	}
	s->counters.sent += n;
	(void)udp_send_batch(s->sender, out, n, not_sent, &d);
}

static void flush(struct relay *r)
{
	while (r->outbox.dirty) {
		struct relay_segment *s = r->outbox.dirty;

		while (s->queue_head)
			depart(s);
		s->queue_tail = &s->queue_head;
		r->outbox.dirty = s->next_dirty;
	}
	r->outbox.used = 0;
}

static void enqueue(struct relay_segment *s, const struct arrival *a, int ttl,
	bool directed, const struct guard_ruling *ruling)
{
	struct outbox *box = &s->channel->group->relay->outbox;
	struct outgoing *o;

	if (box->used == RELAY_OUTBOX)
		flush(s->channel->group->relay);
	o = &box->at[box->used++];
	*o = (struct outgoing){
		.data = a->datagram->data,
		.size = a->datagram->size,
		/* A fixed TTL is the socket's own already. */
		.ttl = segment_use(s)->ttl > 0 ? -1 : ttl,
		.directed = directed,
		.ruling = *ruling,
	};
	if (!s->queue_head) {
		s->next_dirty = box->dirty;
		box->dirty = s;
	}
	*s->queue_tail = o;
	s->queue_tail = &o->next;
}

/* ---- in ---- */

/* At most once a minute for a group and reason. */
static void tell_of_storm(struct relay_segment *in,
	const struct net_address *source, enum relay_verdict why)
{
	enum { TELL_AGAIN_MS = 60 * 1000 };
	struct relay_group *g = in->channel->group;
	struct tale *t = why == RELAY_RATE ? &g->rates : &g->loops;
	struct relay *r = g->relay;
	uint64_t now = uv_now(r->loop);

	t->untold++;
	if (t->told_ms && now - t->told_ms < TELL_AGAIN_MS)
		return;
	if (r->callbacks.storm)
		r->callbacks.storm(
			r->callbacks.data, in, source, why, t->untold);
	t->told_ms = now;
	t->untold = 0;
}

static void count_drop(struct relay_segment *s, enum relay_verdict verdict)
{
	s->counters.dropped[verdict]++;
}

/* The second, stateful step: what the decision lets through may be held back
 * by the loop guard. */
static void fan_out(struct relay_segment *in, const struct arrival *a,
	const struct decision *decisions, bool directed)
{
	struct relay_channel *c = in->channel;
	struct guard_ruling ruling;
	size_t i;

	if (guard_hear(&c->guard, a->digest, &a->source, in->slot, a->now_ms,
		    &ruling) < 0) {
		count_drop(in, RELAY_ERROR);
		return;
	}
	if (ruling.storm)
		tell_of_storm(in, &a->source, RELAY_LOOP);
	for (i = 0; i < c->n_segments; i++) {
		struct relay_segment *out = c->by_position[i];

		if (out == in || !c->plan_segments[i].usable)
			continue;
		if (decisions[i].verdict != RELAY_SENT) {
			count_drop(out, decisions[i].verdict);
			continue;
		}
		if (!guard_may_send(&c->guard, &ruling, out->slot, a->now_ms)) {
			count_drop(out, RELAY_LOOP);
			continue;
		}
		guard_sent(&c->guard, &ruling, out->slot, a->now_ms);
		enqueue(out, a, decisions[i].ttl, directed, &ruling);
	}
}

static bool is_too_much(struct relay_segment *in, const struct arrival *a)
{
	const struct relay_group *g = in->channel->group;

	if (!g->c->rate || rate_take(&g->relay->rate, g->c->rate, in->id,
				   &a->source, a->now_ms))
		return false;
	count_drop(in, RELAY_RATE);
	tell_of_storm(in, &a->source, RELAY_RATE);
	return true;
}

/* Offers a datagram to one channel that hears it. */
static void offer(struct relay_segment *in, const struct arrival *a)
{
	struct relay_channel *c = in->channel;
	struct decision *decisions = c->group->relay->decisions;
	struct decide_facts f = {
		.source = a->source,
		.port = a->port,
		.size = a->datagram->size,
		.ttl = a->datagram->ttl,
		.own = a->own,
		.elsewhere = !a->own && segment_is_elsewhere(in, &a->source),
		.directed = c->broadcast &&
			    !net_address_is_broadcast(&a->destination),
	};
	enum relay_verdict whole;

	in->counters.received++;
	in->counters.received_bytes += a->datagram->size;
	if (in->position >= c->n_segments || a->datagram->partial) {
		count_drop(in, RELAY_ERROR);
		return;
	}
	decide(&c->plan, in->position, &f, decisions);
	whole = decisions[in->position].verdict;
	if (whole != RELAY_SENT)
		count_drop(in, whole);
	else if (!is_too_much(in, a))
		fan_out(in, a, decisions, f.directed);
}

static void arrive(struct ear *e, const struct udp_datagram *d)
{
	struct relay *r = e->listener->relay;
	struct hearing *h = listener_hearing(e->listener, d->device);
	struct arrival a = { .datagram = d };
	size_t i;

	/* IPv6 checks a membership by address alone, so that each socket of a
	 * listener hears what any joined (kernel-facts 0.B). */
	if (!h || h->ear != e)
		return;
	(void)net_address_from_socket(&d->source.sa, &a.source, &a.port);
	(void)net_address_from_socket(&d->destination.sa, &a.destination, NULL);
	a.own = net_devices_is_own(r->devices, &a.source);
	a.digest = siphash(&r->key, d->data, d->size);
	a.now_ms = uv_now(r->loop);
	for (i = 0; i < h->n_segments; i++)
		offer(h->segments[i], &a);
}

/* The kernel counts by socket: the device that is heard now stands for all. */
static void count_kernel(struct ear *e, unsigned device, uint32_t n)
{
	const struct hearing *h = listener_hearing(e->listener, device);
	size_t i;

	for (i = 0; h && i < h->n_segments; i++)
		h->segments[i]->counters.dropped[RELAY_KERNEL] += n;
}

void fanout_receive(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped)
{
	struct ear *e = u->data;
	ssize_t i;

	/* An error of the socket has been cleared, and hearing goes on. */
	if (n <= 0)
		return;
	if (kernel_dropped)
		count_kernel(e, datagrams[0].device, kernel_dropped);
	for (i = 0; i < n; i++)
		arrive(e, &datagrams[i]);
	flush(e->listener->relay);
}
