#include "discovery/words.h"

#include "discovery/discovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint16_t rooms[WORDS] = {
	[WORD_NAME] = DISCOVERY_NAME,
	[WORD_TYPE] = DISCOVERY_TYPE,
	[WORD_LOCATION] = DISCOVERY_LOCATION,
	[WORD_DETAIL] = DISCOVERY_DETAIL,
};

enum {
	ROOM = DISCOVERY_NAME + DISCOVERY_TYPE + DISCOVERY_LOCATION +
	       DISCOVERY_DETAIL,
};

static size_t cut(const char *text, size_t size, size_t room)
{
	if (size < room)
		return size;
	size = room - 1;
	while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/* Copies one text and its NUL; returns its end. */
static char *copy(char *to, enum word which, const struct proto_piece *p)
{
	size_t size = cut(p->at, p->size, rooms[which]);

	for (size_t i = 0; i < size; i++) {
		char c = p->at[i];
		bool ends = c == '\0' || c == '\r' ||
			    (c == '\n' && which != WORD_DETAIL);

		*to++ = ends ? ' ' : c;
	}
	*to++ = '\0';
	return to;
}

int words_set(struct words **w, const struct words_change *c)
{
	const struct words *old = *w;
	struct words head = { 0 }, *fresh;
	char text[ROOM], *end = text;
	size_t size;

	for (enum word i = 0; i < WORDS; i++) {
		struct proto_piece p = c->piece[i];

		if (!p.at) {
			p.at = words_get(old, i);
			p.size = strlen(p.at);
		}
		head.at[i] = (uint16_t)(end - text);
		end = copy(end, i, &p);
	}
	size = (size_t)(end - text);
	head.at[WORDS] = (uint16_t)size;
	if (old && old->at[WORDS] == size &&
		memcmp(old->text, text, size) == 0 &&
		memcmp(old->at, head.at, sizeof(head.at)) == 0)
		return 0;
	fresh = malloc(sizeof(*fresh) + size);
	if (!fresh)
		return -ENOMEM;
	*fresh = head;
	memcpy(fresh->text, text, size);
	free(*w);
	*w = fresh;
	return 1;
}

const char *words_get(const struct words *w, enum word which)
{
	return w ? w->text + w->at[which] : "";
}
