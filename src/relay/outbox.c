/*
 * What is on its way out: queued while a receive batch is worked off, then
 * sent in one system call for each sender. Nothing here allocates.
 */
#include "relay/internal.h"

#include <errno.h>

/* One sendmmsg() of one sender, for the report of what failed. */
struct departure {
	struct relay_segment *segment;
	struct outgoing *at[RELAY_BATCH];
};

enum relay_verdict outbox_verdict(int error)
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
	s->counters.dropped[outbox_verdict(error)]++;
	guard_unsent(&s->channel->guard, &o->ruling, s->slot,
		uv_now(s->channel->group->relay->loop));
	segment_trouble(s, error);
}

/*
 * What is not connected names its device and its source, which the kernel
 * would otherwise look up by route (kernel-facts 1.3, 4.2).
 */
static void address(const struct sender *by, const struct outgoing *o,
	union udp_address *source, struct udp_out *out)
{
	const struct relay_segment *s = by->segment;
	const struct net_address *from = &s->source;

	if (net_address_is_set(&o->announcer))
		from = &o->announcer;
	socket_address(from, 0, s->index, source);
	out->destination = o->destination;
	out->source = source;
	out->device = s->index;
}

/* Sends up to a batch of what waits. */
static void depart(struct sender *by)
{
	struct relay_segment *s = by->segment;
	struct departure d = { .segment = s };
	union udp_address source[RELAY_BATCH];
	struct udp_out out[RELAY_BATCH];
	size_t n;

	for (n = 0; n < RELAY_BATCH && by->queue_head; n++) {
		struct outgoing *o = by->queue_head;

		by->queue_head = o->next;
		d.at[n] = o;
		out[n] = (struct udp_out){
			.data = o->data, .size = o->size, .ttl = o->ttl
		};
		if (o->destination)
			address(by, o, &source[n], &out[n]);
		s->counters.sent_bytes += o->size;
	}
	s->counters.sent += n;
	(void)udp_send_batch(&by->udp, out, n, not_sent, &d);
}

void outbox_flush(struct relay *r)
{
	while (r->outbox.dirty) {
		struct sender *by = r->outbox.dirty;

		while (by->queue_head)
			depart(by);
		by->queue_tail = &by->queue_head;
		r->outbox.dirty = by->next_dirty;
	}
	r->outbox.used = 0;
}

struct outgoing *outbox_take(struct relay *r)
{
	if (r->outbox.used == RELAY_OUTBOX)
		outbox_flush(r);
	return &r->outbox.at[r->outbox.used++];
}

static void queue(struct sender *by, struct outgoing *o)
{
	struct outbox *box = &by->segment->channel->group->relay->outbox;

	if (!by->queue_head) {
		by->next_dirty = box->dirty;
		box->dirty = by;
	}
	o->next = NULL;
	*by->queue_tail = o;
	by->queue_tail = &o->next;
}

/* The first peer takes `o` itself, each further one a copy of it. */
static void queue_for_peers(struct sender *by, struct outgoing *o)
{
	const struct destinations *to = &by->segment->to;
	struct outgoing first = *o;
	size_t i;

	for (i = 0; i < to->n_peers; i++) {
		if (i)
			o = outbox_take(by->segment->channel->group->relay);
		*o = first;
		o->destination = &to->peers[i];
		queue(by, o);
	}
}

void outbox_put(struct sender *by, struct outgoing *o, bool directed)
{
	const struct destinations *to = &by->segment->to;

	if (to->n_peers) {
		queue_for_peers(by, o);
		return;
	}
	o->destination = by->connected ? NULL
			 : directed    ? &to->own
				       : &to->group;
	queue(by, o);
}
