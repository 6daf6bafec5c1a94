/*
 * The path of a datagram: from a receive batch, through the decision and the
 * rate, into a passage through each channel that hears it.
 */
#include "relay/passage.h"

#include <errno.h>
#include <string.h>

/* What there is to know of who sent it. */
static const struct familiar *look_at_source(
	const struct relay_segment *in, const struct arrival *a)
{
	struct familiar *f = &in->channel->group->relay->familiar;

	if (f->in == in && net_address_equal(&f->source, &a->source))
		return f;
	*f = (struct familiar){
		.in = in,
		.source = a->source,
		.own = a->own,
		.elsewhere = !a->own && segment_is_elsewhere(in, &a->source),
		.stranger = segment_is_stranger(in, &a->source),
	};
	return f;
}

void fanout_describe(
	struct relay_segment *in, struct arrival *a, struct decide_facts *ret)
{
	const struct familiar *f = look_at_source(in, a);
	const struct relay_channel *c = in->channel;
	const struct config_group *g = c->group->c;
	const struct proto_view *v = arrival_view(a, in);

	*ret = (struct decide_facts){
		.source = a->source,
		.port = a->port,
		.size = a->datagram->size,
		.ttl = a->datagram->ttl,
		.kind = arrival_kind(a, in),
		.payload = g->payload,
		.own = a->own,
		.elsewhere = f->elsewhere,
		.stranger = f->stranger,
		.directed = c->broadcast && !segment_interface(in)->n_peers &&
			    !net_address_is_broadcast(&a->destination),
	};
	if (v && v->payload == PROTO_SSDP)
		ret->target = ssdp_target(&v->ssdp);
}

/* What others put there from another segment has been heard there all the same,
 * and is not sent there again: loops across the two would feed each other. */
static void note_repeater(struct relay_segment *in, const struct arrival *a)
{
	(void)guard_note(&in->channel->guard, fanout_sameness(in, a, a->digest),
		&a->source, in->slot, a->now_ms);
}

/* Offers a datagram to one channel that hears it. */
static void offer(struct relay_segment *in, struct arrival *a)
{
	struct relay_channel *c = in->channel;
	struct decide_facts f;
	struct passage p = {
		.in = in, .arrival = a, .facts = &f, .row = in->position
	};
	struct decision whole;

	in->counters.received++;
	in->counters.received_bytes += a->datagram->size;
	if (in->position >= c->n_segments || a->datagram->partial) {
		passage_settle(
			&p, NULL, RELAY_ERROR, "it could not be read whole");
		return;
	}
	fanout_describe(in, a, &f);
	p.kind = f.kind;
	p.directed = f.directed;
	whole = decide_whole(&c->plan, in->position, &f);
	a->copy = false;
	if (whole.verdict == RELAY_LOOP)
		note_repeater(in, a);
	if (whole.verdict != RELAY_SENT) {
		passage_settle(&p, NULL, whole.verdict, whole.rule);
	} else if (!passage_is_too_much(&p)) {
		edit_learn(a, in);
		passage_fan_out(&p, decide_outs(&c->plan, in->position, &f,
					    c->group->relay->decisions));
	}
	if (whole.verdict != RELAY_OWN && whole.verdict != RELAY_LOOP &&
		!f.stranger)
		arrival_hand_out(a, in);
}

/* A datagram of a batch, and who hears it. */
struct expected {
	const struct hearing *hearing; /* NULL: nobody */
	uint64_t digest;
};

/* What the guards know of it is fetched while those before it are relayed. */
static void expect(const struct ear *e, const struct udp_datagram *d,
	const struct hearing *h, struct expected *ret)
{
	size_t i;

	/* IPv6 checks a membership by address alone, so that each socket of a
	 * listener hears what any joined (kernel-facts 0.B). */
	if (!h || h->ear != e) {
		ret->hearing = NULL;
		return;
	}
	ret->hearing = h;
	ret->digest = siphash(&e->listener->relay->key, d->data, d->size);
	for (i = 0; i < h->n_segments; i++)
		guard_expect(&h->segments[i]->channel->guard, ret->digest);
}

static void expect_all(const struct ear *e, const struct udp_datagram *d,
	size_t n, struct expected *ret)
{
	const struct hearing *h = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!h || h->device != d[i].device)
			h = listener_hearing(e->listener, d[i].device);
		expect(e, &d[i], h, &ret[i]);
	}
}

static void arrive(const struct ear *e, const struct udp_datagram *d,
	const struct expected *x)
{
	struct arrival a;
	size_t i;

	if (!x->hearing)
		return;
	arrival_init(&a, e->listener->relay, d, x->digest);
	for (i = 0; i < x->hearing->n_segments; i++)
		offer(x->hearing->segments[i], &a);
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
	struct expected expected[RELAY_BATCH];
	size_t i;

	/* An error of the socket has been cleared, and hearing goes on. */
	if (n <= 0)
		return;
	if (kernel_dropped)
		count_kernel(e, datagrams[0].device, kernel_dropped);
	/* Devices may have changed since the last batch. */
	e->listener->relay->familiar.in = NULL;
	expect_all(e, datagrams, (size_t)n, expected);
	for (i = 0; i < (size_t)n; i++)
		arrive(e, &datagrams[i], &expected[i]);
	outbox_flush(e->listener->relay);
	edit_void(e->listener->relay, 0);
}
