/*
 * What happens: events in virtual milliseconds, and the relays that hear them.
 */
#include "model.h"

#include "bounds/bounds.h"
#include "relay/decide.h"
#include "relay/guard.h"
#include "relay/rate.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_RELAY = 100,
	PORT = 5353,
	/* So many datagrams heard, in a network that works and in another. */
	ENDLESS = 20 * 1000 * 1000,
	ENDLESS_BROKEN = 200 * 1000,
	REMEMBERED = 65536,
};

/* A datagram on its way. */
struct mail {
	uint32_t source;
	unsigned payload;
	int ttl;
};

struct event {
	uint64_t at_ms;
	uint64_t order; /* of those at the same time */
	unsigned relay, leg;
	bool leaves; /* a foreign relay sends it on all legs but this one */
	struct mail mail;
};

/* A crier's own state; a foreign relay has none. */
struct crier {
	struct siphash_key key;
	struct quota quota;
	struct guard guard;
	struct rate rate;
	uint32_t slots[MODEL_LEGS];
	struct decide_segment segments[MODEL_LEGS];
};

struct world {
	const struct model *m;
	enum model_break broken;
	uint64_t chance;
	struct trace *trace;
	struct event *heap;
	size_t n_events, heap_size;
	uint64_t order;
	struct crier criers[MODEL_RELAYS];
};

/* ---- time ---- */

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void *grown(void *items, size_t *size, size_t item_bytes)
{
	*size = *size ? *size * 2 : 1024;
	items = reallocarray(items, *size, item_bytes);
	if (!items)
		err(99, "no memory");
	return items;
}

static void put(struct world *w, struct event *e)
{
	struct event *h;
	size_t i;

	e->order = w->order++;
	if (w->n_events == w->heap_size)
		w->heap = grown(w->heap, &w->heap_size, sizeof(*w->heap));
	h = w->heap;
	for (i = w->n_events++; i && is_before(e, &h[(i - 1) / 2]);
		i = (i - 1) / 2)
		h[i] = h[(i - 1) / 2];
	h[i] = *e;
}

static struct event take(struct world *w)
{
	struct event *h = w->heap, first = h[0], last = h[--w->n_events];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->n_events) {
		if (child + 1 < w->n_events &&
			is_before(&h[child + 1], &h[child]))
			child++;
		if (is_before(&last, &h[child]))
			break;
		h[i] = h[child];
		i = child;
	}
	h[i] = last;
	return first;
}

/* ---- segments ---- */

static uint32_t address_of(unsigned segment, unsigned number)
{
	return segment * MODEL_ADDRESSES + number;
}

static void record(struct world *w, uint64_t now_ms, unsigned segment,
	const struct mail *mail, bool by_crier)
{
	struct trace *t = w->trace;

	if (t->n_copies == t->size)
		t->copies = grown(t->copies, &t->size, sizeof(*t->copies));
	t->copies[t->n_copies++] = (struct model_copy){
		.at_ms = now_ms,
		.segment = segment,
		.payload = mail->payload,
		.source = mail->source,
		.by_crier = by_crier,
	};
}

/* Everybody on the segment hears it but the leg that said it, each a little
 * later than the next, so that two datagrams may change places. */
static void say(struct world *w, uint64_t now_ms, unsigned segment, unsigned by,
	const struct mail *mail)
{
	const struct model *m = w->m;
	struct event e = { .mail = *mail };

	record(w, now_ms, segment, mail,
		by < m->n_relays && m->relays[by].crier);
	for (e.relay = 0; e.relay < m->n_relays; e.relay++) {
		const struct model_relay *r = &m->relays[e.relay];

		for (e.leg = 0; e.leg < r->n_legs; e.leg++) {
			if (r->legs[e.leg].segment != segment || e.relay == by)
				continue;
			e.at_ms =
				now_ms + pick(&w->chance, MODEL_JITTER_MS + 1);
			put(w, &e);
		}
	}
}

/* ---- relays ---- */

static bool is_own(const struct model_relay *r, unsigned relay, uint32_t source)
{
	for (size_t i = 0; i < r->n_legs; i++)
		if (source ==
			address_of(r->legs[i].segment, FIRST_RELAY + relay))
			return true;
	return false;
}

