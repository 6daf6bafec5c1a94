#include "mqtt/message.h"
#include "mqtt/topic.h"

#include <errno.h>
#include <inttypes.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static int put_pair(
	mosquitto_property **list, const char *name, const char *value)
{
	if (value[0] == '\0')
		return MOSQ_ERR_SUCCESS;
	return mosquitto_property_add_string_pair(
		list, MQTT_PROP_USER_PROPERTY, name, value);
}

static int put_string(
	mosquitto_property **list, int property, const char *value)
{
	if (value[0] == '\0')
		return MOSQ_ERR_SUCCESS;
	return mosquitto_property_add_string(list, property, value);
}

static int put_endpoint(mosquitto_property **list, const char *name,
	const struct net_address *address, uint16_t port)
{
	char text[NET_ADDRESS_TEXT], port_name[32], number[8] = "";
	struct net_address plain = *address;

	/* A scope means something on one host alone. */
	plain.scope = 0;
	text[0] = '\0';
	if (net_address_is_set(&plain))
		(void)net_address_format(&plain, NULL, text);
	(void)snprintf(port_name, sizeof(port_name), "%s-port", name);
	if (port != 0)
		(void)snprintf(number, sizeof(number), "%u", port);
	if (put_pair(list, name, text) != MOSQ_ERR_SUCCESS)
		return MOSQ_ERR_NOMEM;
	return put_pair(list, port_name, number);
}

static const char *family_word(const struct message *m)
{
	switch (m->channel.family) {
	case AF_INET:
		return "ipv4";
	case AF_INET6:
		return "ipv6";
	default:
		return "";
	}
}

static int put_numbers(mosquitto_property **list, const struct message *m)
{
	int r = MOSQ_ERR_SUCCESS;

	if (m->expires_s > 0)
		r = mosquitto_property_add_int32(
			list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, m->expires_s);
	if (r == MOSQ_ERR_SUCCESS && m->correlation_size > 0)
		r = mosquitto_property_add_binary(list,
			MQTT_PROP_CORRELATION_DATA, m->correlation,
			(uint16_t)m->correlation_size);
	return r;
}

int message_write(const struct message *m, mosquitto_property **ret)
{
	mosquitto_property *list = NULL;
	char digest[17];

	(void)snprintf(digest, sizeof(digest), "%016" PRIx64, m->digest);
	if (put_numbers(&list, m) != MOSQ_ERR_SUCCESS ||
		put_string(&list, MQTT_PROP_CONTENT_TYPE, m->content) ||
		put_string(&list, MQTT_PROP_RESPONSE_TOPIC, m->response) ||
		put_pair(&list, "hops", m->hops) ||
		put_pair(&list, "heard", m->heard) ||
		put_pair(&list, "digest", digest) ||
		put_endpoint(&list, "origin", &m->origin, m->origin_port) ||
		put_endpoint(&list, "channel", &m->channel, m->channel_port) ||
		put_pair(&list, "family", family_word(m)) ||
		put_pair(&list, "segment", m->segment) ||
		put_pair(&list, "kind", m->kind) ||
		put_pair(&list, "goodbye", m->goodbye ? "true" : "")) {
		mosquitto_property_free_all(&list);
		return -ENOMEM;
	}
	*ret = list;
	return 0;
}

/* ---- reading ---- */

/* What has been read, and may come once only. */
enum seen {
	SEEN_HOPS,
	SEEN_HEARD,
	SEEN_DIGEST,
	SEEN_ORIGIN,
	SEEN_ORIGIN_PORT,
	SEEN_CHANNEL,
	SEEN_CHANNEL_PORT,
	SEEN_SEGMENT,
	SEEN_KIND,
	SEEN_GOODBYE,
	SEEN_NAMES,
};

static bool copy(char *ret, size_t room, const char *text)
{
	size_t size = strlen(text);

	if (size >= room)
		return false;
	memcpy(ret, text, size + 1);
	return true;
}

