/*
 * The path of a datagram: from a receive batch, through the decision, the rate
 * and the loop guard, into the queues of the segments out. Nothing here
 * allocates.
 */
#include "relay/flow.h"
#include "relay/internal.h"

#include <errno.h>
#include <string.h>

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

/* A datagram on its way through one channel. */
struct passage {
	struct relay_segment *in;
	struct arrival *arrival;
	enum proto_kind kind;
	bool directed;
	struct guard_ruling ruling;
};

/* What becomes of it on `out`, or as a whole where that is NULL. */
static void settle(const struct passage *p, struct relay_segment *out,
	enum relay_verdict v, const char *rule)
{
	struct relay_segment *at = out ? out : p->in;

	if (v != RELAY_SENT)
		at->counters.dropped[v]++;
	arrival_tell(p->arrival, p->in, out, v, rule);
}

enum config_source fanout_source_mode(
	const struct relay_group *g, const struct net_address *source)
{
	/* A link-local source means nothing on another link (RFC 4291, 2.5.6):
	 * only its port is kept. */
	if (g->c->source == CONFIG_SOURCE_PRESERVE &&
		source->family == AF_INET6 && net_address_is_link_local(source))
		return CONFIG_SOURCE_OWN_PORT;
	return g->c->source;
}

/* What makes two datagrams the same: the payload, and under `preserve` the
 * source too, since others then hear another datagram. */
uint64_t fanout_sameness(const struct relay_segment *in,
	const struct arrival *a, uint64_t digest)
{
	const struct relay_group *g = in->channel->group;
	struct {
		uint64_t digest;
		uint8_t address[16];
		uint16_t port;
		uint8_t zero[6];
	} all = { .digest = digest, .port = a->port };

	if (fanout_source_mode(g, &a->source) != CONFIG_SOURCE_PRESERVE)
		return digest;
	memcpy(all.address, a->source.bytes, net_address_size(&a->source));
	return siphash(&g->relay->key, &all, sizeof(all));
}

/* Records a payload that was edited as sent too, or a second relay that hands
 * it back would be believed. */
static void remember_edited(const struct passage *p, struct relay_segment *out,
	const struct payload *payload)
{
	const struct arrival *a = p->arrival;

	if (payload->digest != a->digest)
		(void)guard_note(&out->channel->guard,
			fanout_sameness(p->in, a, payload->digest), &a->source,
			out->slot, a->now_ms);
}

int fanout_send(struct relay_segment *out, const struct arrival *a,
	const struct payload *payload, int ttl, bool directed,
	const struct guard_ruling *ruling)
{
	struct relay_group *g = out->channel->group;
	enum config_source mode = fanout_source_mode(g, &a->source);
	struct sender *by = out->sender;
	struct outgoing *o;
	int err;

	if (mode != CONFIG_SOURCE_OWN) {
		err = sender_from_port(out, a->port, &by);
		if (err < 0)
			return err;
	}
	o = outbox_take(g->relay);
	o->data = payload->data;
	o->size = payload->size;
	/* A fixed TTL is the socket's own already. */
	o->ttl = segment_use(out)->ttl > 0 ? -1 : ttl;
	o->ruling = *ruling;
	o->port = mode == CONFIG_SOURCE_OWN ? out->channel->port : a->port;
	o->announcer.family = AF_UNSPEC;
	if (mode == CONFIG_SOURCE_PRESERVE)
		o->announcer = a->source;
	outbox_put(by, o, directed);
	return 0;
}

/* ---- searches ---- */

/* True if its answers will come by unicast, to the port that it leaves from. */
static bool is_for_a_flow(const struct passage *p)
{
	const struct config_group *g = p->in->channel->group->c;

	return p->kind == PROTO_SEARCH && g->replies == CONFIG_REPLIES_PROXY &&
	       (g->payload != CONFIG_PAYLOAD_MDNS ||
		       p->arrival->port != MDNS_PORT) &&
	       flow_can_reach(p->in, &p->arrival->source);
}

/* Devices may take as long to answer as the search says. */
static uint64_t patience_ms(const struct passage *p)
{
	const struct config_group *g = p->in->channel->group->c;
	const struct proto_view *v = arrival_view(p->arrival, p->in);
	uint64_t mx_ms = 0;

	if (v && v->payload == PROTO_SSDP)
		mx_ms = ((uint64_t)v->ssdp.mx + 1) * 1000;
	return g->reply_timeout_ms > mx_ms ? g->reply_timeout_ms : mx_ms;
}

static void describe_search(const struct passage *p,
	const struct payload *payload, int ttl, struct flow_search *ret)
{
	const struct arrival *a = p->arrival;

	*ret = (struct flow_search){
		.in = p->in,
		.address = a->source,
		.port = a->port,
		.digest = payload->digest,
		.data = payload->data,
		.size = payload->size,
		.directed = p->directed,
		.ttl = ttl,
		.now_ms = a->now_ms,
		.ttl_ms = patience_ms(p),
	};
}

/* ---- the second, stateful step ---- */

static void failed(const struct passage *p, struct relay_segment *out, int err)
{
	settle(p, out, outbox_verdict(err), strerror(-err));
	segment_trouble(out, err);
}

