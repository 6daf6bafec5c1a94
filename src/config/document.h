/*
 * document: what every configuration goes through, from the bytes of its file
 * to the tables of keys that read it.
 */
#ifndef CRIER_CONFIG_DOCUMENT_H
#define CRIER_CONFIG_DOCUMENT_H

#include "config/read.h"

/*
 * Reads the file `path`. The caller owns `*ret_text`.
 * Returns 0; -EINVAL (see `errors`) or -ENOMEM.
 */
int document_load(const char *path, char **ret_text, size_t *ret_size,
	struct config_errors *errors);

/*
 * Reads `text` into `base`: `read` gets its root. `needs`: what an empty file
 * lacks.
 * Returns 0 where nothing is wrong, also with what `r` read before; -EINVAL
 * (see the errors of `r`, which are in order) or -ENOMEM.
 */
int document_read(struct reader *r, const char *text, size_t size,
	void (*read)(const struct spot *root, void *base), void *base,
	const char *needs);

#endif
