/*
 * arena: the memory of one XML document.
 *
 * expat tells its allocator a size and nothing else, so the arena that it takes
 * from is lent to it, for the length of a call.
 */
#ifndef CRIER_PROTO_ARENA_H
#define CRIER_PROTO_ARENA_H

#include <expat.h>
#include <stdalign.h>
#include <stddef.h>

/*
 * A Probe takes 12 KiB, a full envelope of ProbeMatches 42 KiB. Only a document
 * that consists of thousands of different names takes more than there is.
 */
enum { ARENA_BYTES = 256 * 1024 };

struct arena {
	/* Private. */
	size_t used;
	alignas(max_align_t) unsigned char bytes[ARENA_BYTES];
};

/*
 * Empties an arena and lends it to this thread, until arena_take_back(). What
 * was in it before is gone.
 */
void arena_lend(struct arena *a);
void arena_take_back(void);

/* Takes from the arena that is lent. Nothing is ever freed in it: NULL where it
 * is full. */
extern const XML_Memory_Handling_Suite arena_suite;

#endif
