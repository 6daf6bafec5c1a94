#include "relay/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 4 };

void guard_init(struct guard *g, uint64_t window_ms, struct quota *quota)
{
	*g = (struct guard){ .window_ms = window_ms };
	remembered_init(&g->memory, quota);
}

void guard_done(struct guard *g)
{
	remembered_done(&g->memory);
	free(g->taken);
	guard_init(g, g->window_ms, g->memory.quota);
}

/* More slots need larger entries, and what is remembered starts anew: that
 * happens when devices come, and costs at most one copy of each datagram. */
static int grow_slots(struct guard *g)
{
	uint32_t slots = g->slots ? g->slots * 2 : FIRST_SLOTS;
	bool *taken = realloc(g->taken, slots * sizeof(bool));

	if (!taken)
		return -ENOMEM;
	memset(taken + g->slots, 0, (slots - g->slots) * sizeof(bool));
	g->taken = taken;
	g->slots = slots;
	remembered_resize(&g->memory, slots);
	return 0;
}

int guard_slot_take(struct guard *g, uint32_t *ret)
{
	uint32_t slot = 0;

	while (slot < g->slots && g->taken[slot])
		slot++;
	if (slot == g->slots && grow_slots(g) < 0)
		return -ENOMEM;
	g->taken[slot] = true;
	*ret = slot;
	return 0;
}

void guard_slot_give(struct guard *g, uint32_t slot)
{
	struct guard_entry *e;

	for (e = remembered_oldest(&g->memory); e; e = remembered_newer(e)) {
		remembered_unmark(e, slot);
		if (e->host_slot == slot)
			e->host_slot = GUARD_NO_SLOT;
	}
	g->taken[slot] = false;
}

static bool is_over(
	const struct guard *g, const struct guard_entry *e, uint64_t now_ms)
{
	return now_ms - e->heard_ms >= g->window_ms;
}

void guard_expire(struct guard *g, uint64_t now_ms)
{
	struct guard_entry *e;

	while ((e = remembered_oldest(&g->memory)) && is_over(g, e, now_ms))
		remembered_forget(e);
}

void guard_expect(const struct guard *g, uint64_t digest)
{
	remembered_expect(&g->memory, digest);
}

/* Fails only without memory. */
static struct guard_entry *remember(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms)
{
	struct guard_entry *e;

	guard_expire(g, now_ms);
	e = remembered_add(&g->memory, digest, source, now_ms);
	if (e)
		e->host_slot = slot;
	return e;
}

/*
 * The first host again. Sets what `ret` says of repeats.
 *
 * That it goes on in the silence does not prove that it is the host's own
 * doing: another relay's loop may have fed this one, and this one feeds that
 * one later. So until nobody says it for a window this host is no more than
 * anybody else: it passes where nobody has heard it within one, which no loop
 * survives.
 */
static void repeat(const struct guard *g, struct guard_entry *e,
	uint64_t now_ms, struct guard_ruling *ret)
{
	uint32_t now = (uint32_t)now_ms;

	if (e->in_a_row <= GUARD_REPEATS && now - e->host_ms >= g->window_ms)
		e->in_a_row = 0;
	e->host_ms = now;
	if (e->in_a_row > GUARD_REPEATS)
		return;
	if (e->in_a_row++ < GUARD_REPEATS) {
		ret->repeated = true;
		return;
	}
	e->is_silenced = true;
	e->silent_until_ms = now + (uint32_t)g->window_ms;
	ret->silenced = true;
	ret->storm = true;
}

/* The entry of a digest that is still recent, or a new one of which `source`
 * on `slot` is the first host. Fails only without memory. */
static struct guard_entry *entry_for(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms)
{
	struct guard_entry *e = remembered_find(&g->memory, digest);

	if (e && is_over(g, e, now_ms)) {
		remembered_forget(e);
		e = NULL;
	}
	return e ? e : remember(g, digest, source, slot, now_ms);
}

static void touch(struct guard_entry *e, uint32_t slot, uint64_t now_ms)
{
	remembered_touch(e, now_ms);
	remembered_mark(e, slot, now_ms);
}

static bool is_silent(struct guard_entry *e, uint64_t now_ms)
{
	if ((int32_t)(e->silent_until_ms - (uint32_t)now_ms) <= 0)
		e->is_silenced = false;
	return e->is_silenced;
}

int guard_hear(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms,
	struct guard_ruling *ret)
{
	struct guard_ruling r = { .digest = digest };
	struct guard_entry *e;
	bool first_host;

	if (!g->window_ms) {
		*ret = r;
		return 0;
	}
	e = entry_for(g, digest, source, slot, now_ms);
	if (!e)
		return -ENOMEM;
	first_host = slot == e->host_slot && quota_is_of(&e->item, source);
	if (is_silent(e, now_ms)) {
		r.silenced = true;
		if (first_host)
			e->host_ms = (uint32_t)now_ms;
	} else if (first_host) {
		repeat(g, e, now_ms, &r);
	}
	touch(e, slot, now_ms);
	r.entry = e;
	*ret = r;
	return 0;
}

