/*
 * Groups and their channels: which segments there are, and the plan that the
 * decision looks at.
 */
#include "relay/outside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A source of the other family says nothing here. Returns 0 or -ENOMEM. */
static int copy_sources(struct relay_channel *c)
{
	const struct config_group *g = c->group->c;
	size_t i;

	if (!g->n_sources || !net_address_is_multicast(&c->address))
		return 0;
	c->sources = calloc(g->n_sources, sizeof(*c->sources));
	if (!c->sources)
		return -ENOMEM;
	for (i = 0; i < g->n_sources; i++)
		if (g->sources[i].family == c->address.family)
			c->sources[c->n_sources++] = g->sources[i];
	return 0;
}

static struct relay_channel *channel_new(
	struct relay_group *g, const struct net_address *address, uint16_t port)
{
	struct relay_channel *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->group = g;
	c->address = *address;
	c->port = port;
	c->broadcast = net_address_is_broadcast(address);
	if (copy_sources(c) < 0) {
		free(c);
		return NULL;
	}
	guard_init(&c->guard, g->c->dedup_ms, &g->relay->remembered);
	outside_init(c);
	DL_APPEND(g->channels, c);
	return c;
}

static void channel_free(struct relay_channel *c)
{
	while (c->segments)
		segment_free(c->segments);
	outside_done(c);
	guard_done(&c->guard);
	free(c->sources);
	free(c->plan_segments);
	free(c->plan_rows);
	free(c->by_position);
	free(c->usable);
	DL_DELETE(c->group->channels, c);
	free(c);
}

/* A channel for each address and port. */
static int make_channels(struct relay_group *g)
{
	const struct config_group *c = g->c;
	struct net_address all;
	size_t a, p;

	(void)net_address_parse("255.255.255.255", &all);
	for (p = 0; p < c->n_ports; p++) {
		for (a = 0; a < c->n_addresses; a++)
			if (!channel_new(g, &c->addresses[a], c->ports[p]))
				return -ENOMEM;
		if (c->broadcast && !channel_new(g, &all, c->ports[p]))
			return -ENOMEM;
	}
	return 0;
}

struct relay_group *group_new(
	struct relay *r, struct config *config, const struct config_group *c)
{
	struct relay_group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->relay = r;
	g->config = config_ref(config);
	g->c = c;
	if (make_channels(g) < 0) {
		group_free(g);
		return NULL;
	}
	return g;
}

void group_free(struct relay_group *g)
{
	/* Each takes itself out of the list, which clang's analyzer does not
	 * see through the ring that utlist makes of it. */
	while (g->channels)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		channel_free(g->channels);
	config_unref(g->config);
	free(g);
}

static void channel_adopt(struct relay_channel *c)
{
	size_t i;

	for (i = 0; i < c->n_segments; i++) {
		const struct config_use *use = segment_use(c->by_position[i]);

		c->plan_segments[i].allow = &use->allow;
		c->plan_segments[i].deny = &use->deny;
	}
	c->plan.allow = &c->group->c->allow;
	c->plan.deny = &c->group->c->deny;
}

void group_adopt(struct relay_group *g, struct config *config,
	const struct config_group *c)
{
	struct config *old = g->config;
	struct relay_channel *channel;

	g->config = config_ref(config);
	g->c = c;
	for (channel = g->channels; channel; channel = channel->next)
		channel_adopt(channel);
	config_unref(old);
}

/* The segment of `use` that stands for a device: by name, or by index where
 * the kernel renamed it. */
static struct relay_segment *segment_find(struct relay_channel *c, size_t use,
	const char *name, const struct net_device *d)
{
	struct relay_segment *s, *by_index = NULL;

	for (s = c->segments; s; s = s->next) {
		if (s->use != use || s->wanted)
			continue;
		if (strcmp(s->device, name) == 0)
			return s;
		if (d && s->index == d->index)
			by_index = s;
	}
	return by_index;
}

struct match {
	struct relay_channel *channel;
	size_t use;
};

