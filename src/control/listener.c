#include "control/listener.h"

#include "control/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ACCEPTS = 16, /* for each wake-up */
	PAUSE_MS = 1000,
	QUIET_MS = 60000, /* between two reports */
	HANDLES = 2,
};

struct listener {
	struct listener_callbacks callbacks;
	struct socket_file file;
	uv_poll_t poll;
	uv_timer_t pause;
	unsigned handles;
	uint64_t troubles; /* since the last report */
	uint64_t reported_ms;
	bool reported;
};

static void start(struct listener *l);

static void resume(uv_timer_t *timer)
{
	start(timer->data);
}

/* Until the system has recovered: a readable socket that cannot be accepted
 * from would wake the loop without end. */
static void stand_back(struct listener *l, int error)
{
	uint64_t now_ms = uv_now(l->poll.loop);

	(void)uv_poll_stop(&l->poll);
	(void)uv_timer_start(&l->pause, resume, PAUSE_MS, 0);
	l->troubles++;
	if (l->reported && now_ms - l->reported_ms < QUIET_MS)
		return;
	if (l->callbacks.trouble)
		l->callbacks.trouble(l->callbacks.data, error, l->troubles);
	l->troubles = 0;
	l->reported = true;
	l->reported_ms = now_ms;
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	int fd;

	(void)events;
	if (status < 0) {
		stand_back(l, status);
		return;
	}
	for (int i = 0; i < ACCEPTS; i++) {
		fd = accept4(
			l->file.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			l->callbacks.accepted(l->callbacks.data, fd);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR && errno != ECONNABORTED) {
			stand_back(l, -errno);
			return;
		}
	}
}

static void start(struct listener *l)
{
	int r = uv_poll_start(&l->poll, UV_READABLE, readable);

	if (r < 0)
		stand_back(l, r);
}

static void closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	if (--l->handles == 0)
		free(l);
}

static int open_file(struct socket_file *ret,
	const struct control_options *options, pid_t *ret_pid)
{
	if (options->fd < 0)
		return socket_file_make(ret, options->path, options->mode,
			options->gid, ret_pid);
	*ret = (struct socket_file){ .fd = options->fd };
	return 0;
}

int listener_new(struct listener **ret, uv_loop_t *loop,
	const struct control_options *options,
	const struct listener_callbacks *callbacks, pid_t *ret_pid)
{
	struct listener *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->callbacks = *callbacks;
	r = open_file(&l->file, options, ret_pid);
	if (r < 0)
		goto fail;
	r = uv_poll_init(loop, &l->poll, l->file.fd);
	if (r < 0) {
		if (options->fd < 0)
			socket_file_done(&l->file);
		goto fail;
	}
	(void)uv_timer_init(loop, &l->pause);
	l->poll.data = l->pause.data = l;
	l->handles = HANDLES;
	start(l);
	*ret = l;
	return 0;
fail:
	free(l);
	return r;
}

bool listener_serves(
	const struct listener *l, const struct control_options *options)
{
	if (!l->file.path) /* systemd's wins over any path */
		return true;
	return !strcmp(l->file.path, options->path) &&
	       socket_file_is_there(&l->file);
}

int listener_set_access(
	const struct listener *l, const struct control_options *options)
{
	if (!l->file.path)
		return 0;
	return socket_file_set_access(&l->file, options->mode, options->gid);
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	uv_close((uv_handle_t *)&l->poll, closed);
	uv_close((uv_handle_t *)&l->pause, closed);
	socket_file_done(&l->file);
}