/* The guard's reasons, in words. */
static const char heard_before[] = "heard or sent there a moment ago";
static const char without_end[] = "repeated without end";

/* A search goes out by its flow's port, or waits with who asked before. */
static void search_out(const struct passage *p, struct relay_segment *out,
	const struct payload *payload, int ttl, bool may_send)
{
	struct guard *g = &out->channel->guard;
	struct flow_search q;
	int err;

	describe_search(p, payload, ttl, &q);
	if (!may_send) {
		/* Also in a silence: to wait sends nothing. */
		err = flow_join(out, &q);
		if (err != -EALREADY || p->ruling.silenced) {
			settle(p, out, RELAY_LOOP,
				err == 0 ? "waits with who asked before"
					 : heard_before);
			return;
		}
	}
	err = flow_send(out, &q, &p->arrival->flow);
	if (err < 0) {
		failed(p, out, err);
		return;
	}
	guard_sent(g, &p->ruling, out->slot, p->arrival->now_ms);
	remember_edited(p, out, payload);
	out->counters.sent += (unsigned)err;
	out->counters.sent_bytes += (unsigned)err * payload->size;
	settle(p, out, RELAY_SENT, "asked from its flow's port");
	p->arrival->flow = 0;
}

/* What is to leave on `out`. */
static enum relay_verdict payload_for(const struct passage *p,
	const struct relay_segment *out, struct payload *ret)
{
	const struct arrival *a = p->arrival;

	if (p->in->channel->group->c->payload == CONFIG_PAYLOAD_MDNS)
		return edit_payload(p->arrival, p->in, out, ret);
	ret->data = a->datagram->data;
	ret->size = a->datagram->size;
	ret->digest = a->digest;
	return RELAY_SENT;
}

static void pass(const struct passage *p, struct relay_segment *out,
	const struct decision *d, bool flows)
{
	struct guard *g = &out->channel->guard;
	uint64_t now = p->arrival->now_ms;
	bool may_send = guard_may_send(g, &p->ruling, out->slot, now);
	struct payload payload;
	enum relay_verdict v;
	int err;

	v = may_send || flows ? payload_for(p, out, &payload) : RELAY_LOOP;
	if (v != RELAY_SENT) {
		settle(p, out, v,
			v == RELAY_FILTER    ? "nothing of it may pass"
			: p->ruling.silenced ? without_end
					     : heard_before);
		return;
	}
	if (flows) {
		search_out(p, out, &payload, d->ttl, may_send);
		return;
	}
	err = fanout_send(
		out, p->arrival, &payload, d->ttl, p->directed, &p->ruling);
	if (err < 0) {
		failed(p, out, err);
		return;
	}
	guard_sent(g, &p->ruling, out->slot, now);
	remember_edited(p, out, &payload);
	settle(p, out, RELAY_SENT, d->rule);
}

/* decisions: a row for all segments out, also those that cannot send. */
static void fan_out(struct passage *p, const struct decision *decisions)
{
	struct relay_segment *in = p->in;
	struct relay_channel *c = in->channel;
	struct arrival *a = p->arrival;
	bool flows = is_for_a_flow(p), wanted = false;
	size_t i, n = 0;

	a->copy = false;

	if (guard_hear(&c->guard, fanout_sameness(in, a, a->digest), &a->source,
		    in->slot, a->now_ms, &p->ruling) < 0) {
		settle(p, NULL, RELAY_ERROR, "no memory for the loop guard");
		return;
	}
	if (p->ruling.storm)
		tell_of_storm(in, &a->source, RELAY_LOOP);
	for (i = 0; i < c->n_usable; i++) {
		struct relay_segment *out = c->usable[i];
		const struct decision *d = &decisions[out->position];

		if (out == in)
			continue;
		n++;
		if (d->verdict != RELAY_SENT) {
			settle(p, out, d->verdict, d->rule);
			continue;
		}
		wanted = true;
		pass(p, out, d, flows);
	}
	if (!n)
		settle(p, NULL, RELAY_SENT, "heard, and nowhere to send it");
	/* First heard elsewhere, or of another host: a copy, where it would
	 * have been sent at all. */
	a->copy = wanted && p->ruling.entry && !p->ruling.repeated;
}

static bool is_too_much(const struct passage *p)
{
	struct relay_segment *in = p->in;
	const struct arrival *a = p->arrival;
	const struct relay_group *g = in->channel->group;

	if (!g->c->rate || rate_take(&g->relay->rate, g->c->rate, in->id,
				   &a->source, a->now_ms))
		return false;
	settle(p, NULL, RELAY_RATE, "its source says too much");
	tell_of_storm(in, &a->source, RELAY_RATE);
	return true;
}

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
	struct passage p = { .in = in, .arrival = a };
	struct decision whole;
	struct decide_facts f;

	in->counters.received++;
	in->counters.received_bytes += a->datagram->size;
	if (in->position >= c->n_segments || a->datagram->partial) {
		settle(&p, NULL, RELAY_ERROR, "it could not be read whole");
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
		settle(&p, NULL, whole.verdict, whole.rule);
	} else if (!is_too_much(&p)) {
		edit_learn(a, in);
		fan_out(&p, decide_outs(&c->plan, in->position, &f,
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
