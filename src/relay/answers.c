/*
 * The way back: what comes to a flow's port, and who gets it.
 */
#include "relay/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* To hosts on the link: the usual TTL of unicast, and what mDNS asks for
 * (RFC 6762, 11). */
enum { ANSWER_TTL = 64, ANSWER_TTL_MDNS = 255 };

static struct relay *relay_of(const struct relay_flow *f)
{
	return f->out->channel->group->relay;
}

/* ---- to the searchers ---- */

struct delivery {
	struct relay_segment *in;
	size_t size;
};

static void not_delivered(void *data, size_t index, int error)
{
	const struct delivery *d = data;

	(void)index;
	d->in->counters.sent--;
	d->in->counters.sent_bytes -= d->size;
	d->in->counters.dropped[outbox_verdict(error)]++;
	segment_trouble(d->in, error);
}

/* Sends a payload to up to a batch of searchers, all on one segment. */
static void send_to(struct flow_searcher *const to[], size_t n,
	const struct payload *payload)
{
	struct relay_segment *in = to[0]->in;
	const struct config_group *c = in->channel->group->c;
	struct delivery d = { in, payload->size };
	union udp_address destination[RELAY_BATCH], source;
	struct udp_out out[RELAY_BATCH];
	size_t i;

	socket_address(&in->source, 0, in->index, &source);
	for (i = 0; i < n; i++) {
		socket_address(&to[i]->address, to[i]->port, in->index,
			&destination[i]);
		out[i] = (struct udp_out){
			.data = payload->data,
			.size = payload->size,
			.destination = &destination[i],
			.source = &source,
			.device = in->index,
			.ttl = c->payload == CONFIG_PAYLOAD_MDNS
				       ? ANSWER_TTL_MDNS
				       : ANSWER_TTL,
		};
	}
	in->counters.sent += n;
	in->counters.sent_bytes += n * payload->size;
	(void)udp_send_batch(&in->sender->udp, out, n, not_delivered, &d);
}

/* Where a segment stands in its channel's plan, other sites as `site`. */
static size_t row_of(const struct relay_segment *s, size_t site)
{
	return s->is_outside ? s->channel->n_segments + site : s->position;
}

static bool is_planned(const struct relay_segment *s)
{
	return s->is_outside ? s->channel->plan.rows != NULL
			     : s->position < s->channel->n_segments;
}

static struct decision decide_answer(const struct relay_flow *f,
	struct arrival *a, const struct relay_segment *in)
{
	const struct relay_channel *c = f->out->channel;
	const struct proto_view *v = arrival_view(a, f->out);
	struct decide_facts facts = {
		.source = a->source,
		.port = a->port,
		.size = a->datagram->size,
		.ttl = a->datagram->ttl,
		.kind = PROTO_ANNOUNCEMENT,
		.payload = c->group->c->payload,
		.own = a->own,
		.answer = true,
	};

	if (!is_planned(f->out) || !is_planned(in))
		return (struct decision){ RELAY_ERROR, 0, "no memory" };
	if (v && v->payload == PROTO_SSDP)
		facts.target = ssdp_target(&v->ssdp);
	/* Not the relay's scratch: a search may be on its way by that. */
	return decide_one(&c->plan, row_of(f->out, DECIDE_DEVICES_OUTSIDE),
		row_of(in, DECIDE_OUTSIDE), &facts);
}

/* To whoever brought the search, who hands it on to those who asked. */
static void tell_outside(const struct relay_flow *f, struct arrival *a,
	const struct payload *payload)
{
	const struct relay_callbacks *cb = &relay_of(f)->callbacks;
	struct relay_heard h = {
		.in = f->out,
		.source = a->source,
		.destination = a->destination,
		.port = a->port,
		.kind = arrival_kind(a, f->out),
		.view = arrival_view(a, f->out),
		.data = payload->data,
		.size = payload->size,
		.ttl = a->datagram->ttl,
		.now_ms = a->now_ms,
		.flow = f->id,
	};

	if (cb->answered)
		cb->answered(cb->data, &h);
}

/* By the same rules as an announcement that crosses back. Returns how many got
 * it. */
static size_t deliver(struct relay_flow *f, struct arrival *a,
	struct flow_searcher *const to[], size_t n)
{
	struct relay_segment *in = to[0]->in;
	struct decision d = decide_answer(f, a, in);
	struct relay *r = relay_of(f);
	size_t edited = r->edited_used;
	struct payload payload;
	bool is_told = false;

	if (d.verdict == RELAY_SENT) {
		d.rule = "an answer to who searched";
		d.verdict = edit_payload(a, f->out, in, &payload);
		if (d.verdict != RELAY_SENT)
			d.rule = "nothing of it may pass";
	}
	if (d.verdict != RELAY_SENT) {
		in->counters.dropped[d.verdict] += n;
	} else if (in->is_outside) {
		tell_outside(f, a, &payload);
		is_told = true;
	} else {
		send_to(to, n, &payload);
	}
	if (!is_told)
		arrival_tell(a, f->out, in, d.verdict, d.rule);
	/* It has been sent, so what was edited for it is void. */
	edit_void(r, edited);
	return d.verdict == RELAY_SENT ? n : 0;
}

