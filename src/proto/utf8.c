#include "proto/utf8.h"

#include <string.h>

/* The bytes that a first byte announces, and the least that they may say: a
 * longer form of a shorter character is no UTF-8 (RFC 3629, 3). */
static size_t announced(unsigned char first, uint32_t *ret_least)
{
	if (first < 0x80) {
		*ret_least = 0;
		return 1;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*ret_least = 0x80;
		return 2;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*ret_least = 0x800;
		return 3;
	}
	if (first >= 0xf0 && first < 0xf5) {
		*ret_least = 0x10000;
		return 4;
	}
	return 0;
}

size_t utf8_decode(const char *text, uint32_t *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t least, c;
	size_t n;

	n = announced(s[0], &least);
	if (!n)
		goto invalid;
	c = n == 1 ? s[0] : s[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			goto invalid;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		goto invalid;
	*ret = c;
	return n;
invalid:
	*ret = UTF8_INVALID;
	return 1;
}

bool utf8_is_hostile(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hostile[] = {
		{ 0x00, 0x1f },
		{ 0x7f, 0x9f },
		{ 0x061c, 0x061c },
		{ 0x200e, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2066, 0x2069 },
		{ UTF8_INVALID, UTF8_INVALID },
	};

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		if (c >= hostile[i].first && c <= hostile[i].last)
			return true;
	return false;
}

char *utf8_escape(char *out, const char *at, uint32_t c)
{
	if (c == '\n')
		return stpcpy(out, "\\n");
	if (c == UTF8_INVALID || c < 0x80)
		return out + sprintf(out, "\\x%02x", (unsigned char)*at);
	return out + sprintf(out, "\\u%04x", c);
}

void utf8_print(const char *text, FILE *out)
{
	char escaped[UTF8_ESCAPE + 1];
	uint32_t c;
	size_t n;

	for (; *text; text += n) {
		n = utf8_decode(text, &c);
		if (!utf8_is_hostile(c)) {
			(void)fwrite(text, 1, n, out);
			continue;
		}
		(void)utf8_escape(escaped, text, c);
		(void)fputs(escaped, out);
	}
}
