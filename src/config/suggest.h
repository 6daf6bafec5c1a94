/*
 * suggest: says what would have been right instead of a misspelt name.
 *
 * Pure. Begin with the wrong name, offer every right one, then ask for the end
 * of the sentence.
 */
#ifndef CRIER_CONFIG_SUGGEST_H
#define CRIER_CONFIG_SUGGEST_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

struct suggest {
	/* Private. */
	struct config_nearest nearest;
	size_t used, left_out;
	char known[512]; /* the right names, as many as fit */
};

void suggest_init(struct suggest *s, const char *wrong);
/* `right` must outlive `s`. */
void suggest_offer(struct suggest *s, const char *right);

bool suggest_found(const struct suggest *s); /* true if one is near */
/*
 * The end of a sentence about the wrong name: `, did you mean "NAME"?` where
 * one is near, else `, known: A, B, C`, or nothing where nothing was
 * offered. Writes to `buffer` and returns it.
 */
enum { SUGGEST_TEXT = 640 };
const char *suggest_text(const struct suggest *s, char *buffer);

#endif
