/*
 * What a segment says is wrong, with a cure where one is known.
 */
#include "relay/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_error(struct relay_segment *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void set_error(struct relay_segment *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
}

/* The sysctl that bounds memberships of this kind. */
static const char *membership_limit(const struct relay_channel *c)
{
	if (!c->n_sources)
		return "net.ipv4.igmp_max_memberships";
	return c->address.family == AF_INET ? "net.ipv4.igmp_max_msf"
					    : "net.ipv6.mld_max_msf";
}

void segment_fail(struct relay_segment *s, const struct net_device *d,
	const char *what, int err)
{
	const struct relay_channel *c = s->channel;

	s->state = RELAY_FAILED;
	s->errnum = err;
	if (err == -EADDRINUSE)
		set_error(s,
			"%s: port %u is held by a program that does not share "
			"it; \"ss -ulpn\" names it",
			what, c->port);
	else if (err == -EACCES)
		set_error(s, "%s: port %u needs CAP_NET_BIND_SERVICE", what,
			c->port);
	else if (err == -EPERM)
		set_error(s,
			"%s: \"%s\" needs CAP_NET_RAW "
			"(AmbientCapabilities= of the service)",
			what,
			c->group->c->send == CONFIG_SEND_FRAME
				? "send: frame"
				: "source: preserve");
	else if (err == -EMFILE || err == -ENFILE)
		set_error(s, "%s: no file is left; raise LimitNOFILE=", what);
	else if (err == -ENOBUFS)
		set_error(s, "%s: the kernel allows no more; raise %s", what,
			membership_limit(c));
	else if (err == -EINVAL && c->address.family == AF_INET6 &&
		 d->mtu < 1280)
		set_error(s, "%s: IPv6 needs an MTU of 1280, this is %u", what,
			(unsigned)d->mtu);
	else
		set_error(s, "%s: %s", what, strerror(-err));
}

/* A sysctl's number, 0 where it cannot be read. */
static long read_sysctl(const char *device, const char *name)
{
	char path[128], text[32] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s",
		device, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	(void)fclose(f);
	return strtol(text, NULL, 10);
}

/*
 * The kernel drops what comes from a source that it would not route back to
 * the device, and it has no route to a device without addresses.
 */
static bool is_filtered(
	const struct relay_segment *s, const struct net_device *d)
{
	if (s->channel->address.family != AF_INET ||
		!(segment_use(s)->role & CONFIG_HEARS) ||
		(net_device_source(d, AF_INET, false) &&
			!(d->flags & IFF_POINTOPOINT)))
		return false;
	return read_sysctl("all", "rp_filter") > 0 ||
	       read_sysctl(d->name, "rp_filter") > 0;
}

void segment_warn(struct relay_segment *s, const struct net_device *d)
{
	if (s->state == RELAY_FAILED)
		return;
	if (d->is_port)
		set_error(s, "this is a port of another device, where IP hears "
			     "nothing; name the bridge or bond instead");
	else if (is_filtered(s, d))
		set_error(s,
			"rp_filter may drop what comes in here: set "
			"net.ipv4.conf.%s.rp_filter and .all to 0, or give "
			"the senders a route",
			d->name);
}
