/*
 * monitor: shows what happens in a daemon, line by line, as it happens.
 */
#ifndef CRIER_CONTROL_MONITOR_H
#define CRIER_CONTROL_MONITOR_H

#include "control/client.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct monitor_options {
	FILE *out;
	bool json; /* the daemon's notifications as they are */
	bool coloured;
	/* Of the command line: `drops`, `payload`, `groups`, `interface`,
	 * `type` and `count`, each of them or none. */
	const json_t *params;
};

/*
 * Subscribes and shows, until SIGINT or SIGTERM, or as many events as were
 * asked for, or until `out` takes no more (see ferror()).
 *
 * Returns 0; or what client_call() does. Where the daemon refuses, its answer
 * goes to `*ret`, which is else untouched.
 */
int monitor_run(
	struct client *c, const struct monitor_options *o, json_t **ret);

#endif
