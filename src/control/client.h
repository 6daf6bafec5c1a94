/*
 * client: calls a daemon on its control socket, and waits for the answer.
 */
#ifndef CRIER_CONTROL_CLIENT_H
#define CRIER_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

enum {
	CLIENT_SILENCE_MS = 5000, /* a daemon that says less is none */
	CLIENT_ANSWER_MAX = 64 * 1024 * 1024, /* bytes */
};

struct client {
	/* Private. */
	int fd;
	char *in; /* read, and not yet used */
	size_t size, room;
	size_t scanned; /* up to here there is no newline */
};

/*
 * Connects. Returns 0; -ENAMETOOLONG; -ETIMEDOUT; or what connect(2) says, as
 * -ENOENT and -ECONNREFUSED where there is no daemon.
 */
int client_open(struct client *c, const char *path);

/*
 * Calls `method` with `params` (an object, or NULL), and waits. `*ret` is the
 * whole answer, with a `result` or an `error` that is an object.
 * Returns 0; -ETIMEDOUT; -EPIPE (the daemon hung up); -EBADMSG (what came is
 * no answer); -EMSGSIZE (longer than CLIENT_ANSWER_MAX); -ENOMEM.
 */
int client_call(
	struct client *c, const char *method, json_t *params, json_t **ret);

/*
 * Waits, however long it takes, for the next notification of a daemon that
 * was asked to `subscribe`, or until the descriptor `stop` is readable.
 * Returns 1 with a new reference in `*ret`; 0 (stopped); -EPIPE, -EBADMSG,
 * -EMSGSIZE and -ENOMEM as above.
 */
int client_next(struct client *c, int stop, json_t **ret);

void client_done(struct client *c);

#endif
