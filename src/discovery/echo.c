#include "discovery/echo.h"

#include <errno.h>
#include <stdlib.h>

enum { TABLE = ECHO_BOUND }; /* a power of two */

struct echo_voice {
	struct quota_item item; /* first: a quota gives these back */
	struct echo_voice *chain;
	uint64_t digest;
	uint64_t place;
	struct net_address source;
	uint64_t forget_ms;
};

int echo_init(struct echo *e, const struct siphash_key *key)
{
	*e = (struct echo){ 0 };
	e->table = calloc(TABLE, sizeof(struct echo_voice *));
	if (!e->table)
		return -ENOMEM;
	quota_init(&e->quota, ECHO_BOUND, key);
	pool_init(&e->pool, sizeof(struct echo_voice));
	return 0;
}

void echo_done(struct echo *e)
{
	free(e->table);
	e->table = NULL;
	quota_done(&e->quota);
	pool_done(&e->pool);
}

static struct echo_voice **bucket(const struct echo *e, uint64_t digest)
{
	return &e->table[digest & (TABLE - 1)];
}

static struct echo_voice *find(const struct echo *e, uint64_t digest)
{
	struct echo_voice *v;

	for (v = *bucket(e, digest); v; v = v->chain)
		if (v->digest == digest)
			return v;
	return NULL;
}

static void forget(struct echo *e, struct echo_voice *v)
{
	struct echo_voice **p = bucket(e, v->digest);

	while (*p != v)
		p = &(*p)->chain;
	*p = v->chain;
	quota_remove(&e->quota, &v->item);
	pool_give(&e->pool, v);
}

static struct echo_voice *add(
	struct echo *e, uint64_t digest, const struct net_address *source)
{
	struct quota_item *surplus;
	struct echo_voice *v;

	while ((surplus = quota_surplus(&e->quota)))
		forget(e, (struct echo_voice *)(void *)surplus);
	v = pool_take(&e->pool);
	if (!v)
		return NULL;
	if (quota_add(&e->quota, &v->item, source) < 0) {
		pool_give(&e->pool, v);
		return NULL;
	}
	v->digest = digest;
	v->chain = *bucket(e, digest);
	*bucket(e, digest) = v;
	return v;
}

bool echo_is_first(struct echo *e, uint64_t digest, uint64_t place,
	const struct net_address *source, uint64_t now_ms, uint64_t until_ms)
{
	struct echo_voice *v = find(e, digest);

	if (v && v->forget_ms <= now_ms) {
		forget(e, v);
		v = NULL;
	}
	if (v && (v->place != place || !net_address_equal(&v->source, source)))
		return false;
	if (v)
		quota_touch(&v->item);
	else
		v = add(e, digest, source);
	if (!v)
		return true;
	v->place = place;
	v->source = *source;
	v->forget_ms = until_ms + 2 * (until_ms - now_ms);
	return true;
}
