/* Tests of discovery: mDNS into the table. */
#include "discovery_relay.h"
#include "mdns_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define V4 "192.0.2.7"
#define V6 "fe80::7%3"

static struct stand s;

static void begin(void)
{
	stand_open(&s, 1000);
}

static void end(void)
{
	ck_assert_int_eq(stand_close(&s), 0);
}

/* ---- messages: records of one TTL ---- */

static uint8_t message[MDNS_MAX_BYTES];
static struct mdns_writer writer;

static void start(void)
{
	ck_assert_int_eq(mdns_begin(&writer, message, sizeof(message), 0,
				 MDNS_RESPONSE | MDNS_AUTHORITATIVE),
		0);
}

static void put_ptr(const char *type, const char *instance, uint32_t ttl)
{
	struct mdns_name name = fixture_name(type),
			 target = fixture_name(instance);

	ck_assert_int_eq(
		mdns_put_ptr(&writer, MDNS_ANSWER, &name, ttl, &target), 0);
}

static void put_srv(
	const char *instance, uint16_t port, const char *host, uint32_t ttl)
{
	struct mdns_name name = fixture_name(instance), h = fixture_name(host);

	ck_assert_int_eq(
		mdns_put_srv(&writer, MDNS_ANSWER, &name, ttl, port, &h), 0);
}

static void put_txt(const char *instance, const char *text, uint32_t ttl)
{
	struct mdns_name name = fixture_name(instance);
	struct proto_list strings = { (char *const *)&text, 1 };

	ck_assert_int_eq(
		mdns_put_txt(&writer, MDNS_ANSWER, &name, ttl, &strings), 0);
}

static void put_address(const char *host, const char *text, uint32_t ttl)
{
	struct mdns_name name = fixture_name(host);
	struct net_address a;

	ck_assert_int_eq(net_address_parse(text, &a), 0);
	ck_assert_int_eq(mdns_put_address(&writer, MDNS_ANSWER, &name, ttl,
				 a.bytes, net_address_size(&a)),
		0);
}

static void say_on(enum stand_segment i, const char *source)
{
	struct relay_heard h =
		stand_heard(&s, MDNS, i, source, message, writer.used);

	stand_take(&s, &h);
}

static void say(void)
{
	say_on(LAN, V4);
}

static void say_ptr(uint32_t ttl)
{
	start();
	put_ptr("_ipp._tcp.local", "Lab._ipp._tcp.local", ttl);
	say();
}

static void say_srv(uint16_t port, uint32_t ttl)
{
	start();
	put_srv("Lab._ipp._tcp.local", port, "host.local", ttl);
	say();
}

/* All that is known of a service, each record once, from the `first` on. */
static void say_all(unsigned first)
{
	start();
	for (unsigned n = first; n < first + 4; n++)
		switch (n % 4) {
		case 0:
			put_ptr("_ipp._tcp.local", "Lab._ipp._tcp.local", 4500);
			break;
		case 1:
			put_srv("Lab._ipp._tcp.local", 631, "host.local", 120);
			break;
		case 2:
			put_txt("Lab._ipp._tcp.local", "a=b", 4500);
			break;
		default:
			put_address("host.local", "192.0.2.7", 120);
		}
	say();
}

/* ---- what is seen ---- */

static void check_events(const char *want)
{
	ck_assert_str_eq(s.events, want);
	stand_clear(&s);
}

static struct discovery_info only(void)
{
	const struct discovery_entry *e = discovery_after(s.discovery, 0);
	struct discovery_info i;

	ck_assert_uint_eq(stand_count(&s), 1);
	discovery_get(s.discovery, e, &i);
	return i;
}

static void check_source(const char *want)
{
	struct discovery_info i = only();
	struct net_address a;

	ck_assert_int_eq(net_address_parse(want, &a), 0);
	ck_assert(net_address_equal(&i.source, &a));
}

