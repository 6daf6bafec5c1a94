/*
 * Networks by chance. What they never have, since nobody who remembers is
 * there to end it:
 *   - a cycle of foreign relays alone;
 *   - a cycle whose way, there and back, takes longer than the criers remember:
 *     between two loops a copy may go to and fro.
 *
 * And unless it is asked for, what the guard cannot always end: criers that
 * keep sources beside foreign relays that make new ones. To a crier that keeps
 * sources each of them is another datagram, so one loop forgets in time what it
 * has spent while another goes round; about one network in 1,500 of this kind
 * does not come to rest in time.
 */
#include "model.h"

#include "config/config.h"

#include <stdlib.h>
#include <string.h>

enum {
	BOTH = CONFIG_HEARS | CONFIG_SENT_TO,
	/* Hosts speak for so long ... */
	SPEAK_MS = 10 * 1000,
	/* ... and so many windows later the network is asked again. */
	AGAIN_WINDOWS = 1000,
};

struct maker {
	struct model *m;
	uint64_t chance;
	unsigned foreign; /* percent */
	bool preserve;    /* some criers keep sources ... */
	bool rewrite;     /* ... some foreign relays do not */
	/* The segments that foreign relays alone join: a forest. */
	unsigned joined[MODEL_SEGMENTS];
};

static unsigned root(struct maker *k, unsigned segment)
{
	while (k->joined[segment] != segment)
		segment = k->joined[segment];
	return segment;
}

/* ---- relays ---- */

static void add_leg(struct model_relay *r, unsigned segment)
{
	for (size_t i = 0; i < r->n_legs; i++)
		if (r->legs[i].segment == segment)
			return;
	if (r->n_legs < MODEL_LEGS)
		r->legs[r->n_legs++] = (struct model_leg){ segment, BOTH };
}

static bool closes_a_foreign_cycle(struct maker *k, const struct model_relay *r)
{
	for (size_t i = 0; i < r->n_legs; i++)
		for (size_t j = 0; j < i; j++)
			if (root(k, r->legs[i].segment) ==
				root(k, r->legs[j].segment))
				return true;
	return false;
}

static void make_foreign(struct maker *k, struct model_relay *r)
{
	static const uint64_t delays[] = { 0, 0, 2, 20, 100, 300, 900 };
	uint64_t *c = &k->chance;

	r->crier = false;
	r->keeps_source = !k->rewrite || chance(c, 40);
	r->knows_itself = !r->keeps_source && chance(c, 50);
	r->ttl = chance(c, 30) ? CONFIG_TTL_DECREMENT : CONFIG_TTL_KEEP;
	r->delay_ms = delays[pick(c, 7)];
	if (chance(c, 20))
		r->delay_ms = pick(c, MODEL_SLOWEST_MS + 1);
	r->steady = chance(c, 50);
	for (size_t i = 1; i < r->n_legs; i++)
		k->joined[root(k, r->legs[i].segment)] =
			root(k, r->legs[0].segment);
}

/* One leg at least is heard, and another sent to. */
static void make_one_way(struct maker *k, struct model_relay *r)
{
	static const unsigned roles[] = { CONFIG_HEARS, CONFIG_SENT_TO, BOTH };

	for (size_t i = 0; i < r->n_legs; i++)
		r->legs[i].role = roles[pick(&k->chance, 3)];
	r->legs[0].role |= CONFIG_HEARS;
	r->legs[1].role |= CONFIG_SENT_TO;
}

static void make_crier(struct maker *k, struct model_relay *r)
{
	static const int ttls[] = { 1, 1, 2, 4, 255, 255, CONFIG_TTL_KEEP,
		CONFIG_TTL_DECREMENT };
	static const uint32_t rates[] = { 500, 500, 50, 5 };
	uint64_t *c = &k->chance;

	r->crier = true;
	r->keeps_source = k->preserve && chance(c, 30);
	r->ttl = ttls[pick(c, 8)];
	if (chance(c, 10))
		r->rate = rates[pick(c, 4)];
	if (chance(c, 8))
		make_one_way(k, r);
}

