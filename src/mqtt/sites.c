#include "mqtt/sites.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

void sites_init(struct sites *s, size_t n_groups, const struct siphash_key *key)
{
	*s = (struct sites){ .n_groups = n_groups, .key = *key };
}

void sites_done(struct sites *s)
{
	while (s->by_name != NULL)
		sites_forget(s, s->by_name);
	s->busy = NULL;
}

static unsigned hash_of(const struct sites *s, const char *name)
{
	return (unsigned)siphash(&s->key, name, strlen(name));
}

struct site *sites_find(const struct sites *s, const char *name)
{
	struct site *found;
	unsigned hash = hash_of(s, name);

	HASH_FIND_BYHASHVALUE(hh, s->by_name, name, strlen(name), hash, found);
	return found;
}

/* One that is not online and of which nothing is known may go. */
static bool is_idle(const struct sites *s, const struct site *site)
{
	for (size_t i = 0; i < s->n_groups; i++)
		if (site->lanes[i].busy)
			return false;
	return !site->online && site->entries == 0;
}

static bool make_room(struct sites *s)
{
	struct site *site = s->by_name;

	if (s->n < SITES_MAX)
		return true;
	while (site != NULL && !is_idle(s, site))
		site = site->hh.next;
	if (site == NULL) {
		s->refused++;
		return false;
	}
	sites_forget(s, site);
	return true;
}

struct site *sites_get(struct sites *s, const char *name)
{
	struct site *site = sites_find(s, name);
	unsigned hash = hash_of(s, name);

	if (site != NULL || !make_room(s))
		return site;
	site = calloc(
		1, sizeof(*site) + s->n_groups * sizeof(struct site_lane));
	if (site == NULL)
		return NULL;
	(void)strncpy(site->name, name, CONFIG_SITE_NAME);
	for (size_t i = 0; i < s->n_groups; i++) {
		site->lanes[i].site = site;
		site->lanes[i].group = i;
	}
	/* What make_room() forgot has left the table, which clang's analyzer
	 * does not see through the macros. */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	HASH_ADD_KEYPTR_BYHASHVALUE(
		hh, s->by_name, site->name, strlen(site->name), hash, site);
	if (site->failed) {
		free(site);
		return NULL;
	}
	s->n++;
	return site;
}

struct site *sites_next(const struct sites *s, const struct site *after)
{
	return after == NULL ? s->by_name : after->hh.next;
}

void sites_forget(struct sites *s, struct site *site)
{
	HASH_DEL(s->by_name, site);
	s->n--;
	free(site);
}

void sites_holder(
	const struct sites *s, const char *name, struct net_address *ret)
{
	uint64_t half = siphash(&s->key, name, strlen(name));

	*ret = (struct net_address){ .family = AF_INET6 };
	memcpy(ret->bytes, &half, sizeof(half));
	half = siphash_behind(&s->key, half, name, strlen(name));
	memcpy(ret->bytes + sizeof(half), &half, sizeof(half));
}

/* ---- lanes ---- */

bool lane_may(struct site_lane *l, uint32_t rate, uint64_t now_ms)
{
	uint64_t full = (uint64_t)rate * 1000, since = now_ms - l->filled_ms;

	if (rate == 0)
		return true;
	/* It holds a second's worth; 1 ms is worth `rate` thousandths. */
	if (l->filled_ms == 0 || since >= 1000 ||
		l->tokens + since * rate > full)
		l->tokens = full;
	else
		l->tokens += since * rate;
	l->filled_ms = now_ms;
	if (l->tokens < 1000)
		return false;
	l->tokens -= 1000;
	return true;
}

/* One after the other: what comes back after a loss must not be found missing
 * since something else has its place. */
static uint64_t *find_recent(struct site_lane *l, uint64_t heard)
{
	for (size_t i = 0; i < LANE_RECENT; i++)
		if (l->recent[i] == heard)
			return &l->recent[i];
	return NULL;
}

bool lane_repeats(struct site_lane *l, uint64_t heard)
{
	/* 0 is an empty place. */
	heard |= 1;
	if (find_recent(l, heard) != NULL)
		return true;
	l->recent[l->next_recent] = heard;
	l->next_recent = (l->next_recent + 1) % LANE_RECENT;
	return false;
}

void lane_forgets(struct site_lane *l, uint64_t heard)
{
	uint64_t *place = find_recent(l, heard | 1);

	if (place != NULL)
		*place = 0;
}

void sites_list(struct sites *s, struct site_lane *l, struct shelf_item *i)
{
	shelf_list_add(&l->todo, i);
	if (l->busy)
		return;
	l->busy = true;
	DL_APPEND(s->busy, l);
}

struct site_lane *sites_turn(struct sites *s)
{
	struct site_lane *l;

	while ((l = s->busy) != NULL) {
		DL_DELETE(s->busy, l);
		if (l->todo.n > 0) {
			DL_APPEND(s->busy, l);
			return l;
		}
		l->busy = false;
	}
	return NULL;
}
