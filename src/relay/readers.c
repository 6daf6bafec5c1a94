/*
 * What the relay shows of itself.
 */
#include "relay/flow.h"
#include "relay/outside.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

const char *relay_verdict_word(enum relay_verdict v)
{
	static const char *const words[RELAY_VERDICTS] = {
		[RELAY_SENT] = "sent",
		[RELAY_OWN] = "own",
		[RELAY_LOOP] = "loop",
		[RELAY_DIRECTION] = "direction",
		[RELAY_FILTER] = "filter",
		[RELAY_RATE] = "rate",
		[RELAY_SIZE] = "size",
		[RELAY_TTL] = "ttl",
		[RELAY_STANDBY] = "standby",
		[RELAY_NO_ADDRESS] = "no_address",
		[RELAY_QUEUE] = "queue",
		[RELAY_ERROR] = "error",
		[RELAY_KERNEL] = "kernel",
	};

	return words[v];
}

const char *relay_state_word(enum relay_state s)
{
	static const char *const words[RELAY_STATES] = {
		[RELAY_JOINED] = "joined",
		[RELAY_ABSENT] = "absent",
		[RELAY_DOWN] = "down",
		[RELAY_NO_ADDR] = "no-address",
		[RELAY_FAILED] = "failed",
	};

	return words[s];
}

void relay_totals(const struct relay *r, struct relay_counters *ret)
{
	const struct relay_segment *s;
	const struct relay_channel *c;
	const struct relay_group *g;

	*ret = r->retired;
	for (g = r->groups; g; g = g->next)
		for (c = g->channels; c; c = c->next)
			for (s = c->segments; s; s = s->next)
				counters_add(ret, &s->counters);
	outside_add_drops(r, ret);
}

static void limit_of(const struct quota *q, struct relay_limit *ret)
{
	*ret = (struct relay_limit){
		.used = q->used,
		.bound = q->bound,
		.refused = q->refused,
		.evicted = q->evicted,
	};
}

void relay_flows(const struct relay *r, struct relay_limit *ret)
{
	limit_of(&r->flow_quota, ret);
}

const struct relay_flow *relay_flow_next(
	const struct relay *r, const struct relay_flow *after)
{
	return after ? after->next : r->flow_list;
}

void relay_flow_get(const struct relay_flow *f, struct relay_flow_info *ret)
{
	*ret = (struct relay_flow_info){
		.id = f->id,
		.segment = f->out,
		.port = f->port,
		.searches = f->searches,
		.answers = f->answers,
		.expires_in_ms = uv_timer_get_due_in(&f->timer),
		.n_searchers = f->n_searchers,
	};
}

void relay_flow_each_searcher(const struct relay_flow *f,
	void (*each)(void *data, const struct relay_searcher *w), void *data)
{
	const struct flow_searcher *w;

	for (w = f->searchers; w; w = w->next) {
		struct relay_searcher s = {
			.segment = w->in,
			.port = w->port,
			.site = w->site,
		};

		if (!w->is_nameless)
			s.address = w->address;
		each(data, &s);
	}
}

void relay_remembered(struct relay *r, struct relay_limit *ret)
{
	struct relay_channel *c;
	struct relay_group *g;

	for (g = r->groups; g; g = g->next)
		for (c = g->channels; c; c = c->next)
			guard_expire(&c->guard, uv_now(r->loop));
	limit_of(&r->remembered, ret);
}

const struct relay_group *relay_group_next(
	const struct relay *r, const struct relay_group *after)
{
	return after ? after->next : r->groups;
}

const struct relay_group *relay_group_find(
	const struct relay *r, const char *name)
{
	const struct relay_group *g;

	for (g = r->groups; g; g = g->next)
		if (strcmp(g->c->name, name) == 0)
			return g;
	return NULL;
}

const struct relay_channel *relay_channel_next(
	const struct relay_group *g, const struct relay_channel *after)
{
	return after ? after->next : g->channels;
}

const struct relay_segment *relay_segment_next(
	const struct relay_channel *c, const struct relay_segment *after)
{
	return after ? after->next : c->segments;
}

const struct config_group *relay_group_config(const struct relay_group *g)
{
	return g->c;
}

const struct relay_group *relay_channel_group(const struct relay_channel *c)
{
	return c->group;
}

const struct relay_channel *relay_segment_channel(const struct relay_segment *s)
{
	return s->channel;
}

const struct net_address *relay_channel_address(const struct relay_channel *c)
{
	return &c->address;
}

uint16_t relay_channel_port(const struct relay_channel *c)
{
	return c->port;
}

static const char *direction_word(unsigned role)
{
	if (role & CONFIG_SEARCHERS)
		return "searchers";
	if (role & CONFIG_DEVICES)
		return "devices";
	if (!(role & CONFIG_SENT_TO))
		return "from";
	return role & CONFIG_HEARS ? "both" : "to";
}

const char *relay_segment_device(const struct relay_segment *s)
{
	return s->device;
}

unsigned relay_segment_index(const struct relay_segment *s)
{
	return s->index;
}

void relay_segment_get(
	const struct relay_segment *s, struct relay_segment_info *ret)
{
	*ret = (struct relay_segment_info){
		.interface = segment_interface(s)->name,
		.device = s->device,
		.index = s->index,
		.state = s->state,
		.direction = direction_word(segment_use(s)->role),
		.ttl = segment_use(s)->ttl,
		.error = s->error,
		.counters = &s->counters,
	};
	if (s->sender)
		ret->source = s->source;
}

struct visit {
	const struct relay *relay;
	size_t interface;
	void (*each)(void *data, const struct relay_interface_info *i);
	void *data;
};

static int visit_device(
	void *data, const char *name, const struct net_device *d)
{
	const struct visit *v = data;
	const struct config *c = v->relay->config;
	struct relay_interface_info i = {
		.name = c->interfaces[v->interface].name,
		.device = name,
		.kernel = d,
		.state = RELAY_ABSENT,
		.error = "",
	};
	int owner = d ? claims_owner(c, d) : (int)v->interface;
	char words[160];

	if (d)
		i.state = net_device_is_up(d) ? RELAY_JOINED : RELAY_DOWN;
	if (owner != (int)v->interface) {
		i.state = RELAY_FAILED;
		i.error = claims_words(c, owner, d, words, sizeof(words));
	}
	v->each(v->data, &i);
	return 0;
}

void relay_each_interface(const struct relay *r,
	void (*each)(void *data, const struct relay_interface_info *i),
	void *data)
{
	struct visit v = { .relay = r, .each = each, .data = data };

	for (; r->config && v.interface < r->config->n_interfaces;
		v.interface++)
		(void)claims_each(&r->config->interfaces[v.interface],
			r->devices, visit_device, &v);
}
