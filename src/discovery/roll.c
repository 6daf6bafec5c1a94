#include "discovery/roll.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64, FEW = 64 };

void roll_done(struct roll *r)
{
	free(r->places);
	*r = (struct roll){ 0 };
}

static struct roll_item *item_at(const struct roll *r, size_t place)
{
	uint64_t p = r->places[place];

	/* NOLINTNEXTLINE(performance-no-int-to-ptr): see places, in roll.h */
	return p & 1 ? NULL : (struct roll_item *)(uintptr_t)p;
}

static uint64_t id_at(const struct roll *r, size_t place)
{
	const struct roll_item *i = item_at(r, place);

	return i ? i->id : r->places[place] >> 1;
}

/* Closes the gaps. */
static void close_up(struct roll *r)
{
	size_t n = 0;

	for (size_t p = 0; p < r->n; p++) {
		struct roll_item *i = item_at(r, p);

		if (!i)
			continue;
		i->place = n;
		r->places[n++] = (uintptr_t)i;
	}
	r->n = n;
	r->gone = 0;
}

int roll_add(struct roll *r, struct roll_item *i)
{
	size_t room = r->room ? r->room + r->room / 2 : FIRST_ROOM;
	uint64_t *places;

	if (r->n == r->room) {
		places = reallocarray(r->places, room, sizeof(*places));
		if (!places)
			return -ENOMEM;
		r->places = places;
		r->room = room;
	}
	i->id = ++r->last;
	i->place = r->n;
	r->places[r->n++] = (uintptr_t)i;
	return 0;
}

void roll_remove(struct roll *r, struct roll_item *i)
{
	r->places[i->place] = i->id << 1 | 1;
	r->gone++;
	/* So each removal pays for the closing of one gap. */
	if (r->gone > FEW && r->gone > r->n / 3)
		close_up(r);
}

struct roll_item *roll_after(const struct roll *r, uint64_t id)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (id_at(r, middle) > id)
			high = middle;
		else
			low = middle + 1;
	}
	while (low < r->n && !item_at(r, low))
		low++;
	return low < r->n ? item_at(r, low) : NULL;
}
