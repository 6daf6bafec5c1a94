#include "service/plain.h"

#include "proto/proto.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the character at `text`, 0 where no line can bear it. */
static size_t character_size(const char *text)
{
	uint32_t c;
	size_t n = utf8_decode(text, &c);

	return utf8_is_hostile(c) ? 0 : n;
}

void plain_text(char *out, size_t size, const char *text)
{
	size_t used = 0, uncut = 0, n, more;

	for (; *text; text += n ? n : 1) {
		n = character_size(text);
		more = n ? n : PLAIN_ESCAPE;
		if (used + more >= size) {
			memcpy(out + uncut, PLAIN_CUT, sizeof(PLAIN_CUT));
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
