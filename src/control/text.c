#include "control/text.h"

#include "proto/proto.h"

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
		text += utf8_decode(text, &c);
		width += columns(c);
	}
	return width;
}

char *text_escape(const char *text)
{
	char *escaped = malloc(strlen(text) * UTF8_ESCAPE + 1), *out = escaped;
	uint32_t c;
	size_t n;

	if (!escaped)
		return NULL;
	for (; *text; text += n) {
		n = utf8_decode(text, &c);
		if (utf8_is_hostile(c))
			out = utf8_escape(out, text, c);
		else
			out = mempcpy(out, text, n);
	}
	*out = '\0';
	return escaped;
}

/* What JSON may hold as it is, and a terminal or YAML not (YAML 1.2, 5.1).
 * Below that it has escaped what is in its texts; what is left is its own
 * layout. */
static bool needs_escape(uint32_t c)
{
	return (c >= 0x7f && c != UTF8_INVALID && utf8_is_hostile(c)) ||
	       c == 0xfeff || c == 0xfffe || c == 0xffff;
}

char *text_escape_json(char *json)
{
	const char *in = json;
	char *escaped, *out;
	uint32_t c;
	size_t n;

	escaped = json ? malloc(strlen(json) * UTF8_ESCAPE + 1) : NULL;
	out = escaped;
	for (; escaped && *in; in += n) {
		n = utf8_decode(in, &c);
		if (needs_escape(c))
			out += sprintf(out, "\\u%04x", c);
		else
			out = mempcpy(out, in, n);
	}
	if (escaped)
		*out = '\0';
	free(json);
	return escaped;
}

/* Bytes of what must stay together at the start of a text: a character, or
 * what utf8_escape() wrote. */
static size_t unit(const char *text)
{
	static const struct {
		char letter;
		size_t digits;
	} escapes[] = { { 'n', 0 }, { 'x', 2 }, { 'u', 4 } };
	uint32_t c;

	if (*text != '\\')
		return utf8_decode(text, &c);
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
		text += utf8_decode(text, &c);
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
