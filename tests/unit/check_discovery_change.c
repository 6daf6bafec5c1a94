/* Tests of discovery: what the table keeps while all around it changes. */
#include "discovery/internal.h"
#include "discovery_relay.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST   "192.0.2.7"
#define NOTIFY "NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nNT: t\r\n"
#define TAIL   "USN: uuid:1\r\nCACHE-CONTROL: max-age=1800\r\n\r\n"

enum { REPEAT_MS = 30000 };

static struct stand s;

static void begin(void)
{
	stand_open(&s, 10000);
	s.relay.groups[SSDP].config.repeat_ms = REPEAT_MS;
	s.relay.groups[RAW].config.repeat_ms = REPEAT_MS;
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

static struct relay_segment *segment(enum stand_group g, enum stand_segment i)
{
	return (struct relay_segment *)stand_segment(&s, g, i);
}

/* ---- what is repeated ---- */

/* The answer took the place of the NOTIFY, and was said to all. */
START_TEST(answers_are_not_repeated_in_place_of_what_was_announced)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nST: t\r\nUSN: uuid:1\r\n\r\n";
	struct relay_heard h;

	say_on(SSDP, LAN, HOST, NOTIFY TAIL);
	say_on(SSDP, LAN, HOST, answer);
	h = stand_heard(
		&s, SSDP, LAN, HOST, NOTIFY TAIL, strlen(NOTIFY TAIL) - 2);
	h.flow = 7;
	stand_take(&s, &h);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_uint_eq(s.relay.said[0].size, strlen(NOTIFY TAIL));
	ck_assert(strncmp(s.relay.said[0].text, "NOTIFY", 6) == 0);
}
END_TEST

/* The device came back as another place, to which its own hosts were not the
 * first: they were not repeated for three lifetimes. */
START_TEST(a_segment_that_comes_again_is_repeated_at_once)
{
	say_on(RAW, LAN, HOST, "a");
	discovery_left(s.discovery, segment(RAW, LAN));
	ck_assert_uint_eq(s.discovery->kept.used, 0);
	say_on(RAW, LAN, HOST, "a");
	ck_assert_uint_eq(s.discovery->kept.used, 1);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
}
END_TEST

/* One datagram that two groups hear was repeated in one of them alone. */
START_TEST(each_group_repeats_what_it_hears)
{
	say_on(RAW, LAN, HOST, NOTIFY TAIL);
	say_on(SSDP, LAN, HOST, NOTIFY TAIL);
	ck_assert_uint_eq(s.discovery->kept.used, 2);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 2);
}
END_TEST

/* Its segments are others then, and nothing was repeated any more. */
START_TEST(a_group_that_is_changed_repeats_on)
{
	say_on(RAW, LAN, HOST, "a");
	segment(RAW, LAN)->id += 1000;
	segment(RAW, IOT)->id += 1000;
	discovery_configure(s.discovery, &s.config);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_uint_eq(s.relay.said[0].segment, segment(RAW, LAN)->id);
	/* Its channel is no more: nowhere to say it. */
	segment(RAW, LAN)->id += 1000;
	s.relay.groups[RAW].channels[0].address.family = AF_INET6;
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 2);
	ck_assert_uint_eq(s.relay.said[1].segment, s.relay.said[0].segment);
}
END_TEST

/* ---- segments ---- */

START_TEST(many_entries_leave_in_turns)
{
	char text[32];

	for (unsigned n = 0; n < 3 * DISCOVERY_TURN; n++) {
		(void)snprintf(
			text, sizeof(text), "10.0.%u.%u", n / 256, n % 256);
		say_on(RAW, LAN, text, text);
	}
	say_on(RAW, IOT, HOST, "stays");
	discovery_left(s.discovery, segment(RAW, LAN));
	ck_assert_uint_eq(stand_count(&s), 2 * DISCOVERY_TURN + 1);
	/* It comes again meanwhile, with entries of its own. */
	say_on(RAW, LAN, HOST, "new");
	stand_wait(&s, 1);
	ck_assert_uint_eq(stand_count(&s), DISCOVERY_TURN + 2);
	stand_wait(&s, 2);
	ck_assert_uint_eq(stand_count(&s), 2);
	ck_assert_ptr_null(s.discovery->leaving);
}
END_TEST