static int match_device(
	void *data, const char *name, const struct net_device *d)
{
	struct match *m = data;
	struct relay_channel *c = m->channel;
	const struct config *config = c->group->config;
	int interface = (int)c->group->c->uses[m->use].interface;
	struct relay_segment *s = segment_find(c, m->use, name, d);
	int owner;

	if (!s)
		s = segment_new(c, m->use, name);
	if (!s)
		return -ENOMEM;
	memset(s->device, 0, sizeof(s->device));
	memcpy(s->device, name, strnlen(name, sizeof(s->device) - 1));
	owner = d ? claims_owner(config, d) : interface;
	s->owner = owner == interface ? 0 : (unsigned)owner + 1;
	s->wanted = true;
	return 0;
}

static void sweep(struct relay_channel *c)
{
	struct relay *r = c->group->relay;
	struct relay_segment *s, *next;

	for (s = c->segments; s; s = next) {
		next = s->next;
		if (s->wanted)
			continue;
		if (r->callbacks.gone)
			r->callbacks.gone(r->callbacks.data, s);
		segment_free(s);
	}
}

int channel_match(struct relay_channel *c)
{
	const struct relay_group *g = c->group;
	struct match m = { .channel = c };
	struct relay_segment *s;
	int err = 0;

	for (s = c->segments; s; s = s->next)
		s->wanted = false;
	for (m.use = 0; m.use < g->c->n_uses && err == 0; m.use++)
		err = claims_each(
			&g->config->interfaces[g->c->uses[m.use].interface],
			g->relay->devices, match_device, &m);
	/* Without memory for a new segment none of the old ones goes. */
	if (err == 0)
		sweep(c);
	return err;
}

static void plan_segment(
	const struct relay_segment *s, struct decide_segment *ret)
{
	const struct config_use *use = segment_use(s);

	*ret = (struct decide_segment){
		.role = use->role,
		.ttl = use->ttl,
		.usable = s->state == RELAY_JOINED || s->state == RELAY_NO_ADDR,
		.has_address = s->sender != NULL,
		/* Peers get their copies whatever it came to. */
		.has_broadcast =
			s->to.n_peers || net_address_is_set(&s->broadcast),
		.allow = &use->allow,
		.deny = &use->deny,
		.open = decide_is_open(&use->allow, &use->deny),
	};
}

/* Room for `n` segments, in the channel and in the relay's scratch. */
static int plan_reserve(struct relay_channel *c, size_t n)
{
	struct relay *r = c->group->relay;
	struct decide_segment *segments;
	struct relay_segment **by_position, **usable;
	struct decision *decisions, *rows;

	segments = reallocarray(
		c->plan_segments, n + DECIDE_SITES, sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	c->plan_segments = segments;
	by_position = reallocarray(
		c->by_position, n ? n : 1, sizeof(struct relay_segment *));
	if (!by_position)
		return -ENOMEM;
	c->by_position = by_position;
	usable = reallocarray(
		c->usable, n ? n : 1, sizeof(struct relay_segment *));
	if (!usable)
		return -ENOMEM;
	c->usable = usable;
	rows = reallocarray(
		c->plan_rows, n ? decide_prepared(n) : 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	c->plan_rows = rows;
	if (n <= r->n_decisions)
		return 0;
	decisions = reallocarray(r->decisions, n, sizeof(*decisions));
	if (!decisions)
		return -ENOMEM;
	r->decisions = decisions;
	r->n_decisions = n;
	return 0;
}

int channel_plan(struct relay_channel *c)
{
	const struct relay_group *g = c->group;
	struct relay_segment *s;
	size_t n;

	DL_COUNT(c->segments, s, n);
	c->n_segments = 0;
	c->plan.n_segments = 0;
	c->plan.rows = NULL;
	c->n_usable = 0;
	if (plan_reserve(c, n) < 0)
		return -ENOMEM;
	n = 0;
	for (s = c->segments; s; s = s->next) {
		plan_segment(s, &c->plan_segments[n]);
		if (c->plan_segments[n].usable)
			c->usable[c->n_usable++] = s;
		c->by_position[n] = s;
		s->position = n++;
	}
	decide_add_sites(c->plan_segments, n);
	c->n_segments = n;
	c->plan = (struct decide_channel){
		.standby = g->c->standby && g->relay->standby,
		.allow = &g->c->allow,
		.deny = &g->c->deny,
		.segments = c->plan_segments,
		.n_segments = n,
	};
	decide_prepare(&c->plan, c->plan_rows);
	return 0;
}
