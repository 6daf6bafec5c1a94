#include "udp/internal.h"

#include <errno.h>
#include <linux/udp.h>
#include <string.h>

/* Datagrams for one sendmmsg(): all its arrays are on the stack, 15 KiB. */
enum { CHUNK = 64 };

/*
 * UDP_RUN_LEAST datagrams of one size, one after the other to the same peer, go
 * down as one message, which the kernel takes apart as late as it can
 * (UDP_SEGMENT, udp(7)): one route, one buffer, one queue for all of them.
 *
 * What may be larger than the MTU of some device cannot be taken apart.
 */
enum { RUN_SIZE = 1232 }; /* of each: IPv6's least MTU less its headers */

/* Room for a source with its device, a TTL of either family, and a size. */
union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		      CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint16_t))];
};

/* What goes into one sendmmsg(): messages, and the datagrams in them. `index`
 * is the place of a message's first datagram in the batch. */
struct chunk {
	unsigned n, datagrams;
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

/* ---- runs ---- */

/* Nothing tells it from one that an option of the socket would make. */
static bool is_plain(const struct udp_out *o)
{
	return !o->destination && !o->source && o->device == 0;
}

/* How many datagrams from `o` on make one message; 1: it goes alone. */
static unsigned measure_run(
	const struct udp *u, const struct udp_out *o, size_t n)
{
	size_t bytes = o->size;
	unsigned run = 1;

	if (n < UDP_RUN_LEAST || u->takes_no_runs || !is_plain(o) ||
		o->size == 0 || o->size > RUN_SIZE)
		return 1;
	if (n > UDP_RUN)
		n = UDP_RUN;
	while (run < n && is_plain(&o[run]) && o[run].ttl == o->ttl &&
		o[run].size > 0 && o[run].size <= o->size &&
		bytes + o[run].size <= UDP_RUN_BYTES) {
		bytes += o[run++].size;
		/* A shorter one ends it. */
		if (o[run - 1].size < o->size)
			break;
	}
	return run < UDP_RUN_LEAST ? 1 : run;
}

static void add_size(struct msghdr *m, size_t size)
{
	uint16_t value = (uint16_t)size;

	add_control(m, IPPROTO_UDP, UDP_SEGMENT, &value, sizeof(value));
}

/*
 * True for what the kernel says of a run that it would take one by one: -EIO
 * where the device does no checksums, -EINVAL and -EMSGSIZE where the size does
 * not fit it, -EOPNOTSUPP and -EPROTO of tunnels.
 */
static bool refuses_runs(int error)
{
	return error != -EAGAIN && error != -ENOBUFS && error != -EBADF &&
	       error != -ENETDOWN && error != -ENODEV;
}

/* ---- chunks ---- */

static int check(struct udp *u, const struct udp_out *o)
{
	/* A hop limit of 0 the kernel would take, for this host alone. */
	if (o->ttl != -1 && (o->ttl < 1 || o->ttl > 255))
		return -EINVAL;
	if (o->source && o->source->sa.sa_family != carrier(u, o->destination))
		return -EINVAL;
	return 0;
}

/* Puts `o` and the rest of its run into the next place of the chunk, which has
 * room for them. Returns 0 or -errno. */
static int put(
	struct udp *u, struct chunk *c, const struct udp_out *o, unsigned run)
{
	unsigned i = c->n;
	struct msghdr *m = &c->messages[i].msg_hdr;
	int r = check(u, o);

	if (r < 0)
		return r;
	c->messages[i] = (struct mmsghdr){
		.msg_hdr = { .msg_iov = &c->iov[c->datagrams],
			.msg_iovlen = run },
	};
	for (unsigned k = 0; k < run; k++)
		m->msg_iov[k] = (struct iovec){ (void *)o[k].data, o[k].size };
	if (o->destination) {
		r = udp_resolve(u, o->destination, &c->destinations[i]);
		if (r < 0)
			return r;
		m->msg_name = &c->destinations[i];
		m->msg_namelen = udp_address_size(&c->destinations[i]);
	}
	if (is_plain(o) && o->ttl == -1 && run == 1)
		return 0;
	c->control[i] = (union control){ .bytes = { 0 } };
	m->msg_control = &c->control[i];
	if (carrier(u, o->destination) == AF_INET)
		add_ip(u, m, o);
	else
		add_ipv6(m, o);
	if (run > 1)
		add_size(m, o->size);
	return 0;
}

/* Takes the next datagrams of the batch; those that cannot be are reported. */
static void fill(struct job *j, struct chunk *c)
{
	unsigned run;
	int r;

	c->n = c->datagrams = 0;
	for (; c->datagrams < CHUNK && j->next < j->n; j->next += run) {
		run = measure_run(j->u, &j->out[j->next], j->n - j->next);
		if (run > CHUNK - c->datagrams)
			return;
		r = put(j->u, c, &j->out[j->next], run);
		if (r < 0) {
			report(j, j->next, r);
			continue;
		}
		c->index[c->n++] = j->next;
		c->datagrams += run;
	}
}

static unsigned datagrams_of(const struct chunk *c, unsigned i)
{
	return (unsigned)c->messages[i].msg_hdr.msg_iovlen;
}

static void report_all(
	const struct job *j, const struct chunk *c, unsigned i, int error)
{
	for (unsigned k = 0; k < datagrams_of(c, i); k++)
		report(j, c->index[i] + k, error);
}

/* Sends the datagrams of a run that was refused, and no run ever again. */
static void send_one_by_one(struct job *j, const struct chunk *c, unsigned i)
{
	struct chunk one = { .n = 0 };

	j->u->takes_no_runs = true;
	for (unsigned k = 0; k < datagrams_of(c, i); k++) {
		int r = put(j->u, &one, &j->out[c->index[i] + k], 1);

		if (r == 0)
			r = udp_transmit(j->u->fd, one.messages, 1);
		if (r > 0)
			j->sent++;
		else
			report(j, c->index[i] + k, r);
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
			while (r-- > 0)
				j->sent += datagrams_of(c, i++);
			continue;
		}
		if (datagrams_of(c, i) > 1 && refuses_runs(r)) {
			send_one_by_one(j, c, i++);
			continue;
		}
		/* EBADF: a report has closed the handle. */
		if (r != -EAGAIN && r != -EBADF) {
			report_all(j, c, i++, r);
			continue;
		}
		while (i < c->n)
			report_all(j, c, i++, r);
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
