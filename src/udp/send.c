#include "udp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A long queue yields to the others of the loop after so many sends. */
enum { SENDS_PER_WAKEUP = 64 };

/*
 * Whether an earlier datagram can have left this error behind: what the kernel
 * makes of ICMP and ICMPv6 errors (icmp_err_convert, icmpv6_err_convert, and
 * EMSGSIZE for "fragmentation needed").
 */
static bool may_be_stale(int error)
{
	switch (error) {
	case EACCES:
	case ECONNREFUSED:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EMSGSIZE:
	case ENETUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPROTO:
		return true;
	default:
		return false;
	}
}

int udp_transmit(int fd, struct mmsghdr *m, unsigned n)
{
	bool retried = false;
	int r, error;

	for (;;) {
		r = sendmmsg(fd, m, n, MSG_DONTWAIT);
		/* An error in the middle is not told, but it was there. */
		if (r > 0 && (unsigned)r < n)
			(void)udp_drain_errors(fd);
		if (r > 0)
			return r;
		error = errno;
		if (error == EINTR)
			continue;
		if (error == EAGAIN)
			return -EAGAIN;
		/* With IP_RECVERR the errors queue up, even our own. */
		(void)udp_drain_errors(fd);
		if (retried || !may_be_stale(error))
			return -error;
		retried = true;
	}
}

/* Sends one datagram. Returns its bytes, or -errno. */
static ssize_t transmit_one(struct udp *u, const uv_buf_t bufs[],
	unsigned n_bufs, union udp_address *destination)
{
	struct mmsghdr m = {
		.msg_hdr = {
			.msg_name = destination,
			/* libuv lays out uv_buf_t as an iovec, for this. */
			.msg_iov = (struct iovec *)bufs,
			.msg_iovlen = n_bufs,
		},
	};
	int r;

	if (destination)
		m.msg_hdr.msg_namelen = udp_address_size(destination);
	r = udp_transmit(u->fd, &m, 1);
	return r < 0 ? r : (ssize_t)m.msg_len;
}

/*
 * Checks what is common to the two ways to send one datagram, makes the socket
 * where there is none, and copies the destination to `ret`.
 */
static int prepare(struct udp *u, unsigned n_bufs,
	const union udp_address *destination, union udp_address *ret)
{
	int r;

	if (u->closing)
		return -EBADF;
	if (n_bufs == 0)
		return -EINVAL;
	if (!destination)
		return u->fd < 0 ? -EDESTADDRREQ : 0;
	r = udp_need_socket(u, destination->sa.sa_family);
	if (r < 0)
		return r;
	return udp_resolve(u, destination, ret);
}

static void append(struct udp_sends *list, struct udp_send *req)
{
	req->next = NULL;
	*list->tail = req;
	list->tail = &req->next;
}

/* Takes the first of a list that has one. */
static struct udp_send *pop(struct udp_sends *list)
{
	struct udp_send *req = list->head;

	list->head = req->next;
	if (!list->head)
		list->tail = &list->head;
	return req;
}

static void on_idle(uv_idle_t *idle)
{
	struct udp *u = idle->data;

	(void)uv_idle_stop(idle);
	udp_finish_sends(u);
}

/* Lets go of the buffers and has the loop run the callback, soon. */
static void finish(struct udp_send *req, int status)
{
	struct udp *u = req->handle;

	if (req->bufs != req->small)
		free(req->bufs);
	req->bufs = NULL;
	req->status = status;
	append(&u->done, req);
	/* A closing handle tells as it ends. */
	if (!u->closing)
		(void)uv_idle_start(&u->idle, on_idle);
}

/* Returns -EAGAIN if `req` must wait, else its status. */
static int attempt(struct udp_send *req)
{
	union udp_address *d = &req->destination;
	ssize_t r;

	r = transmit_one(req->handle, req->bufs, req->n_bufs,
		req->has_destination ? d : NULL);
	return r < 0 ? (int)r : 0;
}

void udp_flush(struct udp *u)
{
	int status;

	for (int i = 0; u->queue.head && i < SENDS_PER_WAKEUP; i++) {
		status = attempt(u->queue.head);
		if (status == -EAGAIN)
			break;
		finish(pop(&u->queue), status);
	}
	udp_update_poll(u);
}

void udp_cancel_sends(struct udp *u)
{
	while (u->queue.head)
		finish(pop(&u->queue), -ECANCELED);
}

void udp_finish_sends(struct udp *u)
{
	struct udp_sends list = u->done;
	struct udp_send *req;

	/* What the callbacks send has its turn in the next round. */
	u->done.head = NULL;
	u->done.tail = &u->done.head;
	while (list.head) {
		req = pop(&list);
		req->cb(req, req->status);
	}
}

/* Copies the array, into the request itself if it is short. */
static int copy_buffers(
	struct udp_send *req, const uv_buf_t bufs[], unsigned n_bufs)
{
	uv_buf_t *copy = req->small;

	if (n_bufs > sizeof(req->small) / sizeof(req->small[0])) {
		copy = calloc(n_bufs, sizeof(*copy));
		if (!copy)
			return -ENOMEM;
	}
	memcpy(copy, bufs, n_bufs * sizeof(*copy));
	req->bufs = copy;
	req->n_bufs = n_bufs;
	return 0;
}

int udp_send(struct udp_send *req, struct udp *u, const uv_buf_t bufs[],
	unsigned n_bufs, const union udp_address *destination, udp_send_cb cb)
{
	int r, status = -EAGAIN;

	if (!cb)
		return -EINVAL;
	r = prepare(u, n_bufs, destination, &req->destination);
	if (r < 0)
		return r;
	r = copy_buffers(req, bufs, n_bufs);
	if (r < 0)
		return r;
	req->handle = u;
	req->cb = cb;
	req->has_destination = destination != NULL;
	if (!u->queue.head)
		status = attempt(req);
	if (status != -EAGAIN) {
		finish(req, status);
		return 0;
	}
	append(&u->queue, req);
	udp_update_poll(u);
	return 0;
}

ssize_t udp_try_send(struct udp *u, const uv_buf_t bufs[], unsigned n_bufs,
	const union udp_address *destination)
{
	union udp_address d;
	int r;

	r = prepare(u, n_bufs, destination, &d);
	if (r < 0)
		return r;
	if (u->queue.head)
		return -EAGAIN;
	return transmit_one(u, bufs, n_bufs, destination ? &d : NULL);
}
