/* Tests of discovery: the table as a whole, and what becomes of it when
 * segments and configurations change. */
#include "discovery_relay.h"
#include "mdns_fixture.h"

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

#define NOTIFY(age)                                                            \
	"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n"      \
	"USN: uuid:1\r\nCACHE-CONTROL: max-age=" age "\r\n\r\n"

static const char alive[] = NOTIFY("1800");

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

	for (enum discovery_reason r = 0; r < DISCOVERY_REASONS; r++)
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
	say(SSDP, NOTIFY("86400"));
	stand_clear(&s);
	stand_wait(&s, 86400000);
	check_events("gone uuid:1 expired\n");
	say(SSDP, NOTIFY("86400"));
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

START_TEST(a_lower_bound_is_kept_soon)
{
	struct relay_limit limit;

	say_on(RAW, LAN, "192.0.2.1", "1");
	say_on(RAW, LAN, "192.0.2.2", "2");
	say_on(RAW, LAN, "192.0.2.3", "3");
	s.config.limits.discovered = 2;
	discovery_configure(s.discovery, &s.config);
	stand_clear(&s);
	/* Until then nothing else comes in. */
	say_on(RAW, LAN, "192.0.2.4", "4");
	ck_assert_uint_eq(stand_count(&s), 3);
	stand_wait(&s, 1);
	ck_assert_uint_eq(stand_count(&s), 2);
	ck_assert_uint_eq(s.n_events, 1);
	say_on(RAW, LAN, "192.0.2.4", "4");
	ck_assert_uint_eq(stand_count(&s), 2);
	ck_assert_uint_eq(s.n_events, 3);
	discovery_limit(s.discovery, &limit);
	ck_assert_uint_eq(limit.used, 2);
	ck_assert_uint_eq(limit.bound, 2);
	ck_assert_uint_eq(limit.evicted, 2);
	ck_assert_uint_eq(limit.refused, 1);
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

/* ---- many in one message ---- */

static void say_many(unsigned n)
{
	uint8_t message[MDNS_MAX_BYTES];
	struct relay_heard h;
	char lines[20000];
	size_t used = 0;

	for (unsigned i = 0; i < n; i++)
		used += (size_t)snprintf(lines + used, sizeof(lines) - used,
			"an _ipp._tcp.local PTR n%u._ipp._tcp.local\n", i);
	for (unsigned i = 0; i < n; i++)
		used += (size_t)snprintf(lines + used, sizeof(lines) - used,
			"an n%u._ipp._tcp.local TXT #03613d62\n", i);
	lines[used - 1] = '\0';
	used = fixture_build(FIXTURE_RESPONSE, lines, message);
	h = stand_heard(&s, MDNS, LAN, HOST, message, used);
	stand_take(&s, &h);
}

/*
 * Once, of more than 32 entries in one message some were told of before their
 * text was read, and then never of the text.
 */
START_TEST(each_of_many_is_told_once_with_all_that_was_said)
{
	const struct discovery_entry *e;
	struct discovery_info i = { .id = 0 };

	say_many(100);
	ck_assert_uint_eq(s.n_events, 100);
	ck_assert_mem_eq(s.events, "new n0\nnew n1\n", 14);
	while ((e = discovery_after(s.discovery, i.id))) {
		discovery_get(s.discovery, e, &i);
		ck_assert_str_eq(i.detail, "a=b\n");
		ck_assert_uint_eq(i.count, 1);
	}
	say_many(100);
	ck_assert_uint_eq(s.n_events, 100);
}
END_TEST

START_TEST(one_that_is_evicted_within_its_message_never_was)
{
	struct relay_limit limit;

	ck_assert_int_eq(stand_close(&s), 0);
	stand_open(&s, 3);
	say_many(5);
	check_events("new n2\nnew n3\nnew n4\n");
	discovery_limit(s.discovery, &limit);
	ck_assert_uint_eq(limit.used, 3);
	ck_assert_uint_eq(limit.bound, 3);
	ck_assert_uint_eq(limit.evicted, 2);
	ck_assert_uint_eq(limit.refused, 0);
	/* Those that were told of before are told to be gone. */
	say_many(1);
	check_events("gone n2 evicted\nnew n0\n");
}
END_TEST

/* The last one of the list, and then more: its end must follow. */
START_TEST(the_list_of_those_to_tell_survives_evictions)
{
	ck_assert_int_eq(stand_close(&s), 0);
	stand_open(&s, 1);
	say_many(4);
	check_events("new n3\n");
	say_many(2);
	check_events("gone n3 evicted\nnew n1\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
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
	tcase_add_test(t, a_lower_bound_is_kept_soon);
	tcase_add_test(t, one_that_floods_names_pushes_out_nobody_else);
	tcase_add_test(t, each_of_many_is_told_once_with_all_that_was_said);
	tcase_add_test(t, one_that_is_evicted_within_its_message_never_was);
	tcase_add_test(t, the_list_of_those_to_tell_survives_evictions);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