/* Those at other sites are told of as one. */
static size_t deliver_to_all(struct relay_flow *f, struct arrival *a)
{
	struct flow_searcher *to[RELAY_BATCH] = { NULL }, *w, *outside = NULL;
	size_t n = 0, sent = 0;

	for (w = f->searchers; w; w = w->next) {
		if (w->in->is_outside) {
			outside = w;
			continue;
		}
		if (n && (n == RELAY_BATCH || to[0]->in != w->in)) {
			sent += deliver(f, a, to, n);
			n = 0;
		}
		to[n++] = w;
	}
	if (n)
		sent += deliver(f, a, to, n);
	if (outside)
		sent += deliver(f, a, &outside, 1);
	return sent;
}

void flow_deliver_kept(struct relay_flow *f, struct flow_searcher *to)
{
	const struct flow_answers *kept = f->heard;
	size_t at = 0;

	while (kept && at < kept->used) {
		struct udp_datagram d = { .device = f->out->index };
		struct flow_kept k;
		struct arrival a;

		memcpy(&k, kept->kept + at, sizeof(k));
		d.data = kept->kept + at + sizeof(k);
		d.size = k.size;
		a = (struct arrival){
			.datagram = &d,
			.source = k.from,
			.port = k.port,
			.now_ms = uv_now(relay_of(f)->loop),
			.flow = f->id,
		};
		(void)deliver(f, &a, &to, 1);
		at += sizeof(k) + k.size;
	}
}

/* ---- from the devices ---- */

static bool is_seen(const struct flow_answers *a, uint64_t digest)
{
	size_t n = a->n_seen;
	size_t i;

	if (n > FLOW_SEEN)
		n = FLOW_SEEN;
	for (i = 0; i < n; i++)
		if (a->seen[i] == digest)
			return true;
	return false;
}

static void keep(struct flow_answers *to, const struct arrival *a)
{
	size_t size = a->datagram->size;
	struct flow_kept k = {
		.from = a->source, .port = a->port, .size = (uint16_t)size
	};

	if (size > UINT16_MAX || to->used + sizeof(k) + size > sizeof(to->kept))
		return;
	memcpy(to->kept + to->used, &k, sizeof(k));
	memcpy(to->kept + to->used + sizeof(k), a->datagram->data, size);
	to->used += sizeof(k) + size;
}

/* What makes an answer the same: its bytes and who says them. */
static uint64_t sameness(const struct relay *r, const struct arrival *a)
{
	struct {
		uint64_t digest;
		uint8_t address[16];
	} all = { .digest = a->digest };

	memcpy(all.address, a->source.bytes, net_address_size(&a->source));
	return siphash(&r->key, &all, sizeof(all));
}

int flow_is_news(struct relay_flow *f, const struct arrival *a)
{
	uint64_t digest = sameness(relay_of(f), a);

	if (!f->heard)
		f->heard = calloc(1, sizeof(*f->heard));
	if (!f->heard)
		return -ENOMEM;
	if (is_seen(f->heard, digest))
		return 0;
	f->heard->seen[f->heard->n_seen++ % FLOW_SEEN] = digest;
	return 1;
}

size_t flow_answer(struct relay_flow *f, struct arrival *a)
{
	f->answers++;
	keep(f->heard, a);
	return deliver_to_all(f, a);
}

/* Whether an answer is one at all, and new. */
static enum relay_verdict judge(struct relay_flow *f, const struct arrival *a)
{
	uint32_t rate = f->out->channel->group->c->rate;
	struct relay *r = relay_of(f);
	int news;

	if (a->datagram->partial)
		return RELAY_ERROR;
	if (a->own)
		return RELAY_OWN;
	/* Only who was asked may answer. */
	if (a->datagram->device != f->out->index ||
		!flow_can_reach(f->out, &a->source))
		return RELAY_FILTER;
	if (rate &&
		!rate_take(&r->rate, rate, f->out->id, &a->source, a->now_ms))
		return RELAY_RATE;
	news = flow_is_news(f, a);
	return news < 0 ? RELAY_ERROR : news ? RELAY_SENT : RELAY_LOOP;
}

static void answer(struct relay_flow *f, const struct udp_datagram *d)
{
	struct relay_counters *c = &f->out->counters;
	enum relay_verdict v;
	struct arrival a;

	arrival_init(&a, relay_of(f), d,
		siphash(&relay_of(f)->key, d->data, d->size));
	a.flow = f->id;
	c->received++;
	c->received_bytes += d->size;
	v = judge(f, &a);
	if (v != RELAY_SENT) {
		c->dropped[v]++;
		arrival_tell(
			&a, f->out, NULL, v, "no answer that was asked for");
		return;
	}
	(void)flow_answer(f, &a);
	arrival_hand_out(&a, f->out);
}

void flow_receive(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped)
{
	struct relay_flow *f = u->data;
	ssize_t i;

	if (n <= 0)
		return;
	f->out->counters.dropped[RELAY_KERNEL] += kernel_dropped;
	relay_of(f)->familiar.in = NULL;
	for (i = 0; i < n; i++)
		answer(f, &datagrams[i]);
}