int guard_bring(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms,
	struct guard_ruling *ret)
{
	struct guard_ruling r = { .digest = digest };

	if (g->window_ms) {
		r.entry = entry_for(g, digest, source, GUARD_NO_SLOT, now_ms);
		if (!r.entry)
			return -ENOMEM;
		r.silenced = is_silent(r.entry, now_ms);
		touch(r.entry, slot, now_ms);
	}
	*ret = r;
	return 0;
}

int guard_repeat(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t from, uint32_t slot,
	uint64_t now_ms)
{
	struct guard_entry *e;

	if (!g->window_ms)
		return 0;
	e = entry_for(g, digest, source, from, now_ms);
	if (!e)
		return -ENOMEM;
	touch(e, slot, now_ms);
	return 0;
}

int guard_note(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms)
{
	return guard_repeat(g, digest, source, GUARD_NO_SLOT, slot, now_ms);
}

/* An entry may have been given up, and taken anew, since the ruling. */
static bool is_same(const struct guard *g, const struct guard_ruling *r)
{
	return r->entry && r->entry->home == &g->memory &&
	       r->entry->digest == r->digest;
}

static bool is_recent(const struct guard *g, const struct guard_entry *e,
	uint32_t slot, uint64_t now_ms)
{
	uint32_t at_ms;

	return remembered_at(e, slot, &at_ms) &&
	       (uint32_t)now_ms - at_ms < g->window_ms;
}

bool guard_may_send(const struct guard *g, const struct guard_ruling *r,
	uint32_t slot, uint64_t now_ms)
{
	if (r->silenced)
		return false;
	if (r->repeated || !r->entry)
		return true;
	/* Given up meanwhile: who knows. */
	return is_same(g, r) && !is_recent(g, r->entry, slot, now_ms);
}

void guard_sent(struct guard *g, const struct guard_ruling *r, uint32_t slot,
	uint64_t now_ms)
{
	if (is_same(g, r))
		remembered_mark(r->entry, slot, now_ms);
}

void guard_unsent(struct guard *g, const struct guard_ruling *r, uint32_t slot)
{
	if (is_same(g, r))
		remembered_unmark(r->entry, slot);
}

/* ---- from one process to the next ---- */

static void put(const struct guard *g, const struct guard_entry *e,
	struct stash_writer *w)
{
	struct net_address host;
	uint32_t slot, at_ms;

	quota_source(&e->item, &host);
	stash_record(w, STASH_REMEMBERED);
	stash_put_number(w, e->digest);
	stash_put_address(w, &host);
	stash_put_number(w, e->host_slot);
	stash_put_number(w, e->heard_ms);
	stash_put_number(w, e->host_ms);
	stash_put_number(w, e->in_a_row);
	stash_put_number(w, e->is_silenced);
	stash_put_number(w, e->silent_until_ms);
	stash_put_number(w, g->slots);
	for (slot = 0; slot < g->slots; slot++) {
		bool was = remembered_at(e, slot, &at_ms);

		stash_put_number(w, was);
		stash_put_number(w, was ? at_ms : 0);
	}
}

void guard_save(
	const struct guard *g, uint64_t now_ms, struct stash_writer *out)
{
	const struct guard_entry *e;

	for (e = remembered_oldest(&g->memory); e; e = remembered_newer(e))
		if (!is_over(g, e, now_ms))
			put(g, e, out);
}

static uint32_t slot_of_now(const uint32_t *slots, size_t n, uint64_t slot)
{
	return slot < n ? slots[slot] : GUARD_NO_SLOT;
}

static void resume_slots(struct guard *g, struct guard_entry *e,
	struct stash_reader *in, const uint32_t *slots, size_t n)
{
	uint64_t count = stash_get_number(in), i;

	for (i = 0; i < count && stash_is_sound(in); i++) {
		bool was = stash_get_number(in) != 0;
		uint64_t at_ms = stash_get_number(in);
		uint32_t slot = slot_of_now(slots, n, i);

		if (was && slot < g->slots)
			remembered_mark(e, slot, at_ms);
	}
}

void guard_resume(struct guard *g, uint64_t now_ms, struct stash_reader *in,
	const uint32_t *slots, size_t n)
{
	uint64_t digest = stash_get_number(in);
	struct net_address host = stash_get_address(in);
	uint64_t host_slot = stash_get_number(in);
	uint64_t heard_ms = stash_get_number(in);
	struct guard_entry *e;

	/* In the order of then, which is that of time. */
	if (!stash_is_sound(in) || heard_ms > now_ms ||
		now_ms - heard_ms >= g->window_ms ||
		remembered_find(&g->memory, digest))
		return;
	e = remember(
		g, digest, &host, slot_of_now(slots, n, host_slot), heard_ms);
	if (!e)
		return;
	e->host_ms = (uint32_t)stash_get_number(in);
	e->in_a_row = (uint32_t)stash_get_number(in);
	e->is_silenced = stash_get_number(in) != 0;
	e->silent_until_ms = (uint32_t)stash_get_number(in);
	resume_slots(g, e, in, slots, n);
}
