/*
 * message: what accompanies a datagram over the broker, as MQTT 5 properties.
 * Pure: no descriptor, no clock.
 *
 * | property                 | what it says                                  |
 * | ------------------------ | --------------------------------------------- |
 * | content type             | of the payload, which is the datagram itself  |
 * | message expiry interval  | the lifetime of an announcement, in seconds   |
 * | response topic           | of a search: answers go below it              |
 * | correlation data         | of a search: comes back with each answer      |
 * | user property `hops`     | the sites that it came through, the first     |
 * |                          | first, with commas                            |
 * | `heard`                  | when it was heard there: with the digest this |
 * |                          | tells a repetition from the same thing again  |
 * | `digest`                 | of the payload, see topic_digest()            |
 * | `origin`, `origin-port`  | who sent it there, from which port            |
 * | `channel`,               | the address and port that it was sent to      |
 * | `channel-port`           |                                               |
 * | `family`                 | "ipv4" or "ipv6"                              |
 * | `segment`                | the interface that it was heard on            |
 * | `kind`                   | announcement, search, probe or other          |
 * | `goodbye`                | "true": what it announces is gone             |
 */
#ifndef CRIER_MQTT_MESSAGE_H
#define CRIER_MQTT_MESSAGE_H

#include "config/config.h"
#include "net/net.h"

#include <mosquitto.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MESSAGE_HOPS = 16,       /* the most sites in a list of hops */
	MESSAGE_HOPS_TEXT = 512, /* bytes, as all below with a NUL */
	MESSAGE_HEARD = 32,
	MESSAGE_SEGMENT = 64,
	MESSAGE_KIND = 16,
	MESSAGE_CONTENT = 64,
	MESSAGE_CORRELATION = 64, /* bytes */
	/* More properties than these are too many. */
	MESSAGE_PROPERTIES = 64,
	/* The most that `expires_s` says: a day. */
	MESSAGE_EXPIRES_S = 86400,
};

/* Texts are "" and addresses unset where nothing is said. */
struct message {
	struct net_address origin, channel;
	uint16_t origin_port, channel_port; /* 0: not said */
	uint32_t expires_s;                 /* 0: never */
	uint64_t digest;
	char hops[MESSAGE_HOPS_TEXT];
	char heard[MESSAGE_HEARD];
	char segment[MESSAGE_SEGMENT];
	char kind[MESSAGE_KIND];
	bool goodbye;
	char content[MESSAGE_CONTENT];
	char response[256]; /* the response topic */
	uint8_t correlation[MESSAGE_CORRELATION];
	size_t correlation_size;
};

/* Makes the properties; mosquitto_property_free_all() frees them. Returns 0 or
 * -ENOMEM. */
int message_write(const struct message *m, mosquitto_property **ret);

/*
 * Reads them, from outside. What is not known is passed over.
 * Returns 0; -EBADMSG (one is not what it should be, is given twice, or there
 * are too many) and `ret` untouched.
 */
int message_read(const mosquitto_property *properties, struct message *ret);

/* True where `site` is in the list of hops. */
bool message_has_hop(const struct message *m, const char *site);
/* Adds one. Returns 0; -ENOSPC (MESSAGE_HOPS, or no room). */
int message_add_hop(struct message *m, const char *site);
/* The first of them, where it all began, or "". `ret` has room for
 * CONFIG_SITE_NAME + 1. */
void message_first_hop(const struct message *m, char *ret);

/* The content type of what the decoder of crierd's called `protocol` reads;
 * that of any bytes where there is none. */
const char *message_content_type(const char *protocol);

#endif
