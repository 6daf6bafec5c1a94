#include "proto/arena.h"

#include <string.h>

enum { ALIGN = alignof(max_align_t) };

/*
 * Not state: it is NULL but while somebody has lent an arena, and each thread
 * has its own.
 */
static _Thread_local struct arena *lent;

/* What stands in front of each piece; as wide as the alignment. */
union piece {
	size_t size;
	alignas(max_align_t) unsigned char align[ALIGN];
};

void arena_lend(struct arena *a)
{
	a->used = 0;
	lent = a;
}

void arena_take_back(void)
{
	lent = NULL;
}

static void *take(size_t size)
{
	union piece *p;

	if (size > ARENA_BYTES)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (sizeof(*p) + size > ARENA_BYTES - lent->used)
		return NULL;
	p = (union piece *)(void *)(lent->bytes + lent->used);
	p->size = size;
	lent->used += sizeof(*p) + size;
	return p + 1;
}

static void *take_more(void *at, size_t size)
{
	size_t old;
	void *more;

	if (at == NULL)
		return take(size);
	old = ((union piece *)at)[-1].size;
	if (size <= old)
		return at;
	more = take(size);
	if (more != NULL)
		memcpy(more, at, old);
	return more;
}

static void give_back(void *at)
{
	(void)at; /* all of it goes at once, with the document */
}

const XML_Memory_Handling_Suite arena_suite = { take, take_more, give_back };
