#include "udp/internal.h"

#include <errno.h>
#include <linux/in6.h>
#include <unistd.h>

socklen_t udp_address_size(const union udp_address *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return sizeof(a->in);
	case AF_INET6:
		return sizeof(a->in6);
	default:
		return 0;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct udp *u = poll->data;
	int error;

	if (status >= 0) {
		if (events & UV_WRITABLE)
			udp_flush(u);
		if (events & UV_READABLE)
			udp_receive(u);
		return;
	}
	/* POLLERR. libuv calls it EBADF and stops, but the descriptor is fine
	 * (kernel-facts 6.6): clear the error and go on. */
	error = udp_take_error(u->fd);
	u->poll_events = 0;
	udp_update_poll(u);
	if (error < 0 && u->recv_cb)
		u->recv_cb(u, error, NULL, 0);
}

void udp_update_poll(struct udp *u)
{
	int events = 0;

	if (u->recv_cb)
		events |= UV_READABLE;
	if (u->queue.head)
		events |= UV_WRITABLE;
	if (events == u->poll_events)
		return;
	/* Neither call can fail: the handle alone polls this descriptor, which
	 * uv_poll_init() found fit for it. */
	if (events == 0)
		(void)uv_poll_stop(&u->poll);
	else
		(void)uv_poll_start(&u->poll, events, on_poll);
	u->poll_events = events;
}

/* Makes `fd` the handle's; the last step, since only closing undoes it. */
static int attach(struct udp *u, int fd, int family)
{
	struct in_addr bound;
	int r;

	r = udp_socket_bound(fd, &bound);
	if (r < 0)
		return r;
	r = uv_poll_init(u->loop, &u->poll, fd);
	if (r < 0)
		return r;
	u->poll.data = u;
	u->fd = fd;
	u->family = family;
	u->bound = bound;
	return 0;
}

/* 0 if the handle can be given a descriptor. */
static int check_vacant(const struct udp *u)
{
	if (u->closing)
		return -EBADF;
	return u->fd >= 0 ? -EALREADY : 0;
}

int udp_init(uv_loop_t *loop, struct udp *u)
{
	void *data = u->data;

	*u = (struct udp){ .data = data, .loop = loop, .fd = -1 };
	u->queue.tail = &u->queue.head;
	u->done.tail = &u->done.head;
	u->idle.data = u;
	return uv_idle_init(loop, &u->idle);
}

static void on_closed(uv_handle_t *handle)
{
	struct udp *u = handle->data;

	if (--u->closing_handles > 0)
		return;
	udp_finish_sends(u);
	if (u->close_cb)
		u->close_cb(u);
}

void udp_close(struct udp *u, udp_close_cb cb)
{
	if (u->closing)
		return;
	u->closing = true;
	u->close_cb = cb;
	u->recv_cb = NULL;
	udp_cancel_sends(u);
	u->closing_handles = 1;
	uv_close((uv_handle_t *)&u->idle, on_closed);
	if (u->fd < 0)
		return;
	u->closing_handles++;
	/* Stops polling, after which the descriptor may go. */
	uv_close((uv_handle_t *)&u->poll, on_closed);
	(void)close(u->fd);
	u->fd = -1;
}

bool udp_is_closing(const struct udp *u)
{
	return u->closing;
}

int udp_bind(struct udp *u, const union udp_address *address, unsigned flags)
{
	uint32_t flow_info = 0;
	int fd, r;

	r = check_vacant(u);
	if (r < 0)
		return r;
	fd = udp_socket_make(address->sa.sa_family, flags);
	if (fd < 0)
		return fd;
	r = udp_socket_bind(fd, address, flags);
	if (r < 0)
		goto fail;
	if (address->sa.sa_family == AF_INET6)
		flow_info = address->in6.sin6_flowinfo;
	r = attach(u, fd, address->sa.sa_family);
	if (r < 0)
		goto fail;
	u->flow_info = flow_info;
	return 0;
fail:
	(void)close(fd);
	return r;
}

int udp_need_socket(struct udp *u, int family)
{
	int fd, r;

	r = check_vacant(u);
	if (r == -EALREADY)
		return 0;
	if (r < 0)
		return r;
	fd = udp_socket_make(family, 0);
	if (fd < 0)
		return fd;
	r = attach(u, fd, family);
	if (r < 0)
		goto fail;
	return 0;
fail:
	(void)close(fd);
	return r;
}

int udp_open(struct udp *u, int fd, unsigned flags)
{
	int family, r;

	r = check_vacant(u);
	if (r < 0)
		return r;
	family = udp_socket_family(fd);
	if (family < 0)
		return family;
	r = udp_socket_prepare(fd, family, flags);
	if (r < 0)
		return r;
	r = attach(u, fd, family);
	if (r < 0)
		return r;
	/* What was lost before was somebody else's loss. */
	u->overflow = udp_socket_drops(fd);
	return 0;
}

int udp_resolve(
	struct udp *u, const union udp_address *given, union udp_address *ret)
{
	union udp_address a = *given;
	int r;

	if (udp_address_size(&a) == 0)
		return -EINVAL;
	if (a.sa.sa_family == AF_INET6 && u->family == AF_INET6) {
		if (a.in6.sin6_flowinfo == 0)
			a.in6.sin6_flowinfo = u->flow_info;
		if (a.in6.sin6_flowinfo != 0 && !u->sends_flow_info) {
			r = udp_set_int(
				u->fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1);
			if (r < 0)
				return r;
			u->sends_flow_info = true;
		}
	}
	*ret = a;
	return 0;
}

int udp_connect(struct udp *u, const union udp_address *peer)
{
	union udp_address a = { .sa = udp_nobody };
	socklen_t size = sizeof(a.sa);
	int r;

	if (peer) {
		r = udp_need_socket(u, peer->sa.sa_family);
		if (r < 0)
			return r;
		r = udp_resolve(u, peer, &a);
		if (r < 0)
			return r;
		size = udp_address_size(&a);
	}
	if (u->fd < 0)
		return -EBADF;
	return connect(u->fd, &a.sa, size) < 0 ? -errno : 0;
}

int udp_getsockname(const struct udp *u, union udp_address *ret)
{
	union udp_address a = { .sa = udp_nobody };
	socklen_t size = sizeof(a);

	if (u->fd < 0)
		return -EBADF;
	if (getsockname(u->fd, &a.sa, &size) < 0)
		return -errno;
	if (a.sa.sa_family == AF_INET6)
		a.in6.sin6_flowinfo = u->flow_info;
	*ret = a;
	return 0;
}

int udp_fileno(const struct udp *u)
{
	return u->fd >= 0 ? u->fd : -EBADF;
}
