#include "mqtt/shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without memory an item is not added, and the process goes on. */
#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->failed = true)
#include <uthash.h>
#include <utlist.h>

struct shelf_name {
	UT_hash_handle hh;
	struct shelf_item item;
	bool failed;
	char text[];
};

enum { NOWHERE = SIZE_MAX };

/* ---- the heap ---- */

static void settle(struct shelf *s, size_t at, struct shelf_item *i)
{
	s->heap[at] = i;
	i->place = at;
}

static void move_up(struct shelf *s, struct shelf_item *i)
{
	size_t at = i->place;

	while (at > 0 && s->heap[(at - 1) / 2]->expires_ms > i->expires_ms) {
		settle(s, at, s->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	settle(s, at, i);
}

static void move_down(struct shelf *s, struct shelf_item *i)
{
	size_t at = i->place, child;

	while ((child = 2 * at + 1) < s->n) {
		if (child + 1 < s->n && s->heap[child + 1]->expires_ms <
						s->heap[child]->expires_ms)
			child++;
		if (s->heap[child]->expires_ms >= i->expires_ms)
			break;
		settle(s, at, s->heap[child]);
		at = child;
	}
	settle(s, at, i);
}

static void leave_heap(struct shelf *s, struct shelf_item *i)
{
	struct shelf_item *last = s->heap[--s->n];
	size_t at = i->place;

	i->place = NOWHERE;
	if (last == i)
		return;
	settle(s, at, last);
	move_up(s, last);
	move_down(s, last);
}

static int reserve(struct shelf *s)
{
	size_t room = s->room ? 2 * s->room : 64;
	struct shelf_item **heap;

	if (s->n < s->room)
		return 0;
	heap = realloc(s->heap, room * sizeof(*heap));
	if (heap == NULL)
		return -ENOMEM;
	s->heap = heap;
	s->room = room;
	return 0;
}

void shelf_expires(struct shelf *s, struct shelf_item *i, uint64_t at_ms)
{
	i->expires_ms = at_ms;
	move_up(s, i);
	move_down(s, i);
}

struct shelf_item *shelf_soonest(const struct shelf *s)
{
	return s->n > 0 ? s->heap[0] : NULL;
}

/* ---- the shelf ---- */

void shelf_init(struct shelf *s, size_t bound, const struct siphash_key *key,
	void (*leaves)(void *data, struct shelf_item *i), void *data)
{
	*s = (struct shelf){ .key = *key, .leaves = leaves, .data = data };
	quota_init(&s->quota, bound, key);
}

void shelf_done(struct shelf *s)
{
	while (s->n > 0)
		shelf_remove(s, s->heap[s->n - 1]);
	quota_done(&s->quota);
	free(s->heap);
	s->heap = NULL;
	s->room = 0;
}

size_t shelf_count(const struct shelf *s)
{
	return s->n;
}

/* Names come from outside: nobody must be able to make them collide. */
static unsigned hash_of(const struct shelf *s, const char *name, size_t size)
{
	return (unsigned)siphash(&s->key, name, size);
}

struct shelf_item *shelf_find(const struct shelf *s, const char *name)
{
	size_t size = strlen(name);
	unsigned hash = hash_of(s, name, size);
	struct shelf_name *found;

	HASH_FIND_BYHASHVALUE(hh, s->names, name, size, hash, found);
	return found != NULL ? &found->item : NULL;
}

static struct shelf_name *name_new(struct shelf *s, const char *name)
{
	size_t size = strlen(name);
	unsigned hash = hash_of(s, name, size);
	struct shelf_name *e = calloc(1, sizeof(*e) + size + 1);

	if (e == NULL)
		return NULL;
	memcpy(e->text, name, size + 1);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, s->names, e->text, size, hash, e);
	if (e->failed) {
		free(e);
		return NULL;
	}
	e->item.name = e->text;
	e->item.entry = e;
	e->item.place = NOWHERE;
	e->item.expires_ms = UINT64_MAX;
	return e;
}

static struct shelf_item *item_of(struct quota_item *q)
{
	return (struct shelf_item *)(void *)((char *)q -
					     offsetof(
						     struct shelf_item, quota));
}

int shelf_put(struct shelf *s, const char *name,
	const struct net_address *holder, struct shelf_item **ret)
{
	struct shelf_item *found = shelf_find(s, name);
	struct quota_item *surplus;
	struct shelf_name *e;

	if (found != NULL) {
		quota_touch(&found->quota);
		*ret = found;
		return 0;
	}
	while ((surplus = quota_surplus(&s->quota)) != NULL) {
		s->quota.evicted++;
		shelf_remove(s, item_of(surplus));
	}
	if (reserve(s) < 0)
		return -ENOMEM;
	e = name_new(s, name);
	if (e == NULL)
		return -ENOMEM;
	if (quota_add(&s->quota, &e->item.quota, holder) < 0) {
		HASH_DEL(s->names, e);
		free(e);
		return -ENOMEM;
	}
	e->item.place = s->n++;
	settle(s, e->item.place, &e->item);
	*ret = &e->item;
	return 1;
}

void shelf_remove(struct shelf *s, struct shelf_item *i)
{
	struct shelf_name *e = i->entry;

	if (s->leaves != NULL)
		s->leaves(s->data, i);
	shelf_list_remove(i);
	leave_heap(s, i);
	quota_remove(&s->quota, &i->quota);
	shelf_empty(i);
	HASH_DEL(s->names, e);
	free(e);
}

int shelf_fill(struct shelf_item *i, const struct message *m,
	const void *payload, size_t size)
{
	struct message *message = malloc(sizeof(*message));
	uint8_t *bytes = malloc(size > 0 ? size : 1);

	if (message == NULL || bytes == NULL) {
		free(message);
		free(bytes);
		return -ENOMEM;
	}
	*message = *m;
	if (size > 0)
		memcpy(bytes, payload, size);
	shelf_empty(i);
	i->message = message;
	i->payload = bytes;
	i->size = size;
	return 0;
}

void shelf_empty(struct shelf_item *i)
{
	free(i->message);
	free(i->payload);
	i->message = NULL;
	i->payload = NULL;
	i->size = 0;
}

void shelf_each(const struct shelf *s,
	void (*each)(void *data, struct shelf_item *i), void *data)
{
	for (size_t i = 0; i < s->n; i++)
		each(data, s->heap[i]);
}

/* ---- lists ---- */

void shelf_list_add(struct shelf_list *l, struct shelf_item *i)
{
	if (i->list != NULL)
		return;
	DL_APPEND(l->first, i);
	l->n++;
	i->list = l;
}

void shelf_list_remove(struct shelf_item *i)
{
	struct shelf_list *l = i->list;

	if (l == NULL)
		return;
	DL_DELETE(l->first, i);
	l->n--;
	i->list = NULL;
}

struct shelf_item *shelf_list_take(struct shelf_list *l)
{
	struct shelf_item *i = l->first;

	if (i != NULL)
		shelf_list_remove(i);
	return i;
}
