/*
 * input: a whole file, into memory.
 */
#ifndef CRIER_CONFIG_INPUT_H
#define CRIER_CONFIG_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads all of `path`; with `regular_only` no pipe and no device. The caller
 * owns `*ret`, which ends with a NUL that `*ret_size` leaves out.
 * Returns 0; -EFBIG (more than `max` bytes); -EISDIR; -ENOTSUP (not regular);
 * -ENOMEM; or what open() and read() say.
 */
int input_read(const char *path, bool regular_only, size_t max, char **ret,
	size_t *ret_size);

#endif