/* As segment_is_elsewhere(): each leg is on-link with its own segment. */
static bool is_elsewhere(
	const struct model_relay *r, unsigned leg, uint32_t source)
{
	unsigned segment = source / MODEL_ADDRESSES;

	if (r->legs[leg].segment == segment)
		return false;
	for (size_t i = 0; i < r->n_legs; i++)
		if (r->legs[i].segment == segment)
			return true;
	return false;
}

static struct net_address net_address(uint32_t a)
{
	struct net_address n = { .family = AF_INET };

	n.v4.s_addr = htonl(0x0a000000u | a);
	return n;
}

static void describe(
	const struct world *w, const struct event *e, struct decide_facts *ret)
{
	const struct model_relay *r = &w->m->relays[e->relay];
	bool own = is_own(r, e->relay, e->mail.source);

	*ret = (struct decide_facts){
		.source = net_address(e->mail.source),
		.port = PORT,
		.size = sizeof(e->mail.payload),
		.ttl = e->mail.ttl,
		.kind = PROTO_ANNOUNCEMENT,
		.payload = CONFIG_PAYLOAD_NONE,
		.own = own,
		.elsewhere = !own && is_elsewhere(r, e->leg, e->mail.source),
	};
}

/* As fanout_sameness(). */
static uint64_t sameness(const struct model_relay *r, const struct crier *c,
	const struct decide_facts *f, unsigned payload)
{
	struct {
		uint64_t digest;
		uint8_t address[16];
		uint16_t port;
		uint8_t zero[6];
	} all = { .digest = siphash(&c->key, &payload, sizeof(payload)),
		.port = f->port };

	if (!r->keeps_source)
		return all.digest;
	memcpy(all.address, f->source.bytes, net_address_size(&f->source));
	return siphash(&c->key, &all, sizeof(all));
}

/* As pass(). */
static void pass(struct world *w, const struct event *e, unsigned leg, int ttl,
	const struct guard_ruling *ruling)
{
	const struct model_relay *r = &w->m->relays[e->relay];
	struct crier *c = &w->criers[e->relay];
	struct guard_ruling as_told = *ruling;
	struct mail mail = e->mail;

	if (w->broken == BREAK_SILENCE && ruling->silenced)
		as_told.silenced = false, as_told.repeated = true;
	if (!guard_may_send(&c->guard, &as_told, c->slots[leg], e->at_ms)) {
		if (w->broken == BREAK_LONGER)
			guard_sent(&c->guard, ruling, c->slots[leg], e->at_ms);
		return;
	}
	mail.ttl = ttl;
	if (!r->keeps_source)
		mail.source = address_of(
			r->legs[leg].segment, FIRST_RELAY + e->relay);
	say(w, e->at_ms, r->legs[leg].segment, e->relay, &mail);
	guard_sent(&c->guard, ruling, c->slots[leg], e->at_ms);
}

/* As fan_out(). */
static void fan_out(struct world *w, const struct event *e,
	const struct decide_facts *f, const struct decision *decisions)
{
	const struct model_relay *r = &w->m->relays[e->relay];
	struct crier *c = &w->criers[e->relay];
	struct guard_ruling ruling;
	unsigned i;

	if (guard_hear(&c->guard, sameness(r, c, f, e->mail.payload),
		    &f->source, c->slots[e->leg], e->at_ms, &ruling) < 0)
		err(99, "no memory");
	for (i = 0; w->broken == BREAK_REACH && i < r->n_legs; i += 2)
		guard_sent(&c->guard, &ruling, c->slots[i], e->at_ms);
	if (w->broken == BREAK_REACH)
		ruling.repeated = false;
	for (i = 0; i < r->n_legs; i++)
		if (i != e->leg && decisions[i].verdict == RELAY_SENT)
			pass(w, e, i, decisions[i].ttl, &ruling);
}

/* As offer(). */
static void crier_hears(struct world *w, const struct event *e)
{
	static const struct config_filter all;
	const struct model_relay *r = &w->m->relays[e->relay];
	struct crier *c = &w->criers[e->relay];
	struct decide_channel channel = {
		.allow = &all,
		.deny = &all,
		.segments = c->segments,
		.n_segments = r->n_legs,
	};
	struct decision decisions[MODEL_LEGS];
	struct decide_facts f;

	describe(w, e, &f);
	decide(&channel, e->leg, &f, decisions);
	if (decisions[e->leg].verdict == RELAY_LOOP)
		/* Put there by others, and heard there all the same. */
		(void)guard_note(&c->guard, sameness(r, c, &f, e->mail.payload),
			&f.source, c->slots[e->leg], e->at_ms);
	if (decisions[e->leg].verdict != RELAY_SENT)
		return;
	if (r->rate &&
		!rate_take(&c->rate, r->rate, e->leg, &f.source, e->at_ms)) {
		w->trace->limited[e->mail.payload] = true;
		return;
	}
	fan_out(w, e, &f, decisions);
}

