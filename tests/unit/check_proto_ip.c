/* Tests of proto/ip. */
#include "proto/proto.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 65535 };

static uint8_t payload[LARGEST], datagram[LARGEST + IP_UDP_HEADER];

static const int families[] = { AF_INET, AF_INET6 };

static struct ip_flow flow(int family)
{
	struct ip_flow f = { .family = family,
		.source_port = 5353,
		.destination_port = 1900,
		.ttl = 255,
		.id = 0x12345678 };

	if (family == AF_INET) {
		inet_pton(AF_INET, "192.0.2.7", f.source);
		inet_pton(AF_INET, "224.0.0.251", f.destination);
	} else {
		inet_pton(AF_INET6, "2001:db8::7", f.source);
		inet_pton(AF_INET6, "ff02::fb", f.destination);
	}
	return f;
}

static void fill(void)
{
	for (size_t i = 0; i < LARGEST; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
}

/* A packet in a buffer of its exact size. */
static uint8_t *join(const struct ip_packet *p, size_t *ret_size)
{
	uint8_t *whole;

	*ret_size = p->header_size + p->payload_size;
	whole = malloc(*ret_size);
	memcpy(whole, p->header, p->header_size);
	if (p->payload_size > 0)
		memcpy(whole + p->header_size, p->payload, p->payload_size);
	return whole;
}

/* RFC 1071, 3. */
START_TEST(sums_as_in_the_rfc)
{
	static const uint8_t bytes[] = { 0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6,
		0xf7 };

	ck_assert_uint_eq(ip_checksum(ip_sum(bytes, 8, 0)), 0xffff ^ 0xddf2);
	ck_assert_uint_eq(
		ip_checksum(ip_sum(bytes + 4, 4, ip_sum(bytes, 4, 0))),
		0xffff ^ 0xddf2);
}
END_TEST

START_TEST(an_odd_byte_counts_as_the_high_one)
{
	static const uint8_t bytes[] = { 0x12, 0x34, 0x56 };

	ck_assert_uint_eq(
		ip_checksum(ip_sum(bytes, 3, 0)), 0xffff ^ (0x1234 + 0x5600));
	ck_assert_uint_eq(ip_checksum(ip_sum(NULL, 0, 0)), 0xffff);
}
END_TEST

/* As the RFC writes it down, two bytes at a time. */
static uint16_t sum_by_twos(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

START_TEST(sums_any_size_anywhere)
{
	uint8_t bytes[64 + 8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 13);
	for (size_t from = 0; from < 8; from++)
		for (size_t size = 0; size <= 64; size++)
			ck_assert_uint_eq(
				ip_checksum(ip_sum(bytes + from, size, 0)),
				sum_by_twos(bytes + from, size));
}
END_TEST

START_TEST(sums_of_the_largest_numbers_carry)
{
	static uint8_t ones[LARGEST + 1];

	memset(ones, 0xff, sizeof(ones));
	ck_assert_uint_eq(ip_checksum(ip_sum(ones, sizeof(ones), 0)), 0);
	ck_assert_uint_eq(
		ip_checksum(ip_sum(ones, sizeof(ones), 0xffffffff)), 0);
}
END_TEST

/* Captured: what Linux sent, without checksum offload, DF and flow label. */
static const uint8_t captured_v4[] = { 0x45, 0x00, 0x00, 0x21, 0x0a, 0xdb, 0x00,
	0x00, 0xff, 0x11, 0x0d, 0xee, 0xc0, 0x00, 0x02, 0x07, 0xe0, 0x00, 0x00,
	0xfb, 0x14, 0xe9, 0x07, 0x6c, 0x00, 0x0d, 0xfc, 0xa9, 'h', 'e', 'l',
	'l', 'o' };
static const uint8_t captured_v6[] = { 0x60, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x11,
	0xff, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x07, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xfb, 0x14, 0xe9, 0x07,
	0x6c, 0x00, 0x0d, 0x71, 0xef, 'h', 'e', 'l', 'l', 'o' };

static void check_captured(int family, const uint8_t *want, size_t want_size)
{
	struct ip_flow f = flow(family);
	struct ip_cutter c;
	struct ip_packet p;
	uint8_t *whole;
	size_t size;

	f.id = 0x0adb;
	ck_assert_int_eq(
		ip_cut(&c, &f, "hello", 5, ip_sum("hello", 5, 0), 1500), 0);
	ck_assert(ip_next(&c, &p));
	whole = join(&p, &size);
	ck_assert_uint_eq(size, want_size);
	ck_assert_mem_eq(whole, want, size);
	ck_assert(!ip_next(&c, &p));
	free(whole);
}

START_TEST(builds_the_headers_that_the_kernel_builds)
{
	check_captured(AF_INET, captured_v4, sizeof(captured_v4));
	check_captured(AF_INET6, captured_v6, sizeof(captured_v6));
}
END_TEST

START_TEST(a_checksum_of_0_is_sent_as_all_ones)
{
	struct ip_flow f = flow(_i == 0 ? AF_INET : AF_INET6);
	uint8_t udp[IP_UDP_HEADER] = { 0, 0, 0, 0, 0, 10 };
	uint8_t bytes[2] = { 0, 0 };
	uint16_t sum = ip_udp_checksum(&f, udp, bytes, 2);

	/* What is missing to all ones makes the complement 0. */
	bytes[0] = (uint8_t)(sum >> 8);
	bytes[1] = (uint8_t)sum;
	ck_assert_uint_eq(ip_udp_checksum(&f, udp, bytes, 2), 0xffff);
	/* The field itself does not count. */
	udp[6] = 0x55;
	ck_assert_uint_eq(ip_udp_checksum(&f, udp, bytes, 2), 0xffff);
}
END_TEST

/* Cuts a payload into packets, parses these, and puts it together again.
 * Returns the number of packets. */
static unsigned round_trip(int family, size_t size, size_t mtu)
{
	struct ip_flow f = flow(family);
	struct ip_parsed parsed;
	struct ip_cutter c;
	struct ip_packet p;
	unsigned packets = 0;
	size_t end = 0;

	ck_assert_int_eq(
		ip_cut(&c, &f, payload, size, ip_sum(payload, size, 0), mtu),
		0);
	while (ip_next(&c, &p)) {
		size_t whole_size;
		uint8_t *whole = join(&p, &whole_size);

		ck_assert_uint_le(whole_size, mtu);
		ck_assert_int_eq(ip_parse(whole, whole_size, &parsed), 0);
		ck_assert_mem_eq(parsed.flow.source, f.source, 16);
		ck_assert_mem_eq(parsed.flow.destination, f.destination, 16);
		ck_assert_uint_eq(parsed.flow.ttl, 255);
		ck_assert_uint_eq(parsed.offset % 8, 0);
		if (packets++ == 0) {
			ck_assert_uint_eq(parsed.flow.source_port, 5353);
			ck_assert_uint_eq(parsed.flow.destination_port, 1900);
			parsed.offset += IP_UDP_HEADER;
			end = IP_UDP_HEADER;
		}
		ck_assert_uint_eq(parsed.offset, end);
		memcpy(datagram + end, parsed.payload, parsed.payload_size);
		end += parsed.payload_size;
		ck_assert_int_eq(parsed.more, end < IP_UDP_HEADER + size);
		if (packets > 1)
			ck_assert_uint_eq(parsed.flow.id,
				family == AF_INET ? 0x5678 : 0x12345678);
		free(whole);
	}
	ck_assert_uint_eq(end, IP_UDP_HEADER + size);
	ck_assert_mem_eq(datagram + IP_UDP_HEADER, payload, size);
	return packets;
}

/* A form fills in the very header that cutting builds. */
static void compare_form(const struct ip_flow *f, const struct ip_form *form,
	size_t size, size_t mtu)
{
	uint32_t sum = ip_sum(payload, size, 0);
	uint8_t header[IP_MAX_HEADER];
	struct ip_cutter c;
	struct ip_packet p;

	ck_assert(ip_fits(form, size, mtu));
	ck_assert_int_eq(ip_cut(&c, f, payload, size, sum, mtu), 0);
	ck_assert(ip_next(&c, &p));
	ck_assert_uint_eq(
		ip_fill(form, size, sum, f->ttl, f->id, header), p.header_size);
	ck_assert_mem_eq(header, p.header, p.header_size);
	ck_assert(!ip_next(&c, &p));
}

START_TEST(a_form_says_what_cutting_says)
{
	struct ip_flow f = flow(families[_i]);
	size_t headers = families[_i] == AF_INET ? 28 : 48;
	struct ip_form form;

	fill();
	ck_assert_int_eq(ip_form(&form, &f), 0);
	for (size_t size = 0; size <= 9000 - headers; size += 13) {
		f.ttl = (uint8_t)(size % 255 + 1);
		f.id = (uint32_t)(size * 2654435761u);
		compare_form(&f, &form, size, 9000);
	}
	ck_assert(ip_fits(&form, 1500 - headers, 1500));
	ck_assert(!ip_fits(&form, 1501 - headers, 1500));
	/* Each checksum there is, that of 0 included. */
	for (unsigned n = 0; n <= UINT16_MAX; n++) {
		payload[0] = (uint8_t)(n >> 8);
		payload[1] = (uint8_t)n;
		f.id = n;
		compare_form(&f, &form, 2, 1500);
	}
}
END_TEST

START_TEST(a_form_is_of_a_known_family)
{
	struct ip_flow f = flow(AF_INET);
	struct ip_form form;

	f.family = AF_UNSPEC;
	ck_assert_int_eq(ip_form(&form, &f), -EINVAL);
}
END_TEST

START_TEST(what_fits_is_one_packet_and_a_byte_more_are_two)
{
	ck_assert_uint_eq(round_trip(AF_INET, 1500 - 28, 1500), 1);
	ck_assert_uint_eq(round_trip(AF_INET, 1500 - 27, 1500), 2);
	ck_assert_uint_eq(round_trip(AF_INET6, 1500 - 48, 1500), 1);
	ck_assert_uint_eq(round_trip(AF_INET6, 1500 - 47, 1500), 2);
}
END_TEST

/* kernel-facts, 7.3: 8,972 bytes of payload at an MTU of 1500. */
START_TEST(cuts_as_many_fragments_as_are_needed)
{
	ck_assert_uint_eq(round_trip(AF_INET, 8972, 1500), 7);
	ck_assert_uint_eq(round_trip(AF_INET6, 8972, 1500), 7);
	ck_assert_uint_eq(round_trip(AF_INET, 48, IP_V4_MIN_MTU), 2);
	ck_assert_uint_eq(round_trip(AF_INET, 88, IP_V4_MIN_MTU), 2);
	ck_assert_uint_eq(round_trip(AF_INET, 89, IP_V4_MIN_MTU), 3);
}
END_TEST

START_TEST(any_size_at_any_mtu_comes_together_again)
{
	static const size_t sizes[] = { 0, 1, 2, 7, 8, 9, 1231, 1232, 1233,
		1471, 1472, 1473, 2951, 2952, 2953, 65506, 65507 };
	static const size_t mtus[] = { 1280, 1281, 1287, 1500, 9000, 65535,
		65575 };

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t m = 0; m < sizeof(mtus) / sizeof(mtus[0]); m++)
			(void)round_trip(families[_i], sizes[s], mtus[m]);
	}
}
END_TEST

