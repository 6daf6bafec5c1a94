#include "control/base64.h"

#include <errno.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const uint8_t *data, size_t size, char *out)
{
	char *at = out;

	for (size_t i = 0; i < size; i += 3) {
		size_t n = size - i; /* of these, the next three */
		uint32_t bits = (uint32_t)data[i] << 16;

		if (n > 1)
			bits |= (uint32_t)data[i + 1] << 8;
		if (n > 2)
			bits |= data[i + 2];
		*at++ = alphabet[bits >> 18];
		*at++ = alphabet[bits >> 12 & 63];
		*at++ = n > 1 ? alphabet[bits >> 6 & 63] : '=';
		*at++ = n > 2 ? alphabet[bits & 63] : '=';
	}
	return (size_t)(at - out);
}

/* Six bits, or -1. */
static int value(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

int base64_decode(const char *text, size_t size, uint8_t *out, size_t *ret_size)
{
	size_t padding = 0, used = 0;

	if (size % 4)
		return -EINVAL;
	while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < size; i += 4) {
		size_t n = i + 4 < size ? 4 : 4 - padding;
		uint32_t bits = 0;

		for (size_t j = 0; j < 4; j++) {
			int six = j < n ? value(text[i + j]) : 0;

			if (six < 0)
				return -EINVAL;
			bits = bits << 6 | (uint32_t)six;
		}
		for (size_t j = 0; j + 1 < n; j++)
			out[used++] = (uint8_t)(bits >> (16 - 8 * j));
	}
	*ret_size = used;
	return 0;
}
