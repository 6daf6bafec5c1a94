/*
 * table: the entries, by what tells them apart, in the order in which they
 * came, by when they end, and by whom they are of.
 *
 * Pure state: times are milliseconds on any monotonic scale. A bound is shared
 * fairly among sources: the one that holds most gives up what it has not
 * refreshed for longest.
 */
#ifndef CRIER_DISCOVERY_TABLE_H
#define CRIER_DISCOVERY_TABLE_H

#include "bounds/bounds.h"
#include "discovery/book.h"
#include "discovery/discovery.h"
#include "discovery/roll.h"
#include "discovery/wheel.h"
#include "discovery/words.h"

/* Lifetimes end within so many milliseconds. */
enum { TABLE_TICK_MS = 100 };

/* A segment as entries see it: all channels of one device in a group. */
struct place {
	struct place *next;
	uint64_t id; /* never used twice */
	char *group, *interface, *device;
	char *site; /* NULL: here; else it has neither interface nor device */
	enum config_payload protocol;
	unsigned index; /* of the device; 0: not known */
	size_t entries;
	bool is_marked, is_leaving; /* see place.c */

	/* ---- repeat.c ---- */
	uint64_t lasting;          /* what echo.h knows it by */
	uint64_t repeat_ms;        /* 0: off */
	struct kept *first, *last; /* to be repeated, the next one first */
};

struct discovery_entry {
	struct roll_item roll; /* first */
	struct quota_item item;
	struct wheel_item timer;
	struct discovery_entry *chain;
	uint64_t digest;
	struct place *place;
	struct words *words;
	struct book_host *host; /* of an mDNS service, or NULL */
	struct kept *kept;      /* to be repeated, or NULL */
	uint64_t until_ms;
	int64_t first_seen_ms, last_seen_ms; /* since 1970 */
	struct net_address source;
	uint16_t port;
	bool has_pointer : 1; /* mDNS: a PTR says how long it lives */
	bool is_bye : 1;      /* it said goodbye, and ends soon */
	bool is_new : 1;      /* nobody has been told */
	bool is_changed : 1;  /* likewise */
	bool is_touched : 1;  /* the message of now tells of it */
	uint32_t count;
	struct discovery_entry *touched; /* the next one of those */
};

struct table {
	/* Private. */
	struct siphash_key key;
	struct pool pool;
	struct discovery_entry **chains; /* by digest */
	size_t n_chains;                 /* a power of two, or 0 */
	struct roll roll;
	struct wheel wheel;
	struct quota quota;
	struct book book;
	/* An entry goes: the last moment to look at it. */
	void (*gone)(void *data, struct discovery_entry *e,
		enum discovery_reason why);
	void *data;
};

void table_init(struct table *t, size_t bound, const struct siphash_key *key,
	uint64_t now_ms);
/* Frees all, telling of nothing. */
void table_done(struct table *t);

/* What tells an entry from others: `size` bytes, on a place. */
uint64_t table_digest(const struct table *t, const struct place *p,
	const void *identity, size_t size);

struct discovery_entry *table_find(const struct table *t, uint64_t digest);
/*
 * Adds one that is not there yet, with a lifetime of none: to be set at once.
 * Makes room. Returns NULL without memory, which counts as refused.
 */
struct discovery_entry *table_add(struct table *t, struct place *p,
	uint64_t digest, const struct net_address *source, uint64_t now_ms);
/* Told, by `gone`, unless it is new. */
void table_remove(
	struct table *t, struct discovery_entry *e, enum discovery_reason why);

/* Says until when it lives, sooner or later than before. */
void table_set_until(
	struct table *t, struct discovery_entry *e, uint64_t until_ms);
/* It was heard of at `seen_ms` since 1970: it is the last that its source has
 * to give up. */
void table_touch(struct discovery_entry *e, int64_t seen_ms);

/* True while there are more than the bound allows, as after it was lowered. */
bool table_is_over(const struct table *t);
/* Evicts what is over it, up to `most` entries. */
void table_trim(struct table *t, size_t most);

/* Removes what has ended, up to `most` entries. True if there is more. */
bool table_expire(struct table *t, uint64_t now_ms, size_t most);
/* When that is worth calling again. False: nothing ends. */
bool table_next(const struct table *t, uint64_t *ret_ms);

/* The first entry with a number above `id`, or NULL. */
struct discovery_entry *table_after(const struct table *t, uint64_t id);

#endif
