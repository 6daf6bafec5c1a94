#include "udp/internal.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/in6.h>
#include <linux/sock_diag.h>
#include <unistd.h>

/* The index of the loopback device in every network namespace. */
enum { LOOPBACK_INDEX = 1 };

enum {
	ALL_FLAGS = UDP_IPV6ONLY | UDP_SHARE | UDP_OWN_GROUPS | UDP_SEND_ONLY |
		    UDP_TIMESTAMP | UDP_ANY_DEVICE | UDP_DEAF
};

/* Dissolves a connection, and what tied the socket to a device. */
const struct sockaddr udp_nobody = { .sa_family = AF_UNSPEC };

/* A list of them ends with a name of 0. */
struct option {
	int level, name;
};

int udp_set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int switch_on(int fd, const struct option *options)
{
	int r = 0;

	for (; r == 0 && options->name != 0; options++)
		r = udp_set_int(fd, options->level, options->name, 1);
	return r;
}

/* Lets nothing in: a broadcast reaches every socket of its port, and would
 * fill the buffer of one that never reads. */
static int deafen(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		    sizeof(program)) < 0)
		return -errno;
	return 0;
}

int udp_socket_prepare(int fd, int family, unsigned flags)
{
	static const struct option ip[] = {
		{ IPPROTO_IP, IP_PKTINFO },
		{ IPPROTO_IP, IP_RECVTTL },
		{ SOL_SOCKET, SO_RXQ_OVFL },
		{ 0, 0 },
	};
	/* IP_RECVTTL: IPv4-mapped datagrams have a TTL, not a hop limit. */
	static const struct option ipv6[] = {
		{ IPPROTO_IPV6, IPV6_RECVPKTINFO },
		{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
		{ IPPROTO_IPV6, IPV6_FLOWINFO },
		{ IPPROTO_IP, IP_RECVTTL },
		{ SOL_SOCKET, SO_RXQ_OVFL },
		{ 0, 0 },
	};
	static const struct option ip_errors[] = {
		{ IPPROTO_IP, IP_RECVERR },
		{ 0, 0 },
	};
	static const struct option ipv6_errors[] = {
		{ IPPROTO_IPV6, IPV6_RECVERR },
		{ IPPROTO_IP, IP_RECVERR },
		{ 0, 0 },
	};
	bool is_ipv6 = family == AF_INET6;
	int r;

	r = switch_on(fd, is_ipv6 ? ipv6 : ip);
	if (r == 0 && (flags & UDP_SEND_ONLY))
		r = switch_on(fd, is_ipv6 ? ipv6_errors : ip_errors);
	if (r == 0 && (flags & UDP_DEAF))
		r = deafen(fd);
	if (r == 0 && (flags & UDP_TIMESTAMP))
		r = udp_set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	return r;
}

static int share(int fd)
{
	static const struct option both[] = {
		{ SOL_SOCKET, SO_REUSEADDR },
		{ SOL_SOCKET, SO_REUSEPORT },
		{ 0, 0 },
	};

	return switch_on(fd, both);
}

static int own_groups(int fd, int family)
{
	if (family == AF_INET)
		return udp_set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	return udp_set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
}

int udp_socket_make(int family, unsigned flags)
{
	int fd, r;

	if ((flags & ~(unsigned)ALL_FLAGS) != 0 ||
		(family != AF_INET && family != AF_INET6) ||
		(family == AF_INET && (flags & UDP_IPV6ONLY)))
		return -EINVAL;
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = udp_socket_prepare(fd, family, flags);
	/* Set either way: the default is the sysctl bindv6only. */
	if (r == 0 && family == AF_INET6)
		r = udp_set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY,
			(flags & UDP_IPV6ONLY) != 0);
	if (r == 0 && (flags & UDP_SHARE))
		r = share(fd);
	if (r == 0 && (flags & UDP_OWN_GROUPS))
		r = own_groups(fd, family);
	if (r < 0)
		goto fail;
	return fd;
fail:
	(void)close(fd);
	return r;
}

bool udp_is_link_scope(const union udp_address *a)
{
	const struct in6_addr *ip = &a->in6.sin6_addr;

	return a->sa.sa_family == AF_INET6 &&
	       (IN6_IS_ADDR_LINKLOCAL(ip) || IN6_IS_ADDR_MC_LINKLOCAL(ip) ||
		       IN6_IS_ADDR_MC_NODELOCAL(ip));
}

