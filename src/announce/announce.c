/*
 * The list of announcements, as others see it.
 */
#include "announce/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

const char *announce_state_word(enum announce_state s)
{
	static const char *const words[] = {
		[ANNOUNCE_ACTIVE] = "active",
		[ANNOUNCE_SILENT] = "silent",
		[ANNOUNCE_NO_GROUP] = "no-group",
	};

	return words[s];
}

int announce_new(struct announce **ret, uv_loop_t *loop, struct relay *relay,
	const struct net_devices *devices,
	const struct announce_callbacks *callbacks)
{
	struct announce *a = calloc(1, sizeof(*a));
	int err = -ENOMEM;

	if (!a)
		return -ENOMEM;
	a->loop = loop;
	a->relay = relay;
	a->devices = devices;
	if (callbacks)
		a->callbacks = *callbacks;
	a->buffer = malloc(CONFIG_MAX_PAYLOAD);
	if (!a->buffer)
		goto fail;
	if (getrandom(&a->key, sizeof(a->key), 0) != sizeof(a->key) ||
		getrandom(&a->random, sizeof(a->random), 0) !=
			sizeof(a->random)) {
		err = -errno;
		goto fail;
	}
	clock_init(a);
	*ret = a;
	return 0;
fail:
	free(a->buffer);
	free(a);
	return err;
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

void announce_close(struct announce *a)
{
	struct announce_entry *e, *next;

	if (!a)
		return;
	DL_FOREACH_SAFE(a->entries, e, next)
	{
		entry_goodbye(e);
		DL_DELETE(a->entries, e);
		entry_free(e);
	}
	config_unref(a->config);
	free(a->names);
	free(a->buffer);
	uv_close((uv_handle_t *)&a->timer, timer_closed);
}

struct announce_entry *announce_find(const struct announce *a, const char *name)
{
	struct announce_entry *e;

	DL_FOREACH(a->entries, e)
	if (strcmp(e->c->name, name) == 0)
		return e;
	return NULL;
}

void announce_tell(const struct announce_entry *e, enum announce_what what,
	const struct relay_segment *s)
{
	const struct announce_callbacks *cb = &e->announce->callbacks;
	struct announce_event event = { what, e, s };

	if (cb->told)
		cb->told(cb->data, &event);
}

/* SplitMix64 (Steele, Lea and Flood 2014): nothing secret hangs on it. */
uint64_t announce_random(struct announce *a, uint64_t below)
{
	uint64_t z = a->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

void announce_ready(struct announce *a, const struct relay_segment *s)
{
	uint64_t id = relay_segment_id(s);
	struct announce_entry *e;
	bool is_new = true;
	struct leg *l;

	DL_FOREACH(a->entries, e)
	{
		l = entry_leg(e, id);
		if (!l)
			continue;
		is_new = false;
		/* Who hears there now heard nothing from there yet. */
		l->said_ms = 0;
		entry_begin(e, l, uv_now(a->loop));
	}
	if (is_new)
		clock_set_stale(a);
}

/* ---- at run time ---- */

static int check_room(struct announce *a)
{
	if (a->n_runtime < ANNOUNCE_RUNTIME_MAX)
		return 0;
	a->refused++;
	return -ENOSPC;
}

/* Whether a datagram carries it, on each segment that there is. */
static int check_size(struct announce_entry *e)
{
	int err = speak_check(e, NULL);

	for (size_t i = 0; err == 0 && i < e->n_legs; i++) {
		const struct relay_segment *s = relay_segment_by_id(
			e->announce->relay, e->legs[i].segment);

		if (s)
			err = speak_check(e, s);
	}
	return err;
}

/* Two announcements of one service would contradict each other. */
static bool is_announced(
	const struct announce *a, const struct announce_entry *e)
{
	const struct announce_entry *other;

	if (!e->service || !e->service->names.instance.size)
		return false;
	DL_FOREACH(a->entries, other)
	if (other->service && strcmp(other->group, e->group) == 0 &&
		mdns_name_equal(&other->service->names.instance,
			&e->service->names.instance))
		return true;
	return false;
}

int announce_add(struct announce *a, struct config_announcement *c)
{
	struct announce_entry *e;
	int err;

	if (!a->config || c->group >= a->config->n_groups)
		return -EINVAL;
	if (announce_find(a, c->name))
		return -EEXIST;
	err = check_room(a);
	if (err == 0)
		err = names_reserve(a, a->n_services + 1);
	if (err < 0)
		return err;
	e = entry_new(a, c, a->config->groups[c->group].name, true);
	if (!e)
		return -ENOMEM;
	err = is_announced(a, e) ? -ENOTUNIQ : entry_follow(e);
	if (err == 0)
		err = check_size(e);
	if (err < 0) {
		/* It is the caller's still. */
		e->runtime = false;
		entry_free(e);
		return err;
	}
	DL_APPEND(a->entries, e);
	a->n_runtime++;
	a->n_services += e->service != NULL;
	a->names_stale = true;
	return 0;
}

int announce_withdraw(struct announce *a, const char *name)
{
	struct announce_entry *e = announce_find(a, name);

	if (!e)
		return -ENOENT;
	if (!e->runtime)
		return -EPERM;
	entry_goodbye(e);
	DL_DELETE(a->entries, e);
	a->n_runtime--;
	a->n_services -= e->service != NULL;
	a->names_stale = true;
	announce_tell(e, ANNOUNCE_REMOVED, NULL);
	entry_free(e);
	return 0;
}

/* ---- readers ---- */

const struct announce_entry *announce_next(
	const struct announce *a, const struct announce_entry *after)
{
	return after ? after->next : a->entries;
}

static uint64_t next_in(const struct announce_entry *e)
{
	uint64_t now = uv_now(e->announce->loop), first = NEVER;

	for (size_t i = 0; i < e->n_legs; i++) {
		const struct leg *l = &e->legs[i];

		if (l->due_ms < first)
			first = l->due_ms;
		if (l->answer_ms < first)
			first = l->answer_ms;
	}
	if (first == NEVER)
		return NEVER;
	return first > now ? first - now : 0;
}

void announce_get(const struct announce *a, const struct announce_entry *e,
	struct announce_info *ret)
{
	(void)a;
	*ret = (struct announce_info){
		.name = e->c->name,
		.group = e->group,
		.runtime = e->runtime,
		.state = e->state,
		.error = e->error,
		.is_service = e->service != NULL,
		.interval_ms = e->c->interval_ms,
		.sent = e->sent,
		.next_in_ms = next_in(e),
	};
}

void announce_limit(const struct announce *a, struct relay_limit *ret)
{
	*ret = (struct relay_limit){
		.used = a->n_runtime,
		.bound = ANNOUNCE_RUNTIME_MAX,
		.refused = a->refused,
	};
}
