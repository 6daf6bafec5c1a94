/*
 * connection: one client of the control socket.
 *
 * Life cycle:
 *   1. connection_new() takes over an accepted descriptor and reads.
 *   2. `ready` tells that a request waits; connection_step() serves one, and
 *      is called again, at the owner's leisure, while it returns true.
 *   3. connection_close() ends it, as does the client's end once all is
 *      answered; `closed` is the last that is heard of it.
 *
 * Input is kept up to one line of the greatest length, in memory that is only
 * there while something is kept. While more than CONNECTION_UNSENT_MAX bytes of
 * answers wait for a slow reader, nothing is served and nothing is read: so
 * what waits is at most that and one answer more.
 */
#ifndef CRIER_CONTROL_CONNECTION_H
#define CRIER_CONTROL_CONNECTION_H

#include "control/rpc.h"
#include "control/subscription.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum {
	CONNECTION_LINE_MAX = 65536, /* bytes, without the newline */
	CONNECTION_UNSENT_MAX = 65536,
};

struct connection;

struct connection_callbacks {
	void (*ready)(void *data, struct connection *c);
	void (*drained)(void *data, struct connection *c); /* all is sent */
	void (*closed)(void *data, struct connection *c);  /* freed after it */
	void *data;
};

struct connection {
	/* The owner's lists. */
	struct connection *prev, *next;
	struct connection *ready_prev, *ready_next;
	bool is_ready;
	/* Set by the owner: it has become a stream, which the end of what the
	 * client sends does not end. */
	struct subscription *subscription;
	/* Private. */
	uv_pipe_t pipe;
	struct connection_callbacks callbacks;
	char *in;    /* what was read: bytes `start` to `end` are to do */
	size_t room; /* bytes that `in` holds */
	size_t start, end;
	size_t scanned; /* up to here there is no newline */
	size_t unsent;
	bool reading;
	bool ended;   /* nothing more is read */
	bool cut_off; /* by us: the client may be writing still */
};

/* Takes over `fd` where it succeeds. Returns 0, or -errno. */
int connection_new(struct connection **ret, uv_loop_t *loop, int fd,
	const struct connection_callbacks *callbacks);

/* The descriptor, which stays the connection's. */
int connection_fileno(const struct connection *c);

/* Serves the next request. True where another one could be served now. */
bool connection_step(
	struct connection *c, const struct rpc *rpc, void *context);

/* Sends what no request asked for. Takes over `text`. */
void connection_push(struct connection *c, char *text, size_t size);

/* Bytes that were given to it and that the client's socket did not take. */
size_t connection_unsent(const struct connection *c);

/* True where it is a stream and its reader is gone, which nothing tells once
 * the client has ended what it sends. */
bool connection_is_deserted(const struct connection *c);

/* Idempotent. */
void connection_close(struct connection *c);

/*
 * Reads and forgets what the client sent, so that closing does not take from
 * it the answer that it has not read yet (it would find ECONNRESET behind it).
 */
void connection_drain(int fd);

#endif
