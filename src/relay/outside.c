/*
 * Other sites: what is brought from there, and what goes there.
 */
#include "relay/passage.h"

#include <errno.h>
#include <string.h>

/* Of UDP over IPv4. */
enum { DATAGRAM_MAX = 65507 };

/* More than any rule about TTLs takes away: nobody knows what it was. */
enum { BROUGHT_TTL = 255 };

/* ---- the segment ---- */

void outside_init(struct relay_channel *c)
{
	c->outside = (struct relay_segment){
		.channel = c,
		.is_outside = true,
		.slot = GUARD_NO_SLOT,
		.id = c->group->relay->next_id++,
		.state = RELAY_JOINED,
		.known = true,
	};
}

void outside_done(struct relay_channel *c)
{
	struct relay *r = c->group->relay;
	struct relay_counters *n = &c->outside.counters;

	flow_forget_segment(&c->outside);
	r->sites.carried += n->sent;
	for (size_t i = 0; i < RELAY_VERDICTS; i++)
		r->retired.dropped[i] += n->dropped[i];
}

int outside_open(struct relay_channel *c)
{
	if (c->outside.slot != GUARD_NO_SLOT)
		return 0;
	return guard_slot_take(&c->guard, &c->outside.slot);
}

bool relay_segment_is_outside(const struct relay_segment *s)
{
	return s->is_outside;
}

/* ---- going there ---- */

void relay_carry(struct relay *r, bool on)
{
	r->carried = on;
}

bool outside_is_carried(struct relay_segment *in)
{
	const struct relay_group *g = in->channel->group;
	const struct relay_callbacks *cb = &g->relay->callbacks;

	return g->relay->carried && !in->is_outside && cb->carries &&
	       cb->carries(cb->data, g->c->name) &&
	       outside_open(in->channel) == 0;
}

/* ---- coming from there ---- */

/* One who gives no address is its site. */
static struct net_address made_up(uint64_t site_id)
{
	struct net_address a = { .family = AF_INET6 };

	memcpy(a.bytes, &site_id, sizeof(site_id));
	return a;
}

static void introduce(const struct relay *r, const struct relay_origin *origin,
	enum proto_kind kind, struct outsider *ret)
{
	*ret = (struct outsider){
		.origin = origin,
		.who = origin->address,
		.site_id = siphash(&r->key, origin->site, strlen(origin->site)),
		.kind = kind,
	};
	if (!net_address_is_set(&ret->who))
		ret->who = made_up(ret->site_id);
}

/* As arrival_init() does for what was heard. */
static void arrive(struct relay *r, const struct outsider *from,
	const struct udp_datagram *d, struct arrival *ret)
{
	ret->datagram = d;
	ret->source = from->origin->address;
	ret->destination = (struct net_address){ 0 };
	ret->port = from->origin->port;
	ret->digest = siphash(&r->key, d->data, d->size);
	ret->now_ms = uv_now(r->loop);
	ret->own = false;
	ret->inspected = CONFIG_PAYLOAD_NONE;
	ret->is_malformed = false;
	ret->flow = 0;
	ret->copy = false;
	ret->outsider = from;
	ret->leaves = NULL;
	ret->edits.has_hosts = false;
	ret->edits.n = 0;
}

static void describe(
	struct relay_segment *in, struct arrival *a, struct decide_facts *ret)
{
	const struct proto_view *v = arrival_view(a, in);

	*ret = (struct decide_facts){
		.source = a->source,
		.port = a->port,
		.size = a->datagram->size,
		.ttl = BROUGHT_TTL,
		.kind = arrival_kind(a, in),
		.payload = in->channel->group->c->payload,
	};
	if (v && v->payload == PROTO_SSDP)
		ret->target = ssdp_target(&v->ssdp);
}

static void offer(struct passage *p, struct relay_channel *c)
{
	struct decision whole = decide_whole(&c->plan, p->row, p->facts);

	if (whole.verdict != RELAY_SENT)
		passage_settle(p, NULL, whole.verdict, whole.rule);
	else
		passage_fan_out(p, decide_outs(&c->plan, p->row, p->facts,
					   c->group->relay->decisions));
}

/* Through one channel; the first one of several is where it counts. Returns 0,
 * -ENOMEM, or -EBUSY (its source says too much). */
static int bring(struct relay_channel *c, struct arrival *a, bool is_first,
	struct relay_brought_result *result)
{
	struct relay_segment *in = &c->outside;
	struct decide_facts f;
	struct passage p = {
		.in = in, .arrival = a, .facts = &f, .result = result
	};

