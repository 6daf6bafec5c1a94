/*
 * What the owner says to the broker by a session.
 */
#include "mqtt/session_internal.h"
#include "mqtt/words.h"

#include <errno.h>
#include <limits.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>

static int may_ask(const struct session *s)
{
	if (s->phase != SESSION_OPEN)
		return -ENOTCONN;
	return s->published + s->asked >= s->window ? -EAGAIN : 0;
}

/* It has something to write now. A failure shows when it is read. */
static int queued(struct session *s, int rc)
{
	if (rc == MOSQ_ERR_SUCCESS)
		(void)tap_watch(s->tap, client_events(s));
	return words_errno(rc);
}

static size_t varint_size(size_t n)
{
	return n < 128 ? 1 : n < 16384 ? 2 : n < 2097152 ? 3 : 4;
}

static size_t string_size(const mosquitto_property *p, int id)
{
	char *name = NULL, *value = NULL;
	size_t size = 3;

	if (id == MQTT_PROP_USER_PROPERTY)
		(void)mosquitto_property_read_string_pair(
			p, id, &name, &value, false);
	else
		(void)mosquitto_property_read_string(p, id, &value, false);
	if (name != NULL)
		size += 2 + strlen(name);
	if (value != NULL)
		size += strlen(value);
	free(name);
	free(value);
	return size;
}

/* Of one that PUBLISH may have, with its identifier. */
static size_t property_size(const mosquitto_property *p)
{
	int id = mosquitto_property_identifier(p);
	uint16_t size = 0;
	void *data = NULL;

	switch (id) {
	case MQTT_PROP_CONTENT_TYPE:
	case MQTT_PROP_RESPONSE_TOPIC:
	case MQTT_PROP_USER_PROPERTY:
		return string_size(p, id);
	case MQTT_PROP_CORRELATION_DATA:
		(void)mosquitto_property_read_binary(
			p, id, &data, &size, false);
		free(data);
		return 3 + (size_t)size;
	default:
		return 5; /* at most */
	}
}

/*
 * libmosquitto does not count all of a packet before it takes a message, and
 * aborts once it finds out.
 */
static bool is_too_large(const struct session *s, const char *topic,
	size_t size, const mosquitto_property *properties)
{
	const mosquitto_property *p = properties;
	size_t all = 0;

	if (s->packet_max == 0)
		return false;
	for (; p != NULL; p = mosquitto_property_next(p))
		all += property_size(p);
	all += varint_size(all) + 2 + strlen(topic) + 2 + size;
	return 1 + varint_size(all) + all > s->packet_max;
}

int session_publish(struct session *s, const char *topic, const void *payload,
	size_t size, int qos, bool retain, const mosquitto_property *properties)
{
	int r = may_ask(s), rc;

	if (r < 0)
		return r;
	if (size > INT_MAX || is_too_large(s, topic, size, properties))
		return -EMSGSIZE;
	rc = mosquitto_publish_v5(s->client, NULL, topic, (int)size, payload,
		qos < s->qos ? qos : s->qos, retain, properties);
	if (rc == MOSQ_ERR_SUCCESS)
		s->published++;
	return queued(s, rc);
}

int session_subscribe(
	struct session *s, const char *pattern, int qos, int options)
{
	int r = may_ask(s), rc;

	if (r < 0)
		return r;
	rc = mosquitto_subscribe_v5(
		s->client, NULL, pattern, qos, options, NULL);
	if (rc == MOSQ_ERR_SUCCESS)
		s->asked++;
	return queued(s, rc);
}

int session_unsubscribe(struct session *s, const char *pattern)
{
	int r = may_ask(s), rc;

	if (r < 0)
		return r;
	rc = mosquitto_unsubscribe_v5(s->client, NULL, pattern, NULL);
	if (rc == MOSQ_ERR_SUCCESS)
		s->asked++;
	return queued(s, rc);
}
