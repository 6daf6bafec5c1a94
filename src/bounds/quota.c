#include "bounds/quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

struct quota_key {
	uint8_t family;
	uint8_t bytes[16];
};

/* As many as there are sources: so no more than it takes. */
struct quota_holder {
	struct quota_holder *chain;
	struct quota_item *items;         /* utlist, the oldest first */
	struct quota_holder *prev, *next; /* among those of equal count */
	uint32_t count;                   /* of items */
	struct quota_key source;
};

enum { FIRST_CHAINS = 16 };

void quota_init(struct quota *q, size_t bound, const struct siphash_key *key)
{
	*q = (struct quota){ .bound = bound, .key = *key };
	pool_init(&q->pool, sizeof(struct quota_holder));
}

void quota_done(struct quota *q)
{
	free(q->by_source);
	q->by_source = NULL;
	q->n_chains = q->n_holders = 0;
	q->last = NULL;
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

const struct quota_item *quota_next(const struct quota_item *item)
{
	return item->next;
}

void quota_source(const struct quota_item *item, struct net_address *ret)
{
	const struct quota_key *k = &item->holder->source;

	*ret = (struct net_address){ .family = k->family };
	memcpy(ret->bytes, k->bytes, sizeof(k->bytes));
}

bool quota_is_of(
	const struct quota_item *item, const struct net_address *source)
{
	const struct quota_key *k = &item->holder->source;

	return k->family == source->family &&
	       memcmp(k->bytes, source->bytes, net_address_size(source)) == 0;
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

static struct quota_holder **chain(
	const struct quota *q, const struct quota_key *k)
{
	return &q->by_source[siphash(&q->key, k, sizeof(*k)) &
			     (q->n_chains - 1)];
}

/* Chains get longer where there is no memory for more of them. */
static void grow(struct quota *q)
{
	struct quota grown = *q;

	grown.n_chains = q->n_chains ? q->n_chains * 2 : FIRST_CHAINS;
	grown.by_source = calloc(grown.n_chains, sizeof(struct quota_holder *));
	if (!grown.by_source)
		return;
	for (size_t i = 0; i < q->n_chains; i++) {
		struct quota_holder *h, *next, **to;

		for (h = q->by_source[i]; h; h = next) {
			next = h->chain;
			to = chain(&grown, &h->source);
			h->chain = *to;
			*to = h;
		}
	}
	free(q->by_source);
	q->by_source = grown.by_source;
	q->n_chains = grown.n_chains;
}

static struct quota_holder *holder_new(
	struct quota *q, const struct quota_key *k)
{
	struct quota_holder *h, **at;

	if (q->n_holders >= q->n_chains)
		grow(q);
	h = q->n_chains ? pool_take(&q->pool) : NULL;
	if (!h)
		return NULL;
	at = chain(q, k);
	h->source = *k;
	h->chain = *at;
	*at = h;
	q->n_holders++;
	return h;
}

static struct quota_holder *holder_of(
	struct quota *q, const struct net_address *source)
{
	struct quota_key k = key_of(source);
	struct quota_holder *h = q->last;

	/* Bursts are of one source. */
	if (h && memcmp(&h->source, &k, sizeof(k)) == 0)
		return h;
	h = q->n_chains ? *chain(q, &k) : NULL;
	while (h && memcmp(&h->source, &k, sizeof(k)) != 0)
		h = h->chain;
	q->last = h ? h : holder_new(q, &k);
	return q->last;
}

static void forget_if_empty(struct quota *q, struct quota_holder *h)
{
	struct quota_holder **at;

	if (h->count)
		return;
	at = chain(q, &h->source);
	while (*at != h)
		at = &(*at)->chain;
	*at = h->chain;
	q->n_holders--;
	if (q->last == h)
		q->last = NULL;
	pool_give(&q->pool, h);
}

static void set_count(struct quota *q, struct quota_holder *h, size_t count)
{
	if (h->count)
		DL_DELETE(q->by_count[h->count], h);
	h->count = (uint32_t)count;
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
	return q->n_holders;
}
