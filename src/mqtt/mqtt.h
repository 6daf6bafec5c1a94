/*
 * mqtt: crier-mqtt, which joins this site's discovery with that of others
 * through an MQTT 5 broker. The folder's one header for others.
 *
 * It is a client of crierd's control socket, and of the broker; neither ever
 * waits for it. docs/sites.md says what goes over the broker.
 */
#ifndef CRIER_MQTT_MQTT_H
#define CRIER_MQTT_MQTT_H

#include "service/service.h"

#include <stdio.h>

/* Exit statuses, as those of crierd. */
enum { MQTT_OK = 0, MQTT_FAILED = 1, MQTT_USAGE = 2, MQTT_BAD_CONFIG = 78 };

struct mqtt_options {
	const char *config; /* the path of the file */
	const char *socket; /* of crierd, instead of what the file says; or
			       NULL */
	const char *version;
	struct service_log log;
};

/*
 * Runs until SIGTERM or SIGINT, on a loop of its own. SIGHUP reads the file
 * anew. Returns an exit status.
 */
int mqtt_run(const struct mqtt_options *options);

/* Says `FILE: ok`, or every error. Returns an exit status. */
int mqtt_check(const char *path, FILE *out, FILE *err);
/* Writes the effective configuration. Returns an exit status. */
int mqtt_dump_config(const char *path, FILE *out, FILE *err);

#endif
