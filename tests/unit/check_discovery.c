/* Tests of discovery: SSDP, WS-Discovery and any datagrams into the table, and
 * what becomes of it when segments and configurations change. */
#include "discovery_relay.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- whatever it is ---- */

START_TEST(copies_are_passed_over)
{
	struct relay_heard h =
		stand_heard(&s, SSDP, LAN, HOST, alive, strlen(alive));

	h.copy = true;
	stand_take(&s, &h);
	ck_assert_uint_eq(stand_count(&s), 0);
	h.copy = false;
	stand_take(&s, &h);
	h.copy = true;
	stand_take(&s, &h);
	ck_assert_uint_eq(only().count, 1);
}
END_TEST

START_TEST(a_segment_without_a_device_is_nowhere)
{
	s.relay.groups[RAW].channels[0].segments[LAN].info.device = "";
	say(RAW, "a");
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

START_TEST(ids_go_up_and_paging_goes_on_from_one)
{
	struct discovery_info i = { .id = 0 };
	const struct discovery_entry *e;
	char text[16];

	for (unsigned n = 0; n < 10; n++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%u", n);
		say_on(RAW, LAN, text, text);
	}
	for (unsigned n = 0; n < 10; n++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%u", n);
		e = discovery_after(s.discovery, i.id);
		ck_assert_ptr_nonnull(e);
		discovery_get(s.discovery, e, &i);
		ck_assert_str_eq(i.name, text);
		ck_assert_uint_eq(i.id, n + 1);
	}
	ck_assert_ptr_null(discovery_after(s.discovery, i.id));
}
END_TEST

START_TEST(reasons_have_words)
{
	static const char *const words[DISCOVERY_REASONS] = { "", "expired",
		"goodbye", "evicted", "left" };

	for (int r = 0; r < DISCOVERY_REASONS; r++)
		ck_assert_str_eq(discovery_reason_word(r), words[r]);
}
END_TEST

START_TEST(nobody_need_be_told)
{
	const struct discovery_callbacks none = { NULL, NULL };
	struct relay_heard h = stand_heard(&s, RAW, LAN, HOST, "a", 1);
	struct discovery *d;

	discovery_close(NULL);
	ck_assert_int_eq(discovery_new(&d, &s.loop, &s.relay, 1, &none), 0);
	discovery_heard(d, &h);
	h.port++;
	discovery_heard(d, &h);
	discovery_close(d);
	check_events("");
}
END_TEST

/* What is due at once is no reason to look after nothing else. */
START_TEST(many_expire_in_turns)
{
	char text[32];

	ck_assert_int_eq(stand_close(&s), 0);
	stand_open(&s, 1000);
	for (unsigned n = 0; n < 600; n++) {
		(void)snprintf(
			text, sizeof(text), "10.0.%u.%u", n / 256, n % 256);
		say_on(RAW, LAN, text, "a");
	}
	stand_wait(&s, 119999);
	stand_clear(&s);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.n_events, 256);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.n_events, 512);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.n_events, 600);
	ck_assert_uint_eq(s.due_ms, 0);
	ck_assert_uint_le(s.n_runs, 4);
}
END_TEST

/* The timer does not run more often because entries live long. */
START_TEST(a_day_is_a_few_turns_of_the_timer)
{
	say(SSDP, NOTIFY("alive", AGE("86400")));
	stand_clear(&s);
	stand_wait(&s, 86400000);
	check_events("gone uuid:1 expired\n");
	say(SSDP, NOTIFY("alive", AGE("86400")));
	stand_clear(&s);
	stand_wait(&s, 86400000);
	ck_assert_uint_le(s.n_runs, 7);
}
END_TEST

/* ---- segments and configurations ---- */

START_TEST(what_was_heard_on_a_segment_goes_with_its_device)
{
	say(RAW, "a");
	say_on(RAW, IOT, HOST, "b");
	say(SSDP, alive);
	stand_clear(&s);
	discovery_left(s.discovery, stand_segment(&s, RAW, LAN));
	check_events("gone a left\n");
	ck_assert_uint_eq(stand_count(&s), 2);
	discovery_left(s.discovery, stand_segment(&s, RAW, LAN));
	discovery_left(s.discovery, stand_segment(&s, WSD, LAN));
	check_events("");
	say(RAW, "a");
	check_events("new a\n");
}
END_TEST

