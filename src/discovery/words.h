/*
 * words: the texts of an entry, in one piece of memory.
 */
#ifndef CRIER_DISCOVERY_WORDS_H
#define CRIER_DISCOVERY_WORDS_H

#include "proto/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum word { WORD_NAME, WORD_TYPE, WORD_LOCATION, WORD_DETAIL, WORDS };

struct words {
	/* Private. */
	uint16_t room;          /* bytes of `text` */
	uint16_t at[WORDS + 1]; /* where each begins, and the end */
	char text[];
};

/* What becomes of the texts; a piece whose `at` is NULL stays as it is. */
struct words_change {
	struct proto_piece piece[WORDS];
};

/*
 * Changes the texts of `*w`, which is NULL at first; the caller frees it. Texts
 * that grow longer than they ever were allocate, others do not. They
 * are cut off at their greatest length between characters, and what would end
 * a text or a line in its middle becomes a blank. Lines of the detail stay.
 * Returns 1 where they are others now, 0 where they are the same, -ENOMEM and
 * they stay.
 */
int words_set(struct words **w, const struct words_change *c);

/* "" where there is none. */
const char *words_get(const struct words *w, enum word which);

#endif
