/*
 * What must be heard where, worked out from the rules alone: no time passes,
 * and nobody remembers.
 *
 * Which of several copies a crier lets pass is a matter of chance, and with
 * `ttl: keep` and `decrement` they are not worth the same. So two things are
 * worked out: with which TTL a copy may come to a segment at all, and with
 * which at least one comes there whatever happens.
 */
#include "model.h"

#include "config/config.h"

struct range {
	int low, high; /* a high of 0: none comes */
};

struct reach {
	const struct model *m;
	struct range may[MODEL_SEGMENTS];
	int must[MODEL_SEGMENTS]; /* the TTL, or 0 */
	uint64_t within_ms[MODEL_SEGMENTS];
	unsigned hops[MODEL_SEGMENTS];
	bool sources_travel; /* some relay keeps them */
};

/* Calls `step` for each way across a relay until nothing changes. */
static void settle(struct reach *x,
	bool (*step)(struct reach *x, const struct model_relay *r,
		const struct model_leg *in, const struct model_leg *out))
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (unsigned i = 0; i < x->m->n_relays; i++) {
			const struct model_relay *r = &x->m->relays[i];

			for (size_t a = 0; a < r->n_legs; a++)
				for (size_t b = 0; b < r->n_legs; b++)
					if (a != b &&
						r->legs[a].role &
							CONFIG_HEARS &&
						r->legs[b].role &
							CONFIG_SENT_TO)
						changed |=
							step(x, r, &r->legs[a],
								&r->legs[b]);
		}
	}
}

static int ttl_after(const struct model_relay *r, int ttl)
{
	if (r->ttl == CONFIG_TTL_KEEP)
		return ttl;
	return r->ttl == CONFIG_TTL_DECREMENT ? ttl - 1 : r->ttl;
}

static bool step_may(struct reach *x, const struct model_relay *r,
	const struct model_leg *in, const struct model_leg *out)
{
	const struct range *from = &x->may[in->segment];
	struct range *to = &x->may[out->segment], was = *to;
	int low, high;

	if (!from->high)
		return false;
	high = ttl_after(r, from->high);
	low = ttl_after(r, from->low);
	if (high < 1)
		return false;
	if (low < 1)
		low = 1;
	if (!to->high || low < to->low)
		to->low = low;
	if (high > to->high)
		to->high = high;
	return to->low != was.low || to->high != was.high;
}

/*
 * With which TTL what is heard for certain on `in` is then heard on `out`, or
 * 0: not for certain.
 *
 * Who remembers, or does not listen to itself, may pass another copy than this
 * one, or have passed one before. And where a source tells a relay nothing
 * because it should know it from a better place, that place must have served.
 */
static int certain(const struct reach *x, const struct model_relay *r,
	const struct model_leg *in, const struct model_leg *out)
{
	int ttl = x->must[in->segment];
	bool one_way = false;

	if (!ttl || ttl_after(r, ttl) < 1)
		return 0;
	if (!r->crier && !r->knows_itself)
		return ttl_after(r, ttl);
	for (size_t i = 0; i < r->n_legs; i++)
		one_way |= !(r->legs[i].role & CONFIG_HEARS);
	if (x->sources_travel && (one_way || r->ttl == CONFIG_TTL_DECREMENT))
		return 0;
	return x->may[out->segment].low;
}

static bool step_must(struct reach *x, const struct model_relay *r,
	const struct model_leg *in, const struct model_leg *out)
{
	int ttl = certain(x, r, in, out);

	if (ttl <= x->must[out->segment])
		return false;
	x->must[out->segment] = ttl;
	return true;
}

/* By when that copy is there. */
static bool step_time(struct reach *x, const struct model_relay *r,
	const struct model_leg *in, const struct model_leg *out)
{
	uint64_t then = x->within_ms[in->segment];

	if (then == UINT64_MAX || !x->must[out->segment] ||
		certain(x, r, in, out) < x->must[out->segment])
		return false;
	then += MODEL_JITTER_MS + (r->crier ? 0 : r->delay_ms);
	if (then >= x->within_ms[out->segment])
		return false;
	x->within_ms[out->segment] = then;
	x->hops[out->segment] = x->hops[in->segment] + 1;
	return true;
}

static void begin_may(struct reach *x, const struct model_host *h)
{
	struct range *r = &x->may[h->segment];

	if (!r->high || h->ttl < r->low)
		r->low = h->ttl;
	if (h->ttl > r->high)
		r->high = h->ttl;
}

void expect(const struct model *m, unsigned host, unsigned payload,
	struct expectation *ret)
{
	const struct model_host *h = &m->hosts[host];
	struct reach x = { .m = m };
	unsigned i;

	for (i = 0; i < m->n_relays; i++)
		x.sources_travel |= m->relays[i].keeps_source;
	for (i = 0; i < m->n_segments; i++)
		x.within_ms[i] = UINT64_MAX;
	for (i = 0; i < m->n_sayings; i++)
		if (m->sayings[i].payload == payload)
			begin_may(&x, &m->hosts[m->sayings[i].host]);
	x.must[h->segment] = h->ttl;
	x.within_ms[h->segment] = 0;
	settle(&x, step_may);
	settle(&x, step_must);
	settle(&x, step_time);
	for (i = 0; i < m->n_segments; i++) {
		ret->may[i] = x.may[i].high > 0;
		ret->must[i] = x.must[i] > 0;
		ret->within_ms[i] = x.within_ms[i];
		ret->hops[i] = x.hops[i];
	}
}
