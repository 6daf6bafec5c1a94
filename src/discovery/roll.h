/*
 * roll: what has a number, in the order of the numbers.
 *
 * Numbers are given out upwards and never again, so who is behind a number is
 * found in logarithmic time, also where the one who had it is gone: the place
 * keeps the number until the gaps are closed. Pure state.
 */
#ifndef CRIER_DISCOVERY_ROLL_H
#define CRIER_DISCOVERY_ROLL_H

#include <stddef.h>
#include <stdint.h>

/* Embedded, as the first member, in what is on the roll. */
struct roll_item {
	uint64_t id; /* for everybody to read */
	/* Private. */
	size_t place;
};

struct roll {
	/* Private. A place holds an item, or where it is odd the number of one
	 * that is gone, and a one behind it: of 64 bits everywhere, since a
	 * number of 31 would not last. */
	uint64_t *places;
	size_t n, room, gone;
	uint64_t last; /* number */
};

/* All zero is an empty roll. Frees what the roll itself holds. */
void roll_done(struct roll *r);
/* Gives it the next number, from 1 on. Returns 0, or -ENOMEM. */
int roll_add(struct roll *r, struct roll_item *i);
void roll_remove(struct roll *r, struct roll_item *i);
/* The first one with a number above `id`, or NULL. */
struct roll_item *roll_after(const struct roll *r, uint64_t id);

#endif
