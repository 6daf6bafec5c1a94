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

static void blank(char *text, size_t size, char what)
{
	char *at, *end = text + size;

	for (at = text; (at = memchr(at, what, (size_t)(end - at))); at++)
		*at = ' ';
}

/* Copies one text and its NUL; returns its end. */
static char *copy(char *to, enum word which, const struct proto_piece *p)
{
	size_t size;

	if (!p->size) {
		*to = '\0';
		return to + 1;
	}
	size = cut(p->at, p->size, rooms[which]);
	if (size) {
		memcpy(to, p->at, size);
		blank(to, size, '\0');
		blank(to, size, '\r');
		if (which != WORD_DETAIL)
			blank(to, size, '\n');
	}
	to[size] = '\0';
	return to + size + 1;
}

const char *discovery_name(const struct proto_piece *p, char to[DISCOVERY_NAME])
{
	(void)copy(to, WORD_NAME, p);
	return to;
}

/* Room for `size` bytes of text, what it holds being void. NULL: no memory. */
static struct words *reserve(struct words *w, size_t size)
{
	struct words *fresh;

	if (w && w->room >= size)
		return w;
	fresh = malloc(sizeof(*fresh) + size);
	if (!fresh)
		return NULL;
	fresh->room = (uint16_t)size;
	free(w);
	return fresh;
}

int words_set(struct words **w, const struct words_change *c)
{
	const struct words *old = *w;
	char text[ROOM], *end = text;
	uint16_t at[WORDS + 1];
	struct words *to;

	for (enum word i = 0; i < WORDS; i++) {
		struct proto_piece p = c->piece[i];

		if (!p.at) {
			p.at = words_get(old, i);
			p.size = strlen(p.at);
		}
		at[i] = (uint16_t)(end - text);
		end = copy(end, i, &p);
	}
	at[WORDS] = (uint16_t)(end - text);
	if (old && memcmp(old->at, at, sizeof(at)) == 0 &&
		memcmp(old->text, text, at[WORDS]) == 0)
		return 0;
	to = reserve(*w, at[WORDS]);
	if (!to)
		return -ENOMEM;
	memcpy(to->at, at, sizeof(at));
	memcpy(to->text, text, at[WORDS]);
	*w = to;
	return 1;
}

const char *words_get(const struct words *w, enum word which)
{
	return w ? w->text + w->at[which] : "";
}
