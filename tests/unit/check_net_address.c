#include "net/net.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct net_address address(const char *text)
{
	struct net_address a;

	ck_assert_msg(net_address_parse(text, &a) == 0, "%s", text);
	return a;
}

static struct net_prefix prefix(const char *text)
{
	struct net_prefix p;

	ck_assert_msg(net_prefix_parse(text, &p) == 0, "%s", text);
	return p;
}

/* A copy of the exact size, so that a sanitizer sees one byte too many. */
static char *exact(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	ck_assert_ptr_nonnull(copy);
	return strcpy(copy, text);
}

START_TEST(writes_what_it_reads)
{
	static const char *const texts[] = {
		"0.0.0.0",
		"192.0.2.1",
		"255.255.255.255",
		"::",
		"::1",
		"ff02::fb",
		"2001:db8::1",
		"fe80::1",
		"fe80::1%3",
		"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295",
		"::ffff:192.0.2.1",
	};
	char buffer[NET_ADDRESS_TEXT];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct net_address a = address(texts[i]);

		ck_assert_str_eq(
			net_address_format(&a, NULL, buffer), texts[i]);
	}
}
END_TEST

START_TEST(refuses_what_is_no_address)
{
	static const char *const texts[] = {
		"",
		" ",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.04",
		"1.2.3.4 ",
		"1.2.3.4x",
		"1.2.3.4%1",
		"1.2.3.4/24",
		"0x1.2.3.4",
		"localhost",
		":",
		":::",
		"::1::",
		"12345::",
		"::g",
		"::1 ",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7",
		"[::1]",
		"%",
		"%1",
		"fe80::1%",
		"fe80::1%0",
		"fe80::1%03",
		"fe80::1%eth0",
		"fe80::1%3x",
		"fe80::1%-3",
		"fe80::1%+3",
		"fe80::1%4294967296",
		"fe80::1%18446744073709551617",
		"fe80::1%3%3",
		"2001:db8::1%3",
		"fec0::1%3",
		"ff02::fb%3",
		"0000:0000:0000:0000:0000:ffff:255.255.255.2555",
		"00000000000000000000000000000000000000000000000000000000",
	};
	struct net_address a;

	memset(&a, 0x5a, sizeof(a));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *text = exact(texts[i]);

		ck_assert_msg(
			net_address_parse(text, &a) == -EINVAL, "%s", text);
		free(text);
	}
	for (size_t i = 0; i < sizeof(a); i++)
		ck_assert_uint_eq(((uint8_t *)&a)[i], 0x5a);
}
END_TEST

START_TEST(names_the_device_of_link_local_unicast_alone)
{
	char *buffer = malloc(NET_ADDRESS_TEXT);
	struct net_address a = address("fe80::1%3");

	ck_assert_str_eq(
		net_address_format(&a, "eth0", buffer), "fe80::1%eth0");
	a = address("fe80::1");
	ck_assert_str_eq(
		net_address_format(&a, "eth0", buffer), "fe80::1%eth0");
	a = address("ff02::fb");
	a.scope = 3;
	ck_assert_str_eq(net_address_format(&a, "eth0", buffer), "ff02::fb");
	ck_assert_str_eq(net_address_format(&a, NULL, buffer), "ff02::fb");
	a = address("169.254.1.1");
	ck_assert_str_eq(net_address_format(&a, "eth0", buffer), "169.254.1.1");
	a = address("fe80:1111:2222:3333:4444:5555:6666:7777");
	ck_assert_str_eq(net_address_format(&a, "fifteen-letters", buffer),
		"fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters");
	memset(&a, 0, sizeof(a));
	ck_assert_str_eq(net_address_format(&a, "eth0", buffer), "");
	free(buffer);
}
END_TEST

