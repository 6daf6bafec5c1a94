#include "bounds/quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without memory for its table a holder is not added: seen by `hh.tbl`. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

struct quota_key {
	uint8_t family;
	uint8_t bytes[16];
};

struct quota_holder {
	struct quota_key source;
	UT_hash_handle hh;
	struct quota_item *items;         /* utlist, the oldest first */
	size_t count;                     /* of items */
	struct quota_holder *prev, *next; /* among those of equal count */
};

void quota_init(struct quota *q, size_t bound, const struct siphash_key *key)
{
	*q = (struct quota){ .bound = bound, .key = *key };
	pool_init(&q->pool, sizeof(struct quota_holder));
}

void quota_done(struct quota *q)
{
	HASH_CLEAR(hh, q->by_source);
	pool_done(&q->pool);
	free(q->by_count);
	q->by_count = NULL;
	q->by_count_size = 0;
	q->used = 0;
	q->most = 0;
}

void quota_set_bound(struct quota *q, size_t bound)
{
	q->bound = bound;
}

struct quota_item *quota_surplus(const struct quota *q)
{
	if (q->used < q->bound || !q->used)
		return NULL;
	return q->by_count[q->most]->items;
}

static struct quota_key key_of(const struct net_address *source)
{
	struct quota_key k;

	memset(&k, 0, sizeof(k));
	k.family = (uint8_t)source->family;
	memcpy(k.bytes, source->bytes, net_address_size(source));
	return k;
}

/* Room to say "a holder has `count` items". */
static int reserve(struct quota *q, size_t count)
{
	struct quota_holder **grown;
	size_t size;

	if (count < q->by_count_size)
		return 0;
	size = count < 32 ? 64 : count * 2;
	grown = realloc(q->by_count, size * sizeof(struct quota_holder *));
	if (!grown)
		return -ENOMEM;
	memset(grown + q->by_count_size, 0,
		(size - q->by_count_size) * sizeof(struct quota_holder *));
	q->by_count = grown;
	q->by_count_size = size;
	return 0;
}

static struct quota_holder *holder_of(
	struct quota *q, const struct net_address *source)
{
	struct quota_key k = key_of(source);
	unsigned hash = (unsigned)siphash(&q->key, &k, sizeof(k));
	struct quota_holder *h;

	HASH_FIND_BYHASHVALUE(hh, q->by_source, &k, sizeof(k), hash, h);
	if (h)
		return h;
	h = pool_take(&q->pool);
	if (!h)
		return NULL;
	h->source = k;
	HASH_ADD_BYHASHVALUE(hh, q->by_source, source, sizeof(k), hash, h);
	if (!h->hh.tbl) {
		pool_give(&q->pool, h);
		return NULL;
	}
	return h;
}

/* The last holder stays, also empty: uthash frees its table with it, and would
 * allocate it again for the next datagram. */
static void forget_if_empty(struct quota *q, struct quota_holder *h)
{
	if (h->count || HASH_COUNT(q->by_source) == 1)
		return;
	HASH_DEL(q->by_source, h);
	pool_give(&q->pool, h);
}

static void set_count(struct quota *q, struct quota_holder *h, size_t count)
{
	if (h->count)
		DL_DELETE(q->by_count[h->count], h);
	h->count = count;
	if (count)
		DL_PREPEND(q->by_count[count], h);
	if (count > q->most)
		q->most = count;
	while (q->most && !q->by_count[q->most])
		q->most--;
}

int quota_add(struct quota *q, struct quota_item *item,
	const struct net_address *source)
{
	struct quota_holder *h;

	if (q->used >= q->bound)
		return -ENOSPC;
	h = holder_of(q, source);
	if (!h)
		return -ENOMEM;
	if (reserve(q, h->count + 1) < 0) {
		forget_if_empty(q, h);
		return -ENOMEM;
	}
	item->holder = h;
	DL_APPEND(h->items, item);
	set_count(q, h, h->count + 1);
	q->used++;
	return 0;
}

void quota_touch(struct quota_item *item)
{
	struct quota_holder *h = item->holder;

	DL_DELETE(h->items, item);
	DL_APPEND(h->items, item);
}

void quota_remove(struct quota *q, struct quota_item *item)
{
	struct quota_holder *h = item->holder;

	if (!h)
		return;
	DL_DELETE(h->items, item);
	item->holder = NULL;
	set_count(q, h, h->count - 1);
	forget_if_empty(q, h);
	q->used--;
}

size_t quota_holders(const struct quota *q)
{
	return HASH_COUNT(q->by_source);
}
