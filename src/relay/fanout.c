/*
 * The path of a datagram: from a receive batch, through the decision, the rate
 * and the loop guard, into the queues of the segments out. Nothing here
 * allocates.
 */
#include "relay/internal.h"

#include <errno.h>
#include <string.h>

/* What a receive batch's datagram is, for every channel that hears it. */
struct arrival {
	const struct udp_datagram *datagram;
	struct net_address source, destination;
	uint16_t port;
	uint64_t digest;
	uint64_t now_ms;
	bool own;
};

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

static enum config_source source_mode(
	const struct relay_group *g, const struct net_address *source)
{
	/* A link-local source means nothing on another link (RFC 4291, 2.5.6):
	 * only its port is kept. */
	if (g->c->source == CONFIG_SOURCE_PRESERVE &&
		source->family == AF_INET6 && net_address_is_link_local(source))
		return CONFIG_SOURCE_OWN_PORT;
	return g->c->source;
}

static void send_out(struct relay_segment *out, const struct arrival *a,
	int ttl, bool directed, const struct guard_ruling *ruling)
{
	struct relay_group *g = out->channel->group;
	enum config_source mode = source_mode(g, &a->source);
	struct sender *by = out->sender;
	struct outgoing *o;
	int err;

	if (mode != CONFIG_SOURCE_OWN) {
		err = sender_from_port(out, a->port, &by);
		if (err < 0) {
			count_drop(out, RELAY_ERROR);
			segment_trouble(out, err);
			return;
		}
	}
	guard_sent(&out->channel->guard, ruling, out->slot, a->now_ms);
	o = outbox_take(g->relay);
	*o = (struct outgoing) {
		.data = a->datagram->data,
		.size = a->datagram->size,
		/* A fixed TTL is the socket's own already. */
		.ttl = segment_use(out)->ttl > 0 ? -1 : ttl,
		.ruling = *ruling,
	};
	if (mode == CONFIG_SOURCE_PRESERVE)
		o->announcer = a->source;
	outbox_put(by, o, directed);
}

/* What makes two datagrams the same: the payload, and under `preserve` the
 * source too, since others then hear another datagram. */
static uint64_t sameness(
	const struct relay_segment *in, const struct arrival *a)
{
	const struct relay_group *g = in->channel->group;
	struct {
		uint64_t digest;
		uint8_t address[16];
		uint16_t port;
		uint8_t zero[6];
	} all = { .digest = a->digest, .port = a->port };

	if (g->c->source != CONFIG_SOURCE_PRESERVE)
		return a->digest;
	memcpy(all.address, a->source.bytes, net_address_size(&a->source));
	return siphash(&g->relay->key, &all, sizeof(all));
}

/* The second, stateful step: what the decision lets through may be held back
 * by the loop guard. */
static void fan_out(struct relay_segment *in, const struct arrival *a,
	const struct decision *decisions, bool directed)
{
	struct relay_channel *c = in->channel;
	struct guard_ruling ruling;
	size_t i;

	if (guard_hear(&c->guard, sameness(in, a), &a->source, in->slot, a->now_ms,
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
		send_out(out, a, decisions[i].ttl, directed, &ruling);
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
	if (!a.own)
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
	outbox_flush(e->listener->relay);
}