	if (outside_open(c) < 0 || !c->plan.rows)
		return -ENOMEM;
	a->destination = c->address;
	if (!a->outsider->origin->port)
		a->port = c->port;
	describe(in, a, &f);
	p.kind = f.kind;
	p.row = c->n_segments + (f.kind == PROTO_SEARCH
						? DECIDE_SEARCHERS_OUTSIDE
						: DECIDE_DEVICES_OUTSIDE);
	a->copy = false;
	if (is_first && passage_is_too_much(&p)) {
		arrival_hand_out(a, in);
		return -EBUSY;
	}
	offer(&p, c);
	if (is_first)
		arrival_hand_out(a, in);
	return 0;
}

static bool has_family(const struct relay_group *g, sa_family_t family)
{
	const struct relay_channel *c;

	for (c = g->channels; c; c = c->next)
		if (c->address.family == family)
			return true;
	return false;
}

static bool is_meant(
	const struct relay_channel *c, const struct relay_brought *b)
{
	sa_family_t family = b->origin.address.family;

	if (b->channel_port && b->channel_port != c->port)
		return false;
	if (net_address_is_set(&b->channel))
		return net_address_equal(&b->channel, &c->address);
	return !net_address_is_set(&b->origin.address) ||
	       c->address.family == family || !has_family(c->group, family);
}

int relay_bring(struct relay *r, const struct relay_group *g,
	const struct relay_brought *b, struct relay_brought_result *ret)
{
	const struct udp_datagram d = { .data = b->data, .size = b->size };
	struct relay_brought_result result = { .sent = 0 };
	struct relay_channel *c;
	struct outsider from;
	struct arrival a;
	int err = -ENOENT;

	if (b->size > DATAGRAM_MAX)
		return -EMSGSIZE;
	introduce(r, &b->origin, b->kind, &from);
	arrive(r, &from, &d, &a);
	for (c = g->channels; c && err != -EBUSY; c = c->next)
		if (is_meant(c, b)) {
			int one = bring(c, &a, err == -ENOENT, &result);

			err = one == 0 && err != -ENOENT ? err : one;
		}
	outbox_flush(r);
	edit_void(r, 0);
	if (err < 0 && err != -EBUSY)
		return err;
	r->sites.relayed++;
	*ret = result;
	return 0;
}

/* ---- answers ---- */

static struct relay_flow *find_flow(const struct relay *r, uint64_t id)
{
	struct relay_flow *f = r->flow_list;

	while (f && f->id != id)
		f = f->next;
	return f;
}

/* As for one that a device here gives. */
static enum relay_verdict judge(struct relay_flow *f, const struct arrival *a)
{
	uint32_t rate = f->out->channel->group->c->rate;
	struct relay *r = f->out->channel->group->relay;
	int news;

	if (rate && !rate_take(&r->rate, rate, a->outsider->site_id,
			    arrival_who(a), a->now_ms))
		return RELAY_RATE;
	news = flow_is_news(f, a);
	return news < 0 ? RELAY_ERROR : news ? RELAY_SENT : RELAY_LOOP;
}

int relay_bring_answer(struct relay *r, uint64_t id,
	const struct relay_origin *origin, const void *data, size_t size,
	size_t *ret_sent)
{
	const struct udp_datagram d = { .data = data, .size = size };
	struct relay_flow *f = find_flow(r, id);
	struct relay_segment *in;
	struct outsider from;
	enum relay_verdict v;
	struct arrival a;

	if (!f)
		return -ENOENT;
	if (size > DATAGRAM_MAX)
		return -EMSGSIZE;
	in = &f->out->channel->outside;
	introduce(r, origin, PROTO_UNKNOWN, &from);
	arrive(r, &from, &d, &a);
	a.flow = id;
	r->sites.answered++;
	*ret_sent = 0;
	v = judge(f, &a);
	if (v != RELAY_SENT) {
		in->counters.dropped[v]++;
		arrival_tell(&a, in, NULL, v, "no answer that is news");
		return 0;
	}
	*ret_sent = flow_answer(f, &a);
	arrival_hand_out(&a, in);
	return 0;
}

/* ---- readers ---- */

static void add(const struct relay_group *g, struct relay_site_counts *counts,
	struct relay_counters *sum)
{
	const struct relay_channel *c;

	for (c = g->channels; c; c = c->next) {
		const struct relay_counters *n = &c->outside.counters;

		counts->carried += n->sent;
		for (size_t i = 0; i < RELAY_VERDICTS; i++)
			sum->dropped[i] += n->dropped[i];
	}
}

void outside_add_drops(const struct relay *r, struct relay_counters *sum)
{
	struct relay_site_counts counts = { 0 };
	const struct relay_group *g;

	for (g = r->groups; g; g = g->next)
		add(g, &counts, sum);
}

void relay_site_counts(const struct relay *r, struct relay_site_counts *ret)
{
	struct relay_counters sum = { 0 };
	const struct relay_group *g;

	*ret = r->sites;
	for (g = r->groups; g; g = g->next)
		add(g, ret, &sum);
}
