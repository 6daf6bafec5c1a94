#include "proto/ip.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum {
	UDP = 17,
	FRAGMENT = 44, /* IPv6: a fragment header follows */
	V4_MORE = 0x2000,
	V4_OFFSET = 0x1fff,
	V6_MORE = 1,
	V6_OFFSET = 0xfff8,
	UNIT = 8, /* offsets count so many bytes */
	UDP_CHECKSUM = 6,
	V4_LENGTH = 2,
	V4_CHECKSUM = 10,
};

static void put16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

static uint16_t get16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

static uint32_t get32(const uint8_t *from)
{
	return (uint32_t)get16(from) << 16 | get16(from + 2);
}

/* The sum is the same in any byte order, but for its own (RFC 1071, 2.B): so
 * it is made of the machine's words, as wide as they are. */
uint32_t ip_sum(const void *bytes, size_t size, uint32_t sum)
{
	const uint8_t *p = bytes;
	uint64_t wide = 0;
	uint32_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		wide += word;
	}
	if (i < size) {
		word = 0;
		memcpy(&word, p + i, size - i);
		wide += word;
	}
	while (wide > UINT16_MAX)
		wide = (wide & UINT16_MAX) + (wide >> 16);
	wide = (uint64_t)be16toh((uint16_t)wide) + sum;
	while (wide > UINT32_MAX)
		wide = (wide & UINT16_MAX) + (wide >> 16);
	return (uint32_t)wide;
}