START_TEST(the_largest_payloads_pass)
{
	struct ip_flow v4 = flow(AF_INET), v6 = flow(AF_INET6);
	struct ip_cutter c;

	(void)round_trip(AF_INET6, IP_V6_MAX_PAYLOAD, 1500);
	(void)round_trip(AF_INET6, IP_V6_MAX_PAYLOAD, 65575);
	ck_assert_int_eq(
		ip_cut(&c, &v4, payload, IP_V4_MAX_PAYLOAD + 1, 0, 1500),
		-EMSGSIZE);
	ck_assert_int_eq(
		ip_cut(&c, &v6, payload, IP_V6_MAX_PAYLOAD + 1, 0, 1500),
		-EMSGSIZE);
}
END_TEST

START_TEST(impossible_orders_are_refused)
{
	struct ip_flow v4 = flow(AF_INET), v6 = flow(AF_INET6);
	struct ip_flow none = flow(AF_UNSPEC);
	struct ip_cutter c;

	ck_assert_int_eq(
		ip_cut(&c, &none, payload, 1, ip_sum(payload, 1, 0), 1500),
		-EINVAL);
	ck_assert_int_eq(ip_cut(&c, &v4, payload, 1, ip_sum(payload, 1, 0),
				 IP_V4_MIN_MTU - 1),
		-EINVAL);
	ck_assert_int_eq(ip_cut(&c, &v4, payload, 1, ip_sum(payload, 1, 0),
				 IP_V4_MIN_MTU),
		0);
	ck_assert_int_eq(ip_cut(&c, &v6, payload, 1, ip_sum(payload, 1, 0),
				 IP_V6_MIN_MTU - 1),
		-EINVAL);
	ck_assert_int_eq(ip_cut(&c, &v6, payload, 1, ip_sum(payload, 1, 0),
				 IP_V6_MIN_MTU),
		0);
}
END_TEST