/* As copy(), for what may be shown: printable ASCII alone. */
static bool copy_plain(char *ret, size_t room, const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			return false;
	return copy(ret, room, text);
}

static bool read_port(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long port;

	if (text[0] < '1' || text[0] > '9')
		return false;
	port = strtoul(text, &end, 10);
	if (*end != '\0' || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool read_digest(const char *text, uint64_t *ret)
{
	if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return false;
	*ret = strtoull(text, NULL, 16);
	return true;
}

static bool read_plain_address(const char *text, struct net_address *ret)
{
	struct net_address a;

	if (net_address_parse(text, &a) < 0 || a.scope != 0)
		return false;
	*ret = a;
	return true;
}

/* 1 to MESSAGE_HOPS names of sites. */
static bool read_hops(const char *text, char ret[MESSAGE_HOPS_TEXT])
{
	char name[CONFIG_SITE_NAME + 1];
	unsigned n = 0;

	if (strlen(text) >= MESSAGE_HOPS_TEXT)
		return false;
	for (const char *at = text;; at++) {
		size_t size = strcspn(at, ",");

		if (size > CONFIG_SITE_NAME || ++n > MESSAGE_HOPS)
			return false;
		memcpy(name, at, size);
		name[size] = '\0';
		if (!topic_is_site(name))
			return false;
		at += size;
		if (*at == '\0')
			break;
	}
	return copy(ret, MESSAGE_HOPS_TEXT, text);
}

static bool read_named(enum seen which, const char *text, struct message *m)
{
	switch (which) {
	case SEEN_HOPS:
		return read_hops(text, m->hops);
	case SEEN_HEARD:
		return copy_plain(m->heard, sizeof(m->heard), text);
	case SEEN_DIGEST:
		return read_digest(text, &m->digest);
	case SEEN_ORIGIN:
		return read_plain_address(text, &m->origin);
	case SEEN_ORIGIN_PORT:
		return read_port(text, &m->origin_port);
	case SEEN_CHANNEL:
		return read_plain_address(text, &m->channel);
	case SEEN_CHANNEL_PORT:
		return read_port(text, &m->channel_port);
	case SEEN_SEGMENT:
		return copy_plain(m->segment, sizeof(m->segment), text);
	case SEEN_KIND:
		return copy_plain(m->kind, sizeof(m->kind), text);
	case SEEN_GOODBYE:
		m->goodbye = strcmp(text, "true") == 0;
		return m->goodbye;
	case SEEN_NAMES:
		break;
	}
	return true;
}

static bool read_pair(
	const mosquitto_property *p, unsigned *seen, struct message *m)
{
	static const char *const names[SEEN_NAMES] = {
		[SEEN_HOPS] = "hops",
		[SEEN_HEARD] = "heard",
		[SEEN_DIGEST] = "digest",
		[SEEN_ORIGIN] = "origin",
		[SEEN_ORIGIN_PORT] = "origin-port",
		[SEEN_CHANNEL] = "channel",
		[SEEN_CHANNEL_PORT] = "channel-port",
		[SEEN_SEGMENT] = "segment",
		[SEEN_KIND] = "kind",
		[SEEN_GOODBYE] = "goodbye",
	};
	char *name = NULL, *value = NULL;
	unsigned which = 0;
	bool good = true;

	if (mosquitto_property_read_string_pair(
		    p, MQTT_PROP_USER_PROPERTY, &name, &value, false) == NULL)
		return false;
	while (which < SEEN_NAMES && strcmp(name, names[which]) != 0)
		which++;
	if (which < SEEN_NAMES) {
		good = !(*seen & 1U << which) && read_named(which, value, m);
		*seen |= 1U << which;
	}
	free(name);
	free(value);
	return good;
}

static bool read_text(
	const mosquitto_property *p, int property, char *ret, size_t room)
{
	char *value = NULL;
	bool good;

	if (mosquitto_property_read_string(p, property, &value, false) == NULL)
		return false;
	good = copy(ret, room, value);
	free(value);
	return good;
}

static bool read_correlation(const mosquitto_property *p, struct message *m)
{
	void *value = NULL;
	uint16_t size;

	if (mosquitto_property_read_binary(p, MQTT_PROP_CORRELATION_DATA,
		    &value, &size, false) == NULL)
		return false;
	if (size <= MESSAGE_CORRELATION) {
		if (size > 0)
			memcpy(m->correlation, value, size);
		m->correlation_size = size;
	}
	free(value);
	return size <= MESSAGE_CORRELATION;
}

static bool read_expiry(const mosquitto_property *p, struct message *m)
{
	uint32_t seconds;

	if (mosquitto_property_read_int32(p, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
		    &seconds, false) == NULL)
		return false;
	m->expires_s =
		seconds < MESSAGE_EXPIRES_S ? seconds : MESSAGE_EXPIRES_S;
	/* It ends now, and not never. */
	if (seconds == 0)
		m->expires_s = 1;
	return true;
}

static bool read_property(
	const mosquitto_property *p, unsigned *seen, struct message *m)
{
	switch (mosquitto_property_identifier(p)) {
	case MQTT_PROP_USER_PROPERTY:
		return read_pair(p, seen, m);
	case MQTT_PROP_CONTENT_TYPE:
		return read_text(p, MQTT_PROP_CONTENT_TYPE, m->content,
			sizeof(m->content));
	case MQTT_PROP_RESPONSE_TOPIC:
		return read_text(p, MQTT_PROP_RESPONSE_TOPIC, m->response,
			sizeof(m->response));
	case MQTT_PROP_CORRELATION_DATA:
		return read_correlation(p, m);
	case MQTT_PROP_MESSAGE_EXPIRY_INTERVAL:
		return read_expiry(p, m);
	default:
		return true;
	}
}

int message_read(const mosquitto_property *properties, struct message *ret)
{
	struct message m = { 0 };
	unsigned seen = 0, n = 0;

	for (const mosquitto_property *p = properties; p != NULL;
		p = mosquitto_property_next(p))
		if (++n > MESSAGE_PROPERTIES || !read_property(p, &seen, &m))
			return -EBADMSG;
	*ret = m;
	return 0;
}

/* ---- hops ---- */

bool message_has_hop(const struct message *m, const char *site)
{
	size_t length = strlen(site);

	for (const char *at = m->hops; *at != '\0';) {
		size_t size = strcspn(at, ",");

		if (size == length && memcmp(at, site, size) == 0)
			return true;
		at += size;
		at += *at == ',';
	}
	return false;
}

int message_add_hop(struct message *m, const char *site)
{
	size_t used = strlen(m->hops), size = strlen(site);
	unsigned n = used > 0;

	for (const char *at = m->hops; *at != '\0'; at++)
		n += *at == ',';
	if (n == MESSAGE_HOPS || used + 1 + size >= sizeof(m->hops))
		return -ENOSPC;
	if (used > 0)
		m->hops[used++] = ',';
	memcpy(m->hops + used, site, size + 1);
	return 0;
}

void message_first_hop(const struct message *m, char *ret)
{
	size_t size = strcspn(m->hops, ",");

	if (size > CONFIG_SITE_NAME)
		size = 0;
	memcpy(ret, m->hops, size);
	ret[size] = '\0';
}

const char *message_content_type(const char *protocol)
{
	/* RFC 8484, 6; UPnP speaks HTTP (RFC 9112, 10.1), WS-Discovery SOAP 1.2
	 * (RFC 3902). */
	if (strcmp(protocol, "mdns") == 0)
		return "application/dns-message";
	if (strcmp(protocol, "ssdp") == 0)
		return "message/http";
	if (strcmp(protocol, "wsd") == 0)
		return "application/soap+xml";
	return "application/octet-stream";
}
