#include "service/plain.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The bytes of a character that begins with this one, 0: none does. */
static size_t announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Bytes of the character at `text`, 0 where there is none of UTF-8 (RFC 3629),
 * or a control character. Of either block: they end just below the least that
 * is let pass of one byte, and of two. */
static size_t character_size(const char *text)
{
	static const uint32_t least[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t n = announced(s[0]);
	uint32_t c = n > 1 ? s[0] & (0x7fU >> n) : s[0];

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c == 0x7f || c > 0x10ffff ||
		(c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

void plain_text(char *out, size_t size, const char *text)
{
	size_t used = 0, uncut = 0, n, more;

	for (; *text; text += n ? n : 1) {
		n = character_size(text);
		more = n ? n : PLAIN_ESCAPE;
		if (used + more >= size) {
			(void)strcpy(out + uncut, PLAIN_CUT);
			return;
		}
		if (n)
			memcpy(out + used, text, n);
		else
			(void)sprintf(
				out + used, "\\x%02x", (unsigned char)*text);
		used += more;
		if (used + sizeof(PLAIN_CUT) <= size)
			uncut = used;
	}
	out[used] = '\0';
}