START_TEST(one_message_in_any_order_tells_all)
{
	struct discovery_info i;
	char text[NET_ADDRESS_TEXT];

	say_all((unsigned)_i);
	check_events("new Lab\n");
	i = only();
	ck_assert_str_eq(i.group, "mdns");
	ck_assert_str_eq(i.interface, "lan");
	ck_assert_str_eq(i.device, "br-lan");
	ck_assert_int_eq(i.protocol, CONFIG_PAYLOAD_MDNS);
	ck_assert_str_eq(i.name, "Lab");
	ck_assert_str_eq(i.type, "_ipp._tcp");
	ck_assert_str_eq(i.host, "host.local");
	ck_assert_uint_eq(i.port, 631);
	ck_assert_str_eq(i.location, "");
	ck_assert_str_eq(i.detail, "a=b\n");
	ck_assert_uint_eq(i.n_addresses, 1);
	ck_assert_str_eq(
		net_address_format(&i.addresses[0], NULL, text), "192.0.2.7");
	ck_assert_uint_eq(i.expires_in_ms, 4500000);
	ck_assert_uint_eq(i.count, 1);
	check_source(V4);
}
END_TEST

START_TEST(the_same_again_is_counted_and_no_news)
{
	struct discovery_info i;

	say_all(0);
	stand_clear(&s);
	stand_wait(&s, 60000);
	ck_assert_uint_eq(only().expires_in_ms, 4440000);
	say_all(2);
	check_events("");
	i = only();
	ck_assert_uint_eq(i.count, 2);
	ck_assert_uint_eq(i.expires_in_ms, 4500000);
	ck_assert_int_ge(i.last_seen_ms, i.first_seen_ms);
}
END_TEST

START_TEST(what_one_message_leaves_out_the_next_may_say)
{
	say_ptr(4500);
	check_events("new Lab\n");
	ck_assert_str_eq(only().host, "");
	say_srv(631, 120);
	check_events("changed Lab\n");
	ck_assert_str_eq(only().host, "host.local");
	/* The pointer says how long it lives. */
	ck_assert_uint_eq(only().expires_in_ms, 4500000);
	start();
	put_txt("Lab._ipp._tcp.local", "a=b", 4500);
	say();
	check_events("changed Lab\n");
	ck_assert_uint_eq(only().count, 3);
}
END_TEST

START_TEST(addresses_may_come_before_the_service)
{
	start();
	put_address("HOST.local", "192.0.2.9", 120);
	say();
	ck_assert_uint_eq(stand_count(&s), 0);
	say_srv(631, 120);
	ck_assert_uint_eq(only().n_addresses, 1);
}
END_TEST

START_TEST(a_text_of_nobody_is_nobody)
{
	start();
	put_txt("Lab._ipp._tcp.local", "a=b", 4500);
	say();
	ck_assert_uint_eq(stand_count(&s), 0);
	check_events("");
}
END_TEST

START_TEST(names_match_without_case)
{
	say_ptr(4500);
	start();
	put_srv("LAB._IPP._tcp.LOCAL", 631, "host.local", 120);
	say();
	ck_assert_uint_eq(only().port, 631);
	ck_assert_str_eq(only().type, "_ipp._tcp");
}
END_TEST

START_TEST(a_change_of_port_or_host_or_text_is_told)
{
	say_all(0);
	stand_clear(&s);
	say_srv(632, 120);
	check_events("changed Lab\n");
	start();
	put_srv("Lab._ipp._tcp.local", 632, "other.local", 120);
	say();
	check_events("changed Lab\n");
	ck_assert_uint_eq(only().n_addresses, 0);
	start();
	put_txt("Lab._ipp._tcp.local", "a=c", 4500);
	say();
	check_events("changed Lab\n");
	ck_assert_str_eq(only().detail, "a=c\n");
}
END_TEST

/* The last that fits is 254 bytes long: 512 hold both, a newline behind each
 * and the end. */
