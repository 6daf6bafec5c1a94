/* The daemon's own structure. Private to this folder. */
#ifndef CRIER_DAEMON_INTERNAL_H
#define CRIER_DAEMON_INTERNAL_H

#include "announce/announce.h"
#include "control/control.h"
#include "daemon/daemon.h"
#include "discovery/discovery.h"
#include "net/net.h"
#include "relay/relay.h"

#include <stdbool.h>
#include <time.h>

/* SIGHUP, SIGTERM, SIGINT, SIGUSR1. */
enum { DAEMON_SIGNALS = 4 };

struct daemon {
	uv_loop_t *loop;
	char *path;
	char *socket;
	struct service_log log;
	struct config *config;
	uint64_t generation;
	time_t loaded_at;
	struct net_devices *devices;
	struct relay *relay;
	struct discovery *discovery;
	struct announce *announce;
	struct control *control;
	uv_signal_t signals[DAEMON_SIGNALS];
	size_t open_handles; /* signals first, then the watchdog */
	uv_timer_t watchdog;
	bool has_watchdog;
	bool closing;
};

/* ---- report.c: what the owner is told ---- */

/* The callbacks, with the daemon as their data. */
struct relay_callbacks report_callbacks(struct daemon *d);
struct discovery_callbacks report_discovery_callbacks(struct daemon *d);
struct announce_callbacks report_announce_callbacks(struct daemon *d);
void report_devices_problem(const struct daemon *d, int error);
/* Each error of a file, one a line. */
void report_config_errors(
	const struct daemon *d, const struct config_errors *errors);
/* What the configuration in use cannot do. */
void report_remarks(const struct daemon *d);
/* One line of what is joined and what is missing, for the service manager. */
void report_status(const struct daemon *d);
void report_client(void *data, const char *method, pid_t pid, uid_t uid);
void report_control_trouble(void *data, int error, uint64_t times);

#endif
