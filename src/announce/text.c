#include "announce/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct filler {
	uint8_t *out;
	size_t used, room;
};

/* False where there is no room. */
static bool put(struct filler *f, const char *text, size_t size)
{
	if (size > f->room - f->used)
		return false;
	if (size > 0)
		memcpy(f->out + f->used, text, size);
	f->used += size;
	return true;
}

/* The value of the name at the beginning of `text`, and its length there; or
 * NULL. */
static const char *value_at(const char *text, size_t size,
	const struct text_values *v, size_t *ret_length)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{ "%{hostname}", v->hostname },
		{ "%{address}", v->address },
		{ "%{interface}", v->interface },
		{ "%{time}", v->time },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = strlen(known[i].name);

		if (length > size || memcmp(text, known[i].name, length) != 0)
			continue;
		*ret_length = length;
		return known[i].value;
	}
	return NULL;
}

int text_fill(const char *text, size_t size, const struct text_values *v,
	/* NOLINTNEXTLINE(readability-non-const-parameter): put() fills it */
	uint8_t *out, size_t room)
{
	struct filler f = { .out = out, .room = room };
	size_t at = 0, length;

	while (at < size) {
		const char *end = memchr(text + at, '%', size - at);
		size_t plain = end ? (size_t)(end - text) - at : size - at;
		const char *value;

		if (!put(&f, text + at, plain))
			return -EMSGSIZE;
		at += plain;
		if (at == size)
			break;
		value = value_at(text + at, size - at, v, &length);
		if (value ? !put(&f, value, strlen(value)) : !put(&f, "%", 1))
			return -EMSGSIZE;
		at += value ? length : 1;
	}
	return (int)f.used;
}
