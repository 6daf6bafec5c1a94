#include "control/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

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

size_t text_decode(const char *text, uint32_t *ret)
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
	*ret = TEXT_INVALID;
	return 1;
}

/* Combining marks, joiners and variation selectors; East Asian wide and
 * full-width characters and pictures (UAX 11). Coarse, but enough to align. */
static size_t columns(uint32_t c)
{
	static const struct range none[] = {
		{ 0x0300, 0x036f },
		{ 0x0483, 0x0489 },
		{ 0x0591, 0x05bd },
		{ 0x0610, 0x061a },
		{ 0x064b, 0x065f },
		{ 0x093c, 0x093c },
		{ 0x0e34, 0x0e3a },
		{ 0x0e47, 0x0e4e },
		{ 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff },
		{ 0x200b, 0x200d },
		{ 0x20d0, 0x20ff },
		{ 0xfe00, 0xfe0f },
		{ 0xfe20, 0xfe2f },
		{ 0xfeff, 0xfeff },
	};
	static const struct range two[] = {
		{ 0x1100, 0x115f },
		{ 0x2e80, 0x303e },
		{ 0x3041, 0xa4cf },
		{ 0xa960, 0xa97f },
		{ 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff },
		{ 0xfe30, 0xfe6f },
		{ 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 },
		{ 0x1f300, 0x1f64f },
		{ 0x1f680, 0x1f6ff },
		{ 0x1f900, 0x1f9ff },
		{ 0x20000, 0x3fffd },
	};

	if (is_in(c, none, sizeof(none) / sizeof(none[0])))
		return 0;
	return is_in(c, two, sizeof(two) / sizeof(two[0])) ? 2 : 1;
}

size_t text_width(const char *text)
{
	size_t width = 0;
	uint32_t c;

	while (*text) {
		text += text_decode(text, &c);
		width += columns(c);
	}
	return width;
}

bool text_is_hostile(uint32_t c)
{
	static const struct range hostile[] = {
		{ 0x00, 0x1f },
		{ 0x7f, 0x9f },
		{ 0x061c, 0x061c },
		{ 0x200e, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2066, 0x2069 },
		{ TEXT_INVALID, TEXT_INVALID },
	};

	return is_in(c, hostile, sizeof(hostile) / sizeof(hostile[0]));
}

/* Writes an escape of at most 6 characters; returns its end. */
static char *escape(char *out, const char *byte, uint32_t c)
{
	if (c == '\n')
		return stpcpy(out, "\\n");
	if (c == TEXT_INVALID || c < 0x80)
		return out + sprintf(out, "\\x%02x", (unsigned char)*byte);
	return out + sprintf(out, "\\u%04x", c);
}

char *text_escape(const char *text)
{
	char *escaped = malloc(strlen(text) * 6 + 1), *out = escaped;
	uint32_t c;
	size_t n;

	if (!escaped)
		return NULL;
	for (; *text; text += n) {
		n = text_decode(text, &c);
		if (text_is_hostile(c))
			out = escape(out, text, c);
		else
			out = mempcpy(out, text, n);
	}
	*out = '\0';
	return escaped;
}

/* Bytes of what must stay together at the start of a text: a character, or
 * what escape() wrote. */
static size_t unit(const char *text)
{
	static const struct {
		char letter;
		size_t digits;
	} escapes[] = { { 'n', 0 }, { 'x', 2 }, { 'u', 4 } };
	uint32_t c;

	if (*text != '\\')
		return text_decode(text, &c);
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (text[1] == escapes[i].letter &&
			strspn(text + 2, "0123456789abcdef") >=
				escapes[i].digits)
			return 2 + escapes[i].digits;
	return 1;
}

/* Columns of the first `size` bytes. */
static size_t width_of(const char *text, size_t size)
{
	const char *end = text + size;
	size_t width = 0;
	uint32_t c;

	while (text < end) {
		text += text_decode(text, &c);
		width += columns(c);
	}
	return width;
}

size_t text_cut(const char *text, size_t width)
{
	size_t at = 0, used = 0, size, more;

	for (; text[at]; at += size) {
		size = unit(text + at);
		more = width_of(text + at, size);
		if (used + more > width)
			break;
		used += more;
	}
	return at;
}
