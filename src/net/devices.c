/*
 * The life of a table of devices:
 *   1. net_devices_new() opens a socket for events, then dumps the table, so
 *      that nothing falls between the two.
 *   2. work() applies what the socket holds, dumps anew where events were lost,
 *      and tells the owner, once.
 *   3. net_devices_close() closes the handles; with the last one the memory
 *      goes.
 * At rest nothing runs: the timer is for a dump that failed, and for a refresh.
 */
#include "net/internal.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
	/* More than the socket holds: rmem_default over 768 bytes or more. */
	READS_PER_WAKEUP = 1024,
	DUMPS_IN_A_ROW = 8,
	DUMP_TIMEOUT_S = 1,
	RETRY_FIRST_MS = 100,
	RETRY_LAST_MS = 30000,
	BUFFER_SIZE = 32768, /* the most that the kernel gives at once */
};

struct net_devices {
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles; /* not closed yet */
	bool closing;
	struct net_devices_callbacks callbacks;
	struct mnl_socket *events;
	struct net_table table;
	bool lost;      /* events were, so that the table may be wrong */
	int error;      /* to tell the owner, or 0 */
	unsigned tries; /* dumps that failed since the last good one */
	_Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_SIZE];
};

/* Returns the bytes of one datagram, which may be 0, or -errno. */
static ssize_t receive(struct net_devices *d, struct mnl_socket *socket)
{
	struct sockaddr_nl sender = { .nl_pid = 0 };
	struct iovec part = { d->buffer, sizeof(d->buffer) };
	struct msghdr message = {
		.msg_name = &sender,
		.msg_namelen = sizeof(sender),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do
		n = recvmsg(mnl_socket_get_fd(socket), &message, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* The kernel alone is believed. */
	if (sender.nl_pid != 0)
		return 0;
	if ((message.msg_flags & MSG_TRUNC) != 0)
		return -EMSGSIZE;
	return n;
}

static int ask(struct mnl_socket *socket, uint16_t type)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[128] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = type;
	/* Its first byte is the family, AF_UNSPEC, for addresses too. */
	(void)mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	if (type == RTM_GETLINK)
		mnl_attr_put_u32(
			message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	return 0;
}

/* The error that ends a dump: in both types it stands first. */
static int end_of_dump(const struct nlmsghdr *message)
{
	int error = 0;

	if (message->nlmsg_len >= sizeof(*message) + sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	else if (message->nlmsg_type == NLMSG_ERROR)
		error = -EBADMSG;
	return error > 0 ? -EBADMSG : error;
}

/*
 * Applies one datagram of the answer to ask(). Returns 1 where more is to come,
 * 0 at the end, or -errno; -EINTR if the kernel's table changed meanwhile, so
 * that something may be missing.
 */
static int apply_answer(struct net_devices *d, size_t size)
{
	struct net_messages messages = { d->buffer, size };
	const struct nlmsghdr *message;
	int r;

	while ((r = net_messages_next(&messages, &message)) > 0) {
		if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
			return -EINTR;
		if (message->nlmsg_type == NLMSG_DONE ||
			message->nlmsg_type == NLMSG_ERROR)
			return end_of_dump(message);
		r = net_table_apply(&d->table, message);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 1;
}

static int dump_type(
	struct net_devices *d, struct mnl_socket *socket, uint16_t type)
{
	ssize_t n;
	int r;

	r = ask(socket, type);
	if (r < 0)
		return r;
	do {
		n = receive(d, socket);
		if (n < 0)
			return (int)n;
		r = apply_answer(d, (size_t)n);
	} while (r > 0);
	return r;
}

static int dump_once(struct net_devices *d)
{
	/* The kernel answers at once; this is for the case that it does not. */
	struct timeval timeout = { .tv_sec = DUMP_TIMEOUT_S };
	struct mnl_socket *socket;
	int r;

	/* One of its own, so that no event gets between the answers. */
	socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (socket == NULL)
		return -errno;
	net_table_begin_dump(&d->table);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO,
			&timeout, sizeof(timeout)) < 0)
		r = -errno;
	else
		r = dump_type(d, socket, RTM_GETLINK);
	if (r == 0)
		r = dump_type(d, socket, RTM_GETADDR);
	net_table_end_dump(&d->table, r == 0);
	(void)mnl_socket_close(socket);
	return r;
}

static int dump(struct net_devices *d)
{
	int r = -EINTR;

	for (int i = 0; i < DUMPS_IN_A_ROW && r == -EINTR; i++)
		r = dump_once(d);
	return r;
}

static int apply_events(struct net_devices *d, size_t size)
{
	struct net_messages messages = { d->buffer, size };
	const struct nlmsghdr *message;
	int r;

	while ((r = net_messages_next(&messages, &message)) > 0) {
		r = net_table_apply(&d->table, message);
		if (r < 0)
			return r;
	}
	return r;
}

/* From now on the table may be wrong, so a dump is due. */
static void doubt(struct net_devices *d, int error)
{
	d->lost = true;
	if (d->error == 0)
		d->error = error;
}

/* Applies what the socket holds. Returns true if it is empty now. */
static bool drain(struct net_devices *d)
{
	for (int i = 0; i < READS_PER_WAKEUP; i++) {
		ssize_t n = receive(d, d->events);
		int r = (int)n;

		if (n == -EAGAIN)
			return true;
		if (n >= 0)
			r = apply_events(d, (size_t)n);
		if (r < 0)
			doubt(d, r);
	}
	return false;
}

static void on_timer(uv_timer_t *timer);

static void dump_again(struct net_devices *d)
{
	uint64_t delay_ms = RETRY_LAST_MS;
	int r;

	r = dump(d);
	if (r == 0) {
		d->lost = false;
		d->tries = 0;
		return;
	}
	d->error = r;
	if (RETRY_FIRST_MS << d->tries < RETRY_LAST_MS)
		delay_ms = (uint64_t)RETRY_FIRST_MS << d->tries++;
	/* Cannot fail: it has a callback and is not closing. */
	(void)uv_timer_start(&d->timer, on_timer, delay_ms, 0);
}

static void tell_problem(struct net_devices *d)
{
	int error = d->error;

	d->error = 0;
	if (error != 0 && d->callbacks.problem != NULL)
		d->callbacks.problem(d->callbacks.data, error);
}

static void tell_changed(struct net_devices *d)
{
	if (!d->table.changed)
		return;
	d->table.changed = false;
	d->callbacks.changed(d->callbacks.data);
	net_table_bury(&d->table);
}

/*
 * A dump has to wait for the end of the events: after an overrun the kernel
 * takes no event into the queue until that was seen empty (netlink_rcv_wake()
 * in net/netlink/af_netlink.c), so what a dump before that point misses, no
 * event would tell. And older events must not be applied over a newer dump.
 */
static void work(struct net_devices *d)
{
	bool is_empty = drain(d);

	tell_problem(d);
	if (!d->closing && d->lost && is_empty &&
		!uv_is_active((uv_handle_t *)&d->timer)) {
		dump_again(d);
		tell_problem(d);
	}
	if (!d->closing)
		tell_changed(d);
}

static void on_timer(uv_timer_t *timer)
{
	work(timer->data);
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	struct net_devices *d = poll->data;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)events;
	if (status < 0) {
		/*
		 * An overrun, which libuv takes for the end of the descriptor
		 * (kernel-facts 0.E).
		 */
		(void)getsockopt(mnl_socket_get_fd(d->events), SOL_SOCKET,
			SO_ERROR, &error, &size);
		doubt(d, error != 0 ? -error : status);
		/* Cannot fail: it was started on this descriptor before. */
		(void)uv_poll_start(poll, UV_READABLE, on_events);
	}
	work(d);
}

static int open_events(struct net_devices *d)
{
	/* NETLINK_NO_ENOBUFS stays off: it would make losses silent. */
	d->events =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (d->events == NULL)
		return -errno;
	if (mnl_socket_bind(d->events,
		    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
		    MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	return 0;
}

static void release(struct net_devices *d)
{
	if (d->events != NULL)
		(void)mnl_socket_close(d->events);
	net_table_done(&d->table);
	free(d);
}

static void on_closed(uv_handle_t *handle)
{
	struct net_devices *d = handle->data;

	if (--d->handles == 0)
		release(d);
}

int net_devices_new(struct net_devices **ret, uv_loop_t *loop,
	const struct net_devices_callbacks *callbacks)
{
	struct net_devices *d = calloc(1, sizeof(*d));
	int r;

	if (d == NULL)
		return -ENOMEM;
	d->callbacks = *callbacks;
	r = open_events(d);
	if (r < 0)
		goto fail;
	r = dump(d);
	if (r < 0)
		goto fail;
	d->table.changed = false;
	r = uv_poll_init(loop, &d->poll, mnl_socket_get_fd(d->events));
	if (r < 0)
		goto fail;
	d->poll.data = d;
	(void)uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	d->handles = 2;
	r = uv_poll_start(&d->poll, UV_READABLE, on_events);
	if (r < 0) {
		net_devices_close(d);
		return r;
	}
	*ret = d;
	return 0;
fail:
	release(d);
	return r;
}

void net_devices_close(struct net_devices *d)
{
	if (d == NULL || d->closing)
		return;
	d->closing = true;
	uv_close((uv_handle_t *)&d->poll, on_closed);
	uv_close((uv_handle_t *)&d->timer, on_closed);
	(void)mnl_socket_close(d->events);
	d->events = NULL;
}

int net_devices_refresh(struct net_devices *d)
{
	int r = dump(d);

	if (d->table.changed)
		(void)uv_timer_start(&d->timer, on_timer, 0, 0);
	return r;
}

int net_devices_fileno(const struct net_devices *d)
{
	return mnl_socket_get_fd(d->events);
}

const struct net_device *net_devices_by_index(
	const struct net_devices *d, unsigned index)
{
	const struct net_entry *e = net_table_find(&d->table, index);

	return e == NULL ? NULL : &e->device;
}

const struct net_device *net_devices_by_name(
	const struct net_devices *d, const char *name)
{
	const struct net_device *device = NULL;

	while ((device = net_devices_next(d, device)) != NULL)
		if (strcmp(device->name, name) == 0)
			break;
	return device;
}

const struct net_device *net_devices_next(
	const struct net_devices *d, const struct net_device *after)
{
	const struct net_entry *e;

	if (after == NULL)
		e = d->table.entries;
	else
		e = ((const struct net_entry *)after)->hh.next;
	return e == NULL ? NULL : &e->device;
}

bool net_devices_is_own(
	const struct net_devices *d, const struct net_address *a)
{
	return net_own_has(d->table.own, a);
}

bool net_device_hardware(const struct net_device *d, uint8_t ret[6])
{
	/* The first member. */
	const struct net_identity *i = &((const struct net_entry *)d)->identity;

	if (i->type != ARPHRD_ETHER || i->n_address != ETH_ALEN)
		return false;
	memcpy(ret, i->address, ETH_ALEN);
	return true;
}

bool net_device_is_up(const struct net_device *d)
{
	return (d->flags & IFF_UP) != 0 && (d->flags & IFF_RUNNING) != 0;
}

bool net_device_is_on_link(
	const struct net_device *d, const struct net_address *a)
{
	for (size_t i = 0; i < d->n_addresses; i++)
		if (net_prefix_contains(&d->addresses[i].on_link, a))
			return true;
	return false;
}

bool net_device_is_everybody(
	const struct net_device *d, const struct net_address *a)
{
	for (size_t i = 0; i < d->n_addresses; i++) {
		const struct net_device_address *own = &d->addresses[i];
		uint32_t hosts;

		if (!net_address_is_set(&own->broadcast))
			continue;
		hosts = UINT32_MAX >> own->local.length;
		if (net_address_equal(&own->broadcast, a) ||
			(net_prefix_contains(&own->local, a) &&
				!(ntohl(a->v4.s_addr) & hosts)))
			return true;
	}
	return false;
}

const struct net_device_address *net_device_source(
	const struct net_device *d, sa_family_t family, bool link_local)
{
	const struct net_device_address *spare = NULL;

	for (size_t i = 0; i < d->n_addresses; i++) {
		const struct net_device_address *a = &d->addresses[i];
		const struct net_address *local = &a->local.address;

		if (local->family != family || !a->usable)
			continue;
		if (family == AF_INET6 &&
			net_address_is_link_local(local) != link_local)
			continue;
		if (!a->deprecated)
			return a;
		if (spare == NULL)
			spare = a;
	}
	return spare;
}
