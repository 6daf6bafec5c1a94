#include "control/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ROOM_MIN = 4096,
	/* The longest line and its newline. */
	ROOM_MAX = CONNECTION_LINE_MAX + 1,
	DRAIN_READS = 64,
};

/* An answer on its way. */
struct answer {
	uv_write_t req;
	struct connection *connection;
	char *text;
	size_t size;
};

static void settle(struct connection *c);

/* ---- lines ---- */

enum line { LINE_NONE, LINE_WHOLE, LINE_TOO_LONG };

/* What stands at `start`, its bytes without the newline to `*ret_size`. What
 * remains when the client has ended counts as a line. */
static enum line next_line(struct connection *c, size_t *ret_size)
{
	const char *newline = NULL;

	if (c->end > c->scanned)
		newline = memchr(c->in + c->scanned, '\n', c->end - c->scanned);
	if (newline) {
		c->scanned = (size_t)(newline - c->in);
		*ret_size = c->scanned - c->start;
		return LINE_WHOLE;
	}
	c->scanned = c->end;
	*ret_size = c->end - c->start;
	if (*ret_size > CONNECTION_LINE_MAX)
		return LINE_TOO_LONG;
	return *ret_size > 0 && c->ended ? LINE_WHOLE : LINE_NONE;
}

/* Forgets a line of `size` bytes and its newline. */
static void consume(struct connection *c, size_t size)
{
	c->start += size;
	if (c->start < c->end)
		c->start++;
	c->scanned = c->start;
	if (c->start < c->end)
		return;
	free(c->in);
	c->in = NULL;
	c->room = c->start = c->end = c->scanned = 0;
}

static bool is_served_now(struct connection *c)
{
	size_t size;

	return !uv_is_closing((uv_handle_t *)&c->pipe) &&
	       c->unsent <= CONNECTION_UNSENT_MAX &&
	       next_line(c, &size) != LINE_NONE;
}

/* ---- answers ---- */

static void sent(uv_write_t *req, int status)
{
	struct answer *a = req->data;
	struct connection *c = a->connection;

	c->unsent -= a->size;
	free(a->text);
	free(a);
	if (status < 0) {
		connection_close(c);
		return;
	}
	if (c->unsent == 0)
		c->callbacks.drained(c->callbacks.data, c);
	if (is_served_now(c))
		c->callbacks.ready(c->callbacks.data, c);
	else
		settle(c);
}

/* Takes over `text`. */
static int send_answer(struct connection *c, char *text, size_t size)
{
	struct answer *a = calloc(1, sizeof(*a));
	uv_buf_t buf = uv_buf_init(text, (unsigned)size);
	int r;

	if (!a) {
		r = -ENOMEM;
		goto fail;
	}
	a->req.data = a;
	a->connection = c;
	a->text = text;
	a->size = size;
	r = uv_write(&a->req, (uv_stream_t *)&c->pipe, &buf, 1, sent);
	if (r < 0)
		goto fail;
	c->unsent += size;
	return 0;
fail:
	free(text);
	free(a);
	return r;
}

void connection_push(struct connection *c, char *text, size_t size)
{
	if (c->cut_off || uv_is_closing((uv_handle_t *)&c->pipe))
		free(text);
	else if (send_answer(c, text, size) < 0)
		connection_close(c);
}

size_t connection_unsent(const struct connection *c)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipe);
}

/* Says that the line is too long; no other is looked at. */
static int cut_off(struct connection *c, char **ret_text, size_t *ret_size)
{
	c->ended = c->cut_off = true;
	consume(c, c->end - c->start);
	return rpc_complain(RPC_INVALID_REQUEST,
		"a request is longer than 65536 bytes", ret_text, ret_size);
}

bool connection_step(struct connection *c, const struct rpc *rpc, void *context)
{
	char *text = NULL;
	size_t line_size, size;
	int r;

	if (!is_served_now(c))
		return false;
	if (next_line(c, &line_size) == LINE_TOO_LONG) {
		r = cut_off(c, &text, &size);
	} else {
		r = rpc_answer(rpc, context, c->in + c->start, line_size, &text,
			&size);
		consume(c, line_size);
	}
	if (r == 0 && text)
		r = send_answer(c, text, size);
	if (r < 0) {
		connection_close(c);
		return false;
	}
	if (is_served_now(c))
		return true;
	settle(c);
	return false;
}

