/*
 * discovery: the table of what has been heard: who announced what, on which
 * segment, until when. The folder's one header for others.
 *
 * Life cycle:
 *   1. discovery_new() makes an empty table on a loop.
 *   2. discovery_heard() is given what the relay hands out;
 *      discovery_configure() follows each relay_configure(), and
 *      discovery_ready() and discovery_left() the segments.
 *   3. The readers show it, its callback tells what changes.
 *   4. discovery_close() ends it; its memory goes once the loop has closed its
 *      timer.
 *
 * Where a group says `repeat`, what is live is relayed again from here.
 */
#ifndef CRIER_DISCOVERY_DISCOVERY_H
#define CRIER_DISCOVERY_DISCOVERY_H

#include "config/config.h"
#include "net/net.h"
#include "relay/relay.h"
#include "stash/stash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct discovery;
struct discovery_entry;

/* Longer texts of announcers are cut off, between characters. */
enum {
	DISCOVERY_NAME = 256, /* bytes, the NUL included */
	DISCOVERY_TYPE = 256,
	DISCOVERY_HOST = 256,
	DISCOVERY_LOCATION = 512,
	DISCOVERY_DETAIL = 512,
	DISCOVERY_ADDRESSES = 8, /* of one host */
};

/* Lifetimes are believed up to a day, in seconds. */
enum { DISCOVERY_LIFETIME_MAX = 24 * 60 * 60 };

enum discovery_change {
	DISCOVERY_NEW,
	DISCOVERY_CHANGED, /* what it says of itself, not just its times */
	DISCOVERY_GONE,
};

/* Why an entry is gone. */
enum discovery_reason {
	DISCOVERY_STAYS,
	DISCOVERY_EXPIRED, /* nobody refreshed it */
	DISCOVERY_GOODBYE, /* it said so */
	DISCOVERY_EVICTED, /* its source had too many */
	DISCOVERY_LEFT,    /* its segment or its group is no more */
	DISCOVERY_REASONS,
};

/* "" for DISCOVERY_STAYS, "expired", "goodbye", "evicted", "left". */
const char *discovery_reason_word(enum discovery_reason r);

/*
 * changed: of an entry, which is readable until the callback returns. Runs from
 *   the loop or from within the functions below; may not call back into them,
 *   readers apart. May be NULL.
 */
struct discovery_callbacks {
	void (*changed)(void *data, const struct discovery_entry *e,
		enum discovery_change change, enum discovery_reason why);
	void *data;
};

/*
 * Makes a table. `relay` must outlive it.
 * bound: how many entries, 1 or more.
 * Returns 0; -ENOMEM; what getrandom(2) says.
 */
int discovery_new(struct discovery **ret, uv_loop_t *loop, struct relay *relay,
	size_t bound, const struct discovery_callbacks *callbacks);
/* Ends it: no callback runs any more. NULL is fine. */
void discovery_close(struct discovery *d);

/* Takes over the bound, and forgets what belongs to groups and segments that
 * are no more. Groups that stay keep their entries. */
void discovery_configure(struct discovery *d, const struct config *c);

/* Writes the table down for the process that comes after. */
void discovery_save(const struct discovery *d, struct stash_writer *out);
/* Takes it up in an empty table, before anything is heard; what has ended
 * meanwhile ends soon, and what belongs to no group with discovery_configure().
 * Nobody is told of what comes. */
void discovery_restore(struct discovery *d, struct stash_reader *in);

/* Takes in what was heard. */
void discovery_heard(struct discovery *d, const struct relay_heard *h);
/* A segment's device is no more: so is all that was heard there. */
void discovery_left(struct discovery *d, const struct relay_segment *s);
/* A segment can send: what is live in its group and to be repeated is said
 * there, soon. */
void discovery_ready(struct discovery *d, const struct relay_segment *s);

/* ---- readers ---- */

/* What an entry shows. Pointers are valid until the table changes. Texts are as
 * they were announced, whatever bytes they have, without NULs. */
struct discovery_info {
	uint64_t id; /* greater than those of all entries that came before */
	const char *group, *interface, *device; /* "" at another site */
	const char *site; /* the other site that it is at; NULL: it is here */
	enum config_payload protocol;
	struct net_address source; /* who announced it; a site may not say */
	/*
	 * mDNS: the instance. SSDP: the USN. WS-Discovery: the endpoint's
	 * address. Others: the latest excerpt, of printable characters.
	 */
	const char *name;
	const char *type; /* service type, NT or ST, Types; or "" */
	const char *host; /* mDNS: of the service; or "" */
	uint16_t port;    /* mDNS: the service's; none: the source's; else 0 */
	const char *location; /* SSDP: LOCATION. WS-Discovery: XAddrs. Or "" */
	/* mDNS: the TXT strings, each ended by a newline. SSDP: SERVER. Or ""
	 */
	const char *detail;
	struct net_address addresses[DISCOVERY_ADDRESSES]; /* of the host */
	size_t n_addresses;
	int64_t first_seen_ms, last_seen_ms; /* since 1970 */
	uint64_t expires_in_ms;
	uint64_t count; /* announcements that told of it */
};

void discovery_get(const struct discovery *d, const struct discovery_entry *e,
	struct discovery_info *ret);

/* A name as an entry shows it: cut off where it is too long, and blanks for
 * what does not stand in a line. Returns `to`. */
const char *discovery_name(
	const struct proto_piece *p, char to[DISCOVERY_NAME]);

/*
 * The first entry whose id is greater than `id`; 0 begins, NULL ends. Who goes
 * on from the id of the last one that was read misses and repeats none, however
 * the table changes meanwhile. Takes logarithmic time.
 */
const struct discovery_entry *discovery_after(
	const struct discovery *d, uint64_t id);

/*
 * Within the callback, of an entry that came, changed or said goodbye: the
 * datagram that told of it, or NULL (none did just now).
 */
const struct relay_heard *discovery_message(const struct discovery *d);

/* How many entries a segment of a group has, or another site. */
struct discovery_count {
	const char *group, *interface, *device;
	const char *site; /* NULL: a segment of this host */
	size_t entries;
};

/* Calls `each` for every segment that anything has been heard on. */
void discovery_each_count(const struct discovery *d,
	void (*each)(void *data, const struct discovery_count *c), void *data);

void discovery_limit(const struct discovery *d, struct relay_limit *ret);

#endif
