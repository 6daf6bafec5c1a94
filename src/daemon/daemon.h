/*
 * daemon: the one object that owns everything: configuration, devices, relay,
 * control socket, and what the service manager is told.
 *
 * Life cycle:
 *   1. daemon_new() reads the configuration and starts everything on a loop.
 *   2. It runs by the loop; daemon_reload() takes over a changed file.
 *   3. daemon_close() stops it; its memory goes once the loop has closed its
 *      handles, so the loop drains and ends.
 *
 * Two of them can live in one process.
 */
#ifndef CRIER_DAEMON_DAEMON_H
#define CRIER_DAEMON_DAEMON_H

#include "config/config.h"
#include "service/service.h"

#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

#ifndef CRIER_CONFIG_FILE
#define CRIER_CONFIG_FILE "/etc/crier/crierd.yaml"
#endif

/* Exit statuses of crierd. */
enum {
	DAEMON_OK = 0,
	DAEMON_FAILED = 1,
	DAEMON_USAGE = 2,
	DAEMON_BAD_CONFIG = 78, /* EX_CONFIG of sysexits.h */
};

struct daemon_options {
	const char *config;  /* path */
	const char *socket;  /* NULL: the configuration's */
	const char *version; /* of the program */
	int control_fd;      /* a listening socket that systemd passed, or -1 */
	bool keeps; /* what the service manager's fd store has is its, and it
		       leaves there what is to outlive it */
	struct service_log log;
};

struct daemon;

/*
 * Starts a daemon. What goes wrong is logged. Strings in `options` are copied.
 * On failure nothing is left but handles that the loop still has to close.
 * Returns 0; -EBADMSG where the configuration is not valid; another error.
 */
int daemon_new(struct daemon **ret, uv_loop_t *loop,
	const struct daemon_options *options);

/* Stops it. NULL is fine. */
void daemon_close(struct daemon *d);

/*
 * Reads the file anew. `errors` may be NULL; they are logged in any case.
 * Returns 0; -EINVAL (see `errors`) or another error, and the configuration
 * that runs goes on.
 */
int daemon_reload(struct daemon *d, struct config_errors *errors);

/* Logs what SIGUSR1 asks for. */
void daemon_log_status(const struct daemon *d);

/* Runs one daemon on a loop of its own until a signal stops it, as crierd
 * does. Returns the exit status. */
int daemon_run(const struct daemon_options *options);

/* `--check` and `--dump-config`: the answer to `out`, errors to `err`. Return
 * the exit status. */
int daemon_check(const char *path, FILE *out, FILE *err);
int daemon_dump_config(const char *path, FILE *out, FILE *err);

#endif
