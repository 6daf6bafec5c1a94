#include "udp/internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static bool is_multicast(const union udp_address *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return IN_MULTICAST(ntohl(a->in.sin_addr.s_addr));
	case AF_INET6:
		return IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
	default:
		return false;
	}
}

static int level_of(const union udp_address *group)
{
	return group->sa.sa_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
}

static int set_group(const struct udp *u, int name,
	const union udp_address *group, unsigned device)
{
	struct group_req req = { .gr_interface = device };

	memcpy(&req.gr_group, group, udp_address_size(group));
	if (setsockopt(u->fd, level_of(group), name, &req, sizeof(req)) < 0)
		return -errno;
	return 0;
}

static int set_source(const struct udp *u, int name,
	const union udp_address *group, unsigned device,
	const union udp_address *source)
{
	struct group_source_req req = { .gsr_interface = device };

	memcpy(&req.gsr_group, group, udp_address_size(group));
	memcpy(&req.gsr_source, source, udp_address_size(source));
	if (setsockopt(u->fd, level_of(group), name, &req, sizeof(req)) < 0)
		return -errno;
	return 0;
}

/*
 * Whether the socket joined the group for any source. To unblock a source,
 * which no one has blocked, changes nothing, and the answer tells:
 * EADDRNOTAVAIL of such a membership, EINVAL of one with sources, and of none.
 * Unlike MCAST_MSFILTER it finds the device that the kernel chose.
 */
static bool joined_any_source(const struct udp *u,
	const union udp_address *group, unsigned device,
	const union udp_address *source)
{
	int r;

	r = set_source(u, MCAST_UNBLOCK_SOURCE, group, device, source);
	return r == 0 || r == -EADDRNOTAVAIL;
}

static int join_source(const struct udp *u, const union udp_address *group,
	unsigned device, const union udp_address *source)
{
	int r;

	/* The kernel would silently narrow it to this source. */
	if (joined_any_source(u, group, device, source))
		return -EADDRINUSE;
	r = set_source(u, MCAST_JOIN_SOURCE_GROUP, group, device, source);
	return r == -EADDRNOTAVAIL ? -EADDRINUSE : r;
}

static int leave_source(const struct udp *u, const union udp_address *group,
	unsigned device, const union udp_address *source)
{
	int r;

	/* The kernel would refuse, but leave a membership that hears nobody. */
	if (joined_any_source(u, group, device, source))
		return -EADDRNOTAVAIL;
	r = set_source(u, MCAST_LEAVE_SOURCE_GROUP, group, device, source);
	switch (r) {
	case -EINVAL: /* no membership at all */
		return -EADDRNOTAVAIL;
	case -ENODEV: /* gone, but the membership still counts */
		return set_group(u, MCAST_LEAVE_GROUP, group, device);
	default:
		return r;
	}
}

int udp_set_membership(struct udp *u, const union udp_address *group,
	unsigned device, const union udp_address *source,
	enum udp_membership what)
{
	if (u->fd < 0)
		return -EBADF;
	if (!is_multicast(group))
		return -EINVAL;
	if (!source)
		return set_group(u,
			what == UDP_JOIN ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP,
			group, device);
	if (source->sa.sa_family != group->sa.sa_family)
		return -EINVAL;
	if (what == UDP_JOIN)
		return join_source(u, group, device, source);
	return leave_source(u, group, device, source);
}

/* Sets the option of the socket's own family. */
static int set_own(const struct udp *u, int ip_name, int ipv6_name, int value)
{
	if (u->fd < 0)
		return -EBADF;
	if (u->family == AF_INET)
		return udp_set_int(u->fd, IPPROTO_IP, ip_name, value);
	return udp_set_int(u->fd, IPPROTO_IPV6, ipv6_name, value);
}

int udp_set_multicast_ttl(struct udp *u, int ttl)
{
	/* The kernel takes -1 for its default, and 0. */
	if (ttl < 1 || ttl > 255)
		return -EINVAL;
	return set_own(u, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, ttl);
}

int udp_set_ttl(struct udp *u, int ttl)
{
	if (ttl < 1 || ttl > 255)
		return -EINVAL;
	return set_own(u, IP_TTL, IPV6_UNICAST_HOPS, ttl);
}

int udp_set_multicast_loop(struct udp *u, bool on)
{
	return set_own(u, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on);
}

int udp_set_multicast_interface(
	struct udp *u, unsigned device, const union udp_address *source)
{
	struct ip_mreqn req = { .imr_ifindex = (int)device };

	if (u->fd < 0)
		return -EBADF;
	if (source && (u->family != AF_INET || source->sa.sa_family != AF_INET))
		return -EINVAL;
	if (u->family == AF_INET6)
		return udp_set_int(
			u->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)device);
	if (source)
		req.imr_address = source->in.sin_addr;
	if (setsockopt(u->fd, IPPROTO_IP, IP_MULTICAST_IF, &req, sizeof(req)) ==
		0)
		return 0;
	/* What IPv6 calls ENODEV. */
	return errno == EADDRNOTAVAIL ? -ENODEV : -errno;
}

int udp_set_unicast_interface(struct udp *u, unsigned device)
{
	if (u->fd < 0)
		return -EBADF;
	if (u->family != AF_INET)
		return -EINVAL;
	/* The kernel takes it in network order. */
	return udp_set_int(
		u->fd, IPPROTO_IP, IP_UNICAST_IF, (int)htonl(device));
}

int udp_find_source(
	unsigned device, const union udp_address *to, union udp_address *ret)
{
	union udp_address name = { 0 };
	socklen_t size = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = udp_set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
	if (r == 0)
		r = udp_set_int(
			fd, IPPROTO_IP, IP_UNICAST_IF, (int)htonl(device));
	if (r == 0 && (connect(fd, &to->sa, udp_address_size(to)) < 0 ||
			      getsockname(fd, &name.sa, &size) < 0))
		r = -errno;
	(void)close(fd);
	if (r == 0)
		*ret = name;
	return r;
}

int udp_set_broadcast(struct udp *u, bool on)
{
	if (u->fd < 0)
		return -EBADF;
	return udp_set_int(u->fd, SOL_SOCKET, SO_BROADCAST, on);
}

static int set_buffer(const struct udp *u, int force, int plain, size_t bytes)
{
	int r;

	if (u->fd < 0)
		return -EBADF;
	if (bytes > INT_MAX)
		return -EINVAL;
	r = udp_set_int(u->fd, SOL_SOCKET, force, (int)bytes);
	if (r == -EPERM)
		r = udp_set_int(u->fd, SOL_SOCKET, plain, (int)bytes);
	return r;
}

static int get_buffer(const struct udp *u, int name, size_t *ret_bytes)
{
	int value;
	socklen_t size = sizeof(value);

	if (u->fd < 0)
		return -EBADF;
	if (getsockopt(u->fd, SOL_SOCKET, name, &value, &size) < 0)
		return -errno;
	*ret_bytes = (size_t)value;
	return 0;
}

int udp_set_recv_buffer(struct udp *u, size_t bytes)
{
	return set_buffer(u, SO_RCVBUFFORCE, SO_RCVBUF, bytes);
}

int udp_set_send_buffer(struct udp *u, size_t bytes)
{
	return set_buffer(u, SO_SNDBUFFORCE, SO_SNDBUF, bytes);
}

int udp_get_recv_buffer(const struct udp *u, size_t *ret_bytes)
{
	return get_buffer(u, SO_RCVBUF, ret_bytes);
}

int udp_get_send_buffer(const struct udp *u, size_t *ret_bytes)
{
	return get_buffer(u, SO_SNDBUF, ret_bytes);
}
