/*
 * The relay as a whole: life cycle, configuration, following the devices.
 */
#include "relay/flow.h"
#include "relay/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

/* How long until what failed is tried again: doubled each time. */
enum { RETRY_FIRST_MS = 1000, RETRY_LAST_MS = 60 * 1000 };

int relay_new(struct relay **ret, uv_loop_t *loop, struct net_devices *devices,
	const struct relay_callbacks *callbacks)
{
	struct relay *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->loop = loop;
	r->devices = devices;
	r->callbacks = *callbacks;
	r->standby = true;
	r->next_id = 1;
	if (getrandom(&r->key, sizeof(r->key), 0) != sizeof(r->key)) {
		err = -errno;
		goto fail;
	}
	err = udp_batch_new(&r->batch, RELAY_BATCH, RELAY_SLOT_BYTES);
	if (err < 0)
		goto fail;
	err = wsd_parser_new(&r->wsd, (unsigned long)r->key.k0 | 1);
	if (err < 0)
		goto fail;
	frames_init(&r->framer, (uint32_t)siphash(&r->key, NULL, 0));
	err = outbox_init(&r->outbox);
	if (err < 0)
		goto fail;
	r->edited = malloc(RELAY_EDITED);
	if (!r->edited) {
		err = -ENOMEM;
		goto fail;
	}
	quota_init(&r->remembered, 1, &r->key);
	rate_init(&r->rate, RELAY_RATES, &r->key);
	quota_init(&r->flow_quota, 1, &r->key);
	pool_init(&r->searchers, sizeof(struct flow_searcher));
	hosts_init(&r->hosts, RELAY_HOSTS, &r->key);
	(void)uv_timer_init(loop, &r->retry);
	r->retry.data = r;
	*ret = r;
	return 0;
fail:
	outbox_done(&r->outbox);
	wsd_parser_free(r->wsd);
	udp_batch_free(r->batch);
	free(r);
	return err;
}

