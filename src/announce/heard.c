/*
 * What others say about names of ours: questions, and records of their own.
 */
#include "announce/internal.h"

#include <utlist.h>

/*
 * How many names of services one message may touch: a thousand services of one
 * type, asked for a thousand times in one datagram, would stall the relay.
 */
enum { TOUCHES_MAX = 16384 };

/* ---- questions ---- */

struct asking {
	struct announce *announce;
	const struct relay_heard *heard;
	const struct relay_group *group;
	struct announce_entry *first; /* of those that are asked for */
	size_t touches;
};

/* The services of the group that have the name, as names_find(). */
static const struct name_ref *find(
	struct asking *q, const struct mdns_name *name, size_t *ret_n)
{
	const struct name_ref *r = names_find(q->announce, name, ret_n);

	if (!r || *ret_n > TOUCHES_MAX - q->touches)
		return NULL;
	q->touches += *ret_n;
	return r;
}

static unsigned meaning(const struct asking *q, const struct name_ref *r,
	const struct mdns_item *i)
{
	bool any = i->type == MDNS_ANY;

	switch (r->use) {
	case NAME_TYPE:
		return any || i->type == MDNS_PTR ? ASKED_TYPE : 0;
	case NAME_ENUMERATION:
		return any || i->type == MDNS_PTR ? ASKED_ENUMERATION : 0;
	case NAME_INSTANCE:
		return any || i->type == MDNS_SRV || i->type == MDNS_TXT
			       ? ASKED_MORE
			       : 0;
	default:
		/* Another host that has the name answers for it. */
		if (r->entry->service->foreign_ms > q->heard->now_ms)
			return 0;
		return any || i->type == MDNS_A || i->type == MDNS_AAAA
			       ? ASKED_MORE
			       : 0;
	}
}

static void mark(struct asking *q, struct announce_entry *e, unsigned asked)
{
	struct service *s = e->service;

	if (e->at != q->group || e->state != ANNOUNCE_ACTIVE || !asked)
		return;
	if (!s->asked) {
		s->next_asked = q->first;
		q->first = e;
	}
	s->asked |= asked;
}

static void take_question(struct asking *q, const struct mdns_item *i)
{
	enum { CLASS_IN = 1, CLASS_ANY = 255 };
	const struct name_ref *r;
	size_t n = 0;

	if (i->rrclass != CLASS_IN && i->rrclass != CLASS_ANY)
		return;
	r = find(q, &i->name, &n);
	for (size_t k = 0; r && k < n; k++)
		mark(q, r[k].entry, meaning(q, &r[k], i));
}

/* A record that the asker has already, for at least half its time (RFC 6762,
 * 7.1). Found by what it points to, which few services share. */
static void take_known(struct asking *q, const struct mdns_item *i)
{
	const struct name_ref *r;
	bool is_type;
	size_t n = 0;

	if (i->type != MDNS_PTR || i->n_targets != 1 || i->ttl < DNSSD_TTL / 2)
		return;
	r = find(q, &i->targets[0], &n);
	is_type = mdns_name_is_enumeration(&i->name);
	for (size_t k = 0; r && k < n; k++) {
		struct service *s = r[k].entry->service;

		if (!s->asked)
			continue;
		if (r[k].use == NAME_TYPE && is_type)
			s->asked |= KNOWN_ENUMERATION;
		if (r[k].use == NAME_INSTANCE &&
			mdns_name_equal(&s->names.type, &i->name))
			s->asked |= KNOWN_TYPE;
	}
}

static bool is_wanted(unsigned asked)
{
	if (asked & ASKED_MORE)
		return true;
	if (asked & ASKED_TYPE && !(asked & KNOWN_TYPE))
		return true;
	return asked & ASKED_ENUMERATION && !(asked & KNOWN_ENUMERATION);
}

static void answer(const struct asking *q, struct announce_entry *e)
{
	struct leg *l = entry_leg(e, relay_segment_id(q->heard->in));
	bool defend = q->heard->kind == PROTO_PROBE;
	uint64_t gap = defend ? DEFENCE_GAP_MS : SERVICE_GAP_MS;
	uint64_t when = q->heard->now_ms;

	/* Nothing was said there yet: that comes first, of itself. */
	if (!l || l->is_asking || !l->said_ms)
		return;
	if (!defend)
		when += ANSWER_MIN_MS +
			announce_random(
				q->announce, ANSWER_MAX_MS - ANSWER_MIN_MS + 1);
	if (l->said_ms && when < l->said_ms + gap)
		when = l->said_ms + gap;
	if (when >= l->answer_ms)
		return;
	l->answer_ms = when;
	clock_wake(e, when);
}

static void take_query(struct announce *a, const struct relay_heard *h,
	const struct relay_group *g, struct mdns_reader *r)
{
	struct asking q = { .announce = a, .heard = h, .group = g };
	struct mdns_item i;

	while (mdns_next(r, &i) == 1) {
		if (i.section == MDNS_QUESTION)
			take_question(&q, &i);
		else if (i.section == MDNS_ANSWER && q.first)
			take_known(&q, &i);
	}
	while (q.first) {
		struct announce_entry *e = q.first;
		unsigned asked = e->service->asked;

		q.first = e->service->next_asked;
		e->service->next_asked = NULL;
		e->service->asked = 0;
		if (is_wanted(asked))
			answer(&q, e);
	}
}

/* ---- records ---- */

static void take_record(struct asking *q, const struct mdns_item *i)
{
	const struct name_ref *r;
	size_t n = 0;

	if (i->section != MDNS_ANSWER && i->section != MDNS_ADDITIONAL)
		return;
	if (i->type != MDNS_SRV && i->type != MDNS_A && i->type != MDNS_AAAA)
		return;
	r = find(q, &i->name, &n);
	for (size_t k = 0; r && k < n; k++) {
		struct announce_entry *e = r[k].entry;

		if (e->at != q->group)
			continue;
		if (r[k].use == NAME_INSTANCE && i->type == MDNS_SRV)
			rival_heard(e, q->heard, i);
		if (r[k].use == NAME_HOST && i->type != MDNS_SRV)
			rival_host_heard(e, q->heard, i);
	}
}

static void take_response(struct announce *a, const struct relay_heard *h,
	const struct relay_group *g, struct mdns_reader *r)
{
	struct asking q = { .announce = a, .heard = h, .group = g };
	struct mdns_item i;

	while (mdns_next(r, &i) == 1)
		take_record(&q, &i);
}

/* ---- both ---- */

static bool has_service(const struct announce *a, const struct relay_group *g)
{
	const struct announce_entry *e;

	if (!a->n_services)
		return false;
	DL_FOREACH(a->entries, e)
	if (e->service && e->at == g)
		return true;
	return false;
}

void announce_heard(struct announce *a, const struct relay_heard *h)
{
	const struct relay_group *g;
	struct mdns_reader r;

	/* What came by unicast was meant for who asked. */
	if (!h->view || h->view->payload != PROTO_MDNS || h->flow)
		return;
	g = relay_channel_group(relay_segment_channel(h->in));
	if (!has_service(a, g) || mdns_open(&r, h->data, h->size) < 0)
		return;
	if (h->kind == PROTO_SEARCH || h->kind == PROTO_PROBE)
		take_query(a, h, g, &r);
	/* From another port it is nobody's (RFC 6762, 6). */
	else if (h->kind == PROTO_ANNOUNCEMENT && h->port == MDNS_PORT)
		take_response(a, h, g, &r);
}
