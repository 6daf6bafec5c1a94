/*
 * CAP_NET_RAW, and sending from an address that is not this host's.
 */
#include "udp/internal.h"

#include <errno.h>
#include <sys/capability.h>

/* Switches CAP_NET_RAW on or off among the effective capabilities; it stays
 * permitted. Returns 0; -EPERM (not permitted); -ENOMEM. */
static int set_raw(cap_flag_value_t value)
{
	cap_value_t raw = CAP_NET_RAW;
	cap_t caps = cap_get_proc();
	int err = 0;

	if (!caps)
		return -errno;
	if (cap_set_flag(caps, CAP_EFFECTIVE, 1, &raw, value) < 0 ||
		cap_set_proc(caps) < 0)
		err = -errno;
	(void)cap_free(caps);
	return err;
}

int udp_raise_raw(void)
{
	return set_raw(CAP_SET);
}

int udp_lower_raw(void)
{
	return set_raw(CAP_CLEAR);
}

int udp_set_foreign_source(struct udp *u)
{
	union udp_address a;
	int on = 1, err;

	err = udp_getsockname(u, &a);
	if (err < 0)
		return err;
	/* IPv6 asks for no capability (kernel-facts 7.1). */
	if (a.sa.sa_family == AF_INET6)
		return setsockopt(u->fd, IPPROTO_IPV6, IPV6_FREEBIND, &on,
			       sizeof(on)) < 0
			       ? -errno
			       : 0;
	err = udp_raise_raw();
	if (err < 0)
		return err;
	if (setsockopt(u->fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) < 0)
		err = -errno;
	(void)udp_lower_raw();
	return err;
}