START_TEST(groups_that_stay_keep_their_entries)
{
	say(RAW, "a");
	say(SSDP, alive);
	stand_clear(&s);
	stand_wait(&s, 1000);
	discovery_configure(s.discovery, &s.config);
	check_events("");
	ck_assert_uint_eq(stand_count(&s), 2);
	stand_wait(&s, 118999);
	check_events("");
	stand_wait(&s, 1);
	check_events("gone a expired\n");
}
END_TEST

START_TEST(groups_that_are_no_more_take_their_entries_with_them)
{
	say(RAW, "a");
	say_on(RAW, IOT, HOST, "b");
	say(SSDP, alive);
	stand_clear(&s);
	s.relay.groups[RAW].is_gone = true;
	discovery_configure(s.discovery, &s.config);
	check_events("gone a left\ngone b left\n");
	ck_assert_str_eq(only().group, "ssdp");
}
END_TEST

START_TEST(a_group_that_is_decoded_otherwise_begins_anew)
{
	say(RAW, "a");
	stand_clear(&s);
	s.relay.groups[RAW].config.payload = CONFIG_PAYLOAD_SSDP;
	discovery_configure(s.discovery, &s.config);
	check_events("gone a left\n");
	say(RAW, alive);
	check_events("new uuid:1\n");
	ck_assert_int_eq(only().protocol, CONFIG_PAYLOAD_SSDP);
}
END_TEST

START_TEST(an_interface_that_is_no_more_takes_its_entries_with_it)
{
	say(RAW, "a");
	say_on(RAW, IOT, HOST, "b");
	stand_clear(&s);
	s.relay.groups[RAW].channels[0].segments[IOT].info.device = "";
	discovery_configure(s.discovery, &s.config);
	check_events("gone b left\n");
}
END_TEST

START_TEST(a_lower_bound_is_kept_from_the_next_entry_on)
{
	struct relay_limit limit;

	say_on(RAW, LAN, "192.0.2.1", "1");
	say_on(RAW, LAN, "192.0.2.2", "2");
	say_on(RAW, LAN, "192.0.2.3", "3");
	s.config.limits.discovered = 2;
	discovery_configure(s.discovery, &s.config);
	stand_clear(&s);
	say_on(RAW, LAN, "192.0.2.4", "4");
	ck_assert_uint_eq(stand_count(&s), 2);
	ck_assert_uint_eq(s.n_events, 3);
	discovery_limit(s.discovery, &limit);
	ck_assert_uint_eq(limit.used, 2);
	ck_assert_uint_eq(limit.bound, 2);
	ck_assert_uint_eq(limit.evicted, 2);
	ck_assert_uint_eq(limit.refused, 0);
}
END_TEST

START_TEST(one_that_floods_names_pushes_out_nobody_else)
{
	char text[200];

	ck_assert_int_eq(stand_close(&s), 0);
	stand_open(&s, 100);
	say_on(SSDP, LAN, OTHER, alive);
	for (unsigned n = 0; n < 1000; n++) {
		(void)snprintf(text, sizeof(text),
			"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n"
			"USN: uuid:x%u\r\n\r\n",
			n);
		say(SSDP, text);
	}
	ck_assert_uint_eq(stand_count(&s), 100);
	stand_clear(&s);
	say_on(SSDP, LAN, OTHER, alive);
	check_events("");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery");
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
	tcase_add_test(t, copies_are_passed_over);
	tcase_add_test(t, a_segment_without_a_device_is_nowhere);
	tcase_add_test(t, ids_go_up_and_paging_goes_on_from_one);
	tcase_add_test(t, reasons_have_words);
	tcase_add_test(t, nobody_need_be_told);
	tcase_add_test(t, many_expire_in_turns);
	tcase_add_test(t, a_day_is_a_few_turns_of_the_timer);
	tcase_add_test(t, what_was_heard_on_a_segment_goes_with_its_device);
	tcase_add_test(t, groups_that_stay_keep_their_entries);
	tcase_add_test(t, groups_that_are_no_more_take_their_entries_with_them);
	tcase_add_test(t, a_group_that_is_decoded_otherwise_begins_anew);
	tcase_add_test(
		t, an_interface_that_is_no_more_takes_its_entries_with_it);
	tcase_add_test(t, a_lower_bound_is_kept_from_the_next_entry_on);
	tcase_add_test(t, one_that_floods_names_pushes_out_nobody_else);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
