#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROOM_MIN = 16384 };

/* ---- connecting ---- */

/* connect(2), send(2) and recv(2) all heed these, with EAGAIN. */
static int limit_silence(int fd)
{
	const struct timeval limit = { .tv_sec = CLIENT_SILENCE_MS / 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -errno;
	return 0;
}

int client_open(struct client *c, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	(void)stpcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = limit_silence(fd);
	if (r < 0)
		goto fail;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		r = errno == EAGAIN ? -ETIMEDOUT : -errno;
		goto fail;
	}
	*c = (struct client){ .fd = fd };
	return 0;
fail:
	(void)close(fd);
	return r;
}

void client_done(struct client *c)
{
	(void)close(c->fd);
	free(c->in);
	*c = (struct client){ .fd = -1 };
}

/* ---- a request ---- */

static char *request_text(const char *method, json_t *params)
{
	json_t *request;
	char *text = NULL;

	request = json_pack("{s:s, s:i, s:s, s:O*}", "jsonrpc", "2.0", "id", 1,
		"method", method, "params", params);
	if (request)
		text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	return text;
}

static int send_all(struct client *c, const char *data, size_t size)
{
	ssize_t n;

	while (size > 0) {
		n = send(c->fd, data, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int send_request(struct client *c, const char *method, json_t *params)
{
	char *text = request_text(method, params);
	size_t size;
	int r;

	if (!text)
		return -ENOMEM;
	size = strlen(text);
	text[size] = '\n'; /* in the place of the NUL */
	r = send_all(c, text, size + 1);
	free(text);
	return r;
}

/* ---- its answer ---- */

static int make_room(struct client *c)
{
	size_t room = c->room ? 2 * c->room : ROOM_MIN;
	char *in;

	if (c->size < c->room)
		return 0;
	if (c->room >= CLIENT_ANSWER_MAX)
		return -EMSGSIZE;
	in = realloc(c->in, room);
	if (!in)
		return -ENOMEM;
	c->in = in;
	c->room = room;
	return 0;
}

/* One read. Returns 0; -EPIPE at the end of the stream. */
static int read_some(struct client *c)
{
	ssize_t n;
	int r;

	r = make_room(c);
	if (r < 0)
		return r;
	do {
		n = recv(c->fd, c->in + c->size, c->room - c->size, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -ETIMEDOUT;
	if (n <= 0)
		return -EPIPE;
	c->size += (size_t)n;
	return 0;
}

/* The newline that ends the first line, or NULL. */
static const char *find_newline(struct client *c)
{
	const char *newline = NULL;

	if (c->size > c->scanned)
		newline =
			memchr(c->in + c->scanned, '\n', c->size - c->scanned);
	if (!newline)
		c->scanned = c->size;
	return newline;
}

/* Parses the first line, and keeps what stands behind it. */
static int take_line(struct client *c, const char *newline, json_t **ret)
{
	size_t size = (size_t)(newline - c->in);
	json_t *json = json_loadb(c->in, size, 0, NULL);

	c->size -= size + 1;
	memmove(c->in, newline + 1, c->size);
	c->scanned = 0;
	if (!json)
		return -EBADMSG;
	*ret = json;
	return 0;
}

static int read_answer(struct client *c, json_t **ret)
{
	const char *newline;
	json_t *answer;
	int r;

	while (!(newline = find_newline(c))) {
		r = read_some(c);
		if (r < 0)
			return r;
	}
	r = take_line(c, newline, &answer);
	if (r < 0)
		return r;
	if (!json_object_get(answer, "result") &&
		!json_is_object(json_object_get(answer, "error"))) {
		json_decref(answer);
		return -EBADMSG;
	}
	*ret = answer;
	return 0;
}

/* ---- notifications ---- */

/* Returns 1 where something came; 0 (stopped); -errno. */
static int wait_for_more(const struct client *c, int stop)
{
	struct pollfd p[] = {
		{ .fd = c->fd, .events = POLLIN },
		{ .fd = stop, .events = POLLIN },
	};
	int n;

	do {
		n = poll(p, 2, -1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return p[1].revents ? 0 : 1;
}

int client_next(struct client *c, int stop, json_t **ret)
{
	const char *newline;
	json_t *json;
	int r;

	while (!(newline = find_newline(c))) {
		r = wait_for_more(c, stop);
		if (r <= 0)
			return r;
		r = read_some(c);
		if (r < 0)
			return r;
	}
	r = take_line(c, newline, &json);
	if (r < 0)
		return r;
	if (!json_is_object(json_object_get(json, "params"))) {
		json_decref(json);
		return -EBADMSG;
	}
	*ret = json;
	return 1;
}

/* ---- a call ---- */

int client_call(
	struct client *c, const char *method, json_t *params, json_t **ret)
{
	int r;

	r = send_request(c, method, params);
	/* A daemon that is full says so and hangs up, perhaps before this. */
	if (r < 0 && r != -EPIPE)
		return r;
	return read_answer(c, ret);
}
