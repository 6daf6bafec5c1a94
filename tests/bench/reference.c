/*
 * reference: the leanest relays that we can think of, to compare crier with.
 *
 * usage: reference A|P GROUP PORT DEVICE...
 *
 * A   one socket hears and sends: recvmmsg() of up to 64, then all copies of
 *     all of them in one sendmmsg(), each with its device in IP_PKTINFO
 * P   hears likewise, and sends ready-made packets through one AF_PACKET
 *     socket, in one sendmmsg()
 *
 * Both hear on all devices and send on all but the one that something came
 * from. They decide nothing, remember nothing and count nothing.
 */
#include "bench.h"

#include "proto/ip.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 64,
	ROOM = 1500,
	CONTROL = 128,
	CHUNK = 1024, /* UIO_MAXIOV */
	DEVICES_MAX = 256,
	JOINS_MAX = 20, /* igmp_max_memberships, of one socket */
	BUFFER_BYTES = 4 * 1024 * 1024,
	TTL = 1,
	HEADER = IP_V6_HEADER + IP_UDP_HEADER,
};

struct device {
	unsigned index;
	bool has_address;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} address;
};

/* One copy, with what does not change from one to the next. */
struct copy {
	struct iovec iov;
	union {
		size_t align; /* of struct cmsghdr */
		uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_ll ll;
	} to;
	uint8_t packet[HEADER + ROOM];
};

struct arrival {
	uint8_t payload[ROOM];
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} from;
	union {
		size_t align; /* of struct cmsghdr */
		uint8_t bytes[CONTROL];
	} control;
	struct iovec iov;
};

struct relay {
	struct bench_group group;
	struct device device[DEVICES_MAX];
	size_t n_devices;
	int hear, send;
	bool packets;
	struct arrival arrival[BATCH];
	struct mmsghdr in[BATCH], out[CHUNK];
	struct copy copy[CHUNK];
	unsigned n_out;
};

/* ---- set-up ---- */

static struct device *device_of(struct relay *r, unsigned index)
{
	for (size_t i = 0; i < r->n_devices; i++)
		if (r->device[i].index == index)
			return &r->device[i];
	return NULL;
}

static void note_address(struct relay *r, const struct ifaddrs *a)
{
	struct device *d = device_of(r, if_nametoindex(a->ifa_name));
	const struct sockaddr_in6 *v6;

	if (!d || !a->ifa_addr || a->ifa_addr->sa_family != r->group.family)
		return;
	if (r->group.family == AF_INET) {
		d->address.v4 = ((struct sockaddr_in *)a->ifa_addr)->sin_addr;
	} else {
		v6 = (struct sockaddr_in6 *)a->ifa_addr;
		if (!IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
			return;
		d->address.v6 = v6->sin6_addr;
	}
	d->has_address = true;
}

static void find_addresses(struct relay *r)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		err(99, "getifaddrs");
	for (struct ifaddrs *a = all; a; a = a->ifa_next)
		note_address(r, a);
	freeifaddrs(all);
	for (size_t i = 0; i < r->n_devices; i++)
		if (!r->device[i].has_address)
			errx(99, "device %u has no address",
				r->device[i].index);
}

