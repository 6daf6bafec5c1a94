#include "relay/remembered.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_TABLE = 128,
	LINE = 64,  /* bytes, of the cache */
	CHUNK = 64, /* entries */
	BITS = 64,
};

/* A place of the table. Where it would best stand follows from the tag. */
struct remembered_place {
	uint32_t tag;    /* the high half of the digest */
	uint32_t number; /* of an entry; 0: free */
};

static uint32_t tag_of(uint64_t digest)
{
	return (uint32_t)(digest >> 32);
}

static size_t best_place(const struct remembered *r, uint32_t tag)
{
	return tag & (r->table_size - 1);
}

static struct guard_entry *entry_at(const struct remembered *r, uint32_t number)
{
	uint8_t *chunk = r->chunks[(number - 1) / CHUNK];

	return (struct guard_entry *)(void *)(chunk + (number - 1) % CHUNK *
							      r->entry_bytes);
}

/* ---- the table ---- */

void remembered_expect(const struct remembered *r, uint64_t digest)
{
	if (r->table_size)
		__builtin_prefetch(&r->table[best_place(r, tag_of(digest))]);
}

struct guard_entry *remembered_find(const struct remembered *r, uint64_t digest)
{
	uint32_t tag = tag_of(digest);
	size_t mask = r->table_size - 1, i;

	if (!r->table_size)
		return NULL;
	for (i = best_place(r, tag); r->table[i].number; i = (i + 1) & mask) {
		struct guard_entry *e;

		if (r->table[i].tag != tag)
			continue;
		e = entry_at(r, r->table[i].number);
		if (e->digest == digest)
			return e;
	}
	return NULL;
}

static void enter(struct remembered *r, uint32_t tag, uint32_t number)
{
	size_t mask = r->table_size - 1, i = best_place(r, tag);

	while (r->table[i].number)
		i = (i + 1) & mask;
	r->table[i] = (struct remembered_place){ tag, number };
}

/* Half of it stays free, so that the next free place is near. */
static int grow_table(struct remembered *r)
{
	struct remembered grown = *r;
	size_t i;

	grown.table_size = r->table_size ? r->table_size * 2 : FIRST_TABLE;
	grown.table = calloc(grown.table_size, sizeof(*grown.table));
	if (!grown.table)
		return -ENOMEM;
	for (i = 0; i < r->table_size; i++)
		if (r->table[i].number)
			enter(&grown, r->table[i].tag, r->table[i].number);
	free(r->table);
	r->table = grown.table;
	r->table_size = grown.table_size;
	return 0;
}

/* Takes it out, and moves up what had to stand behind it. */
static void leave(struct remembered *r, const struct guard_entry *e)
{
	size_t mask = r->table_size - 1, i, j;

	i = best_place(r, tag_of(e->digest));
	while (r->table[i].number != e->number)
		i = (i + 1) & mask;
	for (j = (i + 1) & mask; r->table[j].number; j = (j + 1) & mask) {
		size_t best = best_place(r, r->table[j].tag);

		/* Its best place lies behind the gap. */
		if (((j - best) & mask) < ((j - i) & mask))
			continue;
		r->table[i] = r->table[j];
		i = j;
	}
	r->table[i].number = 0;
}

/* ---- by age ---- */

static void unlink_age(struct remembered *r, const struct guard_entry *e)
{
	*(e->older ? &entry_at(r, e->older)->newer : &r->oldest) = e->newer;
	*(e->newer ? &entry_at(r, e->newer)->older : &r->newest) = e->older;
}

static void link_newest(struct remembered *r, struct guard_entry *e)
{
	e->older = r->newest;
	e->newer = 0;
	*(r->newest ? &entry_at(r, r->newest)->newer : &r->oldest) = e->number;
	r->newest = e->number;
}

struct guard_entry *remembered_oldest(const struct remembered *r)
{
	return r->oldest ? entry_at(r, r->oldest) : NULL;
}

struct guard_entry *remembered_newer(const struct guard_entry *e)
{
	return e->newer ? entry_at(e->home, e->newer) : NULL;
}

void remembered_touch(struct guard_entry *e, uint64_t now_ms)
{
	struct remembered *r = e->home;

	e->heard_ms = now_ms;
	quota_touch(&e->item);
	if (r->newest == e->number)
		return;
	unlink_age(r, e);
	link_newest(r, e);
}

/* ---- entries ---- */

void remembered_init(struct remembered *r, struct quota *quota)
{
	*r = (struct remembered){ .quota = quota };
}

static void free_entries(struct remembered *r)
{
	while (r->oldest)
		remembered_forget(entry_at(r, r->oldest));
	while (r->n_chunks)
		free(r->chunks[--r->n_chunks]);
	free(r->chunks);
	r->chunks = NULL;
	r->free = 0;
}

void remembered_done(struct remembered *r)
{
	free_entries(r);
	free(r->table);
	remembered_init(r, r->quota);
}

static size_t words(const struct remembered *r)
{
	return (r->n_slots + BITS - 1) / BITS;
}

