/*
 * decode: bytes that are written as text. Pure, and strict: nothing is skipped.
 */
#ifndef CRIER_CONFIG_DECODE_H
#define CRIER_CONFIG_DECODE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Each decodes `size` characters of `text` and sets `*ret_size`. `ret` has room
 * for `size` bytes, which is more than either needs.
 * Returns 0 or -EINVAL.
 */
int decode_hex(const char *text, size_t size, uint8_t *ret, size_t *ret_size);
/* RFC 4648, 4: with padding, and no bits set beneath it. */
int decode_base64(
	const char *text, size_t size, uint8_t *ret, size_t *ret_size);

#endif