START_TEST(a_long_text_is_cut_between_its_strings)
{
	char one[256], two[256];
	char *strings[] = { one, two };
	struct mdns_name name = fixture_name("Lab._ipp._tcp.local");

	memset(one, 'x', sizeof(one) - 1);
	one[7] = '\n'; /* is no end of a line */
	one[255] = '\0';
	memset(two, 'y', sizeof(two) - 1);
	two[254 + _i] = '\0';
	say_ptr(4500);
	start();
	ck_assert_int_eq(mdns_put_txt(&writer, MDNS_ANSWER, &name, 4500,
				 &(struct proto_list){ strings, 2 }),
		0);
	say();
	ck_assert_uint_eq(strlen(only().detail), _i == 0 ? 511 : 256);
	ck_assert_int_eq(only().detail[7], ' ');
}
END_TEST

/* ---- lifetimes ---- */

START_TEST(expires_exactly_with_its_pointer)
{
	say_all(0);
	stand_clear(&s);
	stand_wait(&s, 4499999);
	ck_assert_uint_eq(stand_count(&s), 1);
	stand_wait(&s, 1);
	check_events("gone Lab expired\n");
	ck_assert_uint_eq(stand_count(&s), 0);
	ck_assert_uint_eq(s.due_ms, 0);
}
END_TEST

START_TEST(a_service_without_a_pointer_lives_by_itself)
{
	say_srv(631, 120);
	ck_assert_uint_eq(only().expires_in_ms, 120000);
	stand_wait(&s, 119999);
	ck_assert_uint_eq(stand_count(&s), 1);
	stand_wait(&s, 1);
	check_events("new Lab\ngone Lab expired\n");
}
END_TEST

START_TEST(a_goodbye_takes_a_second)
{
	say_all(0);
	stand_clear(&s);
	say_ptr(0);
	ck_assert_uint_eq(only().expires_in_ms, 1000);
	stand_wait(&s, 999);
	check_events("");
	stand_wait(&s, 1);
	check_events("gone Lab goodbye\n");
}
END_TEST

START_TEST(a_goodbye_again_moves_nothing)
{
	say_ptr(4500);
	say_ptr(0);
	stand_wait(&s, 900);
	say_ptr(0);
	ck_assert_uint_eq(only().expires_in_ms, 100);
}
END_TEST

START_TEST(who_says_goodbye_may_come_back)
{
	say_ptr(4500);
	say_ptr(0);
	stand_wait(&s, 900);
	say_ptr(10);
	ck_assert_uint_eq(only().expires_in_ms, 10000);
	stand_wait(&s, 10000);
	check_events("new Lab\ngone Lab expired\n");
}
END_TEST

START_TEST(a_goodbye_of_the_service_is_none_where_there_is_a_pointer)
{
	say_all(0);
	say_srv(631, 0);
	ck_assert_uint_eq(only().expires_in_ms, 4500000);
	ck_assert_uint_eq(only().port, 631);
}
END_TEST

