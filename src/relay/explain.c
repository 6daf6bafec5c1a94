/*
 * What would become of a datagram that somebody describes, by the functions
 * that decide about real ones.
 */
#include "relay/internal.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

/* As most announcers send: more than any rule takes away. */
enum { USUAL_TTL = 255 };

static bool is_meant(const struct relay_segment *s, const char *name)
{
	return strcmp(segment_interface(s)->name, name) == 0 ||
	       (s->device[0] && strcmp(s->device, name) == 0);
}

static bool has_broadcast(
	const struct relay_channel *c, const struct net_address *a)
{
	const struct relay_segment *s;

	for (s = c->segments; s; s = s->next)
		if (net_address_equal(&s->broadcast, a))
			return true;
	return false;
}

static bool takes(const struct relay_channel *c, const struct relay_question *q)
{
	const struct net_address *to = &q->destination;

	if (c->address.family != q->source.family)
		return false;
	return !net_address_is_set(to) || net_address_equal(&c->address, to) ||
	       (c->broadcast && has_broadcast(c, to));
}

/* The segment that the datagram comes in on, the one with a device if there
 * are several, or NULL. */
static const struct relay_segment *find_in(
	const struct relay_group *g, const struct relay_question *q)
{
	const struct relay_segment *s, *absent = NULL;
	const struct relay_channel *c;

	for (c = g->channels; c; c = c->next) {
		if (!takes(c, q))
			continue;
		for (s = c->segments; s; s = s->next) {
			if (!is_meant(s, q->interface))
				continue;
			if (s->index)
				return s;
			if (!absent)
				absent = s;
		}
	}
	return absent;
}

static void describe(const struct relay_segment *in,
	const struct relay_question *q, struct decide_facts *ret)
{
	const struct relay_channel *c = in->channel;
	const char *name = q->n_names ? q->names[0] : NULL;

	*ret = (struct decide_facts){
		.source = q->source,
		.port = q->port ? q->port : c->port,
		.size = q->size,
		.ttl = q->ttl < 0 ? USUAL_TTL : q->ttl,
		.kind = q->kind,
		.payload = c->group->c->payload,
		.target = { name, name ? strlen(name) : 0 },
		.services = q->names,
		.n_services = q->n_names,
		.own = net_devices_is_own(c->group->relay->devices, &q->source),
		.stranger = segment_is_stranger(in, &q->source),
		.elsewhere = segment_is_elsewhere(in, &q->source),
		.directed = c->broadcast &&
			    net_address_is_set(&q->destination) &&
			    !net_address_is_broadcast(&q->destination),
	};
}

/* The second step, looked at without spending anything. */
static void limit(const struct relay_segment *in,
	const struct relay_question *q, struct relay_answer *a)
{
	const struct relay_group *g = in->channel->group;
	const struct relay *r = g->relay;

	if (a->verdict != RELAY_SENT || !g->c->rate ||
		rate_has(&r->rate, g->c->rate, in->id, &q->source,
			uv_now(r->loop)))
		return;
	a->verdict = RELAY_RATE;
	a->rule = "its source says more than the rate allows";
}

static const char *unusable(const struct relay_segment *s)
{
	switch (s->state) {
	case RELAY_ABSENT:
		return "the device is absent";
	case RELAY_DOWN:
		return "the device is down";
	default:
		return "the segment has failed";
	}
}

int relay_explain(const struct relay *r, const struct relay_question *q,
	void (*each)(void *data, const struct relay_answer *a), void *data)
{
	const struct relay_group *g = relay_group_find(r, q->group);
	const struct relay_segment *in;
	const struct relay_channel *c;
	struct decide_facts f;
	size_t i;

	if (!g)
		return -ENOENT;
	in = find_in(g, q);
	if (!in || in->position >= in->channel->n_segments)
		return -ENODEV;
	c = in->channel;
	describe(in, q, &f);
	decide(&c->plan, in->position, &f, r->decisions);
	for (i = 0; i < c->n_segments; i++) {
		struct relay_answer a = {
			.segment = c->by_position[i],
			.verdict = r->decisions[i].verdict,
			.rule = r->decisions[i].rule,
		};

		if (a.segment == in)
			continue;
		if (a.verdict == RELAY_ERROR)
			a.rule = unusable(a.segment);
		limit(in, q, &a);
		each(data, &a);
	}
	return 0;
}
