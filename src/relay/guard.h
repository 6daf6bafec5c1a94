/*
 * guard: remembers the payloads of one channel so that relay loops die out.
 *
 * What a segment has heard or been sent within a window is not sent to it
 * again, whoever brings it: it would tell nobody there anything new (RFC 6762,
 * 7.3 and 7.4). A host that repeats itself passes, but not without end.
 *
 * Pure state: no socket, no clock. Times are milliseconds on any monotonic
 * scale. Segments are told apart by slots, small numbers given out here.
 *
 * Life cycle:
 *   1. guard_init(); guard_slot_take() for each segment.
 *   2. For each datagram guard_hear(), then for each segment out
 *      guard_may_send() and guard_sent(), or guard_unsent() if that failed.
 *   3. guard_done().
 */
#ifndef CRIER_RELAY_GUARD_H
#define CRIER_RELAY_GUARD_H

#include "net/net.h"
#include "relay/remembered.h"
#include "stash/stash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many repeats of one host in a row pass before it is silenced. */
enum { GUARD_REPEATS = 16 };

/* No segment has this slot. */
#define GUARD_NO_SLOT UINT32_MAX

struct guard {
	/* Private. */
	uint64_t window_ms;
	struct remembered memory;
	bool *taken; /* [slots] */
	uint32_t slots;
};

/* What the guard knows of a datagram that has just been heard. */
struct guard_ruling {
	/* NULL: nothing is remembered, and everything passes. */
	struct guard_entry *entry;
	uint64_t digest; /* tells whether `entry` is still the same later */
	bool silenced;   /* passes nowhere */
	bool storm;      /* and this datagram is what silenced it */
	bool repeated;   /* the host repeats itself: passes everywhere */
};

/* window_ms: how long a payload counts as recent; 0: the guard is off. `quota`
 * must outlive the guard. */
void guard_init(struct guard *g, uint64_t window_ms, struct quota *quota);
void guard_done(struct guard *g);

/* Gives out the lowest free slot. Returns 0 or -ENOMEM. */
int guard_slot_take(struct guard *g, uint32_t *ret);
/* Takes a slot back and forgets what was heard or sent there. */
void guard_slot_give(struct guard *g, uint32_t slot);

/* Says that a payload of this digest will be heard soon, which is worth while
 * where other work lies in between. */
void guard_expect(const struct guard *g, uint64_t digest);

/*
 * Records that `source` was heard on `slot` with a payload of this digest.
 * Makes room in the quota where it must, also in other guards that share it.
 * Returns 0, or -ENOMEM and `ret` untouched: relaying without memory would
 * invite a loop.
 */
int guard_hear(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms,
	struct guard_ruling *ret);

/*
 * The same of what something brings on `slot` for `source`, which may do so
 * twice: no host repeats itself by it, so it passes where it is news, and
 * nobody is silenced.
 */
int guard_bring(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms,
	struct guard_ruling *ret);

/* True if the datagram may be sent on `slot`. */
bool guard_may_send(const struct guard *g, const struct guard_ruling *r,
	uint32_t slot, uint64_t now_ms);

/* Records that it is sent on `slot`. */
void guard_sent(struct guard *g, const struct guard_ruling *r, uint32_t slot,
	uint64_t now_ms);

/* Takes that back: what was held back does not count, so nothing starves. */
void guard_unsent(struct guard *g, const struct guard_ruling *r, uint32_t slot);

/*
 * Records that a payload of this digest, which `source` had no part in making,
 * is sent on `slot`. Nobody repeats it then. Returns 0 or -ENOMEM.
 */
int guard_note(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t slot, uint64_t now_ms);

/*
 * Records that what `source` was heard with on `from` a while ago is sent once
 * more on `slot`. It is the host's own still: it passes when it says it again.
 * Returns 0 or -ENOMEM.
 */
int guard_repeat(struct guard *g, uint64_t digest,
	const struct net_address *source, uint32_t from, uint32_t slot,
	uint64_t now_ms);

/*
 * Writes down what is recent, for guard_resume() of a process that comes after,
 * one record each. There `slots` says which slot has taken the place of each of
 * the `n` of then; GUARD_NO_SLOT: none. One record is read at a time.
 */
void guard_save(
	const struct guard *g, uint64_t now_ms, struct stash_writer *out);
void guard_resume(struct guard *g, uint64_t now_ms, struct stash_reader *in,
	const uint32_t *slots, size_t n);

/* Forgets what is no longer recent. */
void guard_expire(struct guard *g, uint64_t now_ms);

#endif
