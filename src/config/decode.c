#include "config/decode.h"

#include <errno.h>
#include <string.h>

static int digit(const char *digits, char c)
{
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -EINVAL : (int)(at - digits);
}

static int hex_digit(char c)
{
	int value = digit("0123456789abcdef", c);

	if (value >= 0)
		return value;
	value = digit("ABCDEF", c);
	return value < 0 ? value : value + 10;
}

int decode_hex(const char *text, size_t size, uint8_t *ret, size_t *ret_size)
{
	if (size % 2 != 0)
		return -EINVAL;
	for (size_t i = 0; i < size; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		ret[i / 2] = (uint8_t)(high << 4 | low);
	}
	*ret_size = size / 2;
	return 0;
}

/* Four characters, of which the last `padding` are "=". */
static int decode_quantum(const char *text, size_t padding, uint8_t *ret)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		"+/";
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? digit(digits, text[i]) : 0;

		if (value < 0)
			return value;
		bits = bits << 6 | (uint32_t)value;
	}
	if (padding > 0 && (bits & ((1U << (8 * padding)) - 1)) != 0)
		return -EINVAL;
	for (size_t i = 0; i < 3 - padding; i++)
		ret[i] = (uint8_t)(bits >> (16 - 8 * i));
	return 0;
}

int decode_base64(const char *text, size_t size, uint8_t *ret, size_t *ret_size)
{
	size_t padding = 0;

	if (size % 4 != 0)
		return -EINVAL;
	while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < size; i += 4) {
		int r = decode_quantum(
			text + i, i + 4 == size ? padding : 0, ret + i / 4 * 3);

		if (r < 0)
			return r;
	}
	*ret_size = size / 4 * 3 - padding;
	return 0;
}