static void free_groups(struct relay_group *groups)
{
	struct relay_group *g, *next;

	for (g = groups; g; g = next) {
		next = g->next;
		group_free(g);
	}
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

void relay_close(struct relay *r)
{
	if (!r)
		return;
	r->closing = true;
	r->callbacks = (struct relay_callbacks){ 0 };
	heritage_end(r);
	free_groups(r->groups);
	r->groups = NULL;
	quota_done(&r->remembered);
	rate_done(&r->rate);
	quota_done(&r->flow_quota);
	pool_done(&r->searchers);
	hosts_done(&r->hosts);
	wsd_parser_free(r->wsd);
	free(r->edited);
	free(r->decisions);
	outbox_done(&r->outbox);
	udp_batch_free(r->batch);
	config_unref(r->config);
	uv_close((uv_handle_t *)&r->retry, timer_closed);
}

static struct relay_group *find(struct relay_group *groups, const char *name)
{
	struct relay_group *g;

	for (g = groups; g; g = g->next)
		if (strcmp(g->c->name, name) == 0)
			return g;
	return NULL;
}

static bool stays(const struct relay *r, const struct relay_group *g,
	const struct config *config, const struct config_group *c)
{
	return g && config_group_equal(r->config, g->c, config, c);
}

/* Makes the groups of `config` that are new or changed. The others are left
 * where they are. Returns 0, or -ENOMEM and nothing is left behind. */
static int make_new(
	struct relay *r, struct config *config, struct relay_group **ret)
{
	struct relay_group *fresh = NULL, *g;
	size_t i;

	for (i = 0; i < config->n_groups; i++) {
		const struct config_group *c = &config->groups[i];

		if (stays(r, find(r->groups, c->name), config, c))
			continue;
		g = group_new(r, config, c);
		if (!g) {
			free_groups(fresh);
			return -ENOMEM;
		}
		DL_APPEND(fresh, g);
	}
	*ret = fresh;
	return 0;
}

/* Puts what stays and what is fresh into the order of `config`. What is left
 * in r->groups then has no place any more. */
static struct relay_group *arrange(
	struct relay *r, struct config *config, struct relay_group *fresh)
{
	struct relay_group *arranged = NULL, *g;
	size_t i;

	for (i = 0; i < config->n_groups; i++) {
		const struct config_group *c = &config->groups[i];

		g = find(fresh, c->name);
		if (g) {
			DL_DELETE(fresh, g);
		} else {
			g = find(r->groups, c->name);
			DL_DELETE(r->groups, g);
			group_adopt(g, config, c);
		}
		DL_APPEND(arranged, g);
	}
	return arranged;
}

static const struct net_device *device_of(const struct relay_segment *s)
{
	const struct relay *r = s->channel->group->relay;

	return s->device[0] ? net_devices_by_name(r->devices, s->device) : NULL;
}

/* All channels of all groups; starts with NULL. */
static struct relay_channel *next_channel(
	const struct relay *r, const struct relay_channel *after)
{
	struct relay_group *g = after ? after->group->next : r->groups;

	if (after && after->next)
		return after->next;
	while (g && !g->channels)
		g = g->next;
	return g ? g->channels : NULL;
}

static bool follow_all(struct relay *r)
{
	struct relay_channel *c;
	struct relay_segment *s;
	bool again = false;

	for (c = NULL; (c = next_channel(r, c));)
		if (channel_match(c) < 0)
			again = true;
	for (c = NULL; (c = next_channel(r, c));)
		for (s = c->segments; s; s = s->next)
			segment_release(s, device_of(s));
	for (c = NULL; (c = next_channel(r, c));) {
		for (s = c->segments; s; s = s->next) {
			segment_follow(s, device_of(s));
			again |= s->errnum != 0;
		}
		if (channel_plan(c) < 0)
			again = true;
	}
	return again;
}

static void retry(uv_timer_t *t)
{
	struct relay *r = t->data;

	relay_devices_changed(r);
}

static void follow_devices(struct relay *r)
{
	if (!follow_all(r)) {
		r->retry_ms = 0;
		(void)uv_timer_stop(&r->retry);
		return;
	}
	/* The kernel tells of devices, but not of ports and memory that come
	 * free: those are asked for again, ever less often. */
	r->retry_ms = r->retry_ms ? r->retry_ms * 2 : RETRY_FIRST_MS;
	if (r->retry_ms > RETRY_LAST_MS)
		r->retry_ms = RETRY_LAST_MS;
	(void)uv_timer_start(&r->retry, retry, r->retry_ms, 0);
}

static void tell_sockets(struct relay *r)
{
	if (!r->sockets_changed)
		return;
	r->sockets_changed = false;
	if (r->callbacks.sockets)
		r->callbacks.sockets(r->callbacks.data);
}

void relay_devices_changed(struct relay *r)
{
	follow_devices(r);
	tell_sockets(r);
}

int relay_configure(struct relay *r, struct config *config)
{
	struct relay_group *fresh, *arranged;
	int err;

	err = make_new(r, config, &fresh);
	if (err < 0)
		return err;
	arranged = arrange(r, config, fresh);
	fresh = r->groups; /* the ones to go */
	r->groups = arranged;
	config_ref(config);
	config_unref(r->config);
	r->config = config;
	quota_set_bound(&r->remembered, config->limits.remembered);
	quota_set_bound(&r->flow_quota, config->limits.flows);
	r->retry_ms = 0;
	/* What is new joins before the old lets go, so that sockets and
	 * memberships which both need go on without a gap. */
	follow_devices(r);
	free_groups(fresh);
	/* What came from the process before has found its place or none. */
	listener_drop_unclaimed(r);
	heritage_end(r);
	tell_sockets(r);
	return 0;
}

/* The other router has the word no more: all that waits is said now. */
static void tell_ready(const struct relay_channel *c)
{
	const struct relay_callbacks *cb = &c->group->relay->callbacks;
	struct relay_segment *s;

	for (s = c->segments; s && cb->ready; s = s->next)
		if (s->sender)
			cb->ready(cb->data, s);
}

void relay_set_standby(struct relay *r, bool standby)
{
	bool wakes = r->standby && !standby;
	struct relay_channel *c;

	r->standby = standby;
	for (c = NULL; (c = next_channel(r, c));) {
		c->plan.standby = c->group->c->standby && standby;
		if (c->plan.rows)
			decide_prepare(&c->plan, c->plan_rows);
		if (wakes && c->group->c->standby)
			tell_ready(c);
	}
}

void relay_watch(struct relay *r, bool on)
{
	r->watched = on;
}

bool relay_is_standby(const struct relay *r)
{
	return r->standby;
}

void counters_add(struct relay_counters *sum, const struct relay_counters *more)
{
	size_t i;

	sum->received += more->received;
	sum->sent += more->sent;
	sum->received_bytes += more->received_bytes;
	sum->sent_bytes += more->sent_bytes;
	for (i = 0; i < RELAY_VERDICTS; i++)
		sum->dropped[i] += more->dropped[i];
}
