#include "mqtt/tap.h"
#include "mqtt/consumed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct tap {
	uv_poll_t poll;
	int fd;
	int events;
	void (*ready)(void *data);
	void *data;
};

int tap_new(struct tap **ret, uv_loop_t *loop, int fd,
	void (*ready)(void *data), void *data)
{
	struct tap *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL)
		return -ENOMEM;
	t->ready = ready;
	t->data = data;
	t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (t->fd < 0) {
		r = -errno;
		goto fail;
	}
	r = uv_poll_init(loop, &t->poll, t->fd);
	if (r < 0)
		goto fail;
	*ret = t;
	return 0;
fail:
	if (t->fd >= 0)
		(void)close(t->fd);
	free(t);
	return r;
}

static void on_close(uv_handle_t *handle)
{
	struct tap *t = (struct tap *)handle;

	(void)close(t->fd);
	free(t);
}

void tap_close(struct tap *t)
{
	if (t != NULL)
		uv_close((uv_handle_t *)&t->poll, on_close);
}

/* libuv stops to look where there is an error: it will be found by reading. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct tap *t = (struct tap *)poll;

	(void)events;
	if (status < 0)
		t->events = 0;
	t->ready(t->data);
}

int tap_watch(struct tap *t, int events)
{
	int r;

	if (t->events == events)
		return 0;
	r = uv_poll_start(&t->poll, events, on_poll);
	if (r == 0)
		t->events = events;
	return r;
}

int tap_error(struct tap *t)
{
	int e = 0;
	socklen_t size = sizeof(e);

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &e, &size) != 0)
		return errno;
	return e;
}

void tap_set_up(struct tap *t, int bytes)
{
	int on = 1;

	/* Each of them is for the better only. */
	(void)setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(t->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

int tap_peek(struct tap *t, void *bytes, int size)
{
	ssize_t n = recv(t->fd, bytes, (size_t)size, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		return (int)n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

uint64_t tap_consumed(const struct tap *t)
{
	return consumed(t->fd);
}

void tap_shut(struct tap *t)
{
	(void)shutdown(t->fd, SHUT_WR);
}

bool tap_drain(struct tap *t)
{
	char buf[4096];

	for (int i = 0; i < 16; i++) {
		ssize_t n = recv(t->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return true;
		if (n < 0)
			return false;
	}
	return false;
}
