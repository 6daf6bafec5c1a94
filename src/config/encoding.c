/*
 * What libyaml would refuse without a place in the file, found beforehand.
 */
#include "config/report.h"
#include "config/tree.h"

#include <string.h>

size_t encoding_decode(const unsigned char *text, size_t size, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = text[0];
	size_t n = c < 0x80   ? 1
		   : c < 0xc2 ? 0
		   : c < 0xe0 ? 2
		   : c < 0xf0 ? 3
			      : 4;

	if (n == 0 || n > size || c > 0xf4)
		return 0;
	if (n > 1)
		c &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* YAML 1.1, 5.1: c-printable. */
static bool is_allowed(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0x7f && (c < 0x80 || c > 0x9f || c == 0x85) &&
	       c != 0xfffe && c != 0xffff;
}

static bool is_break(uint32_t c, const char *next, size_t left)
{
	if (c == '\r')
		return left == 0 || *next != '\n';
	return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool encoding_check(const char *text, size_t size, struct report *r)
{
	int line = 1, column = 1;
	uint32_t c = 0;
	size_t n;

	if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 ||
				 memcmp(text, "\xfe\xff", 2) == 0)) {
		report_add(r, 1, 1, "",
			"the file is in UTF-16, needs to be in UTF-8");
		return false;
	}
	for (size_t i = 0; i < size; i += n) {
		n = encoding_decode(
			(const unsigned char *)text + i, size - i, &c);
		if (n == 0) {
			report_add(r, line, column, "",
				"byte 0x%02x is not UTF-8 here",
				(unsigned char)text[i]);
			return false;
		}
		if (!is_allowed(c)) {
			report_add(r, line, column, "",
				"the character U+%04X cannot stand in YAML", c);
			return false;
		}
		column++;
		if (is_break(c, text + i + n, size - i - n)) {
			line++;
			column = 1;
		}
	}
	return true;
}
