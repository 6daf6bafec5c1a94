/*
 * From one configuration to the next.
 */
#include "announce/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static const struct config_group *group_named(
	const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (strcmp(c->groups[i].name, name) == 0)
			return &c->groups[i];
	return NULL;
}

static struct config_announcement *announcement_named(
	const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_announcements; i++)
		if (strcmp(c->announcements[i].name, name) == 0)
			return &c->announcements[i];
	return NULL;
}

/* Whether its group goes on with all its segments. */
static bool group_stays(
	const struct announce_entry *e, const struct config *next)
{
	const struct config *now = e->announce->config;
	const struct config_group *a = group_named(now, e->group);
	const struct config_group *b = group_named(next, e->group);

	return a && b && config_group_equal(now, a, next, b);
}

/* Whether it goes on undisturbed. */
static bool stays(const struct announce_entry *e, const struct config *next)
{
	const struct config_announcement *c =
		announcement_named(next, e->c->name);

	if (!group_stays(e, next))
		return false;
	if (e->runtime)
		return !c;
	return c &&
	       config_announcement_equal(e->announce->config, e->c, next, c);
}

void announce_prepare(struct announce *a, const struct config *next)
{
	struct announce_entry *e;

	DL_FOREACH(a->entries, e)
	{
		if (stays(e, next))
			continue;
		entry_goodbye(e);
		/* Where the next one is not taken over after all, it must not
		 * be missed for long. */
		for (size_t i = 0; i < e->n_legs; i++)
			entry_begin(e, &e->legs[i], uv_now(a->loop));
	}
}

/* Those of the file, in its order. Returns 0 or -ENOMEM. */
static int collect(
	struct announce *a, struct config *config, struct announce_entry **ret)
{
	for (size_t i = 0; i < config->n_announcements; i++) {
		struct config_announcement *c = &config->announcements[i];
		struct announce_entry *e = announce_find(a, c->name);

		if (e && !e->runtime && stays(e, config)) {
			e->kept = true;
			ret[i] = e;
			continue;
		}
		ret[i] = entry_new(a, c, config->groups[c->group].name, false);
		if (!ret[i])
			return -ENOMEM;
	}
	return 0;
}

static size_t count_services(
	const struct announce *a, struct announce_entry *const *file, size_t n)
{
	const struct announce_entry *e;
	size_t services = 0;

	DL_FOREACH(a->entries, e)
	services += e->runtime && e->service;
	for (size_t i = 0; i < n; i++)
		services += file[i]->service != NULL;
	return services;
}

static void undo(struct announce *a, struct announce_entry **file, size_t n)
{
	struct announce_entry *e;

	for (size_t i = 0; i < n; i++)
		if (file[i] && !file[i]->kept)
			entry_free(file[i]);
	DL_FOREACH(a->entries, e)
	e->kept = false;
}

static void drop(
	struct announce *a, struct announce_entry *e, const struct config *next)
{
	entry_goodbye(e);
	DL_DELETE(a->entries, e);
	a->n_runtime -= e->runtime;
	/* One of the file that says something else now is no news. */
	if (e->runtime || !announcement_named(next, e->c->name))
		announce_tell(e, ANNOUNCE_REMOVED, NULL);
	entry_free(e);
}

/* Whether the file announces the same service by another name. */
static bool has_service(
	const struct config *next, const struct announce_entry *e)
{
	for (size_t i = 0; e->service && i < next->n_announcements; i++) {
		const struct config_announcement *c = &next->announcements[i];

		if (c->service &&
			strcmp(next->groups[c->group].name, e->group) == 0 &&
			strcmp(c->service->type, e->c->service->type) == 0 &&
			strcasecmp(c->service->name, e->c->service->name) == 0)
			return true;
	}
	return false;
}

/* Leaves only those of run time that the file says nothing of. */
static void drop_others(struct announce *a, const struct config *next)
{
	struct announce_entry *e, *following;

	DL_FOREACH_SAFE(a->entries, e, following)
	{
		if (e->kept)
			DL_DELETE(a->entries, e);
		else if (!e->runtime || announcement_named(next, e->c->name) ||
			 has_service(next, e))
			drop(a, e, next);
	}
}

static void take_over(
	struct announce *a, struct announce_entry **file, struct config *next)
{
	drop_others(a, next);
	for (size_t i = next->n_announcements; i-- > 0;) {
		file[i]->kept = false;
		file[i]->c = &next->announcements[i];
		DL_PREPEND(a->entries, file[i]);
	}
	(void)config_ref(next);
	config_unref(a->config);
	a->config = next;
	a->names_stale = true;
}

static int follow_all(struct announce *a)
{
	struct announce_entry *e;
	int err = 0;

	DL_FOREACH(a->entries, e)
	{
		const struct config_group *g = group_named(a->config, e->group);

		if (g && e->runtime)
			e->c->group = (size_t)(g - a->config->groups);
		if (entry_follow(e) < 0)
			err = -ENOMEM;
	}
	if (err < 0)
		clock_set_stale(a);
	return err;
}

int announce_configure(struct announce *a, struct config *config)
{
	size_t n = config->n_announcements;
	struct announce_entry **file =
		calloc(n + 1, sizeof(struct announce_entry *));
	size_t services;
	int err;

	if (!file)
		return -ENOMEM;
	err = collect(a, config, file);
	if (err < 0)
		goto fail;
	services = count_services(a, file, n);
	err = names_reserve(a, services);
	if (err < 0)
		goto fail;
	a->n_services = services;
	take_over(a, file, config);
	free(file);
	return follow_all(a);
fail:
	undo(a, file, n);
	free(file);
	return err;
}
