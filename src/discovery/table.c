#include "discovery/table.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_CHAINS = 256 };

void table_init(struct table *t, size_t bound, const struct siphash_key *key,
	uint64_t now_ms)
{
	*t = (struct table){ .key = *key };
	pool_init(&t->pool, sizeof(struct discovery_entry));
	wheel_init(&t->wheel, (uint32_t)(now_ms / TABLE_TICK_MS));
	quota_init(&t->quota, bound, key);
	book_init(&t->book, key);
}

void table_done(struct table *t)
{
	struct discovery_entry *e;
	uint64_t id = 0;

	t->gone = NULL;
	while ((e = table_after(t, id))) {
		/* Not from the first on: there are the gaps. */
		id = e->roll.id;
		table_remove(t, e, DISCOVERY_LEFT);
	}
	book_done(&t->book);
	quota_done(&t->quota);
	roll_done(&t->roll);
	pool_done(&t->pool);
	free(t->chains);
	t->chains = NULL;
	t->n_chains = 0;
}

uint64_t table_digest(const struct table *t, const struct place *p,
	const void *identity, size_t size)
{
	return siphash_behind(&t->key, p->id, identity, size);
}

/* ---- by digest ---- */

static struct discovery_entry **chain(const struct table *t, uint64_t digest)
{
	return &t->chains[digest & (t->n_chains - 1)];
}

struct discovery_entry *table_find(const struct table *t, uint64_t digest)
{
	struct discovery_entry *e;

	if (!t->n_chains)
		return NULL;
	for (e = *chain(t, digest); e; e = e->chain)
		if (e->digest == digest)
			return e;
	return NULL;
}

static int grow(struct table *t)
{
	struct table grown = { .n_chains = t->n_chains ? t->n_chains * 2
						       : FIRST_CHAINS };

	grown.chains = calloc(grown.n_chains, sizeof(*grown.chains));
	if (!grown.chains)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_chains; i++) {
		struct discovery_entry *e, *next;

		for (e = t->chains[i]; e; e = next) {
			next = e->chain;
			e->chain = *chain(&grown, e->digest);
			*chain(&grown, e->digest) = e;
		}
	}
	free(t->chains);
	t->chains = grown.chains;
	t->n_chains = grown.n_chains;
	return 0;
}

static void unchain(struct table *t, struct discovery_entry *e)
{
	struct discovery_entry **p = chain(t, e->digest);

	while (*p != e)
		p = &(*p)->chain;
	*p = e->chain;
}

/* ---- coming and going ---- */

static struct discovery_entry *entry_of(struct quota_item *i)
{
	return (struct discovery_entry *)(void
			*)((char *)i - offsetof(struct discovery_entry, item));
}

static void evict(struct table *t)
{
	t->quota.evicted++;
	table_remove(t, entry_of(quota_surplus(&t->quota)), DISCOVERY_EVICTED);
}

bool table_is_over(const struct table *t)
{
	return t->quota.used > t->quota.bound;
}

void table_trim(struct table *t, size_t most)
{
	for (; most > 0 && table_is_over(t); most--)
		evict(t);
}

/* Where the bound was lowered there is no room until it is kept. */
static void make_room(struct table *t)
{
	if (t->quota.used == t->quota.bound)
		evict(t);
}

struct discovery_entry *table_add(struct table *t, struct place *p,
	uint64_t digest, const struct net_address *source, uint64_t now_ms)
{
	struct discovery_entry *e = NULL;

	make_room(t);
	if (t->quota.used >= t->n_chains && grow(t) < 0)
		goto fail;
	e = pool_take(&t->pool);
	if (!e || roll_add(&t->roll, &e->roll) < 0)
		goto fail;
	if (quota_add(&t->quota, &e->item, source) < 0) {
		roll_remove(&t->roll, &e->roll);
		goto fail;
	}
	e->digest = digest;
	e->chain = *chain(t, digest);
	*chain(t, digest) = e;
	e->place = p;
	p->entries++;
	e->source = *source;
	e->until_ms = now_ms;
	e->is_new = true;
	return e;
fail:
	if (e)
		pool_give(&t->pool, e);
	t->quota.refused++;
	return NULL;
}

void table_remove(
	struct table *t, struct discovery_entry *e, enum discovery_reason why)
{
	if (t->gone)
		t->gone(t->data, e, why);
	unchain(t, e);
	roll_remove(&t->roll, &e->roll);
	wheel_remove(&e->timer);
	quota_remove(&t->quota, &e->item);
	book_drop(&t->book, e->host);
	e->place->entries--;
	free(e->words);
	pool_give(&t->pool, e);
}

/* ---- lifetimes ---- */

/* Never before it is over. */
static uint32_t tick_of(uint64_t ms)
{
	return (uint32_t)((ms + TABLE_TICK_MS - 1) / TABLE_TICK_MS);
}

void table_set_until(
	struct table *t, struct discovery_entry *e, uint64_t until_ms)
{
	uint32_t tick = tick_of(until_ms);

	e->until_ms = until_ms;
	/* One that ends later is looked at when it would have ended, and goes
	 * on from there: so a refresh moves nothing. */
	if (e->timer.next && tick >= e->timer.at)
		return;
	wheel_remove(&e->timer);
	wheel_add(&t->wheel, &e->timer, tick);
}

void table_touch(struct discovery_entry *e, int64_t seen_ms)
{
	if (!e->count)
		e->first_seen_ms = seen_ms;
	e->last_seen_ms = seen_ms;
	if (e->count < UINT32_MAX)
		e->count++;
	quota_touch(&e->item);
}

static struct discovery_entry *entry_at(struct wheel_item *i)
{
	return (struct discovery_entry *)(void
			*)((char *)i - offsetof(struct discovery_entry, timer));
}

bool table_expire(struct table *t, uint64_t now_ms, size_t most)
{
	uint32_t now = (uint32_t)(now_ms / TABLE_TICK_MS);
	struct wheel_item *i;

	for (; most > 0; most--) {
		struct discovery_entry *e;

		i = wheel_take(&t->wheel, now);
		if (!i)
			return false;
		e = entry_at(i);
		if (tick_of(e->until_ms) > now)
			wheel_add(&t->wheel, i, tick_of(e->until_ms));
		else
			table_remove(t, e,
				e->is_bye ? DISCOVERY_GOODBYE
					  : DISCOVERY_EXPIRED);
	}
	return true;
}

bool table_next(const struct table *t, uint64_t *ret_ms)
{
	uint32_t tick;

	if (!wheel_next(&t->wheel, &tick))
		return false;
	*ret_ms = (uint64_t)tick * TABLE_TICK_MS;
	return true;
}

struct discovery_entry *table_after(const struct table *t, uint64_t id)
{
	/* The first member. */
	return (struct discovery_entry *)(void *)roll_after(&t->roll, id);
}
