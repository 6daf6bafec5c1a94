/*
 * One announcement and its legs.
 */
#include "announce/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct announce_entry *entry_new(struct announce *a,
	struct config_announcement *c, const char *group, bool runtime)
{
	struct announce_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->announce = a;
	e->due_ms = NEVER;
	e->runtime = runtime;
	e->group = strdup(group);
	if (!e->group)
		goto fail;
	if (c->service) {
		e->service = calloc(1, sizeof(*e->service));
		if (!e->service)
			goto fail;
	}
	e->c = c;
	/* Should they be wrong, sending says so. */
	if (e->service)
		(void)speak_names(e);
	return e;
fail:
	free(e->group);
	free(e);
	return NULL;
}

void entry_free(struct announce_entry *e)
{
	if (!e)
		return;
	if (e->runtime)
		config_announcement_free(e->c);
	free(e->group);
	free(e->service);
	free(e->legs);
	free(e);
}

void entry_set_state(struct announce_entry *e, enum announce_state s)
{
	if (e->state == s)
		return;
	e->state = s;
	if (s == ANNOUNCE_ACTIVE)
		e->error[0] = '\0';
	announce_tell(e, ANNOUNCE_STATE, NULL);
}

void entry_begin(struct announce_entry *e, struct leg *l, uint64_t when_ms)
{
	l->burst = e->c->burst;
	if (e->service && l->burst < SERVICE_BURST)
		l->burst = SERVICE_BURST;
	l->is_asking = e->service != NULL;
	l->answer_ms = NEVER;
	l->due_ms = NEVER;
	if (e->state != ANNOUNCE_ACTIVE)
		return;
	l->due_ms = when_ms;
	clock_wake(e, when_ms);
}

struct leg *entry_leg(struct announce_entry *e, uint64_t segment)
{
	for (size_t i = 0; i < e->n_legs; i++)
		if (e->legs[i].segment == segment)
			return &e->legs[i];
	return NULL;
}

/* The segments of a group that are sent to, one by one. */
static const struct relay_segment *next_segment(const struct relay_group *g,
	const struct relay_channel **c, const struct relay_segment *s)
{
	struct relay_segment_info i;

	while (g) {
		if (*c)
			s = relay_segment_next(*c, s);
		if (!s) {
			*c = relay_channel_next(g, *c);
			if (!*c)
				return NULL;
			continue;
		}
		relay_segment_get(s, &i);
		if (strcmp(i.direction, "from") != 0)
			return s;
	}
	return NULL;
}

/* Segments stand in the same order as legs, but for those that come and go, so
 * that `*hint` is nearly always where it is. */
static struct leg take_leg(
	struct announce_entry *e, uint64_t segment, size_t *hint)
{
	for (size_t k = 0; k < e->n_legs; k++) {
		size_t i = (*hint + k) % e->n_legs;

		if (e->legs[i].segment != segment)
			continue;
		*hint = i + 1;
		return e->legs[i];
	}
	return (struct leg){ .segment = 0 };
}

static int follow_segments(
	struct announce_entry *e, const struct relay_group *g)
{
	const struct relay_channel *c = NULL;
	const struct relay_segment *s = NULL;
	size_t n = 0, hint = 0;
	struct leg *legs;

	while ((s = next_segment(g, &c, s)))
		n++;
	legs = calloc(n + 1, sizeof(*legs));
	if (!legs)
		return -ENOMEM;
	c = NULL;
	n = 0;
	while ((s = next_segment(g, &c, s)))
		legs[n++] = take_leg(e, relay_segment_id(s), &hint);
	free(e->legs);
	e->legs = legs;
	e->n_legs = n;
	c = NULL;
	n = 0;
	while ((s = next_segment(g, &c, s))) {
		struct leg *l = &legs[n++];

		if (l->segment)
			continue;
		l->segment = relay_segment_id(s);
		entry_begin(e, l, uv_now(e->announce->loop));
	}
	return 0;
}

static bool is_sent(const struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++)
		if (g->uses[i].role & CONFIG_SENT_TO)
			return true;
	return false;
}

/* The group, where it will do for the entry; else NULL, and `*ret_why` is what
 * is wrong. The file's own are checked with the file. */
static const struct relay_group *fitting_group(
	const struct announce_entry *e, const char **ret_why)
{
	const struct relay_group *g =
		relay_group_find(e->announce->relay, e->group);
	const struct config_group *c;

	*ret_why = "is no more";
	if (!g)
		return NULL;
	c = relay_group_config(g);
	*ret_why = "has no payload: mdns any more, which a service needs";
	if (e->service && c->payload != CONFIG_PAYLOAD_MDNS)
		return NULL;
	*ret_why = "only listens now";
	return is_sent(c) ? g : NULL;
}

static void lose_group(struct announce_entry *e, const char *why)
{
	free(e->legs);
	e->legs = NULL;
	e->n_legs = 0;
	e->at = NULL;
	(void)snprintf(
		e->error, sizeof(e->error), "the group %s %s", e->group, why);
	entry_set_state(e, ANNOUNCE_NO_GROUP);
}

int entry_follow(struct announce_entry *e)
{
	const char *why;
	const struct relay_group *g = fitting_group(e, &why);

	if (!g) {
		lose_group(e, why);
		return 0;
	}
	if (e->state == ANNOUNCE_NO_GROUP)
		entry_set_state(e, ANNOUNCE_ACTIVE);
	e->at = g;
	return follow_segments(e, g);
}
