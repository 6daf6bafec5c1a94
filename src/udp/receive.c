#include "udp/internal.h"

#include <errno.h>
#include <linux/in6.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A busy socket yields to the others of its loop after so many batches. */
enum { BATCHES_PER_WAKEUP = 4 };

enum { SLOTS_MAX = 256, SLOT_BYTES_MAX = 65536 };

/*
 * Twice what the options of this layer need (144 bytes for IPv6 with a
 * timestamp), since a descriptor given to udp_open() may have asked for more.
 */
enum { CONTROL_BYTES = 320 };

union control {
	struct cmsghdr align;
	uint8_t bytes[CONTROL_BYTES];
};

/*
 * Slots of 65,536 bytes that follow one another would all begin in the same few
 * sets of the caches, and push each other out before they are read. So each
 * begins some lines further on.
 */
enum { STAGGER_BYTES = 5 * 64 };

struct udp_batch {
	unsigned slots;
	size_t slot_bytes, stride;
	uint8_t *data;
	struct mmsghdr *messages;
	struct iovec *iov;
	union udp_address *sources;
	union control *control;
	struct udp_datagram *datagrams;
};

int udp_batch_new(struct udp_batch **ret, unsigned slots, size_t slot_bytes)
{
	struct udp_batch *b;

	if (slots < 1 || slots > SLOTS_MAX || slot_bytes < 1 ||
		slot_bytes > SLOT_BYTES_MAX)
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->slots = slots;
	b->slot_bytes = slot_bytes;
	b->stride = slot_bytes + STAGGER_BYTES;
	b->data = malloc(slots * b->stride);
	b->messages = calloc(slots, sizeof(*b->messages));
	b->iov = calloc(slots, sizeof(*b->iov));
	b->sources = calloc(slots, sizeof(*b->sources));
	b->control = calloc(slots, sizeof(*b->control));
	b->datagrams = calloc(slots, sizeof(*b->datagrams));
	if (!b->data || !b->messages || !b->iov || !b->sources || !b->control ||
		!b->datagrams)
		goto fail;
	*ret = b;
	return 0;
fail:
	udp_batch_free(b);
	return -ENOMEM;
}

void udp_batch_free(struct udp_batch *b)
{
	if (!b)
		return;
	free(b->data);
	free(b->messages);
	free(b->iov);
	free(b->sources);
	free(b->control);
	free(b->datagrams);
	free(b);
}

