/*
 * base64: bytes as text (RFC 4648, 4). Pure.
 */
#ifndef CRIER_CONTROL_BASE64_H
#define CRIER_CONTROL_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters of `size` bytes as text, without a NUL. */
#define BASE64_TEXT(size) (((size) + 2) / 3 * 4)

/* Writes BASE64_TEXT(size) characters, padding included; returns how many. */
size_t base64_encode(const uint8_t *data, size_t size, char *out);

/*
 * Reads `size` characters into `out`, which has room for size / 4 * 3 bytes
 * and may be written to on failure too. Returns 0; -EINVAL (another character,
 * or not padded).
 */
int base64_decode(
	const char *text, size_t size, uint8_t *out, size_t *ret_size);

#endif
