/*
 * link: a connection to crierd's control socket, on a libuv loop, that comes
 * back.
 *
 * It is two connections: one that has subscribed as a carrier between sites,
 * and one for calls. A loss of one is a loss of both, as is what no crierd
 * would say, and LINK_SILENCE_MS without an answer that is due.
 *
 * Life cycle: link_new(), link_start(), link_close(); after a loss it tries
 * again after LINK_RETRY_MIN_MS at first, and up to LINK_RETRY_MAX_MS later.
 * What it sends is bounded by the window, what it reads by the longest line.
 * The process must ignore SIGPIPE.
 */
#ifndef CRIER_MQTT_LINK_H
#define CRIER_MQTT_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct link;

enum {
	/* Calls that crierd has not answered yet; more are refused. */
	LINK_WINDOW = 64,
	/* The longest line that crierd may send, in bytes. */
	LINK_LINE_MAX = 4 * 1024 * 1024,
	/* The longest that crierd takes. */
	LINK_REQUEST_MAX = 65536,
	/* It answers within that, or is lost. */
	LINK_SILENCE_MS = 10000,
	/* Doubled for each try; the first one again after a connection that
	 * lived for LINK_RETRY_MAX_MS. */
	LINK_RETRY_MIN_MS = 100,
	LINK_RETRY_MAX_MS = 5000,
};

/* All run from the loop, and may call every function but link_close(). */
struct link_callbacks {
	/* Both connections are there, and it is subscribed. */
	void (*connected)(void *data);
	/* `why`: one line, such as "no crierd answers on ...". Called once for
	 * each loss, once if crierd is not there at the start, and once more
	 * where a later try fails for another reason. */
	void (*disconnected)(void *data, const char *why);
	/* The parameters of a notification, the callee's only until it
	 * returns. */
	void (*event)(void *data, const json_t *params);
	/* There is room in the window again, after a call was refused. */
	void (*ready)(void *data);
	void *data;
};

/*
 * The answer to a call: its `result`; or NULL with an `error` object (`code`,
 * an integer, and `message`, a string); or both NULL, where the connection was
 * lost: before `disconnected` tells. Valid until it returns. May make further
 * calls, but not link_close().
 */
typedef void (*link_answer)(
	void *data, const json_t *result, const json_t *error);

/*
 * path: of the socket, copied. groups: a list of names for `subscribe`, of
 * which it takes a reference.
 * Returns 0; -ENOMEM; -ENAMETOOLONG; or what libuv says.
 */
int link_new(struct link **ret, uv_loop_t *loop, const char *path,
	json_t *groups, const struct link_callbacks *callbacks);
void link_start(struct link *l); /* once */
void link_close(struct link *l); /* NULL is fine; no callback runs any more */

bool link_is_connected(const struct link *l);
/* Why it is not, or "". */
const char *link_error(const struct link *l);
/* How many more calls there is room for now. */
size_t link_room(const struct link *l);

/*
 * Calls `method` with `params`, of which it takes the reference in any case
 * (NULL: none). `answer` (NULL: nobody cares) is called once, later, from the
 * loop, unless link_close() comes first.
 * Returns 0; -ENOTCONN; -EAGAIN (the window is full); -EMSGSIZE (over
 * LINK_REQUEST_MAX); -ENOMEM.
 */
int link_call(struct link *l, const char *method, json_t *params,
	link_answer answer, void *data);

#endif
