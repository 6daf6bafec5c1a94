#include "relay/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 4, FIRST_TABLE = 64 };

struct guard_entry {
	struct quota_item item; /* first: a quota gives these back */
	struct guard *guard;
	struct guard_entry *chain;
	struct guard_entry *older, *newer;
	uint64_t digest;
	uint64_t heard_ms; /* last, anywhere */

	/* The host that was heard first, and how it repeats itself. */
	struct net_address host;
	uint32_t host_slot;
	uint32_t in_a_row; /* that passed */
	uint64_t host_ms;  /* last */
	uint64_t silent_until_ms;
	uint32_t in_silence; /* that came while it was silenced */
	bool own_doing;     /* they came on without crier: no loop of its own */
	uint64_t period_ms; /* own_doing: since when `in_a_row` counts */

	/*
	 * When each slot heard or was sent it, the low 32 bits. "Never" is a
	 * time that is not recent.
	 */
	uint32_t at_ms[];
};

void guard_init(struct guard *g, uint64_t window_ms, struct quota *quota)
{
	*g = (struct guard){ .window_ms = window_ms, .quota = quota };
}

static struct guard_entry **bucket(const struct guard *g, uint64_t digest)
{
	return &g->table[digest & (g->table_size - 1)];
}

static struct guard_entry *find(const struct guard *g, uint64_t digest)
{
	struct guard_entry *e;

	if (!g->table_size)
		return NULL;
	for (e = *bucket(g, digest); e; e = e->chain)
		if (e->digest == digest)
			return e;
	return NULL;
}

static void unlink_age(struct guard *g, struct guard_entry *e)
{
	*(e->older ? &e->older->newer : &g->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &g->newest) = e->older;
}

static void link_newest(struct guard *g, struct guard_entry *e)
{
	e->older = g->newest;
	e->newer = NULL;
	*(g->newest ? &g->newest->newer : &g->oldest) = e;
	g->newest = e;
}

static void forget(struct guard_entry *e)
{
	struct guard *g = e->guard;
	struct guard_entry **p = bucket(g, e->digest);

	while (*p != e)
		p = &(*p)->chain;
	*p = e->chain;
	unlink_age(g, e);
	quota_remove(g->quota, &e->item);
	g->used--;
	/* A ruling may still point here: see is_same(). */
	e->digest = 0;
	e->guard = NULL;
	pool_give(&g->pool, e);
}

void guard_done(struct guard *g)
{
	while (g->oldest)
		forget(g->oldest);
	pool_done(&g->pool);
	free(g->table);
	free(g->taken);
	guard_init(g, g->window_ms, g->quota);
}

static int grow_table(struct guard *g)
{
	size_t size = g->table_size ? g->table_size * 2 : FIRST_TABLE;
	struct guard_entry **table = calloc(size, sizeof(struct guard_entry *));
	struct guard_entry *e;

	if (!table)
		return -ENOMEM;
	free(g->table);
	g->table = table;
	g->table_size = size;
	for (e = g->oldest; e; e = e->newer) {
		e->chain = *bucket(g, e->digest);
		*bucket(g, e->digest) = e;
	}
	return 0;
}

/* More slots need larger entries, and what is remembered starts anew: that
 * happens when devices come, and costs at most one copy of each datagram. */
static int grow_slots(struct guard *g)
{
	uint32_t slots = g->slots ? g->slots * 2 : FIRST_SLOTS;
	bool *taken = realloc(g->taken, slots * sizeof(bool));

	if (!taken)
		return -ENOMEM;
	while (g->oldest)
		forget(g->oldest);
	pool_done(&g->pool);
	pool_init(&g->pool,
		sizeof(struct guard_entry) + slots * sizeof(uint32_t));
	memset(taken + g->slots, 0, (slots - g->slots) * sizeof(bool));
	g->taken = taken;
	g->slots = slots;
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

	for (e = g->oldest; e; e = e->newer) {
		e->at_ms[slot] = (uint32_t)(e->heard_ms - g->window_ms);
		if (e->host_slot == slot)
			e->host_slot = GUARD_NO_SLOT;
	}
	g->taken[slot] = false;
}

void guard_expire(struct guard *g, uint64_t now_ms)
{
	while (g->oldest && now_ms - g->oldest->heard_ms >= g->window_ms)
		forget(g->oldest);
}

/* Fails only without memory. */
static struct guard_entry *remember(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms)
{
	struct quota_item *surplus;
	struct guard_entry *e;
	uint32_t i;

	guard_expire(g, now_ms);
	while ((surplus = quota_surplus(g->quota))) {
		forget((struct guard_entry *)(void *)surplus);
		g->quota->evicted++;
	}
	if (g->used >= g->table_size && grow_table(g) < 0)
		return NULL;
	e = pool_take(&g->pool);
	if (!e)
		return NULL;
	if (quota_add(g->quota, &e->item, source) < 0) {
		pool_give(&g->pool, e);
		return NULL;
	}
	e->guard = g;
	e->digest = digest;
	e->host = *source;
	e->host_slot = slot;
	for (i = 0; i < g->slots; i++)
		e->at_ms[i] = (uint32_t)(now_ms - g->window_ms);
	e->chain = *bucket(g, digest);
	*bucket(g, digest) = e;
	link_newest(g, e);
	g->used++;
	return e;
}

