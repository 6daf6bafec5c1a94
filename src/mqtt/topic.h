/*
 * topic: the names under which things cross the broker. Pure.
 *
 *   PREFIX/1/SITE/online
 *   PREFIX/1/SITE/GROUP/announce/KEY
 *   PREFIX/1/SITE/GROUP/datagram
 *   PREFIX/1/SITE/GROUP/search
 *   PREFIX/1/SITE/GROUP/answer/ANSWERER
 *
 * 1 is the version of all this (docs/sites.md). SITE speaks, but for answers,
 * where it has asked and ANSWERER speaks.
 */
#ifndef CRIER_MQTT_TOPIC_H
#define CRIER_MQTT_TOPIC_H

#include "config/config.h"

#include <stddef.h>

enum topic_kind {
	TOPIC_ONLINE,
	TOPIC_ANNOUNCE,
	TOPIC_DATAGRAM,
	TOPIC_SEARCH,
	TOPIC_ANSWER,
};

enum {
	TOPIC_GROUP = 63, /* the longest name of a group */
	TOPIC_KEY = 200,  /* the longest key */
	TOPIC_PREFIX = 128,
	/* Room for a whole topic with its NUL. */
	TOPIC_TEXT = TOPIC_PREFIX + 3 + CONFIG_SITE_NAME + 1 + TOPIC_GROUP +
		     sizeof("/announce/") + TOPIC_KEY + 1,
};

struct topic {
	enum topic_kind kind;
	char site[CONFIG_SITE_NAME + 1];
	char group[TOPIC_GROUP + 1]; /* "" for TOPIC_ONLINE */
	/* The key of TOPIC_ANNOUNCE, the answerer of TOPIC_ANSWER, else "". */
	char last[TOPIC_KEY + 1];
};

/* Reads a topic from outside. Returns 0, or -EBADMSG and `ret` untouched. */
int topic_parse(const char *prefix, const char *text, struct topic *ret);

/* Writes it; what stands in place of a level may also be a wildcard, "+".
 * `buffer` has room for TOPIC_TEXT. Returns `buffer`. */
const char *topic_format(
	const char *prefix, const struct topic *t, char *buffer);

/* True for 1 to CONFIG_SITE_NAME letters, digits, "_" and "-". */
bool topic_is_site(const char *text);

/*
 * The key of what has `identity`, any text: letters, digits, "-", "." and "_"
 * as they are, others as %XX; then `suffix`. What would be too long is cut off
 * and goes on with "~" and a digest. `key` has room for TOPIC_KEY and a NUL.
 */
void topic_key(const char *identity, const char *suffix, char *key);

/* FNV-1a of 64 bits: no secret, and nothing that must not be forged, but
 * simple for whoever speaks this, too. */
uint64_t topic_digest(const void *data, size_t size);

#endif