START_TEST(equals_by_scope_only_where_both_have_one)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "0.0.0.0", "::", false },
		{ "::1", "::1", true },
		{ "::1", "::2", false },
		{ "fe80::1%3", "fe80::1%3", true },
		{ "fe80::1%3", "fe80::1%4", false },
		{ "fe80::1%3", "fe80::1", true },
		{ "fe80::1", "fe80::1%3", true },
		{ "fe80::1%3", "fe80::2%3", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct net_address a = address(cases[i].a);
		struct net_address b = address(cases[i].b);

		ck_assert_msg(net_address_equal(&a, &b) == cases[i].equal,
			"%s %s", cases[i].a, cases[i].b);
	}
}
END_TEST

START_TEST(ignores_the_bytes_that_do_not_count)
{
	struct net_address a, b;

	memset(&a, 0xff, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.family = b.family = AF_INET;
	a.scope = b.scope = 0;
	a.v4.s_addr = b.v4.s_addr = htonl(0xc0000201);
	ck_assert(net_address_equal(&a, &b));
	ck_assert_int_eq(net_address_compare(&a, &b), 0);
	a.family = b.family = AF_UNSPEC;
	ck_assert(net_address_equal(&a, &b));
	ck_assert_int_eq(net_address_compare(&a, &b), 0);
}
END_TEST

START_TEST(orders_by_family_bytes_and_scope)
{
	static const char *const sorted[] = { "0.0.0.0", "9.255.255.255",
		"10.0.0.0", "255.255.255.255", "::", "::1", "fe80::1",
		"fe80::1%1", "fe80::1%2", "fe80::2", "ff02::1" };
	int n = sizeof(sorted) / sizeof(*sorted);

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			struct net_address a = address(sorted[i]);
			struct net_address b = address(sorted[j]);

			ck_assert_int_eq(
				net_address_compare(&a, &b), (i > j) - (i < j));
		}
}
END_TEST

enum {
	ANY = 1,
	MULTICAST = 2,
	BROADCAST = 4,
	LOOPBACK = 8,
	LINK_LOCAL = 16,
	LINK_SCOPE = 32,
};

START_TEST(tells_kinds_apart_at_their_edges)
{
	static const struct {
		const char *text;
		int is;
	} cases[] = {
		{ "0.0.0.0", ANY },
		{ "0.0.0.1", 0 },
		{ "126.255.255.255", 0 },
		{ "127.0.0.0", LOOPBACK },
		{ "127.255.255.255", LOOPBACK },
		{ "128.0.0.0", 0 },
		{ "169.253.255.255", 0 },
		{ "169.254.0.0", LINK_LOCAL },
		{ "169.254.255.255", LINK_LOCAL },
		{ "169.255.0.0", 0 },
		{ "223.255.255.255", 0 },
		{ "224.0.0.0", MULTICAST },
		{ "239.255.255.255", MULTICAST },
		{ "240.0.0.0", 0 },
		{ "255.255.255.254", 0 },
		{ "255.255.255.255", BROADCAST },
		{ "::", ANY },
		{ "::1", LOOPBACK },
		{ "::2", 0 },
		{ "::ffff:127.0.0.1", 0 },
		{ "fe7f:ffff::", 0 },
		{ "fe80::", LINK_LOCAL },
		{ "febf:ffff::", LINK_LOCAL },
		{ "fec0::", 0 },
		{ "feff:ffff::", 0 },
		{ "ff00::1", MULTICAST },
		{ "ff01::1", MULTICAST | LINK_SCOPE },
		{ "ff02::1", MULTICAST | LINK_SCOPE },
		{ "ff12::1", MULTICAST | LINK_SCOPE },
		{ "ff03::1", MULTICAST },
		{ "ff05::c", MULTICAST },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct net_address a = address(cases[i].text);
		int is = (net_address_is_any(&a) ? ANY : 0) |
			 (net_address_is_multicast(&a) ? MULTICAST : 0) |
			 (net_address_is_broadcast(&a) ? BROADCAST : 0) |
			 (net_address_is_loopback(&a) ? LOOPBACK : 0) |
			 (net_address_is_link_local(&a) ? LINK_LOCAL : 0) |
			 (net_address_is_link_scope_multicast(&a) ? LINK_SCOPE
								  : 0);

		ck_assert_msg(is == cases[i].is, "%s", cases[i].text);
		ck_assert(net_address_is_set(&a));
		ck_assert_uint_eq(
			net_address_size(&a), a.family == AF_INET ? 4 : 16);
	}
}
END_TEST

