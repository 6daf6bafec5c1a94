/*
 * announce: many hosts announce a service each by mDNS, from addresses of their
 * own in 10.64.0.0/10.
 *
 * usage: announce DEVICE COUNT RATE
 *
 * Prints a JSON object with the sums. Needs root in a namespace of its own: it
 * sends by AF_PACKET, so that each has another source.
 */
#include "bench.h"

#include "proto/proto.h"

#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BURST = 16 };

/* Waits until number `i` of a stream of `rate` a second is due. */
static void pace(uint64_t start_ns, long i, long rate)
{
	if (i % BURST == 0)
		bench_sleep_until_ns(start_ns + (uint64_t)i *
							UINT64_C(1000000000) /
							(uint64_t)rate);
}

static void send_packet(int fd, const struct sockaddr_ll *to,
	const struct ip_flow *flow, const uint8_t *payload, size_t size)
{
	struct ip_cutter c;
	struct ip_packet p;

	if (ip_cut(&c, flow, payload, size, ip_sum(payload, size, 0), 1500) < 0)
		errx(99, "cannot build a packet");
	while (ip_next(&c, &p)) {
		struct iovec iov[2] = {
			{ p.header, p.header_size },
			{ (void *)p.payload, p.payload_size },
		};
		struct msghdr m = {
			.msg_name = (void *)to,
			.msg_namelen = sizeof(*to),
			.msg_iov = iov,
			.msg_iovlen = 2,
		};

		if (sendmsg(fd, &m, 0) < 0)
			err(99, "sendmsg");
	}
}

int main(int argc, char *argv[])
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_halen = ETH_ALEN,
		.sll_addr = { 0x01, 0x00, 0x5e, 0, 0, 0xfb },
	};
	struct ip_flow flow = {
		.family = AF_INET,
		.destination = { 224, 0, 0, 251 },
		.source_port = MDNS_PORT,
		.destination_port = MDNS_PORT,
		.ttl = 255,
	};
	uint64_t start;
	long count, rate;
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);

	if (argc != 4)
		errx(2, "usage: announce DEVICE COUNT RATE");
	count = bench_number(argv[2], 1);
	rate = bench_number(argv[3], 1);
	to.sll_ifindex = (int)bench_device(argv[1]);
	if (fd < 0)
		err(99, "socket");
	start = bench_now_ns(CLOCK_MONOTONIC);
	for (long i = 0; i < count; i++) {
		const uint32_t address =
			htonl(UINT32_C(0x0a400002) + (uint32_t)i);
		uint8_t payload[512];
		size_t size;

		memcpy(flow.source, &address, 4);
		flow.id = (uint32_t)i;
		size = bench_announcement(
			i, flow.source, "id=1", payload, sizeof(payload));
		pace(start, i, rate);
		send_packet(fd, &to, &flow, payload, size);
	}
	(void)close(fd);
	return printf("{\"announced\": %ld, \"seconds\": %.3f}\n", count,
		       (double)(bench_now_ns(CLOCK_MONOTONIC) - start) / 1e9) <
	       0;
}