/*
 * Ties the socket to a device for the time of bind(2), where it must be.
 *
 * Link-scope IPv6 wants a device, and any will do (kernel-facts 2.5). Sharing
 * IPv4 wants one too: sockets that share an address by SO_REUSEPORT become a
 * group, and a multicast datagram that early demux gives to the one that
 * joined goes to any of its group then, by hash (tried on Linux 6.18). Only
 * sockets that are bound on one device become a group, so that each of those
 * bound like this is alone in its own.
 *
 * Returns 1 (tied), 0, or -errno.
 */
static int tie(int fd, union udp_address *local, unsigned flags)
{
	bool any = (flags & UDP_ANY_DEVICE) && udp_is_link_scope(local);
	int r;

	if (any) {
		if (local->in6.sin6_port == 0)
			return -EINVAL;
		if (local->in6.sin6_scope_id == 0)
			local->in6.sin6_scope_id = LOOPBACK_INDEX;
		return 1;
	}
	/* What has no port yet would lose it when it is untied. */
	if (!(flags & UDP_SHARE) || local->sa.sa_family != AF_INET ||
		local->in.sin_port == 0)
		return 0;
	r = udp_set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, LOOPBACK_INDEX);
	return r < 0 ? r : 1;
}

int udp_socket_bind(int fd, const union udp_address *address, unsigned flags)
{
	union udp_address local = *address;
	int tied;

	tied = tie(fd, &local, flags);
	if (tied < 0)
		return tied;
	if (bind(fd, &local.sa, udp_address_size(&local)) < 0)
		return -errno;
	if (tied && connect(fd, &udp_nobody, sizeof(udp_nobody)) < 0)
		return -errno;
	return 0;
}

/*
 * Whether `a`, which a socket is bound to, is a broadcast address. The kernel
 * alone knows for sure: connect(2) asks for SO_BROADCAST then.
 */
static int is_broadcast(const union udp_address *a)
{
	int fd, r;

	/* Without a default route connect(2) finds no way to this one. */
	if (a->in.sin_addr.s_addr == INADDR_BROADCAST)
		return 1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, &a->sa, sizeof(a->in)) < 0 && errno == EACCES;
	(void)close(fd);
	return r;
}

int udp_socket_bound(int fd, struct in_addr *ret)
{
	union udp_address local = { .sa = udp_nobody }, peer;
	socklen_t size = sizeof(local), peer_size = sizeof(peer);
	int r = 1;

	if (getsockname(fd, &local.sa, &size) < 0)
		return -errno;
	/* If it is connected, the kernel may have chosen the address. */
	if (local.sa.sa_family == AF_INET &&
		local.in.sin_addr.s_addr != INADDR_ANY &&
		!IN_MULTICAST(ntohl(local.in.sin_addr.s_addr)) &&
		getpeername(fd, &peer.sa, &peer_size) < 0)
		r = is_broadcast(&local);
	if (r < 0)
		return r;
	ret->s_addr = r == 0 ? local.in.sin_addr.s_addr : INADDR_ANY;
	return 0;
}

static int get_int(int fd, int name, int *ret)
{
	socklen_t size = sizeof(*ret);

	if (getsockopt(fd, SOL_SOCKET, name, ret, &size) < 0)
		return -errno;
	return 0;
}

int udp_socket_family(int fd)
{
	int type = 0, protocol = 0, family = 0, r;

	r = get_int(fd, SO_TYPE, &type);
	if (r == 0)
		r = get_int(fd, SO_PROTOCOL, &protocol);
	if (r == 0)
		r = get_int(fd, SO_DOMAIN, &family);
	if (r < 0)
		return r == -ENOTSOCK ? -EINVAL : r;
	if (type != SOCK_DGRAM || protocol != IPPROTO_UDP ||
		(family != AF_INET && family != AF_INET6))
		return -EINVAL;
	return family;
}

uint32_t udp_socket_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(info);

	/* Where that is unknown (before Linux 4.12) it counts as a loss. */
	(void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size);
	return info[SK_MEMINFO_DROPS];
}
