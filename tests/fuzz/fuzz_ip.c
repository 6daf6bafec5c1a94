/*
 * Whatever a packet says: what is read of it lies within it. A payload, and
 * whatever flow it has, is cut into packets that are read as what they were
 * made of.
 */
#include "fuzz.h"
#include "proto/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* At the front of the input: how its rest is cut. */
struct wish {
	uint8_t is_v6, ttl;
	uint16_t source_port, destination_port;
	uint16_t mtu;
	uint32_t id;
	uint8_t source[16], destination[16];
};

static size_t address_size(const struct ip_flow *f)
{
	return f->family == AF_INET ? 4 : 16;
}

static void check_same_flow(
	const struct ip_flow *a, const struct ip_flow *b, bool has_ports)
{
	MUST(a->family == b->family && a->ttl == b->ttl);
	MUST(memcmp(a->source, b->source, address_size(a)) == 0);
	MUST(memcmp(a->destination, b->destination, address_size(a)) == 0);
	MUST(!has_ports || (a->source_port == b->source_port &&
				   a->destination_port == b->destination_port));
}

/* ---- what comes ---- */

static void check_parse(const uint8_t *data, size_t size)
{
	struct ip_parsed p;
	int r = ip_parse(data, size, &p);

	MUST(r == 0 || r == -EBADMSG);
	if (r < 0)
		return;
	MUST(p.flow.family == AF_INET || p.flow.family == AF_INET6);
	MUST(p.payload >= data && p.payload <= data + size);
	MUST(p.payload_size <= (size_t)(data + size - p.payload));
	MUST(p.offset % 8 == 0);
	/* Behind the end there is nothing that counts. */
	MUST(ip_parse(data, (size_t)(p.payload - data) + p.payload_size, &p) ==
		0);
}

/* Chance finds no checksum, so that most mutations were refused by theirs. */
static void mend_v4(uint8_t *packet, size_t size)
{
	size_t header = 4 * (size_t)(packet[0] & 0xf);
	uint16_t sum;

	if (header < IP_V4_HEADER || size < header + IP_UDP_HEADER)
		return;
	memset(packet + 10, 0, sizeof(sum));
	sum = htons(ip_checksum(ip_sum(packet, header, 0)));
	memcpy(packet + 10, &sum, sizeof(sum));
	/* None, where it is no fragment further on. */
	if ((packet[6] & 0x1f) == 0 && packet[7] == 0)
		memset(packet + header + 6, 0, sizeof(sum));
}

static void mend_v6(uint8_t *packet, size_t size)
{
	bool is_cut = packet[6] == IPPROTO_FRAGMENT;
	size_t at = IP_V6_HEADER + (is_cut ? IP_V6_FRAGMENT : 0), end;
	struct ip_flow f = { .family = AF_INET6 };
	uint16_t sum;

	end = IP_V6_HEADER + (size_t)(packet[4] << 8 | packet[5]);
	if (end > size || at + IP_UDP_HEADER > end)
		return;
	memcpy(f.source, packet + 8, sizeof(f.source));
	memcpy(f.destination, packet + 24, sizeof(f.destination));
	f.source_port = (uint16_t)(packet[at] << 8 | packet[at + 1]);
	f.destination_port = (uint16_t)(packet[at + 2] << 8 | packet[at + 3]);
	sum = htons(ip_udp_checksum(&f, packet + at,
		packet + at + IP_UDP_HEADER, end - at - IP_UDP_HEADER));
	memcpy(packet + at + 6, &sum, sizeof(sum));
}

static void check_mended(const uint8_t *data, size_t size)
{
	uint8_t *packet;

	if (size < IP_V6_HEADER)
		return;
	packet = malloc(size);
	MUST(packet != NULL);
	memcpy(packet, data, size);
	if (packet[0] >> 4 == 6)
		mend_v6(packet, size);
	else
		mend_v4(packet, size);
	check_parse(packet, size);
	free(packet);
}

/* ---- what goes ---- */

/* A packet in a buffer of its exact size, parsed. */
static uint8_t *parse_packet(
	const struct ip_packet *packet, struct ip_parsed *ret)
{
	size_t size = packet->header_size + packet->payload_size;
	uint8_t *exact = malloc(size);

	MUST(exact != NULL);
	memcpy(exact, packet->header, packet->header_size);
	if (packet->payload_size > 0)
		memcpy(exact + packet->header_size, packet->payload,
			packet->payload_size);
	MUST(ip_parse(exact, size, ret) == 0);
	MUST(ret->payload + ret->payload_size == exact + size);
	return exact;
}

/* Of one that was not cut. */
static void check_form(const struct ip_flow *f, const uint8_t *payload,
	size_t size, size_t mtu, const struct ip_packet *whole)
{
	uint8_t header[IP_MAX_HEADER];
	struct ip_form form;

	MUST(ip_form(&form, f) == 0);
	MUST(ip_fits(&form, size, mtu) == (whole != NULL));
	if (whole == NULL)
		return;
	MUST(ip_fill(&form, size, ip_sum(payload, size, 0), f->ttl, f->id,
		     header) == whole->header_size);
	MUST(memcmp(header, whole->header, whole->header_size) == 0);
}

/* `at`: where the piece must begin. Returns where it ends. */
static size_t check_packet(const struct ip_flow *f, const struct ip_packet *p,
	size_t at, size_t total, const uint8_t *payload)
{
	size_t udp = at == 0 ? IP_UDP_HEADER : 0;
	struct ip_parsed parsed;
	uint8_t *bytes = parse_packet(p, &parsed);
	size_t end = at + udp + parsed.payload_size;

	check_same_flow(f, &parsed.flow, at == 0);
	MUST(parsed.offset == at);
	MUST(parsed.more == (end < total));
	if (parsed.payload_size > 0)
		MUST(memcmp(parsed.payload, payload + at + udp - IP_UDP_HEADER,
			     parsed.payload_size) == 0);
	free(bytes);
	return end;
}

static void check_cut(const struct ip_flow *f, const uint8_t *payload,
	size_t size, size_t mtu)
{
	size_t at = 0, total = size + IP_UDP_HEADER;
	struct ip_cutter c;
	struct ip_packet p, first;
	int r = ip_cut(&c, f, payload, size, ip_sum(payload, size, 0), mtu);

	if (mtu < (size_t)(f->family == AF_INET ? IP_V4_MIN_MTU
						: IP_V6_MIN_MTU)) {
		MUST(r == -EINVAL);
		return;
	}
	MUST(r == 0);
	while (ip_next(&c, &p)) {
		MUST(p.header_size + p.payload_size <= mtu);
		MUST(at < total);
		if (at == 0)
			first = p;
		at = check_packet(f, &p, at, total, payload);
		if (p.header_size + p.payload_size > 0 && at == total &&
			first.payload_size == size)
			check_form(f, payload, size, mtu, &first);
	}
	MUST(at == total);
	if (first.payload_size != size)
		check_form(f, payload, size, mtu, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wish w;
	struct ip_flow f;

	if (size > 0)
		check_parse(data, size);
	check_mended(data, size);
	if (size < sizeof(w))
		return 0;
	memcpy(&w, data, sizeof(w));
	f = (struct ip_flow){ .family = w.is_v6 & 1 ? AF_INET6 : AF_INET,
		.ttl = w.ttl,
		.source_port = w.source_port,
		.destination_port = w.destination_port,
		.id = w.id };
	memcpy(f.source, w.source, sizeof(f.source));
	memcpy(f.destination, w.destination, sizeof(f.destination));
	check_cut(&f, data + sizeof(w), size - sizeof(w), w.mtu & 0x7ff);
	return 0;
}