START_TEST(all_zero_is_no_address)
{
	struct net_address a;

	memset(&a, 0, sizeof(a));
	ck_assert(!net_address_is_set(&a));
	ck_assert(!net_address_is_any(&a));
	ck_assert(!net_address_is_multicast(&a));
	ck_assert(!net_address_is_broadcast(&a));
	ck_assert(!net_address_is_loopback(&a));
	ck_assert(!net_address_is_link_local(&a));
	ck_assert(!net_address_is_link_scope_multicast(&a));
	ck_assert_uint_eq(net_address_size(&a), 0);
}
END_TEST

START_TEST(goes_through_a_socket_address_and_back)
{
	static const char *const texts[] = { "192.0.2.1", "fe80::1%7",
		"2001:db8::1" };
	struct sockaddr_storage storage;
	struct sockaddr *sa = (struct sockaddr *)&storage;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct net_address a = address(texts[i]), b;
		uint16_t port = 0;
		socklen_t size;

		memset(&storage, 0xff, sizeof(storage));
		size = net_address_to_socket(&a, 5353, sa);
		ck_assert_uint_eq(size, a.family == AF_INET
						? sizeof(struct sockaddr_in)
						: sizeof(struct sockaddr_in6));
		ck_assert_int_eq(sa->sa_family, a.family);
		ck_assert_int_eq(net_address_from_socket(sa, &b, &port), 0);
		ck_assert_int_eq(net_address_compare(&a, &b), 0);
		ck_assert_uint_eq(port, 5353);
		ck_assert_int_eq(net_address_from_socket(sa, &b, NULL), 0);
	}
}
END_TEST

START_TEST(other_families_are_no_addresses)
{
	struct sockaddr_storage storage = { .ss_family = AF_UNIX };
	struct sockaddr *sa = (struct sockaddr *)&storage;
	struct net_address a = address("192.0.2.1"), none;
	uint16_t port = 7;

	memset(&none, 0, sizeof(none));
	ck_assert_int_eq(net_address_from_socket(sa, &a, &port), -EAFNOSUPPORT);
	ck_assert_int_eq(a.family, AF_INET);
	ck_assert_uint_eq(port, 7);
	ck_assert_uint_eq(net_address_to_socket(&none, 1, sa), 0);
	ck_assert_int_eq(storage.ss_family, AF_UNIX);
}
END_TEST

START_TEST(prefixes_are_written_with_their_length)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.7/24", "192.0.2.7/24" },
		{ "192.0.2.7/32", "192.0.2.7/32" },
		{ "192.0.2.7", "192.0.2.7/32" },
		{ "::/0", "::/0" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "::1", "::1/128" },
		{ "fe80::/10", "fe80::/10" },
	};
	char buffer[NET_PREFIX_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct net_prefix p = prefix(cases[i].in);

		ck_assert_str_eq(net_prefix_format(&p, buffer), cases[i].out);
	}
}
END_TEST

START_TEST(an_unset_prefix_is_written_as_nothing)
{
	struct net_prefix p;
	char buffer[NET_PREFIX_TEXT] = "x";

	memset(&p, 0, sizeof(p));
	ck_assert_str_eq(net_prefix_format(&p, buffer), "");
}
END_TEST

START_TEST(refuses_what_is_no_prefix)
{
	static const char *const texts[] = {
		"",
		"/",
		"/24",
		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.0/024",
		"192.0.2.0/00",
		"192.0.2.0/-1",
		"192.0.2.0/+1",
		"192.0.2.0/24 ",
		"192.0.2.0/24/24",
		"192.0.2.0/ 24",
		"192.0.2.0/2x",
		"192.0.2.0/4294967328",
		"192.0.2.0/255.255.255.0",
		"192.0.2/24",
		"::/129",
		"::/",
		"fe80::1%3/64",
		"fe80::1%3",
		"fe80::1/64%3",
		"0000:0000:0000:0000:0000:ffff:255.255.255.2555/128",
	};
	struct net_prefix p;

	memset(&p, 0x5a, sizeof(p));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *text = exact(texts[i]);

		ck_assert_msg(
			net_prefix_parse(text, &p) == -EINVAL, "%s", text);
		free(text);
	}
	for (size_t i = 0; i < sizeof(p); i++)
		ck_assert_uint_eq(((uint8_t *)&p)[i], 0x5a);
}
END_TEST

