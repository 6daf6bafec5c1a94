#include "control/subscription.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 4096 };

const char *event_kind_word(enum event_kind k)
{
	static const char *const words[EVENT_KINDS] = {
		[EVENT_DISCOVERED] = "discovered",
		[EVENT_EXPIRED] = "expired",
		[EVENT_SEGMENT] = "segment",
		[EVENT_CONFIG] = "config",
		[EVENT_ANNOUNCEMENT] = "announcement",
		[EVENT_DATAGRAM] = "datagram",
		[EVENT_DROP] = "drop",
		[EVENT_STORM] = "storm",
		[EVENT_ANSWER] = "answer",
	};

	return words[k];
}

int subscription_new(struct subscription **ret, unsigned events, bool payload)
{
	struct subscription *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->events = events;
	s->payload = payload;
	*ret = s;
	return 0;
}

void subscription_free(struct subscription *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_groups; i++)
		free(s->groups[i]);
	free(s->groups);
	free(s->text);
	free(s);
}

static bool has_group(const struct subscription *s, const char *name)
{
	for (size_t i = 0; i < s->n_groups; i++)
		if (!strcmp(s->groups[i], name))
			return true;
	return false;
}

int subscription_add_group(struct subscription *s, const char *name)
{
	char **groups;

	if (has_group(s, name))
		return 0;
	groups = realloc(s->groups, (s->n_groups + 1) * sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	s->groups = groups;
	groups[s->n_groups] = strdup(name);
	if (!groups[s->n_groups])
		return -ENOMEM;
	s->n_groups++;
	return 0;
}

bool subscription_wants(const struct subscription *s, enum event_kind kind,
	const char *group, enum event_readers readers)
{
	if (readers != EVENT_FOR_ALL &&
		s->carries != (readers == EVENT_FOR_CARRIERS))
		return false;
	return (s->events & 1U << kind) &&
	       (!group || s->n_groups == 0 || has_group(s, group));
}

bool subscription_has_room(
	const struct subscription *s, size_t size, size_t unsent)
{
	return s->size + size + unsent <= SUBSCRIPTION_WAITING_MAX;
}

int subscription_put(struct subscription *s, const char *line, size_t size)
{
	size_t room = s->room ? s->room : ROOM_MIN;
	char *text;

	while (room < s->size + size)
		room *= 2;
	if (room > s->room) {
		text = realloc(s->text, room);
		if (!text)
			return -ENOMEM;
		s->text = text;
		s->room = room;
	}
	memcpy(s->text + s->size, line, size);
	s->size += size;
	return 0;
}

bool subscription_take(
	struct subscription *s, char **ret_text, size_t *ret_size)
{
	if (s->size == 0)
		return false;
	*ret_text = s->text;
	*ret_size = s->size;
	s->text = NULL;
	s->size = s->room = 0;
	return true;
}