/* Its last entry may end by itself, and the table looked for it for ever. */
START_TEST(a_place_is_left_also_where_its_entries_end_first)
{
	char text[32];
	size_t runs;

	s.relay.groups[RAW].config.hold_ms = 1000;
	for (unsigned n = 0; n < 2 * DISCOVERY_TURN; n++) {
		(void)snprintf(
			text, sizeof(text), "10.0.%u.%u", n / 256, n % 256);
		say_on(RAW, LAN, text, text);
	}
	s.now_ms += 1000;
	discovery_left(s.discovery, segment(RAW, LAN));
	stand_wait(&s, 100);
	ck_assert_uint_eq(stand_count(&s), 0);
	ck_assert_ptr_null(s.discovery->leaving);
	runs = s.n_runs;
	stand_wait(&s, 100000);
	ck_assert_uint_le(s.n_runs, runs + 1);
}
END_TEST

START_TEST(a_device_that_is_renamed_keeps_its_entries)
{
	struct discovery_info i;

	say_on(RAW, LAN, HOST, "a");
	segment(RAW, LAN)->info.device = "eth9";
	say_on(RAW, LAN, HOST, "a");
	ck_assert_uint_eq(stand_count(&s), 1);
	discovery_get(s.discovery, discovery_after(s.discovery, 0), &i);
	ck_assert_str_eq(i.device, "eth9");
	ck_assert_uint_eq(i.count, 2);
	discovery_left(s.discovery, segment(RAW, LAN));
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

/* ---- families ---- */

/* Each announcement was a change, since each family has another location. */
START_TEST(a_device_of_two_families_does_not_change_with_each_word)
{
	struct discovery_info i;

	for (unsigned n = 0; n < 3; n++) {
		say_on(SSDP, LAN, HOST,
			NOTIFY "LOCATION: http://192.0.2.7/\r\n" TAIL);
		say_on(SSDP, LAN, "2001:db8::7",
			NOTIFY "LOCATION: http://[2001:db8::7]/\r\n" TAIL);
	}
	ck_assert_str_eq(s.events, "new uuid:1\n");
	discovery_get(s.discovery, discovery_after(s.discovery, 0), &i);
	ck_assert_int_eq(i.source.family, AF_INET);
	ck_assert_str_eq(i.location, "http://192.0.2.7/");
	ck_assert_uint_eq(i.count, 6);
}
END_TEST

/* ---- the timer ---- */

/* What was overdue was put off by each datagram. */
START_TEST(the_timer_is_not_put_off_by_what_is_heard)
{
	s.relay.groups[RAW].config.hold_ms = 1000;
	say_on(RAW, LAN, "192.0.2.1", "a");
	s.now_ms += 2000;
	say_on(RAW, LAN, HOST, "b");
	ck_assert_uint_le(s.due_ms, s.now_ms + 1);
	for (unsigned n = 0; n < 5; n++) {
		uint64_t due = s.due_ms;

		s.now_ms++;
		say_on(RAW, LAN, HOST, "b");
		ck_assert_uint_eq(s.due_ms, due);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_change");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(
		t, answers_are_not_repeated_in_place_of_what_was_announced);
	tcase_add_test(t, a_segment_that_comes_again_is_repeated_at_once);
	tcase_add_test(t, each_group_repeats_what_it_hears);
	tcase_add_test(t, a_group_that_is_changed_repeats_on);
	tcase_add_test(t, many_entries_leave_in_turns);
	tcase_add_test(t, a_place_is_left_also_where_its_entries_end_first);
	tcase_add_test(t, a_device_that_is_renamed_keeps_its_entries);
	tcase_add_test(
		t, a_device_of_two_families_does_not_change_with_each_word);
	tcase_add_test(t, the_timer_is_not_put_off_by_what_is_heard);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