void remembered_resize(struct remembered *r, uint32_t n_slots)
{
	size_t bytes;

	free_entries(r);
	r->n_slots = n_slots;
	bytes = sizeof(struct guard_entry) + 2 * words(r) * sizeof(uint64_t) +
		n_slots * sizeof(uint32_t);
	r->entry_bytes = (bytes + LINE - 1) / LINE * LINE;
}

static int add_chunk(struct remembered *r)
{
	uint32_t first = (uint32_t)(r->n_chunks * CHUNK) + 1, i;
	uint8_t **chunks, *chunk;

	chunks = reallocarray(r->chunks, r->n_chunks + 1, sizeof(uint8_t *));
	if (!chunks)
		return -ENOMEM;
	r->chunks = chunks;
	chunk = aligned_alloc(LINE, CHUNK * r->entry_bytes);
	if (!chunk)
		return -ENOMEM;
	r->chunks[r->n_chunks++] = chunk;
	for (i = CHUNK; i-- > 0;) {
		struct guard_entry *e = entry_at(r, first + i);

		e->number = first + i;
		e->home = NULL;
		e->newer = r->free;
		r->free = e->number;
	}
	return 0;
}

static void give(struct remembered *r, struct guard_entry *e)
{
	e->newer = r->free;
	r->free = e->number;
}

void remembered_forget(struct guard_entry *e)
{
	struct remembered *r = e->home;

	leave(r, e);
	unlink_age(r, e);
	quota_remove(r->quota, &e->item);
	r->used--;
	/* A ruling may still point here: see guard.c, is_same(). */
	e->digest = 0;
	e->home = NULL;
	give(r, e);
}

/* Has the next two that give way fetched: the places of the first in its table,
 * and the second itself, whose place can be told only then. */
static void expect_surplus(const struct quota *q)
{
	const struct quota_item *first = quota_surplus(q), *second;
	const struct guard_entry *e = (const void *)first;

	if (!first)
		return;
	remembered_expect(e->home, e->digest);
	second = quota_next(first);
	__builtin_prefetch(second);
	__builtin_prefetch((const char *)second + LINE);
}

static void make_room(struct quota *q)
{
	struct quota_item *surplus;

	while ((surplus = quota_surplus(q))) {
		remembered_forget((struct guard_entry *)(void *)surplus);
		q->evicted++;
	}
}

/* All but its identity and its links. */
static void begin(struct remembered *r, struct guard_entry *e, uint64_t now_ms)
{
	size_t i;

	e->heard_ms = now_ms;
	e->host_slot = UINT32_MAX;
	e->host_ms = (uint32_t)now_ms;
	e->in_a_row = 0;
	e->silent_until_ms = 0;
	e->is_silenced = false;
	e->first_ms = (uint32_t)now_ms;
	for (i = 0; i < 2 * words(r); i++)
		e->slots[i] = 0;
}

struct guard_entry *remembered_add(struct remembered *r, uint64_t digest,
	const struct net_address *source, uint64_t now_ms)
{
	struct guard_entry *e;

	make_room(r->quota);
	if (2 * (r->used + 1) > r->table_size && grow_table(r) < 0)
		return NULL;
	if (!r->free && add_chunk(r) < 0)
		return NULL;
	e = entry_at(r, r->free);
	e->item.holder = NULL;
	if (quota_add(r->quota, &e->item, source) < 0)
		return NULL;
	r->free = e->newer;
	e->home = r;
	e->digest = digest;
	begin(r, e, now_ms);
	enter(r, tag_of(digest), e->number);
	link_newest(r, e);
	r->used++;
	expect_surplus(r->quota);
	return e;
}

/* ---- slots ---- */

/* The words of those that were at first_ms, and of those with times. */
static uint64_t *first_word(struct guard_entry *e, uint32_t slot)
{
	return &e->slots[slot / BITS];
}

static uint64_t *later_word(struct guard_entry *e, uint32_t slot)
{
	return &e->slots[words(e->home) + slot / BITS];
}

static uint32_t *time_of(struct guard_entry *e, uint32_t slot)
{
	return (uint32_t *)(void *)&e->slots[2 * words(e->home)] + slot;
}

void remembered_mark(struct guard_entry *e, uint32_t slot, uint64_t now_ms)
{
	uint64_t bit = UINT64_C(1) << slot % BITS;

	if (e->first_ms == (uint32_t)now_ms) {
		*first_word(e, slot) |= bit;
		*later_word(e, slot) &= ~bit;
		return;
	}
	*later_word(e, slot) |= bit;
	*time_of(e, slot) = (uint32_t)now_ms;
}

void remembered_unmark(struct guard_entry *e, uint32_t slot)
{
	uint64_t bit = UINT64_C(1) << slot % BITS;

	*first_word(e, slot) &= ~bit;
	*later_word(e, slot) &= ~bit;
}

bool remembered_at(
	const struct guard_entry *entry, uint32_t slot, uint32_t *ret_ms)
{
	struct guard_entry *e = (struct guard_entry *)entry;
	uint64_t bit = UINT64_C(1) << slot % BITS;

	if (*later_word(e, slot) & bit)
		*ret_ms = *time_of(e, slot);
	else if (*first_word(e, slot) & bit)
		*ret_ms = e->first_ms;
	else
		return false;
	return true;
}