/* Of the segments that the caller has given it as legs, and some more. */
static void add_relay(struct maker *k, struct model_relay *r)
{
	struct model *m = k->m;

	while (chance(&k->chance, 15))
		add_leg(r, pick(&k->chance, m->n_segments));
	if (r->n_legs < 2 || m->n_relays == MODEL_RELAYS)
		return;
	if (chance(&k->chance, k->foreign) && !closes_a_foreign_cycle(k, r))
		make_foreign(k, r);
	else
		make_crier(k, r);
	m->relays[m->n_relays++] = *r;
}

static void join(struct maker *k, unsigned a, unsigned b)
{
	struct model_relay r = { 0 };

	add_leg(&r, a);
	add_leg(&r, b);
	add_relay(k, &r);
}

/* ---- topologies ---- */

static void make_tree(struct maker *k)
{
	for (unsigned i = 1; i < k->m->n_segments; i++)
		join(k, i, pick(&k->chance, i));
}

static void make_ring(struct maker *k)
{
	unsigned n = k->m->n_segments;

	for (unsigned i = 0; i < n; i++)
		join(k, i, (i + 1) % n);
}

static void make_mesh(struct maker *k)
{
	unsigned n = k->m->n_segments;

	make_tree(k);
	for (unsigned i = pick(&k->chance, n + 4); i; i--)
		join(k, pick(&k->chance, n), pick(&k->chance, n));
}

/* Two relays or more between the same segments. */
static void make_parallel(struct maker *k)
{
	for (unsigned i = 1; i < k->m->n_segments; i++) {
		unsigned other = pick(&k->chance, i);

		do
			join(k, i, other);
		while (chance(&k->chance, 50));
	}
}

/* Few relays of many legs. */
static void make_stars(struct maker *k)
{
	unsigned n = k->m->n_segments, segment = 0;

	while (segment + 1 < n) {
		struct model_relay r = { 0 };
		unsigned more = 1 + pick(&k->chance, MODEL_LEGS - 1);

		add_leg(&r, pick(&k->chance, segment + 1));
		while (more-- && segment + 1 < n)
			add_leg(&r, ++segment);
		add_relay(k, &r);
		if (chance(&k->chance, 30))
			join(k, r.legs[0].segment, r.legs[1].segment);
	}
}

/* ---- no cycle is slow ---- */

/* Takes away again and again what has one leg only that leads on: what stays
 * has cycles in it. Sets `in_cycle`. */
static void find_cycles(const struct model *m, bool *in_cycle)
{
	unsigned at[MODEL_SEGMENTS] = { 0 }, i;
	bool again = true;

	for (i = 0; i < m->n_relays; i++) {
		in_cycle[i] = true;
		for (size_t j = 0; j < m->relays[i].n_legs; j++)
			at[m->relays[i].legs[j].segment]++;
	}
	while (again) {
		again = false;
		for (i = 0; i < m->n_relays; i++) {
			const struct model_relay *r = &m->relays[i];
			size_t on = 0, j;

			for (j = 0; in_cycle[i] && j < r->n_legs; j++)
				on += at[r->legs[j].segment] > 1;
			if (!in_cycle[i] || on > 1)
				continue;
			in_cycle[i] = false;
			again = true;
			for (j = 0; j < r->n_legs; j++)
				at[r->legs[j].segment]--;
		}
	}
}

/* Even the way through all of them, there and back, is faster than the window.
 */
static void hurry(struct model *m)
{
	bool in_cycle[MODEL_RELAYS];
	uint64_t sum = 0, jitter = 0, most;
	unsigned i;

	find_cycles(m, in_cycle);
	for (i = 0; i < m->n_relays; i++) {
		if (!in_cycle[i])
			continue;
		jitter += MODEL_JITTER_MS;
		if (!m->relays[i].crier)
			sum += 2 * m->relays[i].delay_ms;
	}
	most = m->window_ms * 9 / 10 - jitter;
	for (i = 0; sum > most && i < m->n_relays; i++)
		if (in_cycle[i])
			m->relays[i].delay_ms =
				m->relays[i].delay_ms * most / sum;
}

/* ---- hosts ---- */

static void add_saying(
	struct model *m, uint64_t at_ms, unsigned host, unsigned payload)
{
	if (m->n_sayings < MODEL_SAYINGS)
		m->sayings[m->n_sayings++] =
			(struct model_saying){ at_ms, host, payload };
}

