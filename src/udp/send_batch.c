#include "udp/internal.h"

#include <errno.h>
#include <string.h>

/* Datagrams for one sendmmsg(): all its arrays are on the stack, 12 KiB. */
enum { CHUNK = 64 };

/* Room for a source with its device, and a TTL, of either family. */
union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		      CMSG_SPACE(sizeof(int))];
};

/* What goes into one sendmmsg(); `index` is each one's place in the batch. */
struct chunk {
	unsigned n;
	struct mmsghdr messages[CHUNK];
	struct iovec iov[CHUNK];
	union udp_address destinations[CHUNK];
	union control control[CHUNK];
	size_t index[CHUNK];
};

struct job {
	struct udp *u;
	const struct udp_out *out;
	size_t n, next; /* the first that no chunk has held yet */
	size_t sent;
	udp_report_cb report;
	void *data;
};

static void report(const struct job *j, size_t index, int error)
{
	if (j->report)
		j->report(j->data, index, error);
}

static void add_control(
	struct msghdr *m, int level, int type, const void *data, size_t size)
{
	struct cmsghdr c = {
		.cmsg_level = level,
		.cmsg_type = type,
		.cmsg_len = CMSG_LEN(size),
	};
	uint8_t *at = (uint8_t *)m->msg_control + m->msg_controllen;

	memcpy(at, &c, sizeof(c));
	memcpy(at + CMSG_LEN(0), data, size);
	m->msg_controllen += CMSG_SPACE(size);
}

static void add_ip(
	const struct udp *u, struct msghdr *m, const struct udp_out *o)
{
	/* A zero spec_dst would override the address it is bound to. */
	struct in_pktinfo info = {
		.ipi_ifindex = (int)o->device,
		.ipi_spec_dst = o->source ? o->source->in.sin_addr : u->bound,
	};

	if (o->device != 0 || o->source)
		add_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (o->ttl != -1)
		add_control(m, IPPROTO_IP, IP_TTL, &o->ttl, sizeof(o->ttl));
}

static void add_ipv6(struct msghdr *m, const struct udp_out *o)
{
	struct in6_pktinfo info = { .ipi6_ifindex = o->device };

	if (o->source)
		info.ipi6_addr = o->source->in6.sin6_addr;
	if (o->device != 0 || o->source)
		add_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	if (o->ttl != -1)
		add_control(m, IPPROTO_IPV6, IPV6_HOPLIMIT, &o->ttl,
			sizeof(o->ttl));
}

/* The family that carries it: IPv4 also for an IPv4-mapped address. */
static int carrier(const struct udp *u, const union udp_address *destination)
{
	if (!destination)
		return u->family;
	if (destination->sa.sa_family == AF_INET6 &&
		IN6_IS_ADDR_V4MAPPED(&destination->in6.sin6_addr))
		return AF_INET;
	return destination->sa.sa_family;
}

/* Puts `o` into the next place of the chunk. Returns 0 or -errno. */
static int put(struct udp *u, struct chunk *c, const struct udp_out *o)
{
	unsigned i = c->n;
	struct msghdr *m = &c->messages[i].msg_hdr;
	int family = carrier(u, o->destination);
	int r;

	/* A hop limit of 0 the kernel would take, for this host alone. */
	if (o->ttl != -1 && (o->ttl < 1 || o->ttl > 255))
		return -EINVAL;
	if (o->source && o->source->sa.sa_family != family)
		return -EINVAL;
	c->iov[i] = (struct iovec){ (void *)o->data, o->size };
	c->messages[i] = (struct mmsghdr){
		.msg_hdr = { .msg_iov = &c->iov[i], .msg_iovlen = 1 },
	};
	if (o->destination) {
		r = udp_resolve(u, o->destination, &c->destinations[i]);
		if (r < 0)
			return r;
		m->msg_name = &c->destinations[i];
		m->msg_namelen = udp_address_size(&c->destinations[i]);
	}
	if (o->device == 0 && !o->source && o->ttl == -1)
		return 0;
	c->control[i] = (union control){ .bytes = { 0 } };
	m->msg_control = &c->control[i];
	if (family == AF_INET)
		add_ip(u, m, o);
	else
		add_ipv6(m, o);
	return 0;
}

/* Takes the next datagrams of the batch; those that cannot be are reported. */
static void fill(struct job *j, struct chunk *c)
{
	int r;

	for (c->n = 0; c->n < CHUNK && j->next < j->n; j->next++) {
		r = put(j->u, c, &j->out[j->next]);
		if (r < 0)
			report(j, j->next, r);
		else
			c->index[c->n++] = j->next;
	}
}

/* Returns 0, or the error that would meet all that follow, too. */
static int send_chunk(struct job *j, struct chunk *c)
{
	unsigned i = 0;
	int r;

	while (i < c->n) {
		r = udp_transmit(j->u->fd, &c->messages[i], c->n - i);
		if (r > 0) {
			j->sent += (unsigned)r;
			i += (unsigned)r;
			continue;
		}
		/* EBADF: a report has closed the handle. */
		if (r != -EAGAIN && r != -EBADF) {
			report(j, c->index[i++], r);
			continue;
		}
		while (i < c->n)
			report(j, c->index[i++], r);
		return r;
	}
	return 0;
}

size_t udp_send_batch(struct udp *u, const struct udp_out *out, size_t n,
	udp_report_cb report_cb, void *data)
{
	struct job j = {
		.u = u,
		.out = out,
		.n = n,
		.report = report_cb,
		.data = data,
	};
	struct chunk c;
	int r = 0;

	if (u->fd < 0)
		r = -EBADF;
	else if (u->queue.head)
		r = -EAGAIN;
	while (r == 0 && j.next < n) {
		fill(&j, &c);
		r = send_chunk(&j, &c);
	}
	while (j.next < n)
		report(&j, j.next++, r);
	return j.sent;
}
