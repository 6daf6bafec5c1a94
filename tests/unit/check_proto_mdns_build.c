/* Tests of proto/mdns_build. */
#include "mdns_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t out[MDNS_MAX_BYTES];
static struct mdns_writer w;
static struct mdns_name name, host;

static void begin(void)
{
	name = fixture_name("Lab._http._tcp.local");
	host = fixture_name("lab.local");
	ck_assert_int_eq(
		mdns_begin(&w, out, sizeof(out), 0, FIXTURE_RESPONSE), 0);
}

static struct mdns_item only_item(void)
{
	struct mdns_reader r;
	struct mdns_item i, more;

	ck_assert_int_eq(mdns_open(&r, out, w.used), 0);
	ck_assert_int_eq(mdns_next(&r, &i), 1);
	ck_assert_int_eq(mdns_next(&r, &more), 0);
	ck_assert_uint_eq(i.rrclass, 1);
	return i;
}

START_TEST(announces_a_service)
{
	static char key[] = "path=/", flag[] = "color";
	static char *strings[] = { key, flag };
	static const uint16_t types[] = { MDNS_SRV, MDNS_TXT };
	const struct proto_list txt = { strings, 2 };
	struct mdns_name type = fixture_name("_http._tcp.local");

	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &type, 4500, &name), 0);
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_ANSWER, &name, 120, 0x1f90, &host), 0);
	ck_assert_int_eq(mdns_put_txt(&w, MDNS_ANSWER, &name, 4500, &txt), 0);
	ck_assert_int_eq(mdns_put_address(&w, MDNS_ADDITIONAL, &host, 120,
				 "\xc0\0\2\1", 4),
		0);
	ck_assert_int_eq(mdns_put_address(&w, MDNS_ADDITIONAL, &host, 120,
				 "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16),
		0);
	ck_assert_int_eq(
		mdns_put_nsec(&w, MDNS_ADDITIONAL, &name, 120, types, 2), 0);
	ck_assert_str_eq(fixture_lines(out, w.used),
		"an _http._tcp.local PTR Lab._http._tcp.local\n"
		"an Lab._http._tcp.local SRV #000000001f90 lab.local\n"
		"an Lab._http._tcp.local TXT #06706174683d2f05636f6c6f72\n"
		"ad lab.local A 192.0.2.1\nad lab.local AAAA 2001:db8::1\n"
		"ad Lab._http._tcp.local NSEC TXT SRV");
	fixture_parses(out, w.used);
}
END_TEST

START_TEST(shared_records_do_not_flush)
{
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &name, 1, &host), 0);
	ck_assert(!only_item().top);
}
END_TEST

START_TEST(unique_records_flush)
{
	ck_assert_int_eq(mdns_put_srv(&w, MDNS_ANSWER, &name, 1, 2, &host), 0);
	ck_assert(only_item().top);
}
END_TEST

START_TEST(proposals_do_not_flush)
{
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_AUTHORITY, &name, 1, 2, &host), 0);
	ck_assert(!only_item().top);
}
END_TEST

/* RFC 6763, 6.1: there is always one string. */
START_TEST(txt_without_strings_has_an_empty_one)
{
	const struct proto_list none = { 0 };

	ck_assert_int_eq(mdns_put_txt(&w, MDNS_ANSWER, &name, 0, &none), 0);
	ck_assert_uint_eq(only_item().head.size, 1);
	ck_assert_uint_eq(only_item().head.at[0], 0);
	ck_assert_uint_eq(only_item().ttl, 0);
}
END_TEST

/* A configuration may have 8000 bytes of them, and 1300 were taken. */
START_TEST(txt_has_255_bytes_a_string_and_fills_the_message)
{
	const size_t room = MDNS_MAX_BYTES - w.used - name.size - 10;
	char text[257], rest[256];
	char *strings[64];
	struct proto_list list = { strings, 1 };

	memset(text, 'x', 256);
	text[256] = '\0';
	strings[0] = text;
	ck_assert_int_eq(
		mdns_put_txt(&w, MDNS_ANSWER, &name, 1, &list), -EINVAL);
	text[255] = '\0';
	for (list.n = 0; list.n < room / 256; list.n++)
		strings[list.n] = text;
	strings[list.n++] = rest;
	memset(rest, 'y', room % 256);
	rest[room % 256] = '\0';
	ck_assert_int_eq(
		mdns_put_txt(&w, MDNS_ANSWER, &name, 1, &list), -ENOBUFS);
	while (list.n < 64)
		strings[list.n++] = text;
	ck_assert_int_eq(
		mdns_put_txt(&w, MDNS_ANSWER, &name, 1, &list), -ENOBUFS);
	list.n = room / 256 + 1;
	rest[room % 256 - 1] = '\0';
	ck_assert_int_eq(mdns_put_txt(&w, MDNS_ANSWER, &name, 1, &list), 0);
	ck_assert_uint_eq(only_item().head.size, room);
}
END_TEST

START_TEST(addresses_have_4_or_16_bytes)
{
	uint8_t address[17] = { 0 };

	for (size_t size = 0; size <= 17; size++) {
		if (size == 4 || size == 16)
			continue;
		ck_assert_int_eq(mdns_put_address(&w, MDNS_ANSWER, &host, 1,
					 address, size),
			-EINVAL);
	}
	ck_assert_uint_eq(w.used, 12);
}
END_TEST

START_TEST(nsec_has_types_from_1_to_255)
{
	static const uint16_t good[] = { 255, 1 }, zero[] = { 0 },
			      large[] = { 256 };
	static const uint8_t head[] = { 0, 32, 0x40 };

	ck_assert_int_eq(
		mdns_put_nsec(&w, MDNS_ANSWER, &host, 1, zero, 1), -EINVAL);
	ck_assert_int_eq(
		mdns_put_nsec(&w, MDNS_ANSWER, &host, 1, large, 1), -EINVAL);
	ck_assert_int_eq(
		mdns_put_nsec(&w, MDNS_ANSWER, &host, 1, good, 0), -EINVAL);
	ck_assert_int_eq(mdns_put_nsec(&w, MDNS_ANSWER, &host, 1, good, 2), 0);
	ck_assert_uint_eq(only_item().tail.size, 34);
	ck_assert_mem_eq(only_item().tail.at, head, sizeof(head));
	ck_assert_uint_eq(only_item().tail.at[33], 1);
	ck_assert(mdns_name_equal(&only_item().targets[0], &host));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mdns_build");
	TCase *t = tcase_create("mdns_build");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, begin, NULL);
	tcase_add_test(t, announces_a_service);
	tcase_add_test(t, shared_records_do_not_flush);
	tcase_add_test(t, unique_records_flush);
	tcase_add_test(t, proposals_do_not_flush);
	tcase_add_test(t, txt_without_strings_has_an_empty_one);
	tcase_add_test(t, txt_has_255_bytes_a_string_and_fills_the_message);
	tcase_add_test(t, addresses_have_4_or_16_bytes);
	tcase_add_test(t, nsec_has_types_from_1_to_255);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