uint16_t ip_checksum(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t address_size(const struct ip_flow *f)
{
	return f->family == AF_INET ? 4 : 16;
}

/* The pseudo header of both families sums up alike. */
static uint16_t checksum_of(const struct ip_flow *f,
	const uint8_t udp[IP_UDP_HEADER], uint32_t payload_sum, size_t size)
{
	uint32_t sum = UDP + (uint32_t)(IP_UDP_HEADER + size);
	uint16_t checksum;

	sum = ip_sum(f->source, address_size(f), sum);
	sum = ip_sum(f->destination, address_size(f), sum);
	/* Its own checksum, which comes last, counts as 0. */
	sum = ip_sum(udp, UDP_CHECKSUM, sum);
	checksum = ip_checksum(
		sum + (payload_sum & UINT16_MAX) + (payload_sum >> 16));
	return checksum == 0 ? 0xffff : checksum;
}

uint16_t ip_udp_checksum(const struct ip_flow *f,
	const uint8_t udp[IP_UDP_HEADER], const void *payload, size_t size)
{
	return checksum_of(f, udp, ip_sum(payload, size, 0), size);
}

int ip_cut(struct ip_cutter *c, const struct ip_flow *f, const void *payload,
	size_t size, uint32_t sum, size_t mtu)
{
	bool is_v4 = f->family == AF_INET;

	if (!is_v4 && f->family != AF_INET6)
		return -EINVAL;
	if (mtu < (is_v4 ? IP_V4_MIN_MTU : IP_V6_MIN_MTU))
		return -EINVAL;
	if (size > (is_v4 ? IP_V4_MAX_PAYLOAD : IP_V6_MAX_PAYLOAD))
		return -EMSGSIZE;
	*c = (struct ip_cutter){
		.flow = *f, .payload = payload, .size = size, .mtu = mtu
	};
	put16(c->udp, f->source_port);
	put16(c->udp + 2, f->destination_port);
	put16(c->udp + 4, IP_UDP_HEADER + size);
	put16(c->udp + UDP_CHECKSUM, checksum_of(f, c->udp, sum, size));
	return 0;
}

/* How much of the UDP datagram the next packet takes. */
static size_t next_size(const struct ip_cutter *c, bool *ret_is_whole)
{
	size_t header = IP_V4_HEADER;
	size_t left = IP_UDP_HEADER + c->size - c->at, room;

	if (c->flow.family == AF_INET6)
		header = IP_V6_HEADER;
	*ret_is_whole = c->at == 0 && left <= c->mtu - header;
	if (*ret_is_whole)
		return left;
	if (c->flow.family == AF_INET6)
		header += IP_V6_FRAGMENT;
	room = c->mtu - header;
	return left <= room ? left : room / UNIT * UNIT;
}

static void build_v4(
	const struct ip_cutter *c, size_t size, bool more, struct ip_packet *p)
{
	uint8_t *h = p->header;

	h[0] = 4 << 4 | IP_V4_HEADER / 4;
	put16(h + V4_LENGTH, IP_V4_HEADER + size);
	put16(h + 4, c->flow.id & 0xffff);
	put16(h + 6, c->at / UNIT | (more ? V4_MORE : 0u));
	h[8] = c->flow.ttl;
	h[9] = UDP;
	memcpy(h + 12, c->flow.source, 4);
	memcpy(h + 16, c->flow.destination, 4);
	put16(h + V4_CHECKSUM, ip_checksum(ip_sum(h, IP_V4_HEADER, 0)));
	p->header_size = IP_V4_HEADER;
}

static void build_v6(const struct ip_cutter *c, size_t size, bool is_whole,
	bool more, struct ip_packet *p)
{
	uint8_t *h = p->header, *fragment = h + IP_V6_HEADER;

	h[0] = 6 << 4;
	put16(h + 4, size + (is_whole ? 0u : IP_V6_FRAGMENT));
	h[6] = is_whole ? UDP : FRAGMENT;
	h[7] = c->flow.ttl;
	memcpy(h + 8, c->flow.source, 16);
	memcpy(h + 24, c->flow.destination, 16);
	p->header_size = IP_V6_HEADER;
	if (is_whole)
		return;
	fragment[0] = UDP;
	put16(fragment + 2, c->at | (more ? V6_MORE : 0u));
	put32(fragment + 4, c->flow.id);
	p->header_size += IP_V6_FRAGMENT;
}

bool ip_next(struct ip_cutter *c, struct ip_packet *ret)
{
	struct ip_packet p = { 0 };
	size_t total = IP_UDP_HEADER + c->size, size;
	bool is_whole;

	if (c->at == total)
		return false;
	size = next_size(c, &is_whole);
	if (c->flow.family == AF_INET)
		build_v4(c, size, c->at + size < total, &p);
	else
		build_v6(c, size, is_whole, c->at + size < total, &p);
	p.payload_size = size;
	if (c->at == 0) {
		memcpy(p.header + p.header_size, c->udp, IP_UDP_HEADER);
		p.header_size += IP_UDP_HEADER;
		p.payload_size -= IP_UDP_HEADER;
		p.payload = c->payload;
	} else {
		p.payload = c->payload + (c->at - IP_UDP_HEADER);
	}
	c->at += size;
	*ret = p;
	return true;
}

/* ---- many datagrams of one flow ---- */

int ip_form(struct ip_form *ret, const struct ip_flow *f)
{
	struct ip_cutter c = { .flow = *f };
	struct ip_form form = { .is_v4 = f->family == AF_INET };
	struct ip_packet p = { 0 };

	if (!form.is_v4 && f->family != AF_INET6)
		return -EINVAL;
	c.flow.ttl = 0;
	c.flow.id = 0;
	if (form.is_v4) {
		build_v4(&c, 0, false, &p);
		put16(p.header + V4_LENGTH, 0);
		put16(p.header + V4_CHECKSUM, 0);
		form.ip_sum = ip_sum(p.header, IP_V4_HEADER, 0);
	} else {
		build_v6(&c, 0, true, false, &p);
	}
	memcpy(form.header, p.header, p.header_size);
	put16(form.header + p.header_size, f->source_port);
	put16(form.header + p.header_size + 2, f->destination_port);
	form.port_sum = (uint32_t)f->source_port + f->destination_port;
	form.pseudo_sum = ip_sum(f->source, address_size(f), UDP);
	form.pseudo_sum =
		ip_sum(f->destination, address_size(f), form.pseudo_sum);
	form.header_size = p.header_size + IP_UDP_HEADER;
	*ret = form;
	return 0;
}

/* All but the UDP checksum, which is 0. */
static void fill(const struct ip_form *form, size_t length, uint8_t ttl,
	uint32_t id, uint8_t *header)
{
	memcpy(header, form->header, sizeof(form->header));
	if (form->is_v4) {
		id &= UINT16_MAX;
		put16(header + V4_LENGTH, IP_V4_HEADER + length);
		put16(header + 4, id);
		header[8] = ttl;
		put16(header + V4_CHECKSUM,
			ip_checksum(form->ip_sum + id + ((uint32_t)ttl << 8) +
				    (uint32_t)(IP_V4_HEADER + length)));
	} else {
		put16(header + 4, length);
		header[7] = ttl;
	}
	put16(header + form->header_size - 4, length);
}

size_t ip_fill(const struct ip_form *form, size_t size, uint32_t sum,
	uint8_t ttl, uint32_t id, uint8_t *header)
{
	size_t length = IP_UDP_HEADER + size;
	uint16_t checksum;

	fill(form, length, ttl, id, header);
	/* The length stands in the pseudo header too. */
	checksum = ip_checksum(form->pseudo_sum + form->port_sum +
			       2 * (uint32_t)length + (sum & UINT16_MAX) +
			       (sum >> 16));
	put16(header + form->header_size - 2,
		checksum == 0 ? 0xffff : checksum);
	return form->header_size;
}

size_t ip_fill_run(const struct ip_form *form, size_t size, uint8_t ttl,
	uint32_t id, uint8_t *header)
{
	size_t length = IP_UDP_HEADER + size;
	uint16_t checksum = ip_checksum(form->pseudo_sum + (uint32_t)length);

	fill(form, length, ttl, id, header);
	put16(header + form->header_size - 2, (uint16_t)~checksum);
	return form->header_size;
}

bool ip_fits(const struct ip_form *form, size_t size, size_t mtu)
{
	return form->header_size + size <= mtu;
}

static int parse_v4(const uint8_t *h, size_t size, struct ip_parsed *p)
{
	size_t header, total;

	if (size < IP_V4_HEADER)
		return -EBADMSG;
	header = (size_t)(h[0] & 15) * 4;
	total = get16(h + 2);
	if (header < IP_V4_HEADER || total < header || total > size ||
		h[9] != UDP || ip_checksum(ip_sum(h, header, 0)) != 0)
		return -EBADMSG;
	p->flow.family = AF_INET;
	p->flow.id = get16(h + 4);
	p->flow.ttl = h[8];
	memcpy(p->flow.source, h + 12, 4);
	memcpy(p->flow.destination, h + 16, 4);
	p->offset = (size_t)(get16(h + 6) & V4_OFFSET) * UNIT;
	p->more = (get16(h + 6) & V4_MORE) != 0;
	p->payload = h + header;
	p->payload_size = total - header;
	return 0;
}

static int parse_v6(const uint8_t *h, size_t size, struct ip_parsed *p)
{
	const uint8_t *fragment = h + IP_V6_HEADER;

	if (size < IP_V6_HEADER || get16(h + 4) > size - IP_V6_HEADER)
		return -EBADMSG;
	p->flow.family = AF_INET6;
	p->flow.ttl = h[7];
	memcpy(p->flow.source, h + 8, 16);
	memcpy(p->flow.destination, h + 24, 16);
	p->payload = h + IP_V6_HEADER;
	p->payload_size = get16(h + 4);
	if (h[6] == UDP)
		return 0;
	if (h[6] != FRAGMENT || p->payload_size < IP_V6_FRAGMENT ||
		fragment[0] != UDP)
		return -EBADMSG;
	p->offset = get16(fragment + 2) & V6_OFFSET;
	p->more = (get16(fragment + 2) & V6_MORE) != 0;
	p->flow.id = get32(fragment + 4);
	p->payload += IP_V6_FRAGMENT;
	p->payload_size -= IP_V6_FRAGMENT;
	return 0;
}

static int parse_udp(struct ip_parsed *p)
{
	const uint8_t *udp = p->payload;
	uint16_t checksum;

	if (p->payload_size < IP_UDP_HEADER)
		return -EBADMSG;
	p->flow.source_port = get16(udp);
	p->flow.destination_port = get16(udp + 2);
	p->payload += IP_UDP_HEADER;
	p->payload_size -= IP_UDP_HEADER;
	if (p->more)
		return 0;
	if (get16(udp + 4) != IP_UDP_HEADER + p->payload_size)
		return -EBADMSG;
	checksum = get16(udp + UDP_CHECKSUM);
	/* None at all is fine in IPv4 alone (RFC 8200, 8.1). */
	if (checksum == 0)
		return p->flow.family == AF_INET ? 0 : -EBADMSG;
	if (checksum !=
		ip_udp_checksum(&p->flow, udp, p->payload, p->payload_size))
		return -EBADMSG;
	return 0;
}

int ip_parse(const void *packet, size_t size, struct ip_parsed *ret)
{
	const uint8_t *h = packet;
	struct ip_parsed p = { 0 };
	int error = -EBADMSG;

	if (size > 0 && h[0] >> 4 == 4)
		error = parse_v4(h, size, &p);
	else if (size > 0 && h[0] >> 4 == 6)
		error = parse_v6(h, size, &p);
	if (error == 0 && p.offset == 0)
		error = parse_udp(&p);
	if (error < 0)
		return error;
	*ret = p;
	return 0;
}
