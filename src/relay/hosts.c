#include "relay/hosts.h"

#include <string.h>

/* Without memory for its table a name is not added: seen by `hh.tbl`. */
#define HASH_NONFATAL_OOM 1
/* Half of a key is a keyed hash already. */
#define HASH_FUNCTION(key, size, hash) ((hash) = hash_of(key))
#include <uthash.h>

/* Addresses of one name that are told apart. */
enum { HOST_ADDRESSES = 8 };

struct host_key {
	uint64_t segment;
	uint64_t name; /* its digest */
};

static inline unsigned hash_of(const void *key)
{
	struct host_key k;

	memcpy(&k, key, sizeof(k));
	return (unsigned)(k.name ^ k.segment * UINT64_C(0x9e3779b97f4a7c15));
}

struct host {
	struct host_key key;
	UT_hash_handle hh;
	struct host_address {
		uint64_t address; /* its digest */
		uint64_t until_ms;
	} at[HOST_ADDRESSES];
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

uint64_t hosts_name(const struct hosts *h, const void *name, size_t size)
{
	return siphash(&h->key, name, size);
}

static struct host *find(const struct hosts *h, uint64_t segment, uint64_t name,
	struct host_key *key)
{
	struct host *x;

	*key = (struct host_key){ segment, name };
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

static bool is_known(const struct host *x, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < HOST_ADDRESSES; i++)
		if (now_ms < x->at[i].until_ms)
			return true;
	return false;
}

/* The place of an address, or that of the one that ends first. */
static struct host_address *place_of(struct host *x, uint64_t address)
{
	struct host_address *first = &x->at[0];
	size_t i;

	for (i = 0; i < HOST_ADDRESSES; i++) {
		if (x->at[i].address == address && x->at[i].until_ms)
			return &x->at[i];
		if (x->at[i].until_ms < first->until_ms)
			first = &x->at[i];
	}
	*first = (struct host_address){ .address = address };
	return first;
}

static struct host *new_host(struct hosts *h, const struct host_key *key)
{
	struct host *x;

	if (HASH_COUNT(h->names) >= h->bound)
		forget(h, h->names);
	x = pool_take(&h->pool);
	if (!x)
		return NULL;
	x->key = *key;
	add(h, x);
	return x->hh.tbl ? x : NULL;
}

/* To the end of the order, unless it is there already. */
static struct host *touch(struct hosts *h, struct host *x)
{
	if (!x->hh.next)
		return x;
	HASH_DEL(h->names, x);
	add(h, x);
	return x->hh.tbl ? x : NULL;
}

void hosts_record(struct hosts *h, uint64_t segment, uint64_t name,
	uint64_t address, uint64_t now_ms, uint64_t until_ms)
{
	struct host_key key;
	struct host *x = find(h, segment, name, &key);
	struct host_address *a;

	if (until_ms <= now_ms) {
		if (!x)
			return;
		place_of(x, address)->until_ms = 0;
		if (!is_known(x, now_ms))
			forget(h, x);
		return;
	}
	x = x ? touch(h, x) : new_host(h, &key);
	if (!x)
		return;
	a = place_of(x, address);
	if (until_ms > a->until_ms)
		a->until_ms = until_ms;
}

bool hosts_has(
	const struct hosts *h, uint64_t segment, uint64_t name, uint64_t now_ms)
{
	struct host_key key;
	const struct host *x = find(h, segment, name, &key);

	return x && is_known(x, now_ms);
}

void hosts_save(
	const struct hosts *h, uint64_t now_ms, struct stash_writer *out)
{
	const struct host *x;

	for (x = h->names; x; x = x->hh.next) {
		if (!is_known(x, now_ms))
			continue;
		stash_record(out, STASH_NEIGHBOUR);
		stash_put_number(out, x->key.segment);
		stash_put_number(out, x->key.name);
		stash_put_bytes(out, x->at, sizeof(x->at));
	}
}

void hosts_resume(struct hosts *h, uint64_t segment, uint64_t now_ms,
	struct stash_reader *in)
{
	struct host_key key = { segment, stash_get_number(in) };
	struct host *x;
	const void *at;
	size_t size;

	at = stash_get_bytes(in, &size);
	if (!stash_is_sound(in) || size != sizeof(x->at))
		return;
	HASH_FIND(hh, h->names, &key, sizeof(key), x);
	if (!x)
		x = new_host(h, &key);
	if (!x)
		return;
	memcpy(x->at, at, size);
	if (!is_known(x, now_ms))
		forget(h, x);
}