START_TEST(a_goodbye_of_a_stranger_is_no_news)
{
	say_ptr(0);
	say_srv(631, 0);
	check_events("");
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

/* RFC 6762, 6.7: answers to legacy searches have a TTL of 10 s or less. */
START_TEST(a_legacy_answer_never_shortens)
{
	say_ptr(4500);
	say_ptr(10);
	ck_assert_uint_eq(only().expires_in_ms, 4500000);
	say_ptr(1);
	ck_assert_uint_eq(only().expires_in_ms, 4500000);
	say_ptr(11);
	ck_assert_uint_eq(only().expires_in_ms, 11000);
	stand_wait(&s, 2000);
	say_ptr(10);
	ck_assert_uint_eq(only().expires_in_ms, 10000);
}
END_TEST

START_TEST(lifetimes_are_capped_at_a_day)
{
	say_ptr(86399);
	ck_assert_uint_eq(only().expires_in_ms, 86399000);
	say_ptr(86401);
	ck_assert_uint_eq(only().expires_in_ms, 86400000);
	say_ptr(UINT32_MAX);
	ck_assert_uint_eq(only().expires_in_ms, 86400000);
}
END_TEST

START_TEST(addresses_end_by_themselves)
{
	say_all(0);
	stand_wait(&s, 119999);
	ck_assert_uint_eq(only().n_addresses, 1);
	stand_wait(&s, 1);
	ck_assert_uint_eq(only().n_addresses, 0);
}
END_TEST

/* ---- who and where ---- */

START_TEST(both_families_are_one_entry_of_the_ipv4_source)
{
	static const char *const sources[][2] = { { V4, V6 }, { V6, V4 } };

	for (size_t i = 0; i < 2; i++) {
		start();
		put_ptr("_ipp._tcp.local", "Lab._ipp._tcp.local", 4500);
		say_on(LAN, sources[_i][i]);
	}
	ck_assert_uint_eq(only().count, 2);
	check_source(V4);
	check_events("new Lab\n");
}
END_TEST

START_TEST(the_newest_address_of_a_family_is_the_source)
{
	say_ptr(4500);
	start();
	put_ptr("_ipp._tcp.local", "Lab._ipp._tcp.local", 4500);
	say_on(LAN, "192.0.2.8");
	check_source("192.0.2.8");
}
END_TEST

START_TEST(each_segment_has_its_own_entry)
{
	say_ptr(4500);
	say_on(IOT, V4);
	ck_assert_uint_eq(stand_count(&s), 2);
	check_events("new Lab\nnew Lab\n");
	say_ptr(0);
	stand_wait(&s, 1000);
	ck_assert_str_eq(only().device, "eth0.20");
}
END_TEST

START_TEST(queries_and_probes_tell_of_nobody)
{
	static const char *const lines[] = {
		"q _ipp._tcp.local PTR\n"
		"an _ipp._tcp.local PTR Lab._ipp._tcp.local",
		"q Lab._ipp._tcp.local ANY\n"
		"au Lab._ipp._tcp.local SRV #000000000277 host.local",
	};
	struct relay_heard h;
	size_t size;

	for (size_t i = 0; i < 2; i++) {
		size = fixture_build(FIXTURE_QUERY, lines[i], message);
		h = stand_heard(&s, MDNS, LAN, V4, message, size);
		ck_assert_ptr_nonnull(h.view);
		stand_take(&s, &h);
	}
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_mdns");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, one_message_in_any_order_tells_all, 0, 4);
	tcase_add_test(t, the_same_again_is_counted_and_no_news);
	tcase_add_test(t, what_one_message_leaves_out_the_next_may_say);
	tcase_add_test(t, addresses_may_come_before_the_service);
	tcase_add_test(t, a_text_of_nobody_is_nobody);
	tcase_add_test(t, names_match_without_case);
	tcase_add_test(t, a_change_of_port_or_host_or_text_is_told);
	tcase_add_loop_test(t, a_long_text_is_cut_between_its_strings, 0, 2);
	tcase_add_test(t, expires_exactly_with_its_pointer);
	tcase_add_test(t, a_service_without_a_pointer_lives_by_itself);
	tcase_add_test(t, a_goodbye_takes_a_second);
	tcase_add_test(t, a_goodbye_again_moves_nothing);
	tcase_add_test(t, who_says_goodbye_may_come_back);
	tcase_add_test(
		t, a_goodbye_of_the_service_is_none_where_there_is_a_pointer);
	tcase_add_test(t, a_goodbye_of_a_stranger_is_no_news);
	tcase_add_test(t, a_legacy_answer_never_shortens);
	tcase_add_test(t, lifetimes_are_capped_at_a_day);
	tcase_add_test(t, addresses_end_by_themselves);
	tcase_add_loop_test(
		t, both_families_are_one_entry_of_the_ipv4_source, 0, 2);
	tcase_add_test(t, the_newest_address_of_a_family_is_the_source);
	tcase_add_test(t, each_segment_has_its_own_entry);
	tcase_add_test(t, queries_and_probes_tell_of_nobody);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