/* Makes all slots ready: the kernel has written its lengths over ours. */
static void reset(struct udp_batch *b)
{
	for (unsigned i = 0; i < b->slots; i++) {
		b->iov[i] = (struct iovec){
			.iov_base = b->data + i * b->stride,
			.iov_len = b->slot_bytes,
		};
		b->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &b->sources[i],
			.msg_namelen = sizeof(b->sources[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = &b->control[i],
			.msg_controllen = sizeof(b->control[i]),
		};
	}
}

/* Copies what a control message holds, all of it or nothing. */
static bool take(const struct cmsghdr *c, void *to, size_t size)
{
	/* One that did not fit is cut off in its middle. */
	if (c->cmsg_len < CMSG_LEN(size))
		return false;
	memcpy(to, CMSG_DATA(c), size);
	return true;
}

static void read_pktinfo(const struct cmsghdr *c, struct udp_datagram *d)
{
	struct in_pktinfo info;

	if (!take(c, &info, sizeof(info)))
		return;
	d->device = (unsigned)info.ipi_ifindex;
	d->destination.in.sin_family = AF_INET;
	d->destination.in.sin_addr = info.ipi_addr;
}

static void read_pktinfo6(const struct cmsghdr *c, struct udp_datagram *d)
{
	struct in6_pktinfo info;

	if (!take(c, &info, sizeof(info)))
		return;
	d->device = info.ipi6_ifindex;
	d->destination.in6.sin6_family = AF_INET6;
	d->destination.in6.sin6_addr = info.ipi6_addr;
	/* As the kernel does it for the source. */
	if (udp_is_link_scope(&d->destination))
		d->destination.in6.sin6_scope_id = info.ipi6_ifindex;
}

static void read_ip(const struct cmsghdr *c, struct udp_datagram *d)
{
	if (c->cmsg_type == IP_PKTINFO)
		read_pktinfo(c, d);
	else if (c->cmsg_type == IP_TTL)
		(void)take(c, &d->ttl, sizeof(d->ttl));
}

static void read_ipv6(const struct cmsghdr *c, struct udp_datagram *d)
{
	uint32_t *flow_info = &d->source.in6.sin6_flowinfo;

	if (c->cmsg_type == IPV6_PKTINFO)
		read_pktinfo6(c, d);
	else if (c->cmsg_type == IPV6_HOPLIMIT)
		(void)take(c, &d->ttl, sizeof(d->ttl));
	else if (c->cmsg_type == IPV6_FLOWINFO)
		(void)take(c, flow_info, sizeof(*flow_info));
}

static void read_socket(
	const struct cmsghdr *c, struct udp_datagram *d, uint32_t *overflow)
{
	struct timespec t;

	if (c->cmsg_type == SO_RXQ_OVFL)
		(void)take(c, overflow, sizeof(*overflow));
	else if (c->cmsg_type == SCM_TIMESTAMPNS && take(c, &t, sizeof(t)))
		d->time_ns =
			(uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Fills slot `i`'s datagram; `overflow` is set where the kernel tells it. */
static void describe(struct udp_batch *b, unsigned i, uint32_t *overflow)
{
	struct msghdr *m = &b->messages[i].msg_hdr;
	struct udp_datagram *d = &b->datagrams[i];
	struct cmsghdr *c;

	*d = (struct udp_datagram){
		.data = b->iov[i].iov_base,
		.size = b->messages[i].msg_len,
		.source = b->sources[i],
		.ttl = -1,
		.partial = (m->msg_flags & MSG_TRUNC) != 0,
	};
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP)
			read_ip(c, d);
		else if (c->cmsg_level == IPPROTO_IPV6)
			read_ipv6(c, d);
		else if (c->cmsg_level == SOL_SOCKET)
			read_socket(c, d, overflow);
	}
}

uint32_t udp_drops_counted(const struct udp *u)
{
	return u->overflow;
}

void udp_set_drops_counted(struct udp *u, uint32_t drops)
{
	u->overflow = drops;
}

/*
 * How many more the kernel has dropped. Its counter runs on for ever, and what
 * was queued before udp_open() bears an older value than the handle began with.
 */
static uint32_t count_drops(struct udp *u, uint32_t overflow)
{
	uint32_t dropped = overflow - u->overflow;

	if (dropped > INT32_MAX)
		return 0;
	u->overflow = overflow;
	return dropped;
}

/* Reads and hands out one batch. Returns whether there may be more. */
static bool receive_batch(struct udp *u)
{
	struct udp_batch *b = u->batch;
	uint32_t overflow = u->overflow;
	bool full;
	int n, error;

	reset(b);
	do {
		n = recvmmsg(u->fd, b->messages, b->slots, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		error = errno;
		if (error == EAGAIN)
			return false;
		/* It waits in the error queue, too, if there is one. */
		(void)udp_drain_errors(u->fd);
		u->recv_cb(u, -error, NULL, 0);
		return false;
	}
	for (unsigned i = 0; i < (unsigned)n; i++)
		describe(b, i, &overflow);
	/* The callback may stop, and then the batch may be gone. */
	full = (unsigned)n == b->slots;
	u->recv_cb(u, n, b->datagrams, count_drops(u, overflow));
	return full;
}

void udp_receive(struct udp *u)
{
	bool more = true;

	for (int i = 0; more && i < BATCHES_PER_WAKEUP; i++) {
		/* Stopped or closed meanwhile; or begun anew, with other
		 * memory and another callback. */
		if (!u->recv_cb)
			return;
		more = receive_batch(u);
	}
}

int udp_recv_start(struct udp *u, struct udp_batch *batch, udp_recv_cb cb)
{
	if (u->fd < 0)
		return -EBADF;
	if (u->recv_cb)
		return -EALREADY;
	u->batch = batch;
	u->recv_cb = cb;
	udp_update_poll(u);
	return 0;
}

int udp_recv_stop(struct udp *u)
{
	u->recv_cb = NULL;
	u->batch = NULL;
	if (u->fd >= 0)
		udp_update_poll(u);
	return 0;
}
