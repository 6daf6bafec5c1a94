/*
 * Which services have a name, found at the same cost however many there are.
 */
#include "announce/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

/* Names of a service, see enum name_use. */
enum { USES = 4 };

const struct mdns_name *names_of(const struct name_ref *r)
{
	const struct dnssd *d = &r->entry->service->names;

	switch (r->use) {
	case NAME_TYPE:
		return &d->type;
	case NAME_ENUMERATION:
		return &d->enumeration;
	case NAME_INSTANCE:
		return &d->instance;
	default:
		return &d->host;
	}
}

/* Keyed, so that nobody can make up names that collide. */
static uint64_t hash(const struct announce *a, const struct mdns_name *name)
{
	struct mdns_name n = *name;

	mdns_name_fold(&n);
	return siphash(&a->key, n.wire, n.size);
}

static int compare(const void *a, const void *b)
{
	const struct name_ref *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

int names_reserve(struct announce *a, size_t n_services)
{
	struct name_ref *names;

	if (n_services * USES <= a->names_room)
		return 0;
	names = reallocarray(a->names, n_services * USES, sizeof(*names));
	if (!names)
		return -ENOMEM;
	a->names = names;
	a->names_room = n_services * USES;
	return 0;
}

static void rebuild(struct announce *a)
{
	struct announce_entry *e;

	a->names_stale = false;
	a->n_names = 0;
	DL_FOREACH(a->entries, e)
	{
		if (!e->service || !e->service->names.host.size ||
			a->n_names + USES > a->names_room)
			continue;
		for (unsigned use = 0; use < USES; use++) {
			struct name_ref *r = &a->names[a->n_names++];

			r->entry = e;
			r->use = (enum name_use)use;
			r->hash = hash(a, names_of(r));
		}
	}
	if (a->n_names > 1)
		qsort(a->names, a->n_names, sizeof(*a->names), compare);
}

/* The first that is not below `wanted`. */
static size_t lower_bound(const struct announce *a, uint64_t wanted)
{
	size_t low = 0, high = a->n_names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (a->names[middle].hash < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct name_ref *names_find(
	struct announce *a, const struct mdns_name *name, size_t *ret_n)
{
	uint64_t wanted;
	size_t first, end;

	if (a->names_stale)
		rebuild(a);
	wanted = hash(a, name);
	first = end = lower_bound(a, wanted);
	while (end < a->n_names && a->names[end].hash == wanted)
		end++;
	if (first == end || !mdns_name_equal(names_of(&a->names[first]), name))
		return NULL;
	*ret_n = end - first;
	return &a->names[first];
}