/* ---- reading ---- */

/* Makes room behind `end`: by moving what is kept to the front, else by more
 * memory. */
static int make_room(struct connection *c)
{
	size_t room;
	char *in;

	if (c->start > 0) {
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->scanned -= c->start;
		c->start = 0;
	}
	if (c->end < c->room)
		return 0;
	if (c->room == ROOM_MAX)
		return -ENOBUFS;
	room = c->room ? 2 * c->room : ROOM_MIN;
	if (room > ROOM_MAX - ROOM_MIN)
		room = ROOM_MAX;
	in = realloc(c->in, room);
	if (!in)
		return -ENOMEM;
	c->in = in;
	c->room = room;
	return 0;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct connection *c = handle->data;

	(void)suggested;
	*ret = uv_buf_init(NULL, 0); /* libuv makes that UV_ENOBUFS */
	if (make_room(c) < 0)
		return;
	*ret = uv_buf_init(c->in + c->end, (unsigned)(c->room - c->end));
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;

	(void)buf;
	if (n > 0)
		c->end += (size_t)n;
	else if (n == UV_EOF)
		c->ended = true;
	else if (n < 0) {
		connection_close(c);
		return;
	}
	if (is_served_now(c))
		c->callbacks.ready(c->callbacks.data, c);
	settle(c);
}

/* Nothing is left to do for it. */
static bool is_over(const struct connection *c)
{
	return c->ended && c->end == c->start && c->unsent == 0 &&
	       (!c->subscription || c->cut_off || connection_is_deserted(c));
}

/* Reads, stops reading or closes, as the state has it. */
static void settle(struct connection *c)
{
	uv_stream_t *stream = (uv_stream_t *)&c->pipe;
	bool is_full = c->end - c->start == ROOM_MAX, read;

	if (uv_is_closing((uv_handle_t *)stream))
		return;
	if (is_over(c)) {
		connection_close(c);
		return;
	}
	if (c->end == c->start)
		consume(c, 0); /* what was only asked for, at the end */
	read = !c->ended && !is_full && c->unsent <= CONNECTION_UNSENT_MAX;
	if (read == c->reading)
		return;
	c->reading = read;
	if (!read)
		(void)uv_read_stop(stream);
	else if (uv_read_start(stream, give_room, received) < 0)
		connection_close(c);
}

/* ---- beginning and end ---- */

static void closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	c->callbacks.closed(c->callbacks.data, c);
	free(c->in);
	free(c);
}

/* For a pipe that never became a connection. */
static void discarded(uv_handle_t *handle)
{
	free(handle->data);
}

int connection_new(struct connection **ret, uv_loop_t *loop, int fd,
	const struct connection_callbacks *callbacks)
{
	struct connection *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = uv_pipe_init(loop, &c->pipe, 0);
	if (r < 0) {
		free(c);
		return r;
	}
	c->pipe.data = c;
	c->callbacks = *callbacks;
	r = uv_pipe_open(&c->pipe, fd);
	if (r < 0)
		goto fail;
	settle(c);
	*ret = c;
	return 0;
fail:
	uv_close((uv_handle_t *)&c->pipe, discarded);
	return r;
}

int connection_fileno(const struct connection *c)
{
	uv_os_fd_t fd;

	return uv_fileno((const uv_handle_t *)&c->pipe, &fd) < 0 ? -1 : fd;
}

bool connection_is_deserted(const struct connection *c)
{
	struct pollfd p = { .fd = connection_fileno(c) };

	if (!c->subscription || !c->ended)
		return false;
	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

void connection_drain(int fd)
{
	char waste[16384];

	for (int i = 0; i < DRAIN_READS; i++)
		if (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
			return;
}

void connection_close(struct connection *c)
{
	if (uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	if (c->cut_off)
		connection_drain(connection_fileno(c));
	uv_close((uv_handle_t *)&c->pipe, closed);
}