/* The first host again. Sets what `ret` says of repeats. */
static void repeat(const struct guard *g, struct guard_entry *e,
	uint64_t now_ms, struct guard_ruling *ret)
{
	bool goes_on = e->in_a_row && now_ms - e->host_ms < g->window_ms;
	uint64_t allowed = GUARD_REPEATS;

	e->host_ms = now_ms;
	if (!goes_on) {
		e->in_a_row = 0;
		e->own_doing = false;
		e->silent_until_ms = 0;
	} else if (e->silent_until_ms) {
		/* It went on while crier was silent. */
		e->own_doing = true;
		e->silent_until_ms = 0;
		e->period_ms = now_ms;
		e->in_a_row = 0;
	}
	if (e->own_doing) {
		/* Its own pace, and then some: a loop that comes later on top
		 * of it is found all the same. */
		allowed += 2 * (uint64_t)e->in_silence;
		if (now_ms - e->period_ms >= g->window_ms) {
			e->period_ms = now_ms;
			e->in_a_row = 0;
		}
	}
	if (e->in_a_row < allowed) {
		e->in_a_row++;
		ret->repeated = true;
		return;
	}
	e->silent_until_ms = now_ms + g->window_ms;
	e->in_silence = 0;
	ret->silenced = true;
	ret->storm = true;
}

/* The entry of a digest that is still recent, or a new one of which `source`
 * on `slot` is the first host. Fails only without memory. */
static struct guard_entry *entry_for(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms)
{
	struct guard_entry *e = find(g, digest);

	if (e && now_ms - e->heard_ms >= g->window_ms) {
		forget(e);
		e = NULL;
	}
	return e ? e : remember(g, digest, source, slot, now_ms);
}

static void touch(
	struct guard *g, struct guard_entry *e, uint32_t slot, uint64_t now_ms)
{
	e->heard_ms = now_ms;
	e->at_ms[slot] = (uint32_t)now_ms;
	quota_touch(&e->item);
	unlink_age(g, e);
	link_newest(g, e);
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
	first_host =
		slot == e->host_slot && net_address_equal(source, &e->host);
	if (now_ms < e->silent_until_ms) {
		r.silenced = true;
		if (first_host) {
			e->host_ms = now_ms;
			e->in_silence++;
		}
	} else if (first_host) {
		repeat(g, e, now_ms, &r);
	}
	touch(g, e, slot, now_ms);
	r.entry = e;
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
	touch(g, e, slot, now_ms);
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
	return r->entry && r->entry->guard == g &&
	       r->entry->digest == r->digest;
}

static bool is_recent(const struct guard *g, const struct guard_entry *e,
	uint32_t slot, uint64_t now_ms)
{
	return (uint32_t)now_ms - e->at_ms[slot] < g->window_ms;
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
		r->entry->at_ms[slot] = (uint32_t)now_ms;
}

void guard_unsent(struct guard *g, const struct guard_ruling *r, uint32_t slot,
	uint64_t now_ms)
{
	if (is_same(g, r))
		r->entry->at_ms[slot] = (uint32_t)(now_ms - g->window_ms);
}

/* ---- from one process to the next ---- */

static void put(const struct guard *g, const struct guard_entry *e,
	struct stash_writer *w)
{
	stash_record(w, STASH_REMEMBERED);
	stash_put_number(w, e->digest);
	stash_put_address(w, &e->host);
	stash_put_number(w, e->host_slot);
	stash_put_number(w, e->heard_ms);
	stash_put_number(w, e->in_a_row);
	stash_put_number(w, e->host_ms);
	stash_put_number(w, e->silent_until_ms);
	stash_put_number(w, e->in_silence);
	stash_put_number(w, e->own_doing);
	stash_put_number(w, e->period_ms);
	stash_put_bytes(w, e->at_ms, g->slots * sizeof(e->at_ms[0]));
}

void guard_save(
	const struct guard *g, uint64_t now_ms, struct stash_writer *out)
{
	const struct guard_entry *e;

	for (e = g->oldest; e; e = e->newer)
		if (now_ms - e->heard_ms < g->window_ms)
			put(g, e, out);
}

static uint32_t slot_of_now(const uint32_t *slots, size_t n, uint64_t slot)
{
	return slot < n ? slots[slot] : GUARD_NO_SLOT;
}

void guard_resume(struct guard *g, uint64_t now_ms, struct stash_reader *in,
	const uint32_t *slots, size_t n)
{
	uint64_t digest = stash_get_number(in);
	struct net_address host = stash_get_address(in);
	uint64_t host_slot = stash_get_number(in);
	uint64_t heard_ms = stash_get_number(in);
	struct guard_entry *e;
	const uint8_t *at_ms;
	uint32_t slot;
	size_t size;

	/* In the order of then, which is that of time. */
	if (!stash_is_sound(in) || heard_ms > now_ms ||
		now_ms - heard_ms >= g->window_ms || find(g, digest))
		return;
	e = remember(
		g, digest, &host, slot_of_now(slots, n, host_slot), heard_ms);
	if (!e)
		return;
	e->heard_ms = heard_ms;
	e->in_a_row = (uint32_t)stash_get_number(in);
	e->host_ms = stash_get_number(in);
	e->silent_until_ms = stash_get_number(in);
	e->in_silence = (uint32_t)stash_get_number(in);
	e->own_doing = stash_get_number(in) != 0;
	e->period_ms = stash_get_number(in);
	at_ms = stash_get_bytes(in, &size);
	for (size_t i = 0; i < size / sizeof(e->at_ms[0]); i++) {
		slot = slot_of_now(slots, n, i);
		if (slot < g->slots)
			memcpy(&e->at_ms[slot], at_ms + i * sizeof(e->at_ms[0]),
				sizeof(e->at_ms[0]));
	}
}
