#include "relay/rate.h"

#include <string.h>

/* Without memory for its table a bucket is not added: seen by `hh.tbl`. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A token in units in which a millisecond fills whole numbers. */
enum { TOKEN = 1000 };

struct rate_key {
	uint64_t segment;
	uint8_t family;
	uint8_t bytes[16];
	uint8_t zero[7];
};

struct rate_bucket {
	struct rate_key key;
	UT_hash_handle hh;
	uint64_t level; /* TOKEN a token */
	uint64_t at_ms; /* when `level` was right */
};

void rate_init(struct rate *r, size_t bound, const struct siphash_key *key)
{
	*r = (struct rate){ .key = *key, .bound = bound };
	pool_init(&r->pool, sizeof(struct rate_bucket));
}

void rate_done(struct rate *r)
{
	HASH_CLEAR(hh, r->buckets);
	pool_done(&r->pool);
}

static void make_key(struct rate_key *key, uint64_t segment,
	const struct net_address *source)
{
	memset(key, 0, sizeof(*key));
	key->segment = segment;
	key->family = (uint8_t)source->family;
	memcpy(key->bytes, source->bytes, net_address_size(source));
}

static struct rate_bucket *find(
	const struct rate *r, const struct rate_key *key, unsigned *hash)
{
	struct rate_bucket *b;

	*hash = (unsigned)siphash(&r->key, key, sizeof(*key));
	HASH_FIND_BYHASHVALUE(hh, r->buckets, key, sizeof(*key), *hash, b);
	return b;
}

static uint64_t level_at(
	const struct rate_bucket *b, uint32_t per_second, uint64_t now_ms)
{
	uint64_t full = (uint64_t)per_second * TOKEN;
	uint64_t idle_ms = now_ms - b->at_ms;
	uint64_t level;

	/* A second fills it, and a larger product might not fit. */
	if (idle_ms >= 1000)
		return full;
	level = b->level + idle_ms * per_second;
	return level < full ? level : full;
}

static struct rate_bucket *add(struct rate *r, const struct rate_key *key,
	unsigned hash, uint32_t per_second, uint64_t now_ms)
{
	struct rate_bucket *b = r->buckets;

	if (HASH_COUNT(r->buckets) >= r->bound) {
		HASH_DEL(r->buckets, b);
		pool_give(&r->pool, b);
	}
	b = pool_take(&r->pool);
	if (!b)
		return NULL;
	b->key = *key;
	b->level = (uint64_t)per_second * TOKEN;
	b->at_ms = now_ms;
	HASH_ADD_BYHASHVALUE(hh, r->buckets, key, sizeof(b->key), hash, b);
	if (!b->hh.tbl) {
		pool_give(&r->pool, b);
		return NULL;
	}
	return b;
}

/* The last in the order, where it is the one of `key`: bursts are of one
 * source, and so need no look at the table. */
static struct rate_bucket *last(
	const struct rate *r, const struct rate_key *key)
{
	struct rate_bucket *b = NULL;

	if (r->buckets)
		b = ELMT_FROM_HH(r->buckets->hh.tbl, r->buckets->hh.tbl->tail);
	return b && memcmp(&b->key, key, sizeof(*key)) == 0 ? b : NULL;
}

/* The bucket of `key`, which is the last in the order then. NULL: no memory. */
static struct rate_bucket *touch(struct rate *r, const struct rate_key *key,
	uint32_t per_second, uint64_t now_ms)
{
	struct rate_bucket *b = last(r, key);
	unsigned hash;

	if (b)
		return b;
	b = find(r, key, &hash);
	if (!b)
		return add(r, key, hash, per_second, now_ms);
	/* It is not the only one, or it would be the last: uthash frees its
	 * table when that is empty. */
	HASH_DEL(r->buckets, b);
	HASH_ADD_BYHASHVALUE(hh, r->buckets, key, sizeof(b->key), hash, b);
	if (b->hh.tbl)
		return b;
	pool_give(&r->pool, b);
	return NULL;
}

bool rate_take(struct rate *r, uint32_t per_second, uint64_t segment,
	const struct net_address *source, uint64_t now_ms)
{
	struct rate_bucket *b;
	struct rate_key key;

	make_key(&key, segment, source);
	b = touch(r, &key, per_second, now_ms);
	if (!b)
		return true;
	b->level = level_at(b, per_second, now_ms);
	b->at_ms = now_ms;
	if (b->level < TOKEN)
		return false;
	b->level -= TOKEN;
	return true;
}

bool rate_has(const struct rate *r, uint32_t per_second, uint64_t segment,
	const struct net_address *source, uint64_t now_ms)
{
	const struct rate_bucket *b;
	struct rate_key key;
	unsigned hash;

	make_key(&key, segment, source);
	b = find(r, &key, &hash);
	return !b || level_at(b, per_second, now_ms) >= TOKEN;
}
