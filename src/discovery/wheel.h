/*
 * wheel: what is due when, in a hierarchy of slots.
 *
 * To add, to move and to take out is constant time, and so is to ask what comes
 * next; nothing is ever looked at that is not due, but for being moved to a
 * finer slot, at most WHEEL_LEVELS - 1 times (Varghese and Lauck 1987, scheme
 * 7). Pure state: time is a number of ticks that never goes back, and ends at
 * 32 bits: 13 years of a machine that is up, at ten a second.
 */
#ifndef CRIER_DISCOVERY_WHEEL_H
#define CRIER_DISCOVERY_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

/* Enough levels for every tick that there is. */
enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 6 };

/* Embedded in what is due. All zero: in no wheel. */
struct wheel_item {
	/* Private. */
	struct wheel_item *prev, *next;
	uint32_t at;
};

struct wheel {
	/* Private. */
	uint32_t now;
	uint64_t busy[WHEEL_LEVELS]; /* bit of each slot that may hold items */
	struct wheel_item slots[WHEEL_LEVELS][WHEEL_SLOTS]; /* ring heads */
	struct wheel_item due;
};

void wheel_init(struct wheel *w, uint32_t now);
/* Adds an item that is in no wheel. What is not after now is due at once. */
void wheel_add(struct wheel *w, struct wheel_item *i, uint32_t at);
/* Takes it out. Idempotent. */
void wheel_remove(struct wheel_item *i);
/* The tick of the next item at the latest: not after it, but perhaps before.
 * False: there is none. */
bool wheel_next(const struct wheel *w, uint32_t *ret);
/* Takes out one item that is due at `now`; NULL: none is. */
struct wheel_item *wheel_take(struct wheel *w, uint32_t now);

#endif
