/*
 * What leaves a segment without having been heard just now: datagrams of
 * crier's own, and what was heard before and is said again.
 */
#include "relay/internal.h"

#include <errno.h>

/* Where the TTL follows what was heard: as announcers of mDNS must send (RFC
 * 6762, 11), and no further than the segment otherwise. */
enum { OWN_TTL_MDNS = 255, OWN_TTL = 1 };

uint64_t relay_segment_id(const struct relay_segment *s)
{
	return s->id;
}

static struct relay_segment *find(const struct relay *r, uint64_t id)
{
	struct relay_segment *s;
	struct relay_channel *c;
	struct relay_group *g;

	for (g = r->groups; g; g = g->next)
		for (c = g->channels; c; c = c->next)
			for (s = c->segments; s; s = s->next)
				if (s->id == id)
					return s;
	return NULL;
}

const struct relay_segment *relay_segment_by_id(
	const struct relay *r, uint64_t id)
{
	return find(r, id);
}

/* ---- of crier's own ---- */

int own_ttl(const struct relay_segment *s)
{
	if (segment_use(s)->ttl > 0)
		return -1; /* the socket's own */
	return s->channel->group->c->payload == CONFIG_PAYLOAD_MDNS
		       ? OWN_TTL_MDNS
		       : OWN_TTL;
}

static void count_failed(void *data, size_t index, int error)
{
	int *first = data;

	(void)index;
	if (*first == 0)
		*first = error;
}

static int send_by_socket(struct relay_segment *s, const union udp_address *to,
	const void *data, size_t size)
{
	union udp_address source;
	int error = 0;
	struct udp_out out = {
		.data = data,
		.size = size,
		.destination = to,
		.ttl = own_ttl(s),
	};

	if (to) {
		socket_address(&s->source, 0, s->index, &source);
		out.source = &source;
		out.device = s->index;
	}
	(void)udp_send_batch(&s->sender->udp, &out, 1, count_failed, &error);
	return error;
}

static int send_to(struct relay_segment *s, const union udp_address *to,
	const void *data, size_t size)
{
	struct sender *by = s->sender;
	int error = by->has_frames ? frames_send(by, by->port, to, own_ttl(s),
					     data, size)
				   : send_by_socket(s, to, data, size);

	if (error < 0) {
		s->counters.dropped[outbox_verdict(error)]++;
		segment_trouble(s, error);
		return error;
	}
	s->counters.sent++;
	s->counters.sent_bytes += size;
	return 0;
}

/* To the group, or to every peer. Returns 0 where one copy left, or the first
 * error. */
static int send_to_all(struct relay_segment *s, const void *data, size_t size)
{
	const struct destinations *to = &s->to;
	int err, first = -ENETDOWN;
	size_t i;

	if (!to->n_peers)
		return send_to(s, s->sender->connected ? NULL : &to->group,
			data, size);
	for (i = 0; i < to->n_peers; i++) {
		err = send_to(s, &to->peers[i], data, size);
		if (err == 0)
			first = 0;
		else if (first == -ENETDOWN)
			first = err;
	}
	return first;
}

int relay_send(
	const struct relay_segment *segment, const void *data, size_t size)
{
	/* Readers give constant segments, so that nobody writes to them. */
	struct relay_segment *s = (struct relay_segment *)segment;
	struct relay_group *g = s->channel->group;
	struct relay *r = g->relay;
	int err;

	if (!(segment_use(s)->role & CONFIG_SENT_TO))
		return -EACCES;
	if (g->c->standby && r->standby)
		return -ECANCELED;
	if (!s->sender)
		return -ENETDOWN;
	/* What waits for this segment was there first. */
	outbox_flush(r);
	err = send_to_all(s, data, size);
	/* A second relay may bring it to the other segments, where it is
	 * nobody's: it has been said here. */
	if (err == 0)
		(void)guard_note(&s->channel->guard,
			siphash(&r->key, data, size), &s->source, s->slot,
			uv_now(r->loop));
	return err;
}

/* ---- of others, again ---- */

/* Returns whether it was queued. */
static bool say_again(struct arrival *a, struct relay_segment *in,
	struct relay_segment *out, const struct decision *d, bool directed)
{
	static const struct guard_ruling none;
	struct relay_channel *c = out->channel;
	struct payload payload = { a->datagram->data, a->datagram->size,
		a->digest };
	int err;

	if (d->verdict != RELAY_SENT)
		return false;
	err = fanout_send(out, a, &payload, d->ttl, directed, &none);
	if (err < 0) {
		out->counters.dropped[outbox_verdict(err)]++;
		segment_trouble(out, err);
		return false;
	}
	(void)guard_repeat(&c->guard, fanout_sameness(in, a, a->digest),
		&a->source, in->slot, out->slot, a->now_ms);
	arrival_tell(a, in, out, RELAY_SENT, "repeated");
	return true;
}

size_t relay_repeat(struct relay *r, const struct relay_kept *k,
	const struct relay_segment *only)
{
	struct relay_segment *in = find(r, k->segment);
	struct udp_datagram d = {
		.data = k->data, .size = k->size, .ttl = k->ttl
	};
	struct arrival a = { .datagram = &d,
		.source = k->source,
		.port = k->port,
		.now_ms = uv_now(r->loop) };
	struct relay_channel *c;
	struct decide_facts f;
	size_t i, sent = 0;

	if (!in || in->position >= in->channel->n_segments)
		return 0;
	c = in->channel;
	a.destination = net_address_is_set(&k->destination) ? k->destination
							    : c->address;
	a.digest = siphash(&r->key, k->data, k->size);
	r->familiar.in = NULL;
	fanout_describe(in, &a, &f);
	f.kind = PROTO_ANNOUNCEMENT;
	decide(&c->plan, in->position, &f, r->decisions);
	for (i = 0; i < c->n_segments; i++) {
		struct relay_segment *out = c->by_position[i];

		if (out == in || (only && out != only))
			continue;
		sent += say_again(&a, in, out, &r->decisions[i], f.directed);
	}
	outbox_flush(r);
	return sent;
}
