/*
 * ip: IPv4, IPv6 and UDP headers of one datagram: build, cut into fragments,
 * parse. Pure: no descriptor, no allocation.
 *
 * RFC 791, RFC 768, RFC 8200; checksums by RFC 1071.
 */
#ifndef CRIER_PROTO_IP_H
#define CRIER_PROTO_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	IP_V4_HEADER = 20,
	IP_V6_HEADER = 40,
	IP_V6_FRAGMENT = 8,
	IP_UDP_HEADER = 8,
	/* The most that stands in front of payload. */
	IP_MAX_HEADER = IP_V6_HEADER + IP_V6_FRAGMENT + IP_UDP_HEADER,
	/* The largest payloads. */
	IP_V4_MAX_PAYLOAD = 65535 - IP_V4_HEADER - IP_UDP_HEADER,
	IP_V6_MAX_PAYLOAD = 65535 - IP_UDP_HEADER,
	/* The smallest MTUs. */
	IP_V4_MIN_MTU = 68,
	IP_V6_MIN_MTU = 1280,
};

/* Who says something to whom; numbers in host byte order. */
struct ip_flow {
	int family; /* AF_INET or AF_INET6 */
	/* In network byte order; IPv4 in the first four bytes. */
	uint8_t source[16], destination[16];
	uint16_t source_port, destination_port;
	uint8_t ttl; /* or hop limit */
	/* Tells the fragments of one datagram from those of others; of IPv4
	 * the low 16 bits. */
	uint32_t id;
};

/*
 * The Internet checksum of `size` bytes: the one's complement sum, before it is
 * complemented. An odd last byte counts as if a zero followed.
 *
 * sum: what was summed before, of an even number of bytes; 0 at first.
 */
uint32_t ip_sum(const void *bytes, size_t size, uint32_t sum);
/* What goes into a header: the sum folded and complemented. */
uint16_t ip_checksum(uint32_t sum);
/* The UDP checksum over the pseudo header, `udp` (a UDP header, of which the
 * checksum counts as 0) and the payload; 0xffff where it would be 0, which
 * means "none" (RFC 768). */
uint16_t ip_udp_checksum(const struct ip_flow *f,
	const uint8_t udp[IP_UDP_HEADER], const void *payload, size_t size);

/* One packet: a header of its own, and the piece of the payload behind it. */
struct ip_packet {
	uint8_t header[IP_MAX_HEADER];
	size_t header_size;
	const uint8_t *payload; /* into the datagram's; NULL for an empty one */
	size_t payload_size;
};

/* Cuts one datagram into packets. */
struct ip_cutter {
	/* Private. */
	struct ip_flow flow;
	const uint8_t *payload;
	size_t size;
	size_t mtu;
	size_t at; /* of the UDP datagram, its header included */
	uint8_t udp[IP_UDP_HEADER];
};

/*
 * Begins with a datagram of `size` bytes of payload, which must outlive the
 * cutter and its packets.
 *
 * sum: ip_sum() of the payload, so that many copies need it once.
 * mtu: of the device, in bytes.
 * Returns 0; -EINVAL (no such family, or an MTU below its least); -EMSGSIZE
 * (too much payload).
 */
int ip_cut(struct ip_cutter *c, const struct ip_flow *f, const void *payload,
	size_t size, uint32_t sum, size_t mtu);
/*
 * Builds the next packet. One that fits is not fragmented. Returns true, or
 * false after the last one.
 */
bool ip_next(struct ip_cutter *c, struct ip_packet *ret);

/* What the headers of all datagrams of one flow have in common, for those that
 * fit into one packet. */
struct ip_form {
	/* Private. */
	uint8_t header[IP_V6_HEADER + IP_UDP_HEADER];
	size_t header_size;
	bool is_v4;
	/* Of what stays, not folded: the header of IP, the pseudo header, and
	 * the ports. */
	uint32_t ip_sum, pseudo_sum, port_sum;
};

/* Makes the form of `f`, whose TTL and id do not count. Returns 0 or -EINVAL
 * (no such family). */
int ip_form(struct ip_form *ret, const struct ip_flow *f);
/*
 * Writes the header of a datagram of `size` bytes of payload, whose ip_sum() is
 * `sum`, as ip_next() would of one that is not cut.
 *
 * header: room for IP_MAX_HEADER.
 * Returns its size.
 */
size_t ip_fill(const struct ip_form *form, size_t size, uint32_t sum,
	uint8_t ttl, uint32_t id, uint8_t *header);
/*
 * The same of one that stands for many, to be taken apart further on: `size` is
 * that of all payloads together, and the UDP checksum is that of the pseudo
 * header alone, not complemented, as checksum offload wants it.
 */
size_t ip_fill_run(const struct ip_form *form, size_t size, uint8_t ttl,
	uint32_t id, uint8_t *header);
/* True if so much payload fits into one packet. */
bool ip_fits(const struct ip_form *form, size_t size, size_t mtu);

/* A packet that was parsed. */
struct ip_parsed {
	struct ip_flow flow; /* ports only where `offset` is 0 */
	/* The fragment's place in the UDP datagram, its header included, in
	 * bytes; and whether more follow. A whole datagram: 0 and false. */
	size_t offset;
	bool more;
	const uint8_t *payload; /* into the packet, behind all headers */
	size_t payload_size;
};

/*
 * Parses an IPv4 or IPv6 packet with UDP in it, and no more than a fragment
 * header between. Bytes behind its end (Ethernet pads) do not matter.
 * Returns 0; -EBADMSG (cut off, another protocol, or a checksum that is wrong:
 * that of UDP is known for whole datagrams alone).
 */
int ip_parse(const void *packet, size_t size, struct ip_parsed *ret);

#endif