START_TEST(contains_exactly_its_addresses)
{
	static const struct {
		const char *prefix, *address;
		bool contains;
	} cases[] = {
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::", false },
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "192.0.1.255", false },
		{ "192.0.2.77/24", "192.0.2.1", true },
		{ "10.0.0.0/9", "10.127.255.255", true },
		{ "10.0.0.0/9", "10.128.0.0", false },
		{ "128.0.0.0/1", "127.255.255.255", false },
		{ "128.0.0.0/1", "128.0.0.0", true },
		{ "192.0.2.0/31", "192.0.2.1", true },
		{ "192.0.2.0/31", "192.0.2.2", false },
		{ "192.0.2.1/32", "192.0.2.1", true },
		{ "192.0.2.1/32", "192.0.2.0", false },
		{ "::/0", "ff02::1", true },
		{ "::/0", "0.0.0.0", false },
		{ "2001:db8::/32", "2001:db8:ffff::", true },
		{ "2001:db8::/32", "2001:db9::", false },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "::1/128", "::1", true },
		{ "::1/128", "::", false },
		{ "::/127", "::1", true },
		{ "::/127", "::2", false },
		{ "fe80::/10", "fe80::1%3", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct net_prefix p = prefix(cases[i].prefix);
		struct net_address a = address(cases[i].address);

		ck_assert_msg(net_prefix_contains(&p, &a) == cases[i].contains,
			"%s %s", cases[i].prefix, cases[i].address);
	}
}
END_TEST

START_TEST(contains_nothing_of_another_scope)
{
	struct net_prefix p = prefix("fe80::/64");
	struct net_address a = address("fe80::1%3"), none;

	memset(&none, 0, sizeof(none));
	p.address.scope = 3;
	ck_assert(net_prefix_contains(&p, &a));
	a.scope = 4;
	ck_assert(!net_prefix_contains(&p, &a));
	a.scope = 0;
	ck_assert(net_prefix_contains(&p, &a));
	ck_assert(!net_prefix_contains(&p, &none));
	memset(&p, 0, sizeof(p));
	ck_assert(!net_prefix_contains(&p, &none));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_address");
	TCase *addresses = tcase_create("addresses");
	TCase *prefixes = tcase_create("prefixes");
	SRunner *runner;
	int failed;

	tcase_add_test(addresses, writes_what_it_reads);
	tcase_add_test(addresses, refuses_what_is_no_address);
	tcase_add_test(addresses, names_the_device_of_link_local_unicast_alone);
	tcase_add_test(addresses, equals_by_scope_only_where_both_have_one);
	tcase_add_test(addresses, ignores_the_bytes_that_do_not_count);
	tcase_add_test(addresses, orders_by_family_bytes_and_scope);
	tcase_add_test(addresses, tells_kinds_apart_at_their_edges);
	tcase_add_test(addresses, all_zero_is_no_address);
	tcase_add_test(addresses, goes_through_a_socket_address_and_back);
	tcase_add_test(addresses, other_families_are_no_addresses);
	suite_add_tcase(suite, addresses);
	tcase_add_test(prefixes, prefixes_are_written_with_their_length);
	tcase_add_test(prefixes, an_unset_prefix_is_written_as_nothing);
	tcase_add_test(prefixes, refuses_what_is_no_prefix);
	tcase_add_test(prefixes, contains_exactly_its_addresses);
	tcase_add_test(prefixes, contains_nothing_of_another_scope);
	suite_add_tcase(suite, prefixes);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
