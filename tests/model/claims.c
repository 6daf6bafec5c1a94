/*
 * What is claimed of a run, and whether it held.
 */
#include "model.h"

#include "relay/guard.h"

#include "config/config.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
	const struct model *m;
	struct trace trace;
	const struct model_copy **sorted; /* by payload, then by time */
	size_t begins[MODEL_PAYLOADS + 1];
	/* The copies of one payload. */
	const struct model_copy **of;
	size_t n_of;
	struct outcome *o;
};

const char *claim_word(enum claim c)
{
	static const char *const words[CLAIMS] = {
		[CLAIM_NONE] = "all that is claimed",
		[CLAIM_REACH] = "what is said is heard wherever a path leads",
		[CLAIM_STRAY] = "nothing is heard where no path leads",
		[CLAIM_COPIES] = "copies are few",
		[CLAIM_QUIET] = "when hosts fall silent the network does",
		[CLAIM_STARVE] = "who goes on is heard again and again",
	};

	return words[c];
}

bool measure(struct measure *m, uint64_t value, uint64_t bound)
{
	if (!m->bound || value > m->most)
		*m = (struct measure){ value, bound };
	return value <= bound;
}

/* The first failure counts. */
static void fail(struct run *r, enum claim c, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void fail(struct run *r, enum claim c, const char *format, ...)
{
	va_list args;

	if (r->o->failed)
		return;
	r->o->failed = c;
	va_start(args, format);
	(void)vsnprintf(r->o->text, sizeof(r->o->text), format, args);
	va_end(args);
}

static void sort(struct run *r)
{
	const struct trace *t = &r->trace;
	size_t at[MODEL_PAYLOADS], i;

	r->sorted = calloc(t->n_copies + 1, sizeof(struct model_copy *));
	if (!r->sorted)
		err(99, "no memory");
	for (i = 0; i < t->n_copies; i++)
		r->begins[t->copies[i].payload + 1]++;
	for (i = 0; i < MODEL_PAYLOADS; i++) {
		at[i] = r->begins[i];
		r->begins[i + 1] += r->begins[i];
	}
	for (i = 0; i < t->n_copies; i++)
		r->sorted[at[t->copies[i].payload]++] = &t->copies[i];
}

static void gather(struct run *r, unsigned payload)
{
	r->of = r->sorted + r->begins[payload];
	r->n_of = r->begins[payload + 1] - r->begins[payload];
}

/* ---- reach ---- */

/* Where the copies begin that are no older than `at_ms`. */
static size_t since(const struct run *r, uint64_t at_ms)
{
	size_t low = 0, high = r->n_of;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (r->of[middle]->at_ms < at_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Who says what nobody has said within a window must be heard. (Who repeats
 * what was said a moment ago tells nobody anything new.)
 */
static void check_reach(struct run *r, const struct model_saying *s)
{
	size_t first = since(r, s->at_ms), i;
	struct expectation e;

	if (first && s->at_ms - r->of[first - 1]->at_ms <
			     r->m->window_ms + MODEL_JITTER_MS)
		return;
	expect(r->m, s->host, s->payload, &e);
	for (unsigned k = 0; k < r->m->n_segments; k++) {
		uint64_t took;

		if (!e.must[k])
			continue;
		for (i = first; i < r->n_of && r->of[i]->segment != k;)
			i++;
		took = i < r->n_of ? r->of[i]->at_ms - s->at_ms : UINT64_MAX;
		if (took > e.within_ms[k])
			fail(r, CLAIM_REACH,
				"host %u said %u at %llu ms, and segment %u "
				"should have heard it within %llu ms",
				s->host, s->payload,
				(unsigned long long)s->at_ms, k,
				(unsigned long long)e.within_ms[k]);
		else if (took > r->o->slow_ms)
			r->o->slow_ms = took;
		r->o->asked++;
	}
}

static void check_stray(struct run *r, unsigned payload)
{
	struct expectation e;

	expect(r->m, 0, payload, &e);
	for (size_t i = 0; i < r->n_of; i++)
		if (!e.may[r->of[i]->segment])
			fail(r, CLAIM_STRAY, "%u was heard on segment %u",
				payload, r->of[i]->segment);
}

/* ---- copies ---- */

/* Segments that foreign relays alone join: what is said on one is said once on
 * each of them, since these relays never close a cycle. */
struct pond {
	bool has[MODEL_SEGMENTS];
	uint64_t delay_ms; /* from one end to the other */
	uint64_t legs;     /* of criers that send there ... */
	uint64_t keeping;  /* ... and that keep sources */
};

static void find_pond(const struct model *m, unsigned segment, struct pond *p)
{
	bool done[MODEL_RELAYS] = { 0 }, again = true;
	size_t i, j;

	*p = (struct pond){ .delay_ms = MODEL_JITTER_MS };
	p->has[segment] = true;
	while (again) {
		again = false;
		for (i = 0; i < m->n_relays; i++) {
			const struct model_relay *r = &m->relays[i];
			bool touches = false;

			for (j = 0; j < r->n_legs; j++)
				touches |= p->has[r->legs[j].segment];
			if (r->crier || done[i] || !touches)
				continue;
			for (j = 0; j < r->n_legs; j++)
				p->has[r->legs[j].segment] = true;
			p->delay_ms += r->delay_ms + MODEL_JITTER_MS;
			done[i] = again = true;
		}
	}
	for (i = 0; i < m->n_relays; i++)
		for (j = 0; m->relays[i].crier && j < m->relays[i].n_legs; j++)
			if (m->relays[i].legs[j].role & CONFIG_SENT_TO &&
				p->has[m->relays[i].legs[j].segment])
				m->relays[i].keeps_source ? p->keeping++
							  : p->legs++;
}

static uint64_t count_sources(const struct run *r)
{
	bool seen[MODEL_SOURCES] = { 0 };
	uint64_t n = 0;

	for (size_t i = 0; i < r->n_of; i++) {
		n += !seen[r->of[i]->source];
		seen[r->of[i]->source] = true;
	}
	return n;
}

/* What crosses one segment of the pond within a window came into the pond
 * within `span_ms`. */
struct inflow {
	struct pond pond;
	uint64_t span_ms;
	uint64_t relayed;  /* at most, within that */
	unsigned from, to; /* the sayings within it */
	uint64_t said;     /* of which so many are of this payload and pond */
};

static bool counts(const struct run *r, const struct inflow *f, unsigned i,
	unsigned payload)
{
	const struct model_saying *s = &r->m->sayings[i];

	return s->payload == payload &&
	       f->pond.has[r->m->hosts[s->host].segment];
}

static uint64_t inflow_until(const struct run *r, struct inflow *f,
	uint64_t now_ms, unsigned payload)
{
	const struct model_saying *s = r->m->sayings;

	while (f->to < r->m->n_sayings && s[f->to].at_ms <= now_ms)
		f->said += counts(r, f, f->to++, payload);
	while (f->from < f->to && now_ms - s[f->from].at_ms > f->span_ms)
		f->said -= counts(r, f, f->from++, payload);
	return f->said + f->relayed;
}

/*
 * Of one payload a crier sends to a segment within any window no more than the
 * repeats of one host that pass, and once what others bring. Under `preserve`
 * each source makes it another payload.
 */
static void check_copies(struct run *r, unsigned payload, unsigned segment)
{
	uint64_t window = r->m->window_ms, n = 0, bound;
	struct inflow f = { 0 };
	size_t i, from = 0;

	find_pond(r->m, segment, &f.pond);
	f.span_ms = window + f.pond.delay_ms;
	f.relayed = (f.pond.legs + f.pond.keeping * count_sources(r)) *
		    (GUARD_REPEATS + 1) * ((f.span_ms + window - 1) / window);
	for (i = 0; i < r->n_of; i++) {
		uint64_t now = r->of[i]->at_ms;

		if (r->of[i]->segment != segment)
			continue;
		n++;
		for (; now - r->of[from]->at_ms >= window; from++)
			n -= r->of[from]->segment == segment;
		bound = inflow_until(r, &f, now, payload);
		if (!measure(&r->o->copies, n, bound))
			fail(r, CLAIM_COPIES,
				"%llu copies of %u on segment %u within %llu "
				"ms, up to %llu ms, more than %llu",
				(unsigned long long)n, payload, segment,
				(unsigned long long)window,
				(unsigned long long)now,
				(unsigned long long)bound);
	}
}

/* ---- quiet ---- */

/*
 * A loop comes round 16 times, each in less than a window, and one window after
 * that it is found out and gone. It may have begun others, which were found out
 * or are then. And what is on its way arrives.
 */
static uint64_t quiet_bound(const struct model *m)
{
	uint64_t bound = 2 * (GUARD_REPEATS + 1) * m->window_ms;

	for (size_t i = 0; i < m->n_relays; i++)
		bound += MODEL_JITTER_MS + m->relays[i].delay_ms;
	return bound;
}

static void check_quiet(struct run *r)
{
	const struct model *m = r->m;
	uint64_t said = 0, heard = 0, bound = quiet_bound(m);
	size_t i;

	for (i = 0; i < m->n_sayings && m->sayings[i].at_ms < m->again_ms; i++)
		said = m->sayings[i].at_ms;
	for (i = 0; i < r->trace.n_copies; i++)
		if (r->trace.copies[i].at_ms < m->again_ms)
			heard = r->trace.copies[i].at_ms;
	if (r->trace.endless)
		fail(r, CLAIM_QUIET, "no end was in sight at %llu ms",
			(unsigned long long)r->trace.last_ms);
	if (heard > said && !measure(&r->o->quiet, heard - said, bound))
		fail(r, CLAIM_QUIET, "it went on for %llu ms, more than %llu",
			(unsigned long long)(heard - said),
			(unsigned long long)bound);
}

/* ---- starvation ---- */

/* No segment goes longer without, between the times, than `bound` ms. */
static void check_gaps(struct run *r, const struct model_saying *first,
	const struct model_saying *last, unsigned segment, uint64_t bound)
{
	uint64_t before = first->at_ms;

	for (size_t i = since(r, before); i <= r->n_of; i++) {
		bool done = i == r->n_of || r->of[i]->at_ms >= last->at_ms;
		uint64_t now = done ? last->at_ms : r->of[i]->at_ms;

		if (!done && r->of[i]->segment != segment)
			continue;
		if (!measure(&r->o->gap, now - before, bound))
			fail(r, CLAIM_STARVE,
				"host %u said %u all the time, and segment %u "
				"did not hear it from %llu to %llu ms",
				first->host, first->payload, segment,
				(unsigned long long)before,
				(unsigned long long)now);
		before = now;
		if (done)
			break;
	}
}

/*
 * While a host goes on: a silence of one window, one more until what was heard
 * before it is forgotten, and on each relay of the way a window in which its
 * own next segment may have heard it just before.
 */
static void check_starvation(struct run *r, const struct model_saying *first)
{
	const struct model *m = r->m;
	const struct model_saying *last = first, *s;
	struct expectation e;

	for (s = first + 1; s < m->sayings + m->n_sayings; s++) {
		if (s->host != first->host || s->payload != first->payload)
			continue;
		if (s->at_ms - last->at_ms > m->window_ms / 2)
			break;
		last = s;
	}
	if (last->at_ms - first->at_ms <= 3 * m->window_ms)
		return;
	expect(m, first->host, first->payload, &e);
	for (unsigned i = 0; i < m->n_segments; i++)
		if (e.must[i])
			check_gaps(r, first, last, i,
				e.within_ms[i] +
					(2 + e.hops[i]) * m->window_ms +
					m->window_ms / 2);
}

/* ---- all of it ---- */

static void check_sayings(struct run *r, unsigned payload)
{
	bool begun[MODEL_HOSTS] = { 0 };

	for (unsigned i = 0; i < r->m->n_sayings; i++) {
		const struct model_saying *s = &r->m->sayings[i];

		if (s->payload != payload || r->trace.limited[payload])
			continue;
		check_reach(r, s);
		if (!begun[s->host])
			check_starvation(r, s);
		begun[s->host] = true;
	}
}

void judge(const struct model *m, uint64_t luck, enum model_break broken,
	struct outcome *ret)
{
	struct run r = { .m = m, .o = ret };
	unsigned payload, i;

	memset(ret, 0, sizeof(*ret));
	simulate(m, luck, broken, &r.trace);
	ret->datagrams = r.trace.heard;
	sort(&r);
	check_quiet(&r);
	for (payload = 0; !r.trace.endless && payload < m->n_payloads;
		payload++) {
		gather(&r, payload);
		check_stray(&r, payload);
		for (i = 0; i < m->n_segments; i++)
			check_copies(&r, payload, i);
		check_sayings(&r, payload);
	}
	free(r.sorted);
	free(r.trace.copies);
}
