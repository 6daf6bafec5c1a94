/*
 * One datagram through one channel: the loop guard, and the queues of the
 * segments out. Nothing here allocates, but for flows.
 */
#include "relay/passage.h"

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

static inline void settle(struct passage *p, struct relay_segment *out,
	enum relay_verdict v, const char *rule)
{
	struct relay_segment *at = out ? out : p->in;

	if (v != RELAY_SENT)
		at->counters.dropped[v]++;
	else if (p->result && out)
		p->result->sent++;
	arrival_tell(p->arrival, p->in, out, v, rule);
}

void passage_settle(struct passage *p, struct relay_segment *out,
	enum relay_verdict v, const char *rule)
{
	settle(p, out, v, rule);
}

enum config_source fanout_source_mode(
	const struct relay_group *g, const struct arrival *a)
{
	const struct net_address *source = &a->source;

	/* An address of another site belongs to nobody here. */
	if (a->outsider)
		return CONFIG_SOURCE_OWN;
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

	if (fanout_source_mode(g, a) != CONFIG_SOURCE_PRESERVE)
		return digest;
	memcpy(all.address, a->source.bytes, net_address_size(&a->source));
	return siphash(&g->relay->key, &all, sizeof(all));
}

/* Records a payload that was edited as sent too, or a second relay that hands
 * it back would be believed. */
static void remember_edited(struct passage *p, struct relay_segment *out,
	const struct payload *payload)
{
	const struct arrival *a = p->arrival;

	if (payload->digest != a->digest)
		(void)guard_note(&out->channel->guard,
			fanout_sameness(p->in, a, payload->digest),
			arrival_who(a), out->slot, a->now_ms);
}

