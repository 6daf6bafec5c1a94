/*
 * exposition: metrics in Prometheus' text format (version 0.0.4).
 *
 * Pure, but for the memory. Samples of one family stand together, behind
 * exposition_family(). What is no UTF-8 in a label, and what a terminal must
 * not be shown, becomes U+FFFD.
 */
#ifndef CRIER_CONTROL_EXPOSITION_H
#define CRIER_CONTROL_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct exposition {
	/* Private. */
	FILE *stream;
	char *text;
	size_t size;
	const char *family;
};

struct exposition_label {
	const char *name, *value;
};

/* Returns 0, or -ENOMEM. */
int exposition_begin(struct exposition *e);

/* type: "counter" (the name ends with _total) or "gauge". `name` must outlive
 * the family. */
void exposition_family(struct exposition *e, const char *name, const char *type,
	const char *help);

/* A sample of the family. */
void exposition_sample(struct exposition *e,
	const struct exposition_label labels[], size_t n_labels,
	uint64_t value);

/* A family of one sample without labels. */
void exposition_single(struct exposition *e, const char *name, const char *type,
	const char *help, uint64_t value);

/* The text, for the caller to free(); NULL where memory ran out. */
char *exposition_end(struct exposition *e, size_t *ret_size);

#endif
