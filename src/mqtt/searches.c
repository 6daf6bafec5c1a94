#include "mqtt/searches.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

void searches_init(
	struct searches *s, size_t bound, const struct siphash_key *key)
{
	*s = (struct searches){ 0 };
	quota_init(&s->quota, bound, key);
}

static void forget(struct searches *s, struct search *search)
{
	DL_DELETE(s->list, search);
	quota_remove(&s->quota, &search->quota);
	free(search);
}

void searches_done(struct searches *s)
{
	while (s->list != NULL)
		forget(s, s->list);
	quota_done(&s->quota);
	for (size_t i = 0; i < SEARCHES_EARLY; i++) {
		json_decref(s->early[i].event);
		s->early[i].event = NULL;
	}
}

/* All wait equally long, so the oldest end first. */
static void expire(struct searches *s, uint64_t now_ms)
{
	while (s->list != NULL && s->list->until_ms <= now_ms)
		forget(s, s->list);
}

static struct search *search_of(struct quota_item *q)
{
	return (struct search *)(void *)((char *)q -
					 offsetof(struct search, quota));
}

int searches_add(struct searches *s, const struct search *search,
	const struct net_address *holder, uint64_t now_ms)
{
	struct quota_item *surplus;
	struct search *new;

	expire(s, now_ms);
	while ((surplus = quota_surplus(&s->quota)) != NULL) {
		s->quota.evicted++;
		forget(s, search_of(surplus));
	}
	new = malloc(sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	*new = *search;
	new->quota = (struct quota_item){ 0 };
	new->until_ms = now_ms + SEARCHES_WAIT_MS;
	if (quota_add(&s->quota, &new->quota, holder) < 0) {
		free(new);
		return -ENOMEM;
	}
	DL_APPEND(s->list, new);
	return 0;
}

size_t searches_each(struct searches *s, int64_t flow, uint64_t now_ms,
	void (*each)(void *data, const struct search *search), void *data)
{
	const struct search *search;
	size_t n = 0;

	expire(s, now_ms);
	DL_FOREACH(s->list, search)
	{
		if (search->flow != flow)
			continue;
		each(data, search);
		n++;
	}
	return n;
}

void searches_keep(
	struct searches *s, int64_t flow, const json_t *event, uint64_t now_ms)
{
	size_t at = s->next++ % SEARCHES_EARLY;

	json_decref(s->early[at].event);
	/* The event is not ours to change, but to keep. */
	s->early[at].event = json_deep_copy(event);
	s->early[at].flow = flow;
	s->early[at].until_ms = now_ms + SEARCHES_EARLY_MS;
}

json_t *searches_kept(struct searches *s, int64_t flow, uint64_t now_ms)
{
	for (size_t i = 0; i < SEARCHES_EARLY; i++) {
		/* From the oldest on. */
		size_t at = (s->next + i) % SEARCHES_EARLY;
		json_t *event = s->early[at].event;

		if (event == NULL || s->early[at].flow != flow)
			continue;
		s->early[at].event = NULL;
		if (s->early[at].until_ms > now_ms)
			return event;
		json_decref(event);
	}
	return NULL;
}
