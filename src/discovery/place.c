/*
 * Places: the segments as entries see them, from the first word that is heard
 * there until the last entry of a device that is no more is gone.
 *
 * Entries of a place that leaves go in turns, so that neither a reload nor a
 * cable that is pulled holds up the relay, whoever wants to know of each.
 */
#include "discovery/internal.h"

#include <stdlib.h>
#include <string.h>

/* Entries that are looked at for it in one turn. */
enum { LOOK = 4096 };

void place_free(struct place *p)
{
	free(p->group);
	free(p->interface);
	free(p->device);
	free(p->site);
	free(p);
}

static void free_leaving(struct discovery *d)
{
	while (d->leaving) {
		struct place *p = d->leaving;

		d->leaving = p->next;
		place_free(p);
	}
}

void place_free_all(struct discovery *d)
{
	struct place *p, *next;

	for (p = d->places; p; p = next) {
		next = p->next;
		place_free(p);
	}
	d->places = NULL;
	free_leaving(d);
}

/* Without memory it goes on under its old name. */
static void rename_place(struct place *p, const char *device)
{
	char *name = strdup(device);

	if (!name)
		return;
	free(p->device);
	p->device = name;
}

/* By the name of its device, or by its index where the kernel renamed it. */
static struct place *find_place(const struct discovery *d, const char *group,
	const struct relay_segment_info *i)
{
	struct place *p, *renamed = NULL;

	for (p = d->places; p; p = p->next) {
		if (strcmp(p->group, group) != 0 ||
			strcmp(p->interface, i->interface) != 0)
			continue;
		if (strcmp(p->device, i->device) == 0)
			break;
		if (i->index && p->index == i->index)
			renamed = p;
	}
	if (!p && renamed && i->device[0]) {
		rename_place(renamed, i->device);
		p = renamed;
	}
	if (p && i->index)
		p->index = i->index;
	return p;
}

/* What a place is to echo.h: the same also when it comes again. */
static uint64_t lasting_of(const struct discovery *d, const struct place *p)
{
	const struct siphash_key *key = &d->table.key;
	const uint64_t names[] = {
		siphash(key, p->group, strlen(p->group)),
		siphash(key, p->interface, strlen(p->interface)),
		siphash(key, p->device, strlen(p->device)),
		p->site ? siphash(key, p->site, strlen(p->site)) : 0,
	};

	return siphash(key, names, sizeof(names));
}

void place_add(struct discovery *d, struct place *p)
{
	p->lasting = lasting_of(d, p);
	p->next = d->places;
	d->places = p;
	d->sites += p->site != NULL;
}

static struct place *place_new(struct discovery *d,
	const struct config_group *g, const struct relay_segment_info *i)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->group = strdup(g->name);
	p->interface = strdup(i->interface);
	p->device = strdup(i->device);
	if (!p->group || !p->interface || !p->device) {
		place_free(p);
		return NULL;
	}
	p->id = ++d->last_place;
	p->index = i->index;
	p->protocol = g->payload;
	p->repeat_ms = g->repeat_ms;
	place_add(d, p);
	return p;
}

/* ---- other sites ---- */

/* The last one that has nothing makes room. */
static void drop_idle_site(struct discovery *d)
{
	struct place **at, **idle = NULL, *p;

	for (at = &d->places; *at; at = &(*at)->next)
		if ((*at)->site && (*at)->entries == 0)
			idle = at;
	if (!idle)
		return;
	p = *idle;
	*idle = p->next;
	d->sites--;
	place_free(p);
}

static struct place *site_new(
	struct discovery *d, const struct config_group *g, const char *site)
{
	const struct relay_segment_info nowhere = { .interface = "",
		.device = "" };
	char *name;
	struct place *p;

	if (d->sites >= DISCOVERY_SITES)
		drop_idle_site(d);
	name = d->sites < DISCOVERY_SITES ? strdup(site) : NULL;
	p = name ? place_new(d, g, &nowhere) : NULL;
	if (!p) {
		free(name);
		return NULL;
	}
	p->site = name;
	/* It repeats itself what it has to say. */
	p->repeat_ms = 0;
	p->lasting = lasting_of(d, p);
	d->sites++;
	return p;
}

struct place *discovery_site(struct discovery *d, const struct relay_heard *h)
{
	const struct config_group *g = discovery_group(h->in);
	const struct place wanted = {
		.group = g->name,
		.interface = (char[]){ "" },
		.device = (char[]){ "" },
		.site = (char *)h->site,
	};
	uint64_t lasting = lasting_of(d, &wanted);
	struct place *p;

