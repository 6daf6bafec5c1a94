#include "config/read.h"

#include <stdlib.h>
#include <string.h>

static char *item_at(const struct list_kind *kind, void *items, size_t i)
{
	return (char *)items + i * kind->size;
}

static void free_items(const struct list_kind *kind, void *items, size_t n)
{
	for (size_t i = 0; kind->done != NULL && i < n; i++)
		kind->done(item_at(kind, items, i));
	free(items);
}

static bool is_listed(
	const struct list_kind *kind, void *items, size_t n, const void *item)
{
	for (size_t i = 0; kind->is_same != NULL && i < n; i++) {
		if (kind->is_same(item_at(kind, items, i), item))
			return true;
	}
	return false;
}

/* Reads the items that are right, and returns how many they are. */
static size_t read_items(const struct spot *s, const struct list_kind *kind,
	void *items, size_t n)
{
	struct spot item;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		void *at = item_at(kind, items, used);

		spot_item(s, i, &item);
		if (!kind->read(&item, at))
			continue;
		if (is_listed(kind, items, used, at)) {
			spot_error(&item, "given twice in this list");
			if (kind->done != NULL)
				kind->done(at);
			continue;
		}
		used++;
	}
	return used;
}

void read_list(const struct spot *s, void *base, const struct key *k)
{
	void *list = (char *)base + k->offset, *old, *items;
	size_t *length = (size_t *)((char *)base + k->count);
	size_t n = spot_items(s), used;

	if (n == 0 && (s->node->n > 0 || !k->list->may_be_empty)) {
		if (s->node->n == 0)
			spot_error(s, "an empty list, needs %s", k->list->want);
		return;
	}
	items = calloc(n + 1, k->list->size);
	if (items == NULL) {
		spot_no_memory(s);
		return;
	}
	used = read_items(s, k->list, items, n);
	/* Not by a void **: the member is a pointer to something else. */
	memcpy(&old, list, sizeof(old));
	free_items(k->list, old, *length);
	memcpy(list, &items, sizeof(items));
	*length = used;
}
