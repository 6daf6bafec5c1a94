/*
 * remembered: the payloads that a loop guard knows, by digest and by age.
 * Private to this folder.
 *
 * Laid out for the cache: under load there are tens of thousands of them, and
 * each datagram is another one. To find, add and forget one takes a line of a
 * table of eight bytes each, and two lines of the entry, which lie in memory
 * in the order in which they are used; what comes next is fetched meanwhile.
 *
 * Pure state: no socket, no clock. Nothing is allocated once it has grown to
 * what traffic needs.
 */
#ifndef CRIER_RELAY_REMEMBERED_H
#define CRIER_RELAY_REMEMBERED_H

#include "bounds/bounds.h"
#include "net/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct remembered;

/* Times of which only the low 32 bits are kept are compared with those of an
 * entry that is recent. */
struct guard_entry {
	struct quota_item item;  /* first: a quota gives these back */
	struct remembered *home; /* NULL: forgotten */
	uint64_t digest;
	uint64_t heard_ms;     /* last, anywhere */
	uint32_t number;       /* of this entry, from 1 */
	uint32_t older, newer; /* numbers; 0: none */

	/* The host that was heard first, whose item it is, and how it repeats
	 * itself. */
	uint32_t host_slot;
	uint32_t host_ms;  /* last */
	uint32_t in_a_row; /* that passed; one more: it has been silenced */
	uint32_t silent_until_ms;
	bool is_silenced; /* until then, at the least */

	/*
	 * When each slot heard or was sent it: mostly all at once, when it was
	 * first heard. So there is a bit for each slot that was, then a bit for
	 * each that has a time of its own, and then those times.
	 */
	uint32_t first_ms;
	uint64_t slots[];
};

struct remembered {
	/* Private. */
	struct quota *quota;            /* shared by all of a relay */
	struct remembered_place *table; /* open addressing */
	size_t table_size;              /* a power of two, or 0 */
	size_t used;
	uint32_t oldest, newest;
	uint8_t **chunks; /* of entries */
	size_t n_chunks;
	uint32_t free; /* a list by `newer` */
	uint32_t n_slots;
	size_t entry_bytes;
};

/* `quota` must outlive it. */
void remembered_init(struct remembered *r, struct quota *quota);
void remembered_done(struct remembered *r);

/* Makes room for `n_slots` slots in each entry, forgetting all. */
void remembered_resize(struct remembered *r, uint32_t n_slots);

/* Says that something of this digest will be looked for soon. */
void remembered_expect(const struct remembered *r, uint64_t digest);

/* NULL: there is none. */
struct guard_entry *remembered_find(
	const struct remembered *r, uint64_t digest);

/*
 * Adds one that is not there yet, as an item of `source`, heard at `now_ms`, by
 * no slot. Makes room in the quota where it must, also elsewhere.
 * Returns NULL without memory.
 */
struct guard_entry *remembered_add(struct remembered *r, uint64_t digest,
	const struct net_address *source, uint64_t now_ms);
void remembered_forget(struct guard_entry *e);
/* It is the newest. */
void remembered_touch(struct guard_entry *e, uint64_t now_ms);

/* From the oldest on, in the order of heard_ms; NULL ends. */
struct guard_entry *remembered_oldest(const struct remembered *r);
struct guard_entry *remembered_newer(const struct guard_entry *e);

/* Notes that a slot heard it or was sent it, or that it was not. */
void remembered_mark(struct guard_entry *e, uint32_t slot, uint64_t now_ms);
void remembered_unmark(struct guard_entry *e, uint32_t slot);
/* When that was, the low 32 bits. False: never. */
bool remembered_at(
	const struct guard_entry *e, uint32_t slot, uint32_t *ret_ms);

#endif
