#include "discovery/wheel.h"

#include <assert.h>
#include <stddef.h>

enum { MASK = WHEEL_SLOTS - 1 };

static_assert(WHEEL_LEVELS * WHEEL_BITS >= 32, "every tick has a place");

static void ring_init(struct wheel_item *head)
{
	head->prev = head->next = head;
}

static bool ring_is_empty(const struct wheel_item *head)
{
	return head->next == head;
}

static void ring_append(struct wheel_item *head, struct wheel_item *i)
{
	i->prev = head->prev;
	i->next = head;
	head->prev->next = i;
	head->prev = i;
}

void wheel_init(struct wheel *w, uint32_t now)
{
	*w = (struct wheel){ .now = now };
	for (unsigned l = 0; l < WHEEL_LEVELS; l++)
		for (unsigned s = 0; s < WHEEL_SLOTS; s++)
			ring_init(&w->slots[l][s]);
	ring_init(&w->due);
}

/* The level on which `at` and `now` are in different slots of one ring. */
static unsigned level_of(uint32_t now, uint32_t at)
{
	return (31u - (unsigned)__builtin_clz(now ^ at)) / WHEEL_BITS;
}

static unsigned slot_of(uint32_t at, unsigned level)
{
	return at >> (level * WHEEL_BITS) & MASK;
}

void wheel_add(struct wheel *w, struct wheel_item *i, uint32_t at)
{
	unsigned level, slot;

	i->at = at;
	if (at <= w->now) {
		ring_append(&w->due, i);
		return;
	}
	level = level_of(w->now, at);
	slot = slot_of(at, level);
	ring_append(&w->slots[level][slot], i);
	w->busy[level] |= UINT64_C(1) << slot;
}

void wheel_remove(struct wheel_item *i)
{
	if (!i->next)
		return;
	i->prev->next = i->next;
	i->next->prev = i->prev;
	i->prev = i->next = NULL;
}

/* Finer rings come to their end first. A busy slot is never behind now. */
static bool next_slot(const struct wheel *w, unsigned *ret_level, uint32_t *ret)
{
	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		unsigned shift = l * WHEEL_BITS;

		if (!w->busy[l])
			continue;
		*ret_level = l;
		*ret = ((w->now >> shift & ~(uint32_t)MASK) |
			       (uint32_t)__builtin_ctzll(w->busy[l]))
		       << shift;
		return true;
	}
	return false;
}

bool wheel_next(const struct wheel *w, uint32_t *ret)
{
	unsigned level;

	if (!ring_is_empty(&w->due)) {
		*ret = w->now;
		return true;
	}
	return next_slot(w, &level, ret);
}

/* Goes on to a slot, and gives each of its items a finer place. */
static void enter(struct wheel *w, unsigned level, uint32_t at)
{
	unsigned slot = slot_of(at, level);
	struct wheel_item *head = &w->slots[level][slot];

	w->now = at;
	w->busy[level] &= ~(UINT64_C(1) << slot);
	while (!ring_is_empty(head)) {
		struct wheel_item *i = head->next;

		wheel_remove(i);
		wheel_add(w, i, i->at);
	}
}

struct wheel_item *wheel_take(struct wheel *w, uint32_t now)
{
	struct wheel_item *i;
	unsigned level;
	uint32_t at;

	while (ring_is_empty(&w->due)) {
		if (!next_slot(w, &level, &at) || at > now) {
			if (now > w->now)
				w->now = now;
			return NULL;
		}
		enter(w, level, at);
	}
	i = w->due.next;
	wheel_remove(i);
	return i;
}
