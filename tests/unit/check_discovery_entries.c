/* Tests of discovery: SSDP, WS-Discovery and any datagrams into the table. */
#include "discovery_relay.h"

#include <check.h>
#include <string.h>

#define HOST  "192.0.2.7"
#define OTHER "192.0.2.8"

static struct stand s;

static void begin(void)
{
	stand_open(&s, 1000);
}

static void end(void)
{
	ck_assert_int_eq(stand_close(&s), 0);
}

static void say_on(enum stand_group g, enum stand_segment i, const char *source,
	const char *text)
{
	struct relay_heard h =
		stand_heard(&s, g, i, source, text, strlen(text));

	stand_take(&s, &h);
}

static void say(enum stand_group g, const char *text)
{
	say_on(g, LAN, HOST, text);
}

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

/* ---- SSDP ---- */

#define NOTIFY(nts, rest)                                                      \
	"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:" nts           \
	"\r\nUSN: uuid:1\r\n" rest "\r\n"
#define AGE(n)   "CACHE-CONTROL: max-age=" n "\r\n"
#define PLACE(n) "LOCATION: http://192.0.2.7:" n "/\r\n"

static const char alive[] =
	NOTIFY("alive", AGE("1800") PLACE("80") "SERVER: x/1\r\n");
static const char byebye[] = NOTIFY("byebye", "");

START_TEST(ssdp_is_shown_with_all_that_it_says)
{
	struct discovery_info i;

	say(SSDP, alive);
	check_events("new uuid:1\n");
	i = only();
	ck_assert_str_eq(i.group, "ssdp");
	ck_assert_str_eq(i.interface, "lan");
	ck_assert_str_eq(i.device, "br-lan");
	ck_assert_int_eq(i.protocol, CONFIG_PAYLOAD_SSDP);
	ck_assert_str_eq(i.name, "uuid:1");
	ck_assert_str_eq(i.type, "upnp:rootdevice");
	ck_assert_str_eq(i.host, "");
	ck_assert_uint_eq(i.port, 0);
	ck_assert_str_eq(i.location, "http://192.0.2.7:80/");
	ck_assert_str_eq(i.detail, "x/1");
	ck_assert_uint_eq(i.n_addresses, 0);
	ck_assert_uint_eq(i.expires_in_ms, 1800000);
	ck_assert_uint_eq(i.count, 1);
	check_source(HOST);
}
END_TEST