/* Sockets that are there to join alone, since one may join 20 only. */
static void join_all(struct relay *r)
{
	int fd = r->hear;

	for (size_t i = 0; i < r->n_devices; i++) {
		if (i > 0 && i % JOINS_MAX == 0)
			fd = socket(
				r->group.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			err(99, "socket");
		bench_join(fd, &r->group, r->device[i].index);
	}
}

static void open_sockets(struct relay *r)
{
	r->hear = r->send = bench_bind(&r->group, BUFFER_BYTES);
	if (r->group.family == AF_INET) {
		bench_set(r->hear, IPPROTO_IP, IP_PKTINFO, 1);
		bench_set(r->hear, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
		bench_set(r->hear, IPPROTO_IP, IP_MULTICAST_TTL, TTL);
	} else {
		bench_set(r->hear, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		bench_set(r->hear, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
		bench_set(r->hear, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, TTL);
	}
	if (r->group.broadcast)
		bench_set(r->hear, SOL_SOCKET, SO_BROADCAST, 1);
	/* Protocol 0: it hears nothing, so it costs nothing to hear. */
	if (r->packets)
		r->send = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (r->send < 0)
		err(99, "AF_PACKET");
	join_all(r);
}

static void set_link_address(const struct bench_group *g, uint8_t ret[ETH_ALEN])
{
	const uint8_t *v4 = (const uint8_t *)&g->to.v4.sin_addr;

	memset(ret, 0xff, ETH_ALEN);
	if (g->family == AF_INET6) {
		ret[0] = ret[1] = 0x33; /* RFC 2464, 7 */
		memcpy(ret + 2, &g->to.v6.sin6_addr.s6_addr[12], 4);
	} else if (!g->broadcast) {
		memcpy(ret, (const uint8_t[]){ 1, 0, 0x5e }, 3); /* RFC 1112 */
		ret[3] = v4[1] & 0x7f;
		memcpy(ret + 4, v4 + 2, 2);
	}
}

/* What stays the same in all copies. */
static void prepare(struct relay *r)
{
	for (size_t i = 0; i < CHUNK; i++) {
		struct copy *c = &r->copy[i];
		struct msghdr *m = &r->out[i].msg_hdr;

		m->msg_iov = &c->iov;
		m->msg_iovlen = 1;
		m->msg_name = &c->to;
		if (r->packets) {
			c->to.ll = (struct sockaddr_ll){
				.sll_family = AF_PACKET,
				.sll_protocol = htons(r->group.family == AF_INET
							      ? ETH_P_IP
							      : ETH_P_IPV6),
				.sll_halen = ETH_ALEN,
			};
			set_link_address(&r->group, c->to.ll.sll_addr);
			m->msg_namelen = sizeof(c->to.ll);
			continue;
		}
		memcpy(&c->to, &r->group.to, r->group.size);
		m->msg_namelen = r->group.size;
		m->msg_control = &c->control;
	}
}

/* ---- A: the device in the ancillary data ---- */

static void address_copy(
	struct relay *r, struct copy *c, const struct device *d)
{
	struct msghdr *m = &r->out[r->n_out].msg_hdr;
	struct cmsghdr *h = (struct cmsghdr *)(void *)&c->control;

	if (r->group.family == AF_INET) {
		const struct in_pktinfo i = {
			.ipi_ifindex = (int)d->index,
			.ipi_spec_dst = d->address.v4,
		};

		h->cmsg_level = IPPROTO_IP;
		h->cmsg_type = IP_PKTINFO;
		h->cmsg_len = CMSG_LEN(sizeof(i));
		memcpy(CMSG_DATA(h), &i, sizeof(i));
		m->msg_controllen = CMSG_SPACE(sizeof(i));
	} else {
		const struct in6_pktinfo i = {
			.ipi6_ifindex = d->index,
			.ipi6_addr = d->address.v6,
		};

		h->cmsg_level = IPPROTO_IPV6;
		h->cmsg_type = IPV6_PKTINFO;
		h->cmsg_len = CMSG_LEN(sizeof(i));
		memcpy(CMSG_DATA(h), &i, sizeof(i));
		m->msg_controllen = CMSG_SPACE(sizeof(i));
	}
}

/* ---- P: ready-made packets ---- */

static void put16(uint8_t *at, unsigned n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
}

/* The payload was summed up once, for all of its copies; that it comes first in
 * the sum does not matter. */
static void build_packet(const struct relay *r, const struct device *d,
	struct copy *c, uint32_t payload_sum)
{
	const bool v4 = r->group.family == AF_INET;
	const size_t ip = v4 ? IP_V4_HEADER : IP_V6_HEADER;
	const size_t addresses = v4 ? 8 : 32;
	const size_t length = IP_UDP_HEADER + c->iov.iov_len;
	uint8_t *h = c->packet, *udp = h + ip;
	uint8_t pseudo[4] = { 0, IPPROTO_UDP };
	uint32_t sum;
	uint16_t check;

	memset(h, 0, ip + IP_UDP_HEADER);
	if (v4) {
		h[0] = 0x45;
		put16(h + 2, (unsigned)(ip + length));
		h[6] = 0x40; /* don't fragment, so no identification */
		h[8] = TTL;
		h[9] = IPPROTO_UDP;
		memcpy(h + 12, &d->address.v4, 4);
		memcpy(h + 16, &r->group.to.v4.sin_addr, 4);
		put16(h + 10, ip_checksum(ip_sum(h, ip, 0)));
	} else {
		h[0] = 0x60;
		put16(h + 4, (unsigned)length);
		h[6] = IPPROTO_UDP;
		h[7] = TTL;
		memcpy(h + 8, &d->address.v6, 16);
		memcpy(h + 24, &r->group.to.v6.sin6_addr, 16);
	}
	put16(udp, r->group.port);
	put16(udp + 2, r->group.port);
	put16(udp + 4, (unsigned)length);
	put16(pseudo + 2, (unsigned)length);
	sum = ip_sum(udp - addresses, addresses + 6, payload_sum);
	check = ip_checksum(ip_sum(pseudo, sizeof(pseudo), sum));
	put16(udp + 6, check ? check : 0xffff); /* RFC 768 */
	/* In one piece: the kernel takes longer for two than this copy does. */
	memcpy(udp + IP_UDP_HEADER, c->iov.iov_base, c->iov.iov_len);
	c->iov = (struct iovec){ h, ip + length };
}

/* ---- the relay ---- */

static void flush(struct relay *r)
{
	unsigned done = 0;

	while (done < r->n_out) {
		int n = sendmmsg(r->send, r->out + done, r->n_out - done, 0);

		if (n < 0 && errno != EINTR)
			err(99, "sendmmsg");
		done += n > 0 ? (unsigned)n : 0;
	}
	r->n_out = 0;
}

static void copy_to(struct relay *r, const struct device *d,
	const struct mmsghdr *in, uint32_t payload_sum)
{
	struct copy *c = &r->copy[r->n_out];

	c->iov = (struct iovec){ in->msg_hdr.msg_iov->iov_base, in->msg_len };
	if (r->packets) {
		c->to.ll.sll_ifindex = (int)d->index;
		build_packet(r, d, c, payload_sum);
	} else {
		address_copy(r, c, d);
	}
	if (++r->n_out == CHUNK)
		flush(r);
}

/* The device that it came from, or 0. */
static unsigned arrival_device(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			return (unsigned)v4.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			return v6.ipi6_ifindex;
		}
	}
	return 0;
}

/* What was sent here comes back for broadcasts, as if it had arrived on the
 * device that it went out of. */
static bool is_own(
	const struct relay *r, const struct arrival *a, const struct device *d)
{
	if (r->group.family == AF_INET)
		return a->from.v4.sin_addr.s_addr == d->address.v4.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->from.v6.sin6_addr, &d->address.v6);
}

static void relay_one(struct relay *r, unsigned i)
{
	struct mmsghdr *in = &r->in[i];
	struct device *from = device_of(r, arrival_device(&in->msg_hdr));
	uint32_t sum = 0;

	if (!from || is_own(r, &r->arrival[i], from))
		return;
	if (r->packets)
		sum = ip_sum(in->msg_hdr.msg_iov->iov_base, in->msg_len, 0);
	for (size_t d = 0; d < r->n_devices; d++)
		if (&r->device[d] != from)
			copy_to(r, &r->device[d], in, sum);
}

static int receive(struct relay *r)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct arrival *a = &r->arrival[i];

		a->iov = (struct iovec){ a->payload, ROOM };
		r->in[i].msg_hdr = (struct msghdr){
			.msg_name = &a->from,
			.msg_namelen = sizeof(a->from),
			.msg_iov = &a->iov,
			.msg_iovlen = 1,
			.msg_control = a->control.bytes,
			.msg_controllen = CONTROL,
		};
	}
	return recvmmsg(r->hear, r->in, BATCH, MSG_WAITFORONE, NULL);
}

int main(int argc, char *argv[])
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		err(99, "memory");
	if (argc < 5 || argc - 4 > DEVICES_MAX || strlen(argv[1]) != 1 ||
		!strchr("AP", argv[1][0]))
		errx(2, "see the head of reference.c");
	r->packets = argv[1][0] == 'P';
	bench_group(&r->group, argv[2], argv[3]);
	for (int i = 4; i < argc; i++)
		r->device[r->n_devices++].index = bench_device(argv[i]);
	find_addresses(r);
	open_sockets(r);
	prepare(r);
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;) {
		int n = receive(r);

		if (n < 0 && errno != EINTR)
			err(99, "recvmmsg");
		for (int i = 0; i < n; i++)
			relay_one(r, (unsigned)i);
		flush(r);
	}
}
