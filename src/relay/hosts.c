#include "relay/hosts.h"

#include <string.h>

/* Without memory for its table a name is not added: seen by `hh.tbl`. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct host_key {
	uint64_t segment;
	uint64_t name; /* its digest */
};

struct host {
	struct host_key key;
	UT_hash_handle hh;
	uint64_t until_ms;
};

void hosts_init(struct hosts *h, size_t bound, const struct siphash_key *key)
{
	*h = (struct hosts){ .key = *key, .bound = bound };
	pool_init(&h->pool, sizeof(struct host));
}

void hosts_done(struct hosts *h)
{
	HASH_CLEAR(hh, h->names);
	pool_done(&h->pool);
}

static struct host *find(const struct hosts *h, uint64_t segment,
	const void *name, size_t size, struct host_key *key)
{
	struct host *x;

	*key = (struct host_key){ segment, siphash(&h->key, name, size) };
	HASH_FIND(hh, h->names, key, sizeof(*key), x);
	return x;
}

static void forget(struct hosts *h, struct host *x)
{
	HASH_DEL(h->names, x);
	pool_give(&h->pool, x);
}

static void add(struct hosts *h, struct host *x)
{
	HASH_ADD(hh, h->names, key, sizeof(x->key), x);
	if (!x->hh.tbl)
		pool_give(&h->pool, x);
}

void hosts_record(struct hosts *h, uint64_t segment, const void *name,
	size_t size, uint64_t now_ms, uint64_t until_ms)
{
	struct host_key key;
	struct host *x = find(h, segment, name, size, &key);

	if (until_ms <= now_ms) {
		if (x)
			forget(h, x);
		return;
	}
	if (x) {
		x->until_ms = until_ms;
		/* To the end of the order, unless it is there already. */
		if (x->hh.next) {
			HASH_DEL(h->names, x);
			add(h, x);
		}
		return;
	}
	if (HASH_COUNT(h->names) >= h->bound)
		forget(h, h->names);
	x = pool_take(&h->pool);
	if (!x)
		return;
	x->key = key;
	x->until_ms = until_ms;
	add(h, x);
}

bool hosts_has(const struct hosts *h, uint64_t segment, const void *name,
	size_t size, uint64_t now_ms)
{
	struct host_key key;
	const struct host *x = find(h, segment, name, size, &key);

	return x && now_ms < x->until_ms;
}