START_TEST(ssdp_expires_exactly_with_max_age)
{
	say(SSDP, alive);
	stand_wait(&s, 1799999);
	check_events("new uuid:1\n");
	stand_wait(&s, 1);
	check_events("gone uuid:1 expired\n");
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

START_TEST(ssdp_refreshed_is_counted_and_no_news)
{
	say(SSDP, alive);
	stand_wait(&s, 1000000);
	say(SSDP, alive);
	ck_assert_uint_eq(only().expires_in_ms, 1800000);
	ck_assert_uint_eq(only().count, 2);
	stand_wait(&s, 1799999);
	check_events("new uuid:1\n");
}
END_TEST

START_TEST(ssdp_byebye_goes_at_once)
{
	say(SSDP, alive);
	say(SSDP, byebye);
	check_events("new uuid:1\ngone uuid:1 goodbye\n");
	ck_assert_uint_eq(stand_count(&s), 0);
	say(SSDP, byebye);
	check_events("");
}
END_TEST

START_TEST(ssdp_update_keeps_the_lifetime_and_what_it_leaves_out)
{
	say(SSDP, alive);
	stand_clear(&s);
	stand_wait(&s, 1000);
	say(SSDP, NOTIFY("update", PLACE("81")));
	check_events("changed uuid:1\n");
	ck_assert_uint_eq(only().expires_in_ms, 1799000);
	ck_assert_str_eq(only().location, "http://192.0.2.7:81/");
	ck_assert_str_eq(only().detail, "x/1");
	ck_assert_uint_eq(only().count, 2);
}
END_TEST

START_TEST(ssdp_update_of_a_stranger_has_the_groups_hold)
{
	say(SSDP, NOTIFY("update", PLACE("81")));
	check_events("new uuid:1\n");
	ck_assert_uint_eq(only().expires_in_ms, 120000);
}
END_TEST

static const struct {
	const char *text;
	uint64_t lifetime_ms;
} lifetimes[] = {
	{ NOTIFY("alive", ""), 120000 },
	{ NOTIFY("alive", AGE("x")), 120000 },
	{ NOTIFY("alive", AGE("0")), 0 },
	{ NOTIFY("alive", AGE("1")), 1000 },
	{ NOTIFY("alive", AGE("86399")), 86399000 },
	{ NOTIFY("alive", AGE("86400")), 86400000 },
	{ NOTIFY("alive", AGE("86401")), 86400000 },
	{ NOTIFY("alive", AGE("99999999999999999999")), 86400000 },
};

START_TEST(ssdp_lifetimes_are_its_own_the_groups_and_capped)
{
	say(SSDP, lifetimes[_i].text);
	ck_assert_uint_eq(only().expires_in_ms, lifetimes[_i].lifetime_ms);
	stand_wait(&s, lifetimes[_i].lifetime_ms + 1);
	check_events("new uuid:1\ngone uuid:1 expired\n");
}
END_TEST

START_TEST(ssdp_searches_and_junk_are_nobody)
{
	say(SSDP, "M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\nUSN: x\r\n\r\n");
	say(SSDP, "HTTP/1.1 404 Not Found\r\nUSN: x\r\n\r\n");
	say(SSDP, "junk");
	say(SSDP, "");
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

/* Plex: by address and port. */
START_TEST(gdm_players_are_told_by_where_they_are)
{
	say(SSDP, "HELLO * HTTP/1.0\r\nName: a\r\n\r\n");
	say_on(SSDP, LAN, OTHER, "HELLO * HTTP/1.0\r\nName: b\r\n\r\n");
	ck_assert_uint_eq(stand_count(&s), 2);
	say(SSDP, "BYE * HTTP/1.0\r\nName: a\r\n\r\n");
	check_source(OTHER);
	ck_assert_uint_eq(only().port, 1900);
}
END_TEST

/* ---- WS-Discovery ---- */

#define WSD_OF(action)                                                         \
	"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' "       \
	"xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' "          \
	"xmlns:d='http://schemas.xmlsoap.org/ws/2005/04/discovery'>"           \
	"<s:Header><a:Action>"                                                 \
	"http://schemas.xmlsoap.org/ws/2005/04/discovery/" action              \
	"</a:Action></s:Header><s:Body><d:" action                             \
	"><a:EndpointReference><a:Address>urn:1</a:Address>"                   \
	"</a:EndpointReference><d:Types>d:A d:B</d:Types>"                     \
	"<d:XAddrs>http://192.0.2.7/</d:XAddrs></d:" action                    \
	"></s:Body></s:Envelope>"

START_TEST(wsd_lives_for_the_groups_hold)
{
	struct discovery_info i;

	say(WSD, WSD_OF("Hello"));
	i = only();
	ck_assert_str_eq(i.name, "urn:1");
	ck_assert_str_eq(i.type, "A B");
	ck_assert_str_eq(i.location, "http://192.0.2.7/");
	ck_assert_int_eq(i.protocol, CONFIG_PAYLOAD_WSD);
	ck_assert_uint_eq(i.expires_in_ms, 120000);
	stand_wait(&s, 119999);
	check_events("new urn:1\n");
	stand_wait(&s, 1);
	check_events("gone urn:1 expired\n");
}
END_TEST

START_TEST(wsd_bye_goes_at_once)
{
	say(WSD, WSD_OF("Hello"));
	say(WSD, WSD_OF("Bye"));
	check_events("new urn:1\ngone urn:1 goodbye\n");
}
END_TEST

START_TEST(wsd_searches_are_nobody)
{
	say(WSD, WSD_OF("Probe"));
	say(WSD, WSD_OF("Resolve"));
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

/* ---- without a decoder ---- */

START_TEST(a_datagram_is_shown_by_its_latest_excerpt)
{
	struct discovery_info i;

	say(RAW, "on\x01");
	say(RAW, "on\x01");
	check_events("new on.\n");
	say(RAW, "off");
	check_events("changed off\n");
	i = only();
	ck_assert_int_eq(i.protocol, CONFIG_PAYLOAD_NONE);
	ck_assert_str_eq(i.name, "off");
	ck_assert_str_eq(i.type, "");
	ck_assert_uint_eq(i.port, 4242);
	ck_assert_uint_eq(i.count, 3);
	ck_assert_uint_eq(i.expires_in_ms, 120000);
}
END_TEST

START_TEST(an_empty_datagram_is_somebody)
{
	say(RAW, "");
	check_events("new \n");
	ck_assert_uint_eq(only().count, 1);
}
END_TEST

START_TEST(datagrams_are_told_apart_by_address_and_port)
{
	struct relay_heard h = stand_heard(&s, RAW, LAN, HOST, "a", 1);

	stand_take(&s, &h);
	h.port = 4243;
	stand_take(&s, &h);
	ck_assert_uint_eq(stand_count(&s), 2);
	say_on(RAW, LAN, OTHER, "a");
	say_on(RAW, IOT, HOST, "a");
	say_on(RAW, LAN, "2001:db8::7", "a");
	ck_assert_uint_eq(stand_count(&s), 5);
	say_on(RAW, LAN, HOST, "b");
	ck_assert_uint_eq(stand_count(&s), 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_entries");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, ssdp_is_shown_with_all_that_it_says);
	tcase_add_test(t, ssdp_expires_exactly_with_max_age);
	tcase_add_test(t, ssdp_refreshed_is_counted_and_no_news);
	tcase_add_test(t, ssdp_byebye_goes_at_once);
	tcase_add_test(
		t, ssdp_update_keeps_the_lifetime_and_what_it_leaves_out);
	tcase_add_test(t, ssdp_update_of_a_stranger_has_the_groups_hold);
	tcase_add_loop_test(t, ssdp_lifetimes_are_its_own_the_groups_and_capped,
		0, (int)(sizeof(lifetimes) / sizeof(lifetimes[0])));
	tcase_add_test(t, ssdp_searches_and_junk_are_nobody);
	tcase_add_test(t, gdm_players_are_told_by_where_they_are);
	tcase_add_test(t, wsd_lives_for_the_groups_hold);
	tcase_add_test(t, wsd_bye_goes_at_once);
	tcase_add_test(t, wsd_searches_are_nobody);
	tcase_add_test(t, a_datagram_is_shown_by_its_latest_excerpt);
	tcase_add_test(t, an_empty_datagram_is_somebody);
	tcase_add_test(t, datagrams_are_told_apart_by_address_and_port);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
