#include "bounds/pool.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHUNK = 16, LARGEST_CHUNK = 1024 };

struct pool_chunk {
	struct pool_chunk *next;
	alignas(max_align_t) char items[];
};

void pool_init(struct pool *p, size_t item_bytes)
{
	size_t align = alignof(max_align_t);

	if (item_bytes < sizeof(void *))
		item_bytes = sizeof(void *);
	*p = (struct pool){
		.item_bytes = (item_bytes + align - 1) / align * align,
		.chunk_items = FIRST_CHUNK,
	};
}

void pool_done(struct pool *p)
{
	while (p->chunks) {
		struct pool_chunk *next = p->chunks->next;

		free(p->chunks);
		p->chunks = next;
	}
	p->free = NULL;
}

static void grow(struct pool *p)
{
	struct pool_chunk *c;
	size_t i;

	c = malloc(sizeof(*c) + p->chunk_items * p->item_bytes);
	if (!c)
		return;
	c->next = p->chunks;
	p->chunks = c;
	for (i = p->chunk_items; i > 0; i--)
		pool_give(p, c->items + (i - 1) * p->item_bytes);
	if (p->chunk_items < LARGEST_CHUNK)
		p->chunk_items *= 2;
}

void *pool_take(struct pool *p)
{
	void *item;

	if (!p->free)
		grow(p);
	item = p->free;
	if (!item)
		return NULL;
	memcpy(&p->free, item, sizeof(p->free));
	memset(item, 0, p->item_bytes);
	return item;
}

void pool_give(struct pool *p, void *item)
{
	memcpy(item, &p->free, sizeof(p->free));
	p->free = item;
}
