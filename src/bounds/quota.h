/*
 * quota: shares a bound fairly among those who fill it.
 *
 * Items belong to holders, which are network sources. When the bound is
 * reached, the holder with the most items gives up its own oldest one, so that
 * one talker cannot push out others. Every operation takes constant time.
 *
 * Pure state: no clock, no socket. Items are embedded in what they count, and
 * owned by the caller.
 *
 * Life cycle: quota_init(), quota_add() and quota_remove() of items,
 * quota_done() once no item is left.
 */
#ifndef CRIER_BOUNDS_QUOTA_H
#define CRIER_BOUNDS_QUOTA_H

#include "bounds/pool.h"
#include "bounds/siphash.h"
#include "net/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quota_holder;

struct quota_item {
	/* Private. */
	struct quota_holder *holder; /* NULL: counted nowhere */
	struct quota_item *prev, *next;
};

struct quota {
	/* Private, but for the numbers, which anybody may read. */
	size_t bound, used;
	uint64_t refused, evicted;
	struct siphash_key key;
	struct pool pool;
	struct quota_holder **by_source; /* chains */
	size_t n_chains, n_holders;      /* a power of two, or 0 */
	struct quota_holder *last;       /* that was asked for, or NULL */
	struct quota_holder **by_count;  /* [n]: holders of n items */
	size_t by_count_size;
	size_t most;
};

/* Prepares an empty quota of `bound` items, 1 or more. */
void quota_init(struct quota *q, size_t bound, const struct siphash_key *key);

/* Frees it. Items that are still counted must not be used with it again. */
void quota_done(struct quota *q);

/* Changes the bound. What is over it then goes as room is asked for. */
void quota_set_bound(struct quota *q, size_t bound);

/* The item to give up before another can be added, or NULL while there is
 * room. The caller removes it, with what it stands for, and asks again. */
struct quota_item *quota_surplus(const struct quota *q);

/* The next oldest of the same holder, or NULL. */
const struct quota_item *quota_next(const struct quota_item *item);

/* Whose it is: an address without a scope. Only while it is counted. */
void quota_source(const struct quota_item *item, struct net_address *ret);
/* True if it is that of `source`, whatever its scope. */
bool quota_is_of(
	const struct quota_item *item, const struct net_address *source);

/*
 * Counts `item` for `source` (port and scope do not matter).
 * Returns 0; -ENOMEM; -ENOSPC while quota_surplus() has something to give up.
 */
int quota_add(struct quota *q, struct quota_item *item,
	const struct net_address *source);

/* Makes `item` the newest of its holder. */
void quota_touch(struct quota_item *item);

/* Counts `item` no more. Idempotent. */
void quota_remove(struct quota *q, struct quota_item *item);

/* How many holders there are: sources that have items. */
size_t quota_holders(const struct quota *q);

#endif
