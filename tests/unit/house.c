#include "house.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 3000 };

static int own_namespace(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

bool house_is_possible(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNET) == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void enter(int ns)
{
	ck_assert_int_eq(setns(ns, CLONE_NEWNET), 0);
}

void house_open(struct house *h)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	h->hosts = own_namespace();
	ck_assert_int_ge(h->hosts, 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	h->router = own_namespace();
	ck_assert_int_ge(h->router, 0);
	house_run("ip link set lo up");
	ck_assert_int_eq(uv_loop_init(&h->loop), 0);
}

void house_close(struct house *h)
{
	(void)uv_run(&h->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&h->loop), 0);
	(void)close(h->hosts);
	(void)close(h->router);
}

void house_run(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	ck_assert_msg(system(command) == 0, "failed: %s", command);
}

static void address_device(const char *name, unsigned n, unsigned host)
{
	house_run("ip address add 10.9.%u.%u/24 dev %s", n, host, name);
	house_run("ip address add fd09:%u::%u/64 dev %s nodad", n, host, name);
}

void house_add(struct house *h, unsigned n, bool bare)
{
	char name[16];

	house_run("ip link add r%u type veth peer name h%u netns "
		  "/proc/%d/fd/%d",
		n, n, (int)getpid(), h->hosts);
	/* No duplicate address detection, or IPv6 would wait for a second. */
	house_run("sysctl -qw net.ipv6.conf.r%u.accept_dad=0 "
		  "net.ipv6.conf.r%u.accept_ra=0",
		n, n);
	if (!bare) {
		(void)snprintf(name, sizeof(name), "r%u", n);
		address_device(name, n, 1);
	}
	house_run("ip link set r%u up", n);
	enter(h->hosts);
	house_run("sysctl -qw net.ipv6.conf.h%u.accept_dad=0", n);
	(void)snprintf(name, sizeof(name), "h%u", n);
	address_device(name, n, 2);
	house_run("ip link set h%u up", n);
	enter(h->router);
}

union any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t parse(
	const char *address, uint16_t port, unsigned device, union any *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		return sizeof(ret->in);
	}
	ck_assert_int_eq(inet_pton(AF_INET6, address, &ret->in6.sin6_addr), 1);
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	ret->in6.sin6_scope_id = device;
	return sizeof(ret->in6);
}

static void set(int fd, int level, int option, int value)
{
	ck_assert_int_eq(
		setsockopt(fd, level, option, &value, sizeof(value)), 0);
}

static bool is_multicast(const union any *a)
{
	if (a->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
	return IN_MULTICAST(ntohl(a->in.sin_addr.s_addr));
}

/* A socket of the host on segment `n`, tied to its device. */
static int host_socket(
	struct house *h, unsigned n, int family, unsigned *ret_device)
{
	char name[16];
	int fd;

	enter(h->hosts);
	(void)snprintf(name, sizeof(name), "h%u", n);
	*ret_device = if_nametoindex(name);
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
				 (socklen_t)strlen(name)),
		0);
	enter(h->router);
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set(fd, SOL_SOCKET, SO_BROADCAST, 1);
	if (family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	else
		set(fd, IPPROTO_IP, IP_RECVTTL, 1);
	return fd;
}

int house_hear(struct house *h, unsigned n, const char *address, uint16_t port)
{
	struct group_req join = { 0 };
	unsigned device;
	socklen_t size;
	union any a;
	int fd;

	(void)parse(address, port, 0, &a);
	fd = host_socket(h, n, a.sa.sa_family, &device);
	size = parse(address, port, device, &a);
	ck_assert_int_eq(bind(fd, &a.sa, size), 0);
	if (!is_multicast(&a))
		return fd;
	join.gr_interface = device;
	memcpy(&join.gr_group, &a, size);
	ck_assert_int_eq(
		setsockopt(fd,
			a.sa.sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
			MCAST_JOIN_GROUP, &join, sizeof(join)),
		0);
	return fd;
}

/* One turn of the loop; waits for an event, but not for long. */
static void wake(uv_timer_t *t)
{
	(void)t;
}

static void turn(struct house *h)
{
	uv_timer_t t;

	(void)uv_timer_init(&h->loop, &t);
	/* Repeating: the first may be due before the loop waits. */
	(void)uv_timer_start(&t, wake, 5, 5);
	(void)uv_run(&h->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&t, NULL);
	(void)uv_run(&h->loop, UV_RUN_NOWAIT);
}

