/*
 * control: the control socket of a daemon, and its client crierctl.
 *
 * A Unix stream socket that speaks JSON-RPC 2.0, one object a line. The
 * folder's one header for others.
 *
 * Life cycle of the server:
 *   1. control_new() makes or adopts the socket and serves it on a loop.
 *   2. control_reconfigure() follows a reload.
 *   3. control_tell_...() tells it what happens.
 *   4. control_close() ends it; its memory goes once the loop has closed its
 *      handles.
 *
 * Nothing that a client does costs more than a bounded piece of memory, and
 * about a millisecond of work for each turn of the loop, whatever they all
 * send. libuv writes with write(2): the process must ignore SIGPIPE.
 */
#ifndef CRIER_CONTROL_CONTROL_H
#define CRIER_CONTROL_CONTROL_H

#include "announce/announce.h"
#include "config/config.h"
#include "control/base64.h"
#include "discovery/discovery.h"
#include "net/net.h"
#include "relay/relay.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <uv.h>

#ifndef CRIER_SOCKET
#define CRIER_SOCKET "/run/crier/control.sock"
#endif

struct control;

/* What the daemon runs by. Valid until the next reload. */
struct control_running {
	const struct config *config;
	uint64_t generation; /* 1 at start, one more at each good reload */
	time_t loaded_at;
};

/*
 * All that control knows of the daemon. The struct is copied, what it points
 * at must outlive the control. The callbacks run from the loop; none may close
 * the control.
 */
struct control_handles {
	struct relay *relay;
	const struct discovery *discovery; /* NULL: nothing is discovered */
	struct announce *announce;         /* NULL: nothing is announced */
	const struct net_devices *devices;
	const char *version;
	uint64_t started_ms; /* uv_now() of the loop when the daemon started */

	void (*running)(void *data, struct control_running *ret);

	/*
	 * Reads the file anew; may call control_reconfigure(). `errors` comes
	 * empty; control frees it.
	 * Returns 0; -EINVAL (see `errors`); another error, told by its text.
	 */
	int (*reload)(void *data, struct config_errors *errors);

	/* "err", "warning", "notice", "info", "debug". 0, or -EINVAL. */
	int (*set_log_level)(void *data, const char *level);

	/* A client that may do so calls a method that changes the daemon. For
	 * the log; may be NULL. */
	void (*changing)(void *data, const char *method, pid_t pid, uid_t uid);

	/*
	 * Connections cannot be accepted (-EMFILE ...); tried again each
	 * second. At most once a minute; `times` counts since the last call.
	 * May be NULL.
	 */
	void (*trouble)(void *data, int error, uint64_t times);

	void *data;
};

struct control_options {
	const char *path; /* copied; not looked at where `fd` is given */
	unsigned mode;    /* of the socket file */
	gid_t gid;        /* the control group; (gid_t)-1: there is none */
	int fd;           /* a listening socket that systemd passed, or -1 */
	unsigned clients; /* at most so many at a time */
};

/*
 * Serves the socket. The parent directory of `options->path` is made (0755)
 * where it is missing, and a socket file that nobody listens on is replaced;
 * the new one has its mode and group before anybody can connect. A descriptor
 * in `options->fd` is owned by the control from success on, and its file is
 * never unlinked.
 *
 * Returns 0; -EADDRINUSE (another process listens there: its pid is in
 * `*ret_pid`, 0 where that is not known); -ENOTSOCK (a file that is no socket
 * is in the way); -EBUSY (somebody else locks the directory); -ENAMETOOLONG;
 * -EPERM (the group may not be given); -ENOMEM; or what the system says.
 * `ret_pid` is set only with -EADDRINUSE.
 */
int control_new(struct control **ret, uv_loop_t *loop,
	const struct control_handles *handles,
	const struct control_options *options, pid_t *ret_pid);

/*
 * Takes over what a reload changed. At another path, or where the file was
 * taken away, it listens anew before it leaves the old one; clients stay
 * connected. With a passed descriptor only the group's rights and `clients`
 * are heeded. `options->fd` is ignored.
 * Returns 0, or as control_new(), and everything goes on as before.
 */
int control_reconfigure(struct control *c,
	const struct control_options *options, pid_t *ret_pid);

/*
 * Ends it and drops every client. The socket file is removed where this
 * control made it and it is still the same. No callback runs any more. NULL is
 * fine.
 */
void control_close(struct control *c);

/* ---- what happens, for those who have subscribed ---- */

/*
 * The control may be NULL, as while a daemon starts. Clients are told later,
 * from the loop; whatever they do, these return soon.
 *
 * While somebody wants to know about datagrams, and only then, the control
 * has the relay tell their fates (relay_watch()).
 */
void control_tell_segment(struct control *c, const struct relay_segment *s,
	enum relay_state was, bool known); /* as of struct relay_callbacks */
/* Told as one that is absent now. */
void control_tell_gone(struct control *c, const struct relay_segment *s);
void control_tell_storm(struct control *c, const struct relay_segment *s,
	const struct net_address *source, enum relay_verdict why,
	uint64_t times);
void control_tell_fate(struct control *c, const struct relay_fate *f);
/* An entry of the table came, changed or went; as of struct
 * discovery_callbacks. */
void control_tell_entry(struct control *c, const struct discovery_entry *e,
	enum discovery_change change, enum discovery_reason why);
/* As of struct announce_callbacks. */
void control_tell_announcement(
	struct control *c, const struct announce_event *e);
/* Somebody answered a search by unicast: `h->flow` is not 0. */
void control_tell_answer(struct control *c, const struct relay_heard *h);
/* The same, for whoever brought that search from another site. */
void control_tell_answered(struct control *c, const struct relay_heard *h);
/* Whether a client takes what is heard in a group to other sites. Only while
 * one does in some group the control says so to the relay (relay_carry()). */
bool control_carries(const struct control *c, const char *group);
/* A reload succeeded; `running` tells its generation. */
void control_tell_config(struct control *c);

/* ---- the client ---- */

/*
 * All of crierctl. Writes what was asked for to `out`, and what went wrong to
 * `err`. Colours only where `out` is a terminal and $NO_COLOR is not set.
 * Returns the exit status: 0 done; 1 the daemon refused (or `out` cannot be
 * written); 2 bad usage; 3 no daemon answers.
 */
int control_cli(
	int argc, char *argv[], const char *version, FILE *out, FILE *err);

#endif