	/* There may be thousands: a number is compared sooner than a name. */
	for (p = d->places; p; p = p->next)
		if (p->lasting == lasting && p->site &&
			strcmp(p->site, h->site) == 0 &&
			strcmp(p->group, g->name) == 0)
			return p;
	return site_new(d, g, h->site);
}

const struct config_group *discovery_group(const struct relay_segment *s)
{
	return relay_group_config(
		relay_channel_group(relay_segment_channel(s)));
}

static struct place *look_up(struct discovery *d, const struct relay_segment *s)
{
	const struct config_group *g = discovery_group(s);
	struct relay_segment_info i;
	struct place *p;

	relay_segment_get(s, &i);
	if (!i.device[0])
		return NULL;
	p = find_place(d, g->name, &i);
	return p ? p : place_new(d, g, &i);
}

struct place *discovery_place(
	struct discovery *d, const struct relay_segment *s)
{
	uint64_t id = relay_segment_id(s);
	struct placed *at = &d->placed[id % DISCOVERY_PLACED];

	/* Its device may have been renamed, or made anew. */
	if (at->segment != id || at->place->index != relay_segment_index(s) ||
		strcmp(at->place->device, relay_segment_device(s)) != 0) {
		at->place = look_up(d, s);
		at->segment = at->place ? id : 0;
	}
	return at->place;
}

/* ---- leaving ---- */

static void free_if_empty(struct discovery *d, struct place *p)
{
	struct place **at = &d->leaving;

	if (p->entries > 0)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	place_free(p);
}

void place_drain(struct discovery *d)
{
	size_t most = DISCOVERY_TURN, look = LOOK;

	while (d->leaving && most > 0 && look-- > 0) {
		struct discovery_entry *e =
			table_after(&d->table, d->leaving_after);
		struct place *p;

		if (!e) {
			/* All entries were looked at, and nobody adds any. */
			free_leaving(d);
			return;
		}
		d->leaving_after = e->roll.id;
		p = e->place;
		if (!p->is_leaving)
			continue;
		table_remove(&d->table, e, DISCOVERY_LEFT);
		most--;
		free_if_empty(d, p);
	}
}

/* Moves the places that are not marked to those that leave, and begins. */
static void sweep(struct discovery *d)
{
	struct place **at = &d->places, *p;

	memset(d->placed, 0, sizeof(d->placed));
	while ((p = *at)) {
		if (p->is_marked) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		d->sites -= p->site != NULL;
		p->is_leaving = true;
		p->next = d->leaving;
		d->leaving = p;
		d->leaving_after = 0;
		/* What is kept of it is repeated no more. */
		repeat_configure(d, p, 0);
		free_if_empty(d, p);
	}
	place_drain(d);
}

static void mark_all(struct discovery *d, bool is_marked)
{
	struct place *p;

	for (p = d->places; p; p = p->next)
		p->is_marked = is_marked;
}

void discovery_left(struct discovery *d, const struct relay_segment *s)
{
	struct relay_segment_info i;
	struct place *p;

	relay_segment_get(s, &i);
	p = find_place(d, discovery_group(s)->name, &i);
	if (!p)
		return;
	mark_all(d, true);
	p->is_marked = false;
	sweep(d);
	discovery_arm(d);
}

static void mark_group(struct discovery *d, const struct relay_group *g)
{
	const struct config_group *c = relay_group_config(g);
	const struct relay_channel *channel = NULL;
	const struct relay_segment *s;
	struct relay_segment_info i;
	struct place *p;

	for (p = d->places; p; p = p->next)
		p->is_marked |= p->site && p->protocol == c->payload &&
				strcmp(p->group, c->name) == 0;
	while ((channel = relay_channel_next(g, channel)))
		for (s = NULL; (s = relay_segment_next(channel, s));) {
			relay_segment_get(s, &i);
			p = find_place(d, c->name, &i);
			if (!p || p->protocol != c->payload)
				continue;
			p->is_marked = true;
			repeat_configure(d, p, c->repeat_ms);
		}
}

void discovery_configure(struct discovery *d, const struct config *c)
{
	const struct relay_group *g = NULL;

	quota_set_bound(&d->table.quota, c->limits.discovered);
	mark_all(d, false);
	while ((g = relay_group_next(d->relay, g)))
		mark_group(d, g);
	sweep(d);
	discovery_arm(d);
}
