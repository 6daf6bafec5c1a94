#include "mqtt/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum {
	ROOM_MIN = 16384,
	/* More than this is given back once it is empty. */
	ROOM_KEPT = 65536,
};

struct wire {
	uv_pipe_t pipe;
	uv_connect_t connecting;
	struct wire_callbacks callbacks;
	size_t line_max;
	char *in; /* read, and not yet used */
	size_t size, room;
	size_t scanned; /* up to here there is no newline */
};

/* A text on its way. */
struct letter {
	uv_write_t req;
	char *text;
};

static bool is_closed(const struct wire *w)
{
	return uv_is_closing((const uv_handle_t *)&w->pipe);
}

static void end(struct wire *w, int error)
{
	(void)uv_read_stop((uv_stream_t *)&w->pipe);
	w->callbacks.ended(w->callbacks.data, w, error);
}

/* ---- reading ---- */

/* Hands on the lines from `start`. Returns where the first one begins that has
 * no end yet. */
static size_t hand_on(struct wire *w)
{
	const char *newline;
	size_t start = 0, length;

	while (!is_closed(w) && w->scanned < w->size) {
		newline =
			memchr(w->in + w->scanned, '\n', w->size - w->scanned);
		if (!newline) {
			w->scanned = w->size;
			break;
		}
		length = (size_t)(newline - w->in) - start;
		w->scanned = start + length + 1;
		w->callbacks.line(w->callbacks.data, w, w->in + start, length);
		start = w->scanned;
	}
	return start;
}

/* Moves what is left to the front, and gives back what a long line took. */
static void keep_from(struct wire *w, size_t start)
{
	w->size -= start;
	w->scanned -= start;
	if (w->size == 0 && w->room > ROOM_KEPT) {
		free(w->in);
		w->in = NULL;
		w->room = 0;
	} else if (start > 0) {
		memmove(w->in, w->in + start, w->size);
	}
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct wire *w = stream->data;

	(void)buf;
	if (n == 0)
		return;
	if (n < 0) {
		end(w, (int)n);
		return;
	}
	w->size += (size_t)n;
	keep_from(w, hand_on(w));
	if (!is_closed(w) && w->scanned > w->line_max)
		end(w, -EMSGSIZE);
}

/* So a line that has an end is never too long, and one that fills it all and
 * has none is. */
static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct wire *w = handle->data;
	size_t room = w->room ? 2 * w->room : ROOM_MIN;
	char *in;

	(void)suggested;
	*ret = uv_buf_init(NULL, 0); /* libuv makes that UV_ENOBUFS */
	if (w->size == w->room) {
		if (room > w->line_max + 1)
			room = w->line_max + 1;
		in = realloc(w->in, room);
		if (!in)
			return;
		w->in = in;
		w->room = room;
	}
	*ret = uv_buf_init(w->in + w->size, (unsigned)(w->room - w->size));
}

/* ---- sending ---- */

/* That it failed is seen where the other side's end is: behind what it said
 * before it went. */
static void sent(uv_write_t *req, int status)
{
	struct letter *l = req->data;

	(void)status;
	free(l->text);
	free(l);
}

int wire_send(struct wire *w, char *text, size_t size)
{
	struct letter *l = malloc(sizeof(*l));
	uv_buf_t buf = uv_buf_init(text, (unsigned)size);
	int r;

	if (!l) {
		r = -ENOMEM;
		goto fail;
	}
	l->req.data = l;
	l->text = text;
	r = uv_write(&l->req, (uv_stream_t *)&w->pipe, &buf, 1, sent);
	if (r < 0)
		goto fail;
	return 0;
fail:
	free(text);
	free(l);
	return r;
}

/* ---- beginning and end ---- */

static void connected(uv_connect_t *req, int status)
{
	struct wire *w = req->handle->data;
	int r = status;

	if (is_closed(w))
		return;
	if (r == 0)
		r = uv_read_start((uv_stream_t *)&w->pipe, give_room, received);
	if (r < 0)
		end(w, r);
	else
		w->callbacks.connected(w->callbacks.data, w);
}

static void closed(uv_handle_t *handle)
{
	struct wire *w = handle->data;

	free(w->in);
	free(w);
}

int wire_new(struct wire **ret, uv_loop_t *loop, const char *path,
	size_t line_max, const struct wire_callbacks *callbacks)
{
	struct wire *w;
	int r;

	/* libuv would cut it. */
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return -ENAMETOOLONG;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	r = uv_pipe_init(loop, &w->pipe, 0);
	if (r < 0) {
		free(w);
		return r;
	}
	w->pipe.data = w;
	w->callbacks = *callbacks;
	w->line_max = line_max;
	uv_pipe_connect(&w->connecting, &w->pipe, path, connected);
	*ret = w;
	return 0;
}

void wire_close(struct wire *w)
{
	if (w && !is_closed(w))
		uv_close((uv_handle_t *)&w->pipe, closed);
}
