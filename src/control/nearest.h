/*
 * nearest: which of the names that would be right did somebody mean?
 *
 * Pure. nearest_begin(), nearest_offer() for each right name, nearest_found().
 */
#ifndef CRIER_CONTROL_NEAREST_H
#define CRIER_CONTROL_NEAREST_H

#include <stddef.h>

struct nearest {
	/* Private. */
	const char *word;
	const char *best;
	size_t distance;
};

/* `word` and the names offered must stay valid until nearest_found(). */
void nearest_begin(struct nearest *n, const char *word);
void nearest_offer(struct nearest *n, const char *name);

/*
 * The name that is nearest to the word, where that is near enough for a slip
 * of the fingers: up to a third of its letters. NULL: none is.
 */
const char *nearest_found(const struct nearest *n);

#endif