static uint8_t *packet(int family, size_t size, size_t *ret_size)
{
	struct ip_flow f = flow(family);
	struct ip_cutter c;
	struct ip_packet p;

	ck_assert_int_eq(
		ip_cut(&c, &f, payload, size, ip_sum(payload, size, 0), 1500),
		0);
	ck_assert(ip_next(&c, &p));
	return join(&p, ret_size);
}

START_TEST(a_cut_off_packet_is_refused)
{
	struct ip_parsed parsed = { .offset = 77 };
	uint8_t *whole, *cut;
	size_t size;

	whole = packet(families[_i], 5, &size);
	for (size_t s = 0; s < size; s++) {
		cut = malloc(s);
		if (s > 0)
			memcpy(cut, whole, s);
		ck_assert_int_eq(ip_parse(cut, s, &parsed), -EBADMSG);
		free(cut);
	}
	ck_assert_uint_eq(parsed.offset, 77);
	free(whole);
}
END_TEST

START_TEST(any_wrong_bit_is_seen)
{
	struct ip_parsed parsed;
	uint8_t *whole;
	size_t size, first = families[_i] == AF_INET ? 0 : 8;

	/* IPv6 has no checksum over its first bytes, save the addresses. */
	whole = packet(families[_i], 5, &size);
	for (size_t bit = first * 8; bit < size * 8; bit++) {
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(ip_parse(whole, size, &parsed) == -EBADMSG,
			"bit %zu", bit);
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(ip_parse(whole, size, &parsed), 0);
	free(whole);
}
END_TEST

START_TEST(padding_does_not_matter)
{
	struct ip_parsed parsed;
	uint8_t padded[100] = { 0 }, *whole;
	size_t size;

	whole = packet(families[_i], 5, &size);
	memcpy(padded, whole, size);
	ck_assert_int_eq(ip_parse(padded, sizeof(padded), &parsed), 0);
	ck_assert_uint_eq(parsed.payload_size, 5);
	free(whole);
}
END_TEST

START_TEST(no_checksum_is_for_ipv4_alone)
{
	struct ip_parsed parsed;
	uint8_t *whole;
	size_t size, at = families[_i] == AF_INET ? 26 : 46;

	whole = packet(families[_i], 5, &size);
	whole[at] = whole[at + 1] = 0;
	ck_assert_int_eq(ip_parse(whole, size, &parsed),
		families[_i] == AF_INET ? 0 : -EBADMSG);
	free(whole);
}
END_TEST

START_TEST(other_protocols_are_refused)
{
	struct ip_parsed parsed;
	uint8_t *whole;
	size_t size;

	whole = packet(AF_INET6, 5, &size);
	whole[6] = 58;
	ck_assert_int_eq(ip_parse(whole, size, &parsed), -EBADMSG);
	free(whole);
	whole = packet(AF_INET, 1500, &size);
	whole[0] = 0x55;
	ck_assert_int_eq(ip_parse(whole, size, &parsed), -EBADMSG);
	free(whole);
	/* A fragment of something else. */
	whole = packet(AF_INET6, 1500, &size);
	ck_assert_int_eq(ip_parse(whole, size, &parsed), 0);
	ck_assert(parsed.more);
	whole[40] = 58;
	ck_assert_int_eq(ip_parse(whole, size, &parsed), -EBADMSG);
	free(whole);
}
END_TEST

START_TEST(udp_without_room_for_its_header_is_refused)
{
	static const uint8_t v6[48] = { 0x60, 0, 0, 0, 0, 7, 17, 1 };
	struct ip_parsed parsed;

	ck_assert_int_eq(ip_parse(v6, sizeof(v6), &parsed), -EBADMSG);
}
END_TEST

START_TEST(options_of_ipv4_are_skipped)
{
	uint8_t with[64] = { 0 }, *whole;
	struct ip_parsed parsed;
	uint16_t checksum;
	size_t size;

	whole = packet(AF_INET, 5, &size);
	memcpy(with, whole, IP_V4_HEADER);
	memcpy(with + IP_V4_HEADER + 4, whole + IP_V4_HEADER, size - 20);
	with[0] = 0x46;
	with[3] = (uint8_t)(size + 4);
	with[20] = 0x94; /* router alert, as IGMP has it */
	with[21] = 4;
	with[10] = with[11] = 0;
	checksum = ip_checksum(ip_sum(with, 24, 0));
	with[10] = (uint8_t)(checksum >> 8);
	with[11] = (uint8_t)checksum;
	ck_assert_int_eq(ip_parse(with, size + 4, &parsed), 0);
	ck_assert_mem_eq(parsed.payload, payload, 5);
	free(whole);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ip");
	TCase *t = tcase_create("ip");
	SRunner *r = srunner_create(s);
	int failed;

	fill();
	tcase_add_test(t, sums_as_in_the_rfc);
	tcase_add_test(t, an_odd_byte_counts_as_the_high_one);
	tcase_add_test(t, sums_any_size_anywhere);
	tcase_add_test(t, sums_of_the_largest_numbers_carry);
	tcase_add_test(t, builds_the_headers_that_the_kernel_builds);
	tcase_add_loop_test(t, a_checksum_of_0_is_sent_as_all_ones, 0, 2);
	tcase_add_loop_test(t, a_form_says_what_cutting_says, 0, 2);
	tcase_add_test(t, a_form_is_of_a_known_family);
	tcase_add_test(t, what_fits_is_one_packet_and_a_byte_more_are_two);
	tcase_add_test(t, cuts_as_many_fragments_as_are_needed);
	tcase_add_loop_test(t, any_size_at_any_mtu_comes_together_again, 0, 2);
	tcase_add_test(t, the_largest_payloads_pass);
	tcase_add_test(t, impossible_orders_are_refused);
	tcase_add_loop_test(t, a_cut_off_packet_is_refused, 0, 2);
	tcase_add_loop_test(t, any_wrong_bit_is_seen, 0, 2);
	tcase_add_loop_test(t, padding_does_not_matter, 0, 2);
	tcase_add_loop_test(t, no_checksum_is_for_ipv4_alone, 0, 2);
	tcase_add_test(t, other_protocols_are_refused);
	tcase_add_test(t, udp_without_room_for_its_header_is_refused);
	tcase_add_test(t, options_of_ipv4_are_skipped);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
