/*
 * traffic: sends and counts for the benchmarks.
 *
 * usage: traffic announce DEVICE COUNT RATE    COUNT hosts announce a service
 *                                              each, from addresses of their
 *                                              own in 10.64.0.0/10
 *        traffic send DEVICE GROUP PORT COUNT RATE    numbered datagrams
 *        traffic count DEVICE GROUP PORT COUNT MS     hears them, until MS
 *                                              milliseconds bring none
 *
 * Prints a JSON object with the sums. Needs root in a namespace of its own:
 * announcements leave by AF_PACKET, so that each has another source.
 */
#include "proto/proto.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 256, BURST = 16 };

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static long number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end != '\0' || n < 1)
		errx(2, "\"%s\" is no number", text);
	return n;
}

/* Waits until number `i` of a stream of `rate` a second is due. */
static void pace(uint64_t start_ns, long i, long rate)
{
	uint64_t due =
		start_ns + (uint64_t)i * UINT64_C(1000000000) / (uint64_t)rate;
	uint64_t now = now_ns();
	struct timespec t;

	if (i % BURST != 0 || now >= due)
		return;
	t.tv_sec = (time_t)((due - now) / 1000000000);
	t.tv_nsec = (long)((due - now) % 1000000000);
	(void)nanosleep(&t, NULL);
}

/* ---- announce ---- */

__attribute__((format(printf, 2, 3))) static void name_of(
	struct mdns_name *ret, const char *format, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (mdns_name_from_text(text, ret) < 0)
		errx(99, "not a name: %s", text);
}

static size_t announcement(
	long i, const uint8_t address[4], uint8_t *out, size_t room)
{
	static char text[] = "id=1";
	char *strings[] = { text };
	const struct proto_list txt = { strings, 1 };
	struct mdns_name type, instance, host;
	struct mdns_writer w;
	int r;

	name_of(&type, "_sensor._udp.local");
	name_of(&instance, "Sensor\\032%ld._sensor._udp.local", i);
	name_of(&host, "sensor-%ld.local", i);
	r = mdns_begin(&w, out, room, 0, MDNS_RESPONSE | MDNS_AUTHORITATIVE);
	r |= mdns_put_ptr(&w, MDNS_ANSWER, &type, 4500, &instance);
	r |= mdns_put_srv(&w, MDNS_ANSWER, &instance, 120, 8000, &host);
	r |= mdns_put_txt(&w, MDNS_ANSWER, &instance, 4500, &txt);
	r |= mdns_put_address(&w, MDNS_ANSWER, &host, 120, address, 4);
	if (r < 0)
		errx(99, "cannot build an announcement");
	return w.used;
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

static int announce(char *argv[])
{
	const long count = number(argv[1]), rate = number(argv[2]);
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(argv[0]),
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
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);

	if (fd < 0 || to.sll_ifindex == 0)
		err(99, "%s", argv[0]);
	start = now_ns();
	for (long i = 0; i < count; i++) {
		const uint32_t address =
			htonl(UINT32_C(0x0a400002) + (uint32_t)i);
		uint8_t payload[512];
		size_t size;

		memcpy(flow.source, &address, 4);
		flow.id = (uint32_t)i;
		size = announcement(i, flow.source, payload, sizeof(payload));
		pace(start, i, rate);
		send_packet(fd, &to, &flow, payload, size);
	}
	(void)close(fd);
	return printf("{\"announced\": %ld, \"seconds\": %.3f}\n", count,
		       (double)(now_ns() - start) / 1e9) < 0;
}

/* ---- send and count ---- */

static int open_group(char *argv[], struct sockaddr_in *ret)
{
	struct ip_mreqn m = { .imr_ifindex = (int)if_nametoindex(argv[0]) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*ret = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)number(argv[2])),
	};
	if (fd < 0 || m.imr_ifindex == 0 ||
		inet_pton(AF_INET, argv[1], &ret->sin_addr) != 1)
		err(99, "%s %s", argv[0], argv[1]);
	m.imr_multiaddr = ret->sin_addr;
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) <
			0)
		err(99, "%s", argv[1]);
	return fd;
}

static int send_numbers(char *argv[])
{
	const long count = number(argv[3]), rate = number(argv[4]);
	struct sockaddr_in to;
	uint8_t payload[PAYLOAD] = { 0 };
	int fd = open_group(argv, &to);
	uint64_t start = now_ns();

	for (long i = 0; i < count; i++) {
		memcpy(payload, &i, sizeof(i));
		pace(start, i, rate);
		if (sendto(fd, payload, sizeof(payload), 0,
			    (struct sockaddr *)&to, sizeof(to)) < 0)
			err(99, "sendto");
	}
	(void)close(fd);
	return printf("{\"sent\": %ld, \"seconds\": %.3f}\n", count,
		       (double)(now_ns() - start) / 1e9) < 0;
}

static int count_numbers(char *argv[])
{
	const int room = 64 * 1024 * 1024;
	const long count = number(argv[3]), patience = number(argv[4]);
	long heard = 0, twice = 0;
	struct sockaddr_in at;
	bool *seen = calloc((size_t)count, sizeof(*seen));
	int fd = open_group(argv, &at);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (!seen || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		err(99, "bind");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	(void)puts("ready");
	(void)fflush(stdout);
	/* The first one may take as long as it likes, to be bounded by who
	 * started this. */
	while (heard < count &&
		poll(&p, 1, heard ? (int)patience : 60000) > 0) {
		uint8_t payload[PAYLOAD];
		long i;

		if (recv(fd, payload, sizeof(payload), 0) != sizeof(payload))
			continue;
		memcpy(&i, payload, sizeof(i));
		if (i < 0 || i >= count)
			continue;
		twice += seen[i];
		heard += !seen[i];
		seen[i] = true;
	}
	free(seen);
	(void)close(fd);
	return printf("{\"heard\": %ld, \"twice\": %ld}\n", heard, twice) < 0;
}

int main(int argc, char *argv[])
{
	if (argc == 5 && strcmp(argv[1], "announce") == 0)
		return announce(argv + 2);
	if (argc == 7 && strcmp(argv[1], "send") == 0)
		return send_numbers(argv + 2);
	if (argc == 7 && strcmp(argv[1], "count") == 0)
		return count_numbers(argv + 2);
	errx(2, "see the head of traffic.c");
}
