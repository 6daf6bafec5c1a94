/*
 * prepare: what has to be known before a connection, and may take a while to
 * find out: addresses, keys, a password.
 *
 * Life cycle:
 *   1. prepare_new() copies what it needs of the configuration, which may go
 *      then.
 *   2. prepare_run(), in libuv's thread pool, where nobody else touches it.
 *   3. prepare_free().
 */
#ifndef CRIER_MQTT_PREPARE_H
#define CRIER_MQTT_PREPARE_H

#include "config/config.h"
#include "mqtt/tls.h"

#include <netdb.h>

/* The longest line of a file with a password, in bytes. */
enum { PREPARE_PASSWORD_MAX = 4096 };

struct prepare {
	/* What is given. */
	char *host;
	char port[8];
	bool tls, verify, plain_text;
	char *ca, *certificate, *key, *user, *password, *password_file;

	/* What was found; `why` where it was not, or "". */
	struct tls context;
	struct addrinfo *addresses;
	char why[256];
};

/* Returns 0, or -ENOMEM. */
int prepare_new(struct prepare **ret, const struct config_sites *c,
	const struct config_broker *broker);
void prepare_run(struct prepare *p);
void prepare_free(struct prepare *p); /* NULL is fine */

#endif
