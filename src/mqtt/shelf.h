/*
 * shelf: announcements by name, each with its latest datagram, until it ends.
 *
 * One holds what this site announces, another what others do. Its bound is
 * shared fairly among those who fill it: holders are addresses of announcers,
 * or of sites (sites_holder()).
 *
 * Pure state: no clock, no descriptor. Times are milliseconds on any monotonic
 * scale.
 */
#ifndef CRIER_MQTT_SHELF_H
#define CRIER_MQTT_SHELF_H

#include "bounds/bounds.h"
#include "mqtt/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shelf_name;

/* Items that wait for something, first come, first served. */
struct shelf_list {
	/* Private, but for the number. */
	struct shelf_item *first;
	size_t n;
};

struct shelf_item {
	/* For its owner to read and to write. */
	struct message *message; /* owned by the item, or NULL */
	uint8_t *payload;        /* likewise */
	size_t size;
	uint64_t heard;  /* tells one hearing of a datagram from another */
	unsigned tells;  /* bits: what the datagram tells of the entry */
	uint64_t survey; /* the last that knew of it */
	bool gone;       /* it has said goodbye */
	bool said;       /* that is published, but not that nothing is left */
	bool again;      /* it was published to a broker that was lost */
	bool adopted;    /* the broker had it, and nobody here has said it */
	bool onward;     /* another site's, which a hub passes on */
	void *lane;      /* of struct site_lane, or NULL */

	/* Only to read. */
	const char *name;
	uint64_t expires_ms;
	struct shelf_list *list; /* that it is in, or NULL */

	/* Private. */
	struct shelf_name *entry;
	struct quota_item quota;
	struct shelf_item *prev, *next;
	size_t place; /* in the heap */
};

struct shelf {
	/* Private, but for `quota`'s numbers. */
	struct quota quota;
	struct siphash_key key;
	struct shelf_name *names;
	struct shelf_item **heap; /* the soonest to expire first */
	size_t n, room;
	/* Told before an item goes, whatever the reason. */
	void (*leaves)(void *data, struct shelf_item *i);
	void *data;
};

/* `leaves` may be NULL. */
void shelf_init(struct shelf *s, size_t bound, const struct siphash_key *key,
	void (*leaves)(void *data, struct shelf_item *i), void *data);
void shelf_done(struct shelf *s);

size_t shelf_count(const struct shelf *s);
struct shelf_item *shelf_find(const struct shelf *s, const char *name);

/*
 * Finds an item, or makes one for `holder` that does not expire; when the
 * shelf is full, who holds most loses its oldest one.
 * Returns 0 (it was there), 1 (it is new), or -ENOMEM.
 */
int shelf_put(struct shelf *s, const char *name,
	const struct net_address *holder, struct shelf_item **ret);
void shelf_remove(struct shelf *s, struct shelf_item *i);

/* Replaces what it holds by copies. Returns 0, or -ENOMEM and nothing is
 * changed. */
int shelf_fill(struct shelf_item *i, const struct message *m,
	const void *payload, size_t size);
/* Lets go of what it holds, but not of the item. */
void shelf_empty(struct shelf_item *i);

void shelf_expires(struct shelf *s, struct shelf_item *i, uint64_t at_ms);
/* The item that expires soonest, or NULL. */
struct shelf_item *shelf_soonest(const struct shelf *s);

/* Calls `each` for all; it may list items, but not remove them. */
void shelf_each(const struct shelf *s,
	void (*each)(void *data, struct shelf_item *i), void *data);

/* Puts an item at the end of a list, unless it is in one; takes one from the
 * front (or NULL); takes it out of wherever it is. */
void shelf_list_add(struct shelf_list *l, struct shelf_item *i);
struct shelf_item *shelf_list_take(struct shelf_list *l);
void shelf_list_remove(struct shelf_item *i);

#endif
