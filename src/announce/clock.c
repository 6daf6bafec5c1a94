/*
 * The one timer: armed for the earliest thing that is due.
 */
#include "announce/internal.h"

#include <utlist.h>

enum {
	/* Sent in one turn of the loop, so that a thousand announcements at
	 * once neither stall the relay nor fill a socket's queue. */
	TURN_MAX = 64,
	TURN_PAUSE_MS = 2,
	/* Until what failed for want of memory is tried again. */
	RETRY_MS = 1000,
};

static void tick(uv_timer_t *t);

static void arm(struct announce *a, uint64_t when_ms)
{
	uint64_t now = uv_now(a->loop);

	if (when_ms >= a->due_ms)
		return;
	a->due_ms = when_ms;
	(void)uv_timer_start(
		&a->timer, tick, when_ms > now ? when_ms - now : 0, 0);
}

void clock_wake(struct announce_entry *e, uint64_t when_ms)
{
	if (when_ms < e->due_ms)
		e->due_ms = when_ms;
	arm(e->announce, when_ms);
}

void clock_set_stale(struct announce *a)
{
	a->is_stale = true;
	arm(a, uv_now(a->loop));
}

static void follow_all(struct announce *a)
{
	struct announce_entry *e;

	a->is_stale = false;
	DL_FOREACH(a->entries, e)
	if (entry_follow(e) < 0)
		a->is_stale = true;
}

static uint64_t earliest(const struct announce_entry *e)
{
	uint64_t first = rival_next(e);

	for (size_t i = 0; i < e->n_legs; i++) {
		const struct leg *l = &e->legs[i];

		if (l->due_ms < first)
			first = l->due_ms;
		if (l->answer_ms < first)
			first = l->answer_ms;
	}
	return first;
}

/* Returns how many datagrams were sent, `max` at most. */
static size_t run_entry(struct announce_entry *e, uint64_t now_ms, size_t max)
{
	size_t n = 0;

	if (rival_next(e) <= now_ms)
		rival_due(e, now_ms);
	for (size_t i = 0; i < e->n_legs && n < max; i++) {
		struct leg *l = &e->legs[i];

		if (l->due_ms <= now_ms || l->answer_ms <= now_ms)
			n += speak_due(e, l, now_ms);
	}
	e->due_ms = earliest(e);
	return n;
}

static void tick(uv_timer_t *t)
{
	struct announce *a = t->data;
	uint64_t now = uv_now(a->loop), first = NEVER;
	struct announce_entry *e;
	size_t left = TURN_MAX;

	a->due_ms = NEVER;
	if (a->is_stale)
		follow_all(a);
	DL_FOREACH(a->entries, e)
	{
		if (e->due_ms <= now && left > 0)
			left -= run_entry(e, now, left);
		if (e->due_ms < first)
			first = e->due_ms;
	}
	if (a->is_stale && first > now + RETRY_MS)
		first = now + RETRY_MS;
	if (first <= now)
		first = now + TURN_PAUSE_MS;
	a->due_ms = NEVER;
	if (first == NEVER)
		(void)uv_timer_stop(t);
	else
		arm(a, first);
}

void clock_init(struct announce *a)
{
	(void)uv_timer_init(a->loop, &a->timer);
	a->timer.data = a;
	a->due_ms = NEVER;
}