bool house_wait(struct house *h, bool (*done)(void *data), void *data)
{
	uint64_t end = uv_hrtime() + PATIENCE_MS * UINT64_C(1000000);

	while (!done(data)) {
		if (uv_hrtime() > end)
			return false;
		turn(h);
	}
	return true;
}

/* IPv6 has no route and no address until the link watcher has run. */
static void send_when_ready(struct house *h, int fd, const void *data,
	size_t size, const union any *to, socklen_t length)
{
	uint64_t end = uv_hrtime() + PATIENCE_MS * UINT64_C(1000000);

	while (sendto(fd, data, size, 0, &to->sa, length) < 0) {
		ck_assert_msg(uv_hrtime() < end, "sendto: %s", strerror(errno));
		turn(h);
	}
}

static void set_multicast(int fd, int family, int ttl)
{
	if (family == AF_INET6) {
		set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl);
		set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	} else {
		set(fd, IPPROTO_IP, IP_MULTICAST_TTL, ttl);
		set(fd, IPPROTO_IP, IP_TTL, ttl);
		set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	}
}

static void send_from(struct house *h, unsigned n, const char *source,
	const char *address, uint16_t port, uint16_t from, int ttl,
	const void *data, size_t size)
{
	union any to, own;
	unsigned device;
	socklen_t length;
	int fd;

	(void)parse(address, port, 0, &to);
	fd = host_socket(h, n, to.sa.sa_family, &device);
	length = parse(address, port, device, &to);
	if (!source) {
		source = to.sa.sa_family == AF_INET6 ? "::" : "0.0.0.0";
	} else if (to.sa.sa_family == AF_INET6) {
		set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1);
	} else {
		set(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
	}
	(void)parse(source, from, 0, &own);
	ck_assert_int_eq(bind(fd, &own.sa, length), 0);
	set_multicast(fd, to.sa.sa_family, ttl);
	send_when_ready(h, fd, data, size, &to, length);
	(void)close(fd);
}

void house_send(struct house *h, unsigned n, const char *address, uint16_t port,
	uint16_t from, int ttl, const void *data, size_t size)
{
	send_from(h, n, NULL, address, port, from, ttl, data, size);
}

void house_forge(struct house *h, unsigned n, const char *source,
	const char *address, uint16_t port, uint16_t from, const void *data,
	size_t size)
{
	send_from(h, n, source, address, port, from, 1, data, size);
}

void house_say(struct house *h, int ear, unsigned n, const char *address,
	uint16_t port, const void *data, size_t size)
{
	socklen_t length;
	char name[16];
	union any to;

	enter(h->hosts);
	(void)snprintf(name, sizeof(name), "h%u", n);
	length = parse(address, port, if_nametoindex(name), &to);
	enter(h->router);
	send_when_ready(h, ear, data, size, &to, length);
}

static bool is_readable(void *data)
{
	struct pollfd p = { .fd = *(int *)data, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static int read_ttl(struct msghdr *m)
{
	struct cmsghdr *c;
	int ttl;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) &&
			!(c->cmsg_level == IPPROTO_IPV6 &&
				c->cmsg_type == IPV6_HOPLIMIT))
			continue;
		memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		return ttl;
	}
	return -1;
}

void house_next(struct house *h, int fd, struct house_datagram *ret)
{
	struct iovec v = { ret->data, sizeof(ret->data) };
	char control[256];
	union any from;
	struct msghdr m = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	ret->size = -1;
	if (!house_wait(h, is_readable, &fd))
		return;
	ret->size = recvmsg(fd, &m, MSG_DONTWAIT);
	ck_assert_int_ge(ret->size, 0);
	ret->ttl = read_ttl(&m);
	ret->port = ntohs(from.in.sin_port);
	ck_assert_ptr_nonnull(inet_ntop(from.sa.sa_family,
		from.sa.sa_family == AF_INET6 ? (void *)&from.in6.sin6_addr
					      : (void *)&from.in.sin_addr,
		ret->source, sizeof(ret->source)));
}

bool house_is_silent(struct house *h, int fd)
{
	int i;

	/* What was sent on a veth is in the receiver's queue when the send
	 * returns; the loop then relays it within a turn. */
	for (i = 0; i < 5; i++)
		turn(h);
	return !is_readable(&fd);
}
