/*
 * listener: accepts connections on a Unix stream socket.
 *
 * Not uv_listen(): that closes waiting clients where descriptors run out, and
 * goes round in circles where memory does. Here they wait a second.
 */
#ifndef CRIER_CONTROL_LISTENER_H
#define CRIER_CONTROL_LISTENER_H

#include "control/control.h"

struct listener;

struct listener_callbacks {
	/* A client: `fd` is non-blocking, and the callee's from now on. */
	void (*accepted)(void *data, int fd);
	/* As in struct control_handles. */
	void (*trouble)(void *data, int error, uint64_t times);
	void *data;
};

/* Makes or adopts the socket and starts to accept; as control_new(). */
int listener_new(struct listener **ret, uv_loop_t *loop,
	const struct control_options *options,
	const struct listener_callbacks *callbacks, pid_t *ret_pid);

/* True where `options` want no other socket than this one. */
bool listener_serves(
	const struct listener *l, const struct control_options *options);

/* Gives a file of our own the mode and group of `options`. 0, or -errno. */
int listener_set_access(
	const struct listener *l, const struct control_options *options);

/* Ends it, and removes the file where it is ours. The memory goes once the
 * loop has closed the handles. NULL is fine. */
void listener_close(struct listener *l);

#endif
