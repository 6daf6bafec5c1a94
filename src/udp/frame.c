/*
 * Ready-made packets, by AF_PACKET.
 *
 * SOCK_DGRAM, so that the kernel writes the link header and tunnels work, and
 * protocol 0, so that the socket hears nothing (kernel-facts 7).
 */
#include "udp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct udp_frames {
	unsigned n;
	struct udp_frame frames[UDP_FRAMES];
	struct mmsghdr messages[UDP_FRAMES];
	struct iovec iov[UDP_FRAMES][2];
	struct sockaddr_ll to[UDP_FRAMES];
};

int udp_frames_new(struct udp_frames **ret)
{
	struct udp_frames *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < UDP_FRAMES; i++) {
		struct msghdr *m = &f->messages[i].msg_hdr;

		m->msg_name = &f->to[i];
		m->msg_namelen = sizeof(f->to[i]);
		m->msg_iov = f->iov[i];
		m->msg_iovlen = 2;
		f->iov[i][0].iov_base = f->frames[i].header;
		f->to[i].sll_family = AF_PACKET;
		f->to[i].sll_halen = ETH_ALEN;
	}
	*ret = f;
	return 0;
}

void udp_frames_free(struct udp_frames *f)
{
	free(f);
}

struct udp_frame *udp_frames_take(struct udp_frames *f)
{
	return f->n < UDP_FRAMES ? &f->frames[f->n++] : NULL;
}

static uint16_t protocol_of(const struct udp_frame *x)
{
	return htons(x->family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
}

/* For the kernel. */
static void prepare(struct udp_frames *f, unsigned i)
{
	const struct udp_frame *x = &f->frames[i];

	f->iov[i][0].iov_len = x->header_size;
	f->iov[i][1].iov_base = (void *)x->payload;
	f->iov[i][1].iov_len = x->payload_size;
	f->to[i].sll_ifindex = (int)x->device;
	f->to[i].sll_protocol = protocol_of(x);
	memcpy(f->to[i].sll_addr, x->hardware, sizeof(x->hardware));
}

size_t udp_frames_send(
	struct udp_frames *f, int fd, udp_frame_report_cb report, void *data)
{
	unsigned i, n = f->n;
	size_t sent = 0;
	int r;

	for (i = 0; i < n; i++)
		prepare(f, i);
	i = 0;
	while (i < n) {
		r = sendmmsg(fd, &f->messages[i], n - i, MSG_DONTWAIT);
		if (r > 0) {
			sent += (unsigned)r;
			i += (unsigned)r;
			continue;
		}
		r = errno;
		if (r == EINTR)
			continue;
		do
			report(data, f->frames[i++].tag, -r);
		while (r == EAGAIN && i < n);
	}
	f->n = 0;
	return sent;
}

static int make_socket(int type, size_t buffer)
{
	int size = buffer > INT_MAX ? INT_MAX : (int)buffer;
	int fd, err;

	err = udp_raise_raw();
	if (err < 0)
		return err;
	fd = socket(AF_PACKET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = errno;
	(void)udp_lower_raw();
	if (fd < 0)
		return -err;
	/* A smaller one only fills up sooner. */
	if (udp_set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, size) < 0)
		(void)udp_set_int(fd, SOL_SOCKET, SO_SNDBUF, size);
	return fd;
}

int udp_frame_socket(size_t buffer)
{
	return make_socket(SOCK_DGRAM, buffer);
}

/* ---- runs ---- */

int udp_run_socket(size_t buffer)
{
	/* Only such a socket takes what says how to take it apart. */
	int fd = make_socket(SOCK_RAW, buffer), err;

	if (fd < 0)
		return fd;
	err = udp_set_int(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
	if (err < 0) {
		(void)close(fd);
		return err;
	}
	return fd;
}

/* Since Linux 6.2; headers may be older than the kernel. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* What stands in front of a run's own headers. */
struct run_head {
	struct virtio_net_hdr how; /* in the machine's byte order here */
	struct ether_header link;
} __attribute__((packed));

static void describe_run(const struct udp_frame *head, const uint8_t from[6],
	size_t size, struct run_head *ret)
{
	enum { UDP_BYTES = 8, CHECKSUM_AT = 6 };
	size_t headers = sizeof(ret->link) + head->header_size;

	*ret = (struct run_head){
		.how = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
			.hdr_len = (uint16_t)headers,
			.gso_size = (uint16_t)size,
			.csum_start = (uint16_t)(headers - UDP_BYTES),
			.csum_offset = CHECKSUM_AT,
		},
	};
	memcpy(ret->link.ether_dhost, head->hardware, ETH_ALEN);
	memcpy(ret->link.ether_shost, from, ETH_ALEN);
	ret->link.ether_type = protocol_of(head);
}

int udp_send_run(int fd, const struct udp_frame *head, const uint8_t from[6],
	const struct iovec *payloads, unsigned n, size_t size)
{
	struct iovec iov[2 + UDP_RUN];
	struct run_head front;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = protocol_of(head),
		.sll_ifindex = (int)head->device,
		.sll_halen = ETH_ALEN,
	};
	struct msghdr m = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = iov,
		.msg_iovlen = 2 + n,
	};
	ssize_t r;

	describe_run(head, from, size, &front);
	memcpy(to.sll_addr, head->hardware, ETH_ALEN);
	iov[0] = (struct iovec){ &front, sizeof(front) };
	iov[1] = (struct iovec){ (void *)head->header, head->header_size };
	memcpy(iov + 2, payloads, n * sizeof(*payloads));
	do
		r = sendmsg(fd, &m, MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

void udp_frame_hardware(const union udp_address *to, uint8_t ret[6])
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff };
	uint32_t v4;

	if (to->sa.sa_family == AF_INET6) {
		ret[0] = ret[1] = 0x33;
		memcpy(ret + 2, &to->in6.sin6_addr.s6_addr[12], 4);
		return;
	}
	v4 = ntohl(to->in.sin_addr.s_addr);
	if (!IN_MULTICAST(v4)) {
		memcpy(ret, broadcast, sizeof(broadcast));
		return;
	}
	ret[0] = 0x01;
	ret[1] = 0x00;
	ret[2] = 0x5e;
	ret[3] = (uint8_t)(v4 >> 16 & 0x7f);
	ret[4] = (uint8_t)(v4 >> 8);
	ret[5] = (uint8_t)v4;
}