int fanout_send(struct relay_segment *out, const struct arrival *a,
	const struct payload *payload, int ttl, bool directed,
	const struct guard_ruling *ruling)
{
	struct relay_group *g = out->channel->group;
	enum config_source mode = fanout_source_mode(g, a);
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
static bool is_for_a_flow(struct passage *p)
{
	const struct config_group *g = p->in->channel->group->c;

	return p->kind == PROTO_SEARCH && g->replies == CONFIG_REPLIES_PROXY &&
	       (g->payload != CONFIG_PAYLOAD_MDNS ||
		       p->arrival->port != MDNS_PORT) &&
	       flow_can_reach(p->in, &p->arrival->source);
}

/* Devices may take as long to answer as the search says. */
static uint64_t patience_ms(struct passage *p)
{
	const struct config_group *g = p->in->channel->group->c;
	const struct proto_view *v = arrival_view(p->arrival, p->in);
	uint64_t mx_ms = 0;

	if (v && v->payload == PROTO_SSDP)
		mx_ms = ((uint64_t)v->ssdp.mx + 1) * 1000;
	return g->reply_timeout_ms > mx_ms ? g->reply_timeout_ms : mx_ms;
}

static void describe_search(struct passage *p, const struct payload *payload,
	int ttl, struct flow_search *ret)
{
	const struct arrival *a = p->arrival;

	*ret = (struct flow_search){
		.in = p->in,
		.address = *arrival_who(a),
		.port = a->port,
		.origin = a->outsider ? a->outsider->origin : NULL,
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

static void failed(struct passage *p, struct relay_segment *out, int err)
{
	settle(p, out, outbox_verdict(err), strerror(-err));
	segment_trouble(out, err);
}

/* The guard's reasons, in words. */
static const char heard_before[] = "heard or sent there a moment ago";
static const char without_end[] = "repeated without end";
static const char for_sites[] = "for other sites";

/* Whoever brought it is told by which flow answers come. */
static void note_flow(struct passage *p, uint64_t id)
{
	struct relay_brought_result *r = p->result;

	if (r && r->n_flows < RELAY_BROUGHT_FLOWS)
		r->flows[r->n_flows++] = id;
}

/* A search goes out by its flow's port, or waits with who asked before. */
static void search_out(struct passage *p, struct relay_segment *out,
	const struct payload *payload, int ttl, bool may_send)
{
	struct guard *g = &out->channel->guard;
	struct flow_search q;
	uint64_t id = 0;
	int err;

	describe_search(p, payload, ttl, &q);
	if (!may_send) {
		/* Also in a silence: to wait sends nothing. */
		err = flow_join(out, &q, &id);
		if (err != -EALREADY || p->ruling.silenced) {
			if (err != -ENOENT)
				note_flow(p, id);
			settle(p, out, RELAY_LOOP,
				err == 0 ? "waits with who asked before"
					 : heard_before);
			return;
		}
	}
	err = flow_send(out, &q, &id);
	if (err < 0) {
		failed(p, out, err);
		return;
	}
	guard_sent(g, &p->ruling, out->slot, p->arrival->now_ms);
	remember_edited(p, out, payload);
	note_flow(p, id);
	p->arrival->flow = id;
	out->counters.sent += (unsigned)err;
	out->counters.sent_bytes += (unsigned)err * payload->size;
	settle(p, out, RELAY_SENT,
		out->is_outside ? for_sites : "asked from its flow's port");
	p->arrival->flow = 0;
}

/* What is to leave on `out`. */
static inline enum relay_verdict payload_for(
	struct passage *p, const struct relay_segment *out, struct payload *ret)
{
	const struct arrival *a = p->arrival;

	if (p->in->channel->group->c->payload == CONFIG_PAYLOAD_MDNS)
		return edit_payload(p->arrival, p->in, out, ret);
	ret->data = a->datagram->data;
	ret->size = a->datagram->size;
	ret->digest = a->digest;
	return RELAY_SENT;
}

/* Why nothing left. */
static const char *held_back(const struct passage *p, enum relay_verdict v)
{
	return v == RELAY_FILTER    ? "nothing of it may pass"
	       : p->ruling.silenced ? without_end
				    : heard_before;
}

static void pass(struct passage *p, struct relay_segment *out,
	const struct decision *d, bool flows)
{
	int ttl = p->arrival->outsider ? own_ttl(out) : d->ttl;
	struct guard *g = &out->channel->guard;
	uint64_t now = p->arrival->now_ms;
	bool may_send = guard_may_send(g, &p->ruling, out->slot, now);
	struct payload payload;
	enum relay_verdict v;
	int err;

	v = may_send || flows ? payload_for(p, out, &payload) : RELAY_LOOP;
	if (v != RELAY_SENT) {
		settle(p, out, v, held_back(p, v));
		return;
	}
	if (flows) {
		search_out(p, out, &payload, ttl, may_send);
		return;
	}
	err = fanout_send(
		out, p->arrival, &payload, ttl, p->directed, &p->ruling);
	if (err < 0) {
		failed(p, out, err);
		return;
	}
	guard_sent(g, &p->ruling, out->slot, now);
	remember_edited(p, out, &payload);
	settle(p, out, RELAY_SENT, d->rule);
}

/* No socket sends it: that it is told of is all. */
static void hand_out(struct passage *p, const struct decision *d, bool flows)
{
	struct relay_segment *out = &p->in->channel->outside;
	struct guard *g = &out->channel->guard;
	uint64_t now = p->arrival->now_ms;
	bool may_send = guard_may_send(g, &p->ruling, out->slot, now);
	struct payload payload;
	enum relay_verdict v = RELAY_LOOP;

	if (may_send || flows)
		v = payload_for(p, out, &payload);
	if (v != RELAY_SENT) {
		settle(p, out, v, held_back(p, v));
		return;
	}
	p->arrival->leaves = &payload;
	if (flows) {
		search_out(p, out, &payload, d->ttl, may_send);
	} else {
		out->counters.sent++;
		guard_sent(g, &p->ruling, out->slot, now);
		remember_edited(p, out, &payload);
		settle(p, out, RELAY_SENT, for_sites);
	}
	p->arrival->leaves = NULL;
}

/* To those who take it to other sites. Returns whether it may go there. */
static bool pass_outside(struct passage *p, bool flows)
{
	struct relay_channel *c = p->in->channel;
	struct decision d = decide_one(
		&c->plan, p->row, c->n_segments + DECIDE_OUTSIDE, p->facts);

	if (d.verdict == RELAY_SENT)
		hand_out(p, &d, flows);
	else
		settle(p, &c->outside, d.verdict, d.rule);
	return d.verdict == RELAY_SENT;
}

static int hear(struct passage *p)
{
	const struct arrival *a = p->arrival;
	struct guard *g = &p->in->channel->guard;
	uint64_t digest = fanout_sameness(p->in, a, a->digest);

	if (a->outsider)
		return guard_bring(g, digest, arrival_who(a), p->in->slot,
			a->now_ms, &p->ruling);
	return guard_hear(
		g, digest, &a->source, p->in->slot, a->now_ms, &p->ruling);
}

/* First heard elsewhere, or of another host; where it would have been sent at
 * all. */
static bool is_copy(const struct passage *p, bool wanted)
{
	if (p->arrival->outsider)
		return wanted && p->result && !p->result->sent;
	return wanted && p->ruling.entry && !p->ruling.repeated;
}

void passage_fan_out(struct passage *p, const struct decision *decisions)
{
	struct relay_segment *in = p->in;
	struct relay_channel *c = in->channel;
	struct arrival *a = p->arrival;
	bool carried = outside_is_carried(p->in);
	bool flows = is_for_a_flow(p), wanted = false;
	size_t i, n = 0;

	a->copy = false;

	if (hear(p) < 0) {
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
	if (carried) {
		n++;
		wanted |= pass_outside(p, flows);
	}
	if (!n)
		settle(p, NULL, RELAY_SENT, "heard, and nowhere to send it");
	a->copy = is_copy(p, wanted);
}

bool passage_is_too_much(struct passage *p)
{
	struct relay_segment *in = p->in;
	const struct arrival *a = p->arrival;
	const struct relay_group *g = in->channel->group;
	uint64_t place = a->outsider ? a->outsider->site_id : in->id;

	if (!g->c->rate || rate_take(&g->relay->rate, g->c->rate, place,
				   arrival_who(a), a->now_ms))
		return false;
	settle(p, NULL, RELAY_RATE, "its source says too much");
	tell_of_storm(in, &a->source, RELAY_RATE);
	return true;
}
