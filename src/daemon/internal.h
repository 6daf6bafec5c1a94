/* The daemon's own structure. Private to this folder. */
#ifndef CRIER_DAEMON_INTERNAL_H
#define CRIER_DAEMON_INTERNAL_H

#include "announce/announce.h"
#include "control/control.h"
#include "daemon/daemon.h"
#include "discovery/discovery.h"
#include "net/net.h"
#include "relay/relay.h"
#include "stash/stash.h"

#include <stdbool.h>
#include <time.h>

/* SIGHUP, SIGTERM, SIGINT, SIGUSR1. */
enum { DAEMON_SIGNALS = 4 };

enum { STATUS_TEXT = 480 };

/* See keep.c. */
enum { KEEP_FILES = 2 };

struct stored;

struct keep {
	struct stored *stored;  /* utlist */
	int files[KEEP_FILES];  /* -1: none */
	size_t current;         /* the file that holds a whole stash */
	uint64_t sequence;      /* of it */
	struct stash_reader in; /* of the process before */
	size_t adopted;
	uv_timer_t timer; /* its data is NULL: not started */
};

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
	gid_t gid; /* of the control group; (gid_t)-1: there is none */
	uv_signal_t signals[DAEMON_SIGNALS];
	size_t open_handles; /* signals, the watchdog, the keeper's timer */
	size_t n_signals;    /* of those that are open */
	uv_timer_t watchdog;
	bool has_watchdog;
	bool keeps; /* else nothing outlives the process */
	struct keep keep;
	bool closing;
	uv_timer_t status_timer;       /* its data is NULL: not started */
	char status[STATUS_TEXT];      /* that was told last */
	char refused[STATUS_TEXT / 2]; /* why the file is not in use; or "" */
};

/* ---- keep.c: what outlives the process ---- */

void keep_init(struct keep *k);
/* Takes what the process before left. */
void keep_open(struct daemon *d);
/* Gives it back, before the relay's first configuration, ... */
void keep_inherit(struct daemon *d);
/* ... within it (see relay_callbacks) and after it; what has no use then is
 * dropped. */
int keep_adopt(void *data, const char *name);
void keep_resume(struct daemon *d);
/* From here on all that changes is written, */
void keep_start(struct daemon *d);
/* which something did: by the loop, soon; */
void keep_mark(struct daemon *d);
/* and the whole of it here, before all is closed. Without keep_start() nothing
 * is. */
void keep_write(struct daemon *d);
/* Closes its descriptors and, by `closed`, its timer if there is one. */
void keep_close(struct daemon *d, uv_close_cb closed);

/* ---- status.c: how it is, in one line ---- */

/* Tells the service manager, if it is something else now. */
void report_status(struct daemon *d);
/* The same in the log, at the start. */
void report_started(const struct daemon *d);
/* Tells it that we stop, and what is done for that. */
void status_stopping(const struct daemon *d);
/* What it counts has changed: it is told soon. */
void status_mark(struct daemon *d);
void status_start(struct daemon *d);
/* Keeps why a reload was refused. */
void status_refused(struct daemon *d, const struct config_errors *errors);

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
void report_client(void *data, const char *method, pid_t pid, uid_t uid);
void report_control_trouble(void *data, int error, uint64_t times);

#endif
