#include "relay/internal.h"

#include <errno.h>
#include <stdlib.h>

/* One sendmmsg() of one sender, for the report of what failed. */
struct departure {
	struct outgoing *at[OUTBOX_BATCH];
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

void outbox_not_sent(const struct outgoing *o, int error)
{
	struct relay_segment *s = o->by->segment;

	s->counters.sent--;
	s->counters.sent_bytes -= o->size;
	s->counters.dropped[outbox_verdict(error)]++;
	guard_unsent(&s->channel->guard, &o->ruling, s->slot);
	segment_trouble(s, error);
}

static void not_sent(void *data, size_t index, int error)
{
	const struct departure *d = data;

	outbox_not_sent(d->at[index], error);
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

/* ---- queues ---- */

int outbox_init(struct outbox *box)
{
	struct outgoing *at = malloc(OUTBOX_DATAGRAMS * sizeof(*at));

	if (!at)
		return -ENOMEM;
	*box = (struct outbox){ .at = at };
	return 0;
}

void outbox_done(struct outbox *box)
{
	free(box->at);
}

static void append(struct outgoings *q, struct outgoing *o)
{
	o->next = NULL;
	*q->tail = o;
	q->tail = &o->next;
}

/* Takes all. */
static struct outgoing *take_all(struct outgoings *q)
{
	struct outgoing *first = q->head;

	q->head = NULL;
	q->tail = &q->head;
	return first;
}

void outbox_put_again(struct outgoing *o)
{
	struct sender *by = o->by;
	struct outbox *box = &by->segment->channel->group->relay->outbox;

	if (!by->queue.head) {
		by->next_dirty = box->dirty;
		box->dirty = by;
	}
	append(&by->queue, o);
}

static void queue(struct sender *by, struct outgoing *o)
{
	o->by = by;
	outbox_put_again(o);
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
	o->destination = directed        ? &to->own
			 : by->connected ? NULL
					 : &to->group;
	queue(by, o);
}

struct outgoing *outbox_take(struct relay *r)
{
	if (r->outbox.used == OUTBOX_DATAGRAMS)
		outbox_flush(r);
	return &r->outbox.at[r->outbox.used++];
}

/* ---- out ---- */

/* Sends up to a batch of `o` and what is behind it. Returns what is left. */
static struct outgoing *depart_batch(struct sender *by, struct outgoing *o)
{
	struct relay_segment *s = by->segment;
	struct departure d;
	union udp_address source[OUTBOX_BATCH];
	struct udp_out out[OUTBOX_BATCH];
	size_t n;

	for (n = 0; n < OUTBOX_BATCH && o; n++, o = o->next) {
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
	return o;
}

static void depart(struct sender *by)
{
	struct outgoing *o = take_all(&by->queue);

	if (by->has_frames) {
		frames_depart(by, o);
		return;
	}
	while (o)
		o = depart_batch(by, o);
}

void outbox_flush(struct relay *r)
{
	struct outbox *box = &r->outbox;

	do {
		while (box->dirty) {
			struct sender *by = box->dirty;

			box->dirty = by->next_dirty;
			depart(by);
		}
		/* What it has no room for is queued anew. */
		frames_flush(&r->framer);
	} while (box->dirty);
	box->used = 0;
}
