#include "control/client.h"

#include <errno.h>
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

/* Reads until a line is there; its size without the newline. */
static int read_line(struct client *c, size_t *ret_size)
{
	const char *newline = NULL;
	ssize_t n;
	int r;

	while (!newline) {
		r = make_room(c);
		if (r < 0)
			return r;
		n = recv(c->fd, c->in + c->size, c->room - c->size, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return -ETIMEDOUT;
		if (n <= 0)
			return -EPIPE;
		newline = memchr(c->in + c->size, '\n', (size_t)n);
		c->size += (size_t)n;
	}
	*ret_size = (size_t)(newline - c->in);
	return 0;
}

static int read_answer(struct client *c, json_t **ret)
{
	json_t *answer;
	size_t size;
	int r;

	r = read_line(c, &size);
	if (r < 0)
		return r;
	answer = json_loadb(c->in, size, 0, NULL);
	c->size = 0; /* one answer to one request: nothing can stand behind */
	if (!json_object_get(answer, "result") &&
		!json_is_object(json_object_get(answer, "error"))) {
		json_decref(answer);
		return -EBADMSG;
	}
	*ret = answer;
	return 0;
}

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