/* Says `payload` so often. */
static void add_series(struct model *m, uint64_t at_ms, unsigned host,
	unsigned payload, unsigned times, uint64_t each_ms)
{
	while (times--) {
		add_saying(m, at_ms, host, payload);
		at_ms += each_ms;
	}
}

/* What nobody has said, or at times what somebody else has. */
static unsigned some_payload(struct maker *k)
{
	struct model *m = k->m;

	if (m->n_payloads == MODEL_PAYLOADS - MODEL_HOSTS ||
		(m->n_payloads && chance(&k->chance, 25)))
		return pick(&k->chance, m->n_payloads);
	return m->n_payloads++;
}

static void speak(struct maker *k, unsigned host)
{
	uint64_t *c = &k->chance, at = pick(c, SPEAK_MS);
	unsigned payload = some_payload(k);
	struct model *m = k->m;

	switch (pick(c, 6)) {
	case 0:
	case 1:
		add_saying(m, at, host, payload);
		break;
	case 2: /* as mDNS announces */
		add_series(m, at, host, payload, 3, 1000);
		break;
	case 3:
		add_series(m, at, host, payload, pick(c, 60), 200);
		break;
	case 4: /* at any pace, also as slow as the window */
		add_series(m, at, host, payload, pick(c, 10),
			1 + pick(c, (unsigned)m->window_ms + 500));
		break;
	default: /* a storm */
		add_series(m, at, host, payload, pick(c, 200), 1 + pick(c, 50));
	}
}

static int by_time(const void *a, const void *b)
{
	const struct model_saying *s = a, *t = b;

	return s->at_ms < t->at_ms ? -1 : s->at_ms > t->at_ms;
}

/* Each host what it said first, and something new. */
static void say_again(struct model *m)
{
	unsigned n = m->n_sayings, host, i;
	uint64_t at;

	at = n ? m->sayings[n - 1].at_ms : 0;
	at += AGAIN_WINDOWS * m->window_ms;
	m->again_ms = at;
	for (host = 0; host < m->n_hosts; host++, at += 7) {
		for (i = 0; i < n && m->sayings[i].host != host;)
			i++;
		if (i < n)
			add_saying(m, at, host, m->sayings[i].payload);
		add_saying(m, at, host, m->n_payloads++);
	}
}

static void people(struct maker *k)
{
	static const int ttls[] = { 1, 2, 4, 255, 255 };
	struct model *m = k->m;
	unsigned i, n;

	m->n_hosts = 1 + pick(&k->chance, MODEL_HOSTS);
	for (i = 0; i < m->n_hosts; i++) {
		m->hosts[i] = (struct model_host){
			.segment = pick(&k->chance, m->n_segments),
			.ttl = ttls[pick(&k->chance, 5)],
		};
		for (n = 1 + pick(&k->chance, 4); n; n--)
			speak(k, i);
	}
	/* Room for what is said at the end. */
	if (m->n_sayings > MODEL_SAYINGS - 2 * MODEL_HOSTS)
		m->n_sayings = MODEL_SAYINGS - 2 * MODEL_HOSTS;
	qsort(m->sayings, m->n_sayings, sizeof(m->sayings[0]), by_time);
	say_again(m);
}

void generate(struct model *ret, uint64_t seed, bool mixed)
{
	static void (*const shapes[])(struct maker *) = { make_tree, make_ring,
		make_mesh, make_parallel, make_stars };
	static const uint64_t windows[] = { 2000, 2000, 2000, 2000, 1000, 5000,
		10000 };
	static const unsigned foreign[] = { 0, 20, 50 };
	struct maker k = { .m = ret, .chance = chance_from(seed) };
	bool large = chance(&k.chance, 30);
	unsigned i;

	memset(ret, 0, sizeof(*ret));
	ret->seed = seed;
	ret->window_ms = windows[pick(&k.chance, 7)];
	ret->n_segments = 2 + pick(&k.chance, large ? MODEL_SEGMENTS - 1 : 5);
	for (i = 0; i < ret->n_segments; i++)
		k.joined[i] = i;
	k.foreign = foreign[pick(&k.chance, 3)];
	k.preserve = mixed || chance(&k.chance, 50);
	k.rewrite = mixed || !k.preserve;
	shapes[pick(&k.chance, 5)](&k);
	hurry(ret);
	people(&k);
}
