/*
 * What comes from the broker under this site's own name: answers, what it has
 * said in an earlier life, and whoever else has that name.
 */
#include "mqtt/carrier.h"

#include <string.h>
#include <syslog.h>

enum { IMPOSTOR_MS = 60000 }; /* how often it is said */

static void warn_of_impostor(struct carrier *c)
{
	uint64_t now = uv_now(c->loop);

	c->impostors++;
	if (c->warned_ms != 0 && now - c->warned_ms < IMPOSTOR_MS)
		return;
	c->warned_ms = now;
	service_log(c->log, LOG_WARNING, NULL,
		"somebody else publishes as site \"%s\": each site needs a "
		"name of its own",
		c->c->site);
}

/* An announcement that is younger than this process, and that it has not made:
 * what it publishes does not come back to it within one connection, and what
 * comes from an earlier one is on the shelf as it was, or newer. */
static bool is_foreign(
	const struct carrier *c, const struct topic *t, const struct message *m)
{
	char name[CARRIER_NAME];
	const struct shelf_item *i = shelf_find(
		&c->own, carrier_name(NULL, t->group, t->last, name));

	if (strcmp(m->heard, c->began) <= 0)
		return false;
	return i == NULL || (i->message != NULL && !i->gone &&
				    strcmp(m->heard, i->message->heard) > 0);
}

void own_message(struct carrier *c, const struct topic *t,
	const struct broker_message *m)
{
	struct message message;

	switch (t->kind) {
	case TOPIC_ANSWER:
		if (message_read(m->properties, &message) == 0)
			answers_arrived(c, t, &message, m->payload, m->size);
		break;
	case TOPIC_ANNOUNCE:
		if (m->size == 0 || carrier_group(c, t->group) < 0 ||
			message_read(m->properties, &message) < 0)
			break;
		if (is_foreign(c, t, &message))
			warn_of_impostor(c);
		publish_adopt(c, t, &message, m->payload, m->size);
		break;
	case TOPIC_ONLINE:
		/* The will of a connection of ours that was cut off. */
		if (!take_is_online(m))
			carrier_say_online(c);
		break;
	case TOPIC_SEARCH:
	case TOPIC_DATAGRAM:
		warn_of_impostor(c);
		break;
	}
}