static void foreign_hears(struct world *w, const struct event *e)
{
	const struct model_relay *r = &w->m->relays[e->relay];
	struct event out = *e;

	if (r->knows_itself && is_own(r, e->relay, e->mail.source))
		return;
	if (r->ttl == CONFIG_TTL_DECREMENT && --out.mail.ttl < 1)
		return;
	out.leaves = true;
	out.at_ms += r->steady ? r->delay_ms
			       : pick(&w->chance, (unsigned)r->delay_ms + 1);
	put(w, &out);
}

static void foreign_says(struct world *w, const struct event *e)
{
	const struct model_relay *r = &w->m->relays[e->relay];
	struct mail mail = e->mail;

	for (unsigned i = 0; i < r->n_legs; i++) {
		if (i == e->leg)
			continue;
		if (!r->keeps_source)
			mail.source = address_of(
				r->legs[i].segment, FIRST_RELAY + e->relay);
		say(w, e->at_ms, r->legs[i].segment, e->relay, &mail);
	}
}

static void happen(struct world *w, const struct event *e)
{
	const struct model_relay *r = &w->m->relays[e->relay];

	w->trace->last_ms = e->at_ms;
	if (e->leaves) {
		foreign_says(w, e);
		return;
	}
	w->trace->heard++;
	if (r->crier)
		crier_hears(w, e);
	else
		foreign_hears(w, e);
}

/* ---- from the beginning to the end ---- */

static uint64_t remembers_ms(const struct world *w)
{
	switch (w->broken) {
	case BREAK_GUARD:
		return 0;
	case BREAK_WINDOW:
		return MODEL_JITTER_MS;
	default:
		return w->m->window_ms;
	}
}

static void begin(struct world *w, unsigned relay)
{
	static const struct config_filter all;
	const struct model_relay *r = &w->m->relays[relay];
	struct crier *c = &w->criers[relay];

	c->key = (struct siphash_key){ w->m->seed, relay };
	quota_init(&c->quota, REMEMBERED, &c->key);
	guard_init(&c->guard, remembers_ms(w), &c->quota);
	rate_init(&c->rate, REMEMBERED, &c->key);
	for (size_t i = 0; i < r->n_legs; i++) {
		if (guard_slot_take(&c->guard, &c->slots[i]) < 0)
			err(99, "no memory");
		c->segments[i] = (struct decide_segment){
			.role = r->legs[i].role,
			.ttl = r->ttl,
			.usable = true,
			.has_address = true,
			.has_broadcast = true,
			.allow = &all,
			.deny = &all,
		};
		if (w->broken == BREAK_DIRECTION)
			c->segments[i].role |= CONFIG_HEARS;
	}
}

static void end(struct crier *c)
{
	guard_done(&c->guard);
	quota_done(&c->quota);
	rate_done(&c->rate);
}

void simulate(const struct model *m, uint64_t luck, enum model_break broken,
	struct trace *ret)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned next = 0, i;

	if (!w)
		err(99, "no memory");
	memset(ret, 0, sizeof(*ret));
	w->m = m;
	w->broken = broken;
	w->chance = chance_from(m->seed ^ luck << 32);
	w->trace = ret;
	for (i = 0; i < m->n_relays; i++)
		begin(w, i);
	while (next < m->n_sayings || w->n_events) {
		const struct model_saying *s = &m->sayings[next];
		struct event e;

		if (next < m->n_sayings &&
			(!w->n_events || s->at_ms <= w->heap[0].at_ms)) {
			const struct model_host *h = &m->hosts[s->host];
			struct mail mail = { address_of(
						     h->segment, s->host + 1),
				s->payload, h->ttl };

			say(w, s->at_ms, h->segment, MODEL_RELAYS, &mail);
			next++;
			continue;
		}
		e = take(w);
		happen(w, &e);
		ret->endless = ret->heard > (broken ? ENDLESS_BROKEN : ENDLESS);
		if (ret->endless)
			break;
	}
	for (i = 0; i < m->n_relays; i++)
		end(&w->criers[i]);
	free(w->heap);
	free(w);
}
