/*
 * service: what crier is to its service manager: readiness, the watchdog, the
 * socket that systemd passes, and the log. The folder's one header for others.
 *
 * Nothing here keeps state of its own: systemd's side lives in the environment
 * ($NOTIFY_SOCKET, $WATCHDOG_USEC, $LISTEN_FDS, $JOURNAL_STREAM). In a build
 * without libsystemd, or started by hand, the notices go nowhere and the log
 * goes to standard error.
 */
#ifndef CRIER_SERVICE_SERVICE_H
#define CRIER_SERVICE_SERVICE_H

#include "service/messages.h"

#include <stddef.h>
#include <stdint.h>

/* ---- systemd ---- */

void service_notify_ready(void);
/* Says so, with the time: ends with the next service_notify_ready(). */
void service_notify_reloading(void);
/* One line for `systemctl status`: what there is to do before the end, ... */
__attribute__((format(printf, 1, 2))) void service_notify_stopping(
	const char *format, ...);
/* ... and how it is before that. */
__attribute__((format(printf, 1, 2))) void service_notify_status(
	const char *format, ...);
/* "Still alive": at half of service_watchdog_ms(), say. */
void service_notify_watchdog(void);

/* After how many milliseconds without service_notify_watchdog() the manager
 * takes us for dead; 0: it does not look. */
uint64_t service_watchdog_ms(void);

/*
 * The control socket that systemd passed: the descriptor named "control", else
 * the only listening Unix stream socket among those passed. The caller owns it.
 * Returns the descriptor, or -1 where there is none.
 */
int service_listen_fd(void);

/* ---- the fd store ---- */

/*
 * Has the service manager keep a duplicate of `fd` for the process that comes
 * after this one, by a name without colons; and has it let go of all by that
 * name. Nothing happens where nobody keeps anything.
 */
void service_store(const char *name, int fd);
void service_unstore(const char *name);

/* Calls `each` for every descriptor that was kept so. It is the caller's. To be
 * called once. */
void service_each_stored(
	void (*each)(void *data, const char *name, int fd), void *data);

/* ---- the log ---- */

enum service_target {
	SERVICE_TERMINAL, /* standard error, plain lines */
	SERVICE_PREFIXED, /* standard error, each line begins with <PRIORITY> */
	SERVICE_JOURNAL,  /* the journal's own socket, with fields */
};

/* Where the log goes, and how much of it. Changed freely by its owner. */
struct service_log {
	int level; /* the highest priority number that is written */
	enum service_target target;
	int fd; /* of the first two; never closed here */
};

/* What a message is about, for the journal, which gets at most 256 bytes of
 * each. Any may be NULL. */
struct service_fields {
	const char *group;        /* CRIER_GROUP */
	const char *interface;    /* CRIER_INTERFACE */
	const char *device;       /* CRIER_DEVICE */
	const char *announcement; /* CRIER_ANNOUNCEMENT */
	const char *source;       /* CRIER_SOURCE: an address */
	const char *path;         /* CRIER_PATH: of a key, "groups.mdns.ttl" */
	int line;                 /* CRIER_LINE: of the file; 0: of none */
	const char *message_id;   /* MESSAGE_ID: of messages.h */
};

/* A message that is about nothing of these, but of a kind that matters. */
#define SERVICE_KIND(id) (&(const struct service_fields){ .message_id = (id) })

/*
 * Prepares `log` for standard error: the journal where $JOURNAL_STREAM says
 * that standard error is connected to it, plain lines where it is a terminal,
 * else lines with a <PRIORITY> prefix. `level` is LOG_ERR to LOG_DEBUG.
 */
void service_log_init(struct service_log *log, int level);

/*
 * Logs one message of priority LOG_ERR ... LOG_DEBUG (syslog.h). Control
 * characters in it and what is no UTF-8 are escaped, so that one message stays
 * one line that can be read, whatever a network wrote into it; beyond about
 * 2,000 bytes it is cut, and says so. `fields` may be NULL.
 */
__attribute__((format(printf, 4, 5))) void service_log(
	const struct service_log *log, int priority,
	const struct service_fields *fields, const char *format, ...);

/* "err", "warning", "notice", "info", "debug". Returns 0, or -EINVAL. */
int service_log_level_parse(const char *word, int *ret_level);
const char *service_log_level_word(int level);

#endif
