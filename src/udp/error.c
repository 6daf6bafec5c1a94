#include "udp/internal.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

/*
 * More entries than this wait for the next wake-up: errors may arrive as fast
 * as they are read.
 */
enum { DRAIN_MAX = 64 };

/* The error that an entry of the queue is about, negative, or 0. */
static int entry_error(struct msghdr *m)
{
	struct sock_extended_err e;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_len < CMSG_LEN(sizeof(e)))
			continue;
		if ((c->cmsg_level == IPPROTO_IP &&
			    c->cmsg_type == IP_RECVERR) ||
			(c->cmsg_level == IPPROTO_IPV6 &&
				c->cmsg_type == IPV6_RECVERR)) {
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			return -(int)e.ee_errno;
		}
	}
	return 0;
}

int udp_drain_errors(int fd)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[256];
	} control;
	int first = 0;

	for (int i = 0; i < DRAIN_MAX; i++) {
		/* No room for the payload: which datagram it was is lost. */
		struct msghdr m = {
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};

		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		if (first == 0)
			first = entry_error(&m);
	}
	return first;
}

int udp_take_error(int fd)
{
	int pending = 0, queued;
	socklen_t size = sizeof(pending);

	/* Reading it clears it. It comes first, since taking an entry off the
	 * error queue overwrites it with the next entry's error. */
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &size) < 0)
		pending = errno;
	queued = udp_drain_errors(fd);
	return pending != 0 ? -pending : queued;
}
