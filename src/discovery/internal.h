/* The discovered table's own structures. Private to this folder. */
#ifndef CRIER_DISCOVERY_INTERNAL_H
#define CRIER_DISCOVERY_INTERNAL_H

#include "discovery/echo.h"
#include "discovery/table.h"

#include <stdbool.h>

enum {
	/* Work for one turn of the loop, before the relay has its turn. */
	DISCOVERY_TURN = 256,
	/* The same for what is repeated, which others must take in. */
	DISCOVERY_REPEATS = 64,
	/* Payloads that are kept to be repeated, and how large, in bytes. */
	DISCOVERY_KEPT = 8192,
	DISCOVERY_KEPT_BYTES = 4096,
	/* Segments that wait for what is live. */
	DISCOVERY_REPLAYS = 64,
	/* Segments whose place is found at once; a power of two. */
	DISCOVERY_PLACED = 256,
	/* Other sites, counted in each group. */
	DISCOVERY_SITES = 4096,
	/* A segment that has just come up has hosts that just came up. */
	DISCOVERY_REPLAY_DELAY_MS = 200,
};

/* What an entry said last, to be said again. */
struct kept {
	struct quota_item item;   /* first */
	struct kept *prev, *next; /* of the place, by when they are due */
	struct discovery_entry *entry;
	uint64_t due_ms;
	uint64_t segment; /* relay_segment_id(), at the last look */
	struct net_address channel;
	uint16_t channel_port;
	struct net_address source, destination;
	uint16_t port;
	int ttl;
	size_t size;
	uint8_t data[];
};

/* A segment that is told what is live: those behind `after` are still to do. */
struct replay {
	uint64_t segment;
	uint64_t due_ms;
	uint64_t after;
};

struct discovery {
	uv_loop_t *loop;
	struct relay *relay;
	struct discovery_callbacks callbacks;
	struct table table;
	struct place *places, *leaving;
	/* Which place a segment was last: by the low bits of its id. */
	struct placed {
		uint64_t segment; /* relay_segment_id(); 0: none */
		struct place *place;
	} placed[DISCOVERY_PLACED];
	size_t sites;           /* of the places */
	uint64_t leaving_after; /* entries up to this one are looked at */
	uint64_t last_place;
	const struct relay_heard *message; /* that is taken in now, or NULL */
	/* Entries that the message of now tells of, and the list's end. */
	struct discovery_entry *touched, **touched_end;
	uv_timer_t timer;
	uint64_t armed_ms; /* when it runs; 0: it does not */

	/* Who was heard last without an identity, and its digest. */
	struct speaker {
		uint64_t place;
		struct net_address source;
		uint16_t port;
		uint64_t digest;
	} last_speaker;

	struct echo echo;
	struct quota kept;
	struct replay replays[DISCOVERY_REPLAYS];
	size_t n_replays;
};

/* ---- place.c ---- */

/* Removes entries of places that leave, and those places, in turns. */
void place_drain(struct discovery *d);
/* Adds one that has an id and names. */
void place_add(struct discovery *d, struct place *p);
/* Frees one that was not added, with its names. */
void place_free(struct place *p);
/* Frees all places, whose entries must be gone. */
void place_free_all(struct discovery *d);

/* ---- discovery.c ---- */

/* The configuration of the segment's group. */
const struct config_group *discovery_group(const struct relay_segment *s);

/* The place of a segment, which is made where there is none. NULL: no memory,
 * or the segment has no device. */
struct place *discovery_place(
	struct discovery *d, const struct relay_segment *s);

/* The place of the site that brought `h`, which is made where there is none.
 * NULL: no memory, or there are too many that have entries. */
struct place *discovery_site(struct discovery *d, const struct relay_heard *h);

/* Has the timer run for what is due next. */
void discovery_arm(struct discovery *d);

/* Tells of an entry that is new or changed. */
void discovery_tell(struct discovery *d, struct discovery_entry *e);

/* ---- apply.c: messages into entries ---- */

void apply_heard(
	struct discovery *d, struct place *p, const struct relay_heard *h);
/* An entry goes, which may have been touched. */
void apply_forget(struct discovery *d, struct discovery_entry *e);

/* ---- repeat.c: `repeat` of a group, and replays ---- */

/*
 * Whether an announcement may keep its entry alive: false for what another
 * relay repeats (echo.h). `until_ms` is when the entry would end.
 */
bool repeat_is_first(struct discovery *d, const struct place *p,
	const struct relay_heard *h, uint64_t until_ms);
/* Keeps what an entry said, where its group repeats. */
void repeat_keep(struct discovery *d, struct discovery_entry *e,
	const struct relay_heard *h);
/* Keeps `like->size` bytes of `data`, and what else stands in `like`, of which
 * entry and links do not count. Later than what is due in its place already. */
void repeat_put(struct discovery *d, struct discovery_entry *e,
	const struct kept *like, const void *data);
/* Lets go of it. */
void repeat_forget(struct discovery *d, struct discovery_entry *e);
/* Takes over the interval of a place's group. */
void repeat_configure(struct discovery *d, struct place *p, uint64_t repeat_ms);
/* Repeats what is due. */
void repeat_run(struct discovery *d, uint64_t now_ms);
/* When that is worth calling again. False: there is nothing to repeat. */
bool repeat_next(const struct discovery *d, uint64_t *ret_ms);

#endif
