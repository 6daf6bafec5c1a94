/*
 * wire: one connection to a Unix stream socket, on a libuv loop, that gives and
 * takes lines.
 *
 * Life cycle:
 *   1. wire_new() begins to connect; `connected` or `ended` tells.
 *   2. `line` gives each line; wire_send() sends one.
 *   3. wire_close() ends it, also after `ended`; its memory goes once the loop
 *      has closed its handle.
 *
 * What is read is kept up to one line of the greatest length, in memory that is
 * only large while a line is. What is sent and waits for a slow reader is the
 * caller's to bound. libuv writes with write(2): the process must ignore
 * SIGPIPE.
 */
#ifndef CRIER_MQTT_WIRE_H
#define CRIER_MQTT_WIRE_H

#include <stddef.h>
#include <uv.h>

struct wire;

/* All run from the loop, never from within a function of the wire, and may
 * call every one of them. */
struct wire_callbacks {
	void (*connected)(void *data, struct wire *w);
	/* Without its newline. Valid until it returns. */
	void (*line)(void *data, struct wire *w, const char *line, size_t size);
	/* Once, and nothing after it: what libuv says, UV_EOF where the other
	 * side hung up, -EMSGSIZE for a line that is too long. */
	void (*ended)(void *data, struct wire *w, int error);
	void *data;
};

/*
 * path: of the socket. line_max: bytes of the longest line, without its
 * newline.
 * Returns 0; -ENAMETOOLONG; -ENOMEM; or what libuv says.
 */
int wire_new(struct wire **ret, uv_loop_t *loop, const char *path,
	size_t line_max, const struct wire_callbacks *callbacks);

/* No callback runs any more. NULL is fine. */
void wire_close(struct wire *w);

/*
 * Sends `size` bytes of `text`, which is taken over in any case. A reader that
 * is gone is told by `ended`.
 * Returns 0, -ENOMEM, or what libuv says.
 */
int wire_send(struct wire *w, char *text, size_t size);

#endif
