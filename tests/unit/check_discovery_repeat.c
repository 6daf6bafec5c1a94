/* Tests of discovery: `repeat` of a group, and replays. */
#include "discovery/internal.h"
#include "discovery_relay.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST  "192.0.2.7"
#define OTHER "192.0.2.8"

/* What the groups say in their configuration. */
enum { REPEAT_MS = 30000 };

static struct stand s;

static void open_stand(size_t bound)
{
	stand_open(&s, bound);
	for (size_t g = SSDP; g < STAND_GROUPS; g++)
		s.relay.groups[g].config.repeat_ms = REPEAT_MS;
}

static void begin(void)
{
	open_stand(10000);
}

static void end(void)
{
	ck_assert_int_eq(stand_close(&s), 0);
}

static void say_bytes(enum stand_group g, enum stand_segment i,
	const char *source, const void *data, size_t size)
{
	struct relay_heard h = stand_heard(&s, g, i, source, data, size);

	stand_take(&s, &h);
}

static void say_on(enum stand_segment i, const char *source, const char *text)
{
	say_bytes(RAW, i, source, text, strlen(text));
}

static void say(const char *text)
{
	say_on(LAN, HOST, text);
}

static void check_events(const char *want)
{
	ck_assert_str_eq(s.events, want);
	s.events[0] = '\0';
}

/* ---- when ---- */

START_TEST(is_said_again_exactly_at_the_interval)
{
	uint64_t began = s.now_ms;

	say("a");
	stand_wait(&s, REPEAT_MS - 1);
	ck_assert_uint_eq(s.relay.n_said, 0);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_uint_eq(s.relay.said[0].at_ms, began + REPEAT_MS);
	ck_assert_uint_eq(s.relay.said[0].size, 1);
	ck_assert_str_eq(s.relay.said[0].text, "a");
	ck_assert_uint_eq(s.relay.said[0].only, 0);
	ck_assert_uint_eq(
		s.relay.said[0].segment, stand_segment(&s, RAW, LAN)->id);
	stand_wait(&s, REPEAT_MS - 1);
	ck_assert_uint_eq(s.relay.n_said, 1);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 2);
}
END_TEST

START_TEST(who_speaks_himself_need_not_be_repeated)
{
	for (unsigned i = 0; i < 10; i++) {
		say("a");
		stand_wait(&s, REPEAT_MS - 1);
	}
	ck_assert_uint_eq(s.relay.n_said, 0);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 1);
}
END_TEST

START_TEST(ends_with_its_entry)
{
	say("a");
	stand_wait(&s, 1000000);
	/* At 30, 60 and 90 s; at 120 s it is no more. */
	ck_assert_uint_eq(s.relay.n_said, 3);
	ck_assert_uint_eq(s.due_ms, 0);
	check_events("new a\ngone a expired\n");
}
END_TEST

START_TEST(says_what_was_said_last)
{
	say("short");
	say("longer");
	say("LONGER");
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_str_eq(s.relay.said[0].text, "LONGER");
}
END_TEST

START_TEST(each_in_turn)
{
	say_on(LAN, "192.0.2.1", "1");
	say_on(LAN, "192.0.2.2", "2");
	stand_wait(&s, 10);
	say_on(LAN, "192.0.2.1", "1");
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 2);
	ck_assert_str_eq(s.relay.said[0].text, "2");
	ck_assert_str_eq(s.relay.said[1].text, "1");
	ck_assert_uint_eq(s.relay.said[1].at_ms, s.relay.said[0].at_ms + 10);
}
END_TEST

START_TEST(many_are_said_in_turns)
{
	char text[32];

	for (unsigned n = 0; n < 600; n++) {
		(void)snprintf(
			text, sizeof(text), "10.0.%u.%u", n / 256, n % 256);
		say_on(LAN, text, text);
	}
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, DISCOVERY_REPEATS);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 2 * DISCOVERY_REPEATS);
	stand_wait(&s, 600 / DISCOVERY_REPEATS);
	ck_assert_uint_eq(s.relay.n_said, 600);
	stand_wait(&s, REPEAT_MS - 20);
	ck_assert_uint_eq(s.relay.n_said, 600);
}
END_TEST

/* ---- what ---- */

START_TEST(nothing_is_said_where_the_group_does_not_repeat)
{
	s.relay.groups[RAW].config.repeat_ms = 0;
	say("a");
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 0);
	ck_assert_uint_eq(s.discovery->kept.used, 0);
}
END_TEST

#define NOTIFY(nts)                                                            \
	"NOTIFY * HTTP/1.1\r\nNT: x\r\nNTS: ssdp:" nts                         \
	"\r\nUSN: uuid:1\r\nCACHE-CONTROL: max-age=1800\r\n\r\n"

START_TEST(ssdp_is_repeated_until_its_byebye)
{
	say_bytes(SSDP, LAN, HOST, NOTIFY("alive"), strlen(NOTIFY("alive")));
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
	say_bytes(SSDP, LAN, HOST, NOTIFY("byebye"), strlen(NOTIFY("byebye")));
	ck_assert_uint_eq(s.discovery->kept.used, 0);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
}
END_TEST

/* Without a decoder all is an announcement, unless somebody knows better. */
START_TEST(searches_are_not_repeated)
{
	struct config_group *g = &s.relay.groups[RAW].config;
	struct relay_heard h = stand_heard(&s, RAW, LAN, HOST, "a", 1);

	h.kind = PROTO_SEARCH;
	g->speaks = CONFIG_SPEAKS_BOTH;
	stand_take(&s, &h);
	ck_assert_uint_eq(s.discovery->kept.used, 0);
	g->speaks = CONFIG_SPEAKS_UNKNOWN;
	g->replies = CONFIG_REPLIES_PROXY;
	stand_take(&s, &h);
	ck_assert_uint_eq(s.discovery->kept.used, 0);
	g->replies = CONFIG_REPLIES_NONE;
	stand_take(&s, &h);
	ck_assert_uint_eq(s.discovery->kept.used, 1);
	ck_assert_uint_eq(stand_count(&s), 1);
}
END_TEST

START_TEST(payloads_are_kept_up_to_4096_bytes)
{
	char text[DISCOVERY_KEPT_BYTES + 1];

	memset(text, 'x', sizeof(text));
	say_bytes(RAW, LAN, HOST, text, sizeof(text) - 1);
	ck_assert_uint_eq(s.discovery->kept.used, 1);
	/* What it said before is not what it says now. */
	say_bytes(RAW, LAN, HOST, text, sizeof(text));
	ck_assert_uint_eq(s.discovery->kept.used, 0);
	ck_assert_uint_eq(s.discovery->kept.refused, 1);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 0);
	ck_assert_uint_eq(stand_count(&s), 1);
}
END_TEST

START_TEST(an_empty_payload_is_repeated_too)
{
	say("");
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_uint_eq(s.relay.said[0].size, 0);
}
END_TEST

START_TEST(one_source_pushes_out_nobody_elses_payloads)
{
	struct relay_heard h;

	say_on(LAN, OTHER, "other");
	for (unsigned n = 0; n < DISCOVERY_KEPT + 100; n++) {
		h = stand_heard(&s, RAW, LAN, HOST, &n, sizeof(n));
		h.port = (uint16_t)(1024 + n);
		stand_take(&s, &h);
	}
	ck_assert_uint_eq(s.discovery->kept.used, DISCOVERY_KEPT);
	ck_assert_uint_eq(s.discovery->kept.evicted, 101);
	ck_assert_uint_eq(stand_count(&s), DISCOVERY_KEPT + 101);
	stand_wait(&s, REPEAT_MS);
	ck_assert_str_eq(s.relay.said[0].text, "other");
}
END_TEST

/* ---- copies ---- */

START_TEST(a_copy_by_another_source_keeps_nothing_alive)
{
	const char *text = NOTIFY("alive");

	say_bytes(SSDP, LAN, HOST, text, strlen(text));
	for (unsigned i = 0; i < 18; i++) {
		stand_wait(&s, 99900);
		say_bytes(SSDP, LAN, OTHER, text, strlen(text));
		say_bytes(SSDP, IOT, OTHER, text, strlen(text));
	}
	stand_wait(&s, 1800);
	ck_assert_ptr_nonnull(strstr(s.events, "gone uuid:1 expired\n"));
	/* The other segment has an entry, which is not repeated. */
	ck_assert_uint_eq(s.discovery->kept.used, 0);
}
END_TEST

START_TEST(who_spoke_first_is_repeated_and_no_copy)
{
	say("a");
	say_on(IOT, OTHER, "a");
	ck_assert_uint_eq(stand_count(&s), 2);
	ck_assert_uint_eq(s.discovery->kept.used, 1);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_uint_eq(
		s.relay.said[0].segment, stand_segment(&s, RAW, LAN)->id);
}
END_TEST

/* The second host's entry expired and came anew, for ever, since its words were
 * the first one's. */
START_TEST(who_merely_says_the_same_is_refreshed)
{
	say("a");
	say_on(LAN, OTHER, "a");
	for (unsigned i = 0; i < 3; i++) {
		stand_wait(&s, 60000);
		say("a");
		say_on(LAN, OTHER, "a");
	}
	ck_assert_uint_eq(stand_count(&s), 2);
	ck_assert_ptr_null(strstr(s.events, "gone"));
	ck_assert_uint_eq(s.discovery->kept.used, 1);
}
END_TEST

/* Where nothing is repeated, everybody is believed. */
START_TEST(copies_count_where_the_group_does_not_repeat)
{
	s.relay.groups[RAW].config.repeat_ms = 0;
	say("a");
	say_on(LAN, OTHER, "a");
	stand_wait(&s, 60000);
	say_on(LAN, OTHER, "a");
	stand_wait(&s, 60000);
	ck_assert_uint_eq(stand_count(&s), 1);
}
END_TEST

/* ---- configurations ---- */

START_TEST(is_forgotten_where_the_group_stops_repeating)
{
	say("a");
	s.relay.groups[RAW].config.repeat_ms = 0;
	discovery_configure(s.discovery, &s.config);
	ck_assert_uint_eq(s.discovery->kept.used, 0);
	ck_assert_uint_eq(stand_count(&s), 1);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 0);
}
END_TEST

START_TEST(a_new_interval_counts_from_the_reload_on)
{
	say("a");
	stand_wait(&s, REPEAT_MS - 1);
	s.relay.groups[RAW].config.repeat_ms = 50000;
	discovery_configure(s.discovery, &s.config);
	stand_wait(&s, 49999);
	ck_assert_uint_eq(s.relay.n_said, 0);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 1);
	/* The same again changes nothing. */
	stand_wait(&s, 20000);
	discovery_configure(s.discovery, &s.config);
	say("a");
	stand_wait(&s, 50000);
	ck_assert_uint_eq(s.relay.n_said, 2);
}
END_TEST

START_TEST(is_forgotten_with_its_segment_or_group)
{
	say("a");
	say_on(IOT, HOST, "b");
	ck_assert_uint_eq(s.discovery->kept.used, 2);
	discovery_left(s.discovery, stand_segment(&s, RAW, LAN));
	ck_assert_uint_eq(s.discovery->kept.used, 1);
	s.relay.groups[RAW].is_gone = true;
	discovery_configure(s.discovery, &s.config);
	ck_assert_uint_eq(s.discovery->kept.used, 0);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 0);
}
END_TEST

START_TEST(is_forgotten_with_an_entry_that_is_evicted)
{
	ck_assert_int_eq(stand_close(&s), 0);
	open_stand(1);
	say("a");
	say_on(LAN, OTHER, "b");
	ck_assert_uint_eq(s.discovery->kept.used, 1);
	stand_wait(&s, REPEAT_MS);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_str_eq(s.relay.said[0].text, "b");
}
END_TEST

/* ---- replays ---- */

START_TEST(a_segment_that_is_ready_hears_all_that_is_live)
{
	const struct relay_segment *iot = stand_segment(&s, RAW, IOT);

	say("a");
	say_on(LAN, OTHER, "b");
	stand_wait(&s, 1000);
	discovery_ready(s.discovery, iot);
	stand_wait(&s, DISCOVERY_REPLAY_DELAY_MS - 1);
	ck_assert_uint_eq(s.relay.n_said, 0);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 2);
	ck_assert_uint_eq(s.relay.said[0].only, iot->id);
	ck_assert_str_eq(s.relay.said[0].text, "a");
	ck_assert_str_eq(s.relay.said[1].text, "b");
	ck_assert_uint_eq(s.discovery->n_replays, 0);
	/* The interval goes on as it was. */
	stand_wait(&s, REPEAT_MS - 1000 - DISCOVERY_REPLAY_DELAY_MS);
	ck_assert_uint_eq(s.relay.n_said, 4);
	ck_assert_uint_eq(s.relay.said[2].only, 0);
}
END_TEST

START_TEST(ready_again_begins_again)
{
	const struct relay_segment *iot = stand_segment(&s, RAW, IOT);

	say("a");
	discovery_ready(s.discovery, iot);
	stand_wait(&s, DISCOVERY_REPLAY_DELAY_MS - 1);
	discovery_ready(s.discovery, iot);
	ck_assert_uint_eq(s.discovery->n_replays, 1);
	stand_wait(&s, DISCOVERY_REPLAY_DELAY_MS - 1);
	ck_assert_uint_eq(s.relay.n_said, 0);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 1);
}
END_TEST

START_TEST(nobody_replays_where_the_group_does_not_repeat)
{
	say("a");
	discovery_ready(s.discovery, stand_segment(&s, MDNS, IOT));
	ck_assert_uint_eq(s.discovery->n_replays, 0);
}
END_TEST

START_TEST(a_replay_goes_on_in_turns)
{
	char text[32];

	for (unsigned n = 0; n < 600; n++) {
		(void)snprintf(
			text, sizeof(text), "10.0.%u.%u", n / 256, n % 256);
		say_on(LAN, text, text);
	}
	discovery_ready(s.discovery, stand_segment(&s, RAW, IOT));
	stand_wait(&s, DISCOVERY_REPLAY_DELAY_MS);
	ck_assert_uint_eq(s.relay.n_said, DISCOVERY_REPEATS);
	stand_wait(&s, 10);
	ck_assert_uint_eq(s.relay.n_said, 600);
	ck_assert_uint_eq(s.discovery->n_replays, 0);
}
END_TEST

START_TEST(a_segment_that_is_gone_hears_nothing)
{
	say("a");
	discovery_ready(s.discovery, stand_segment(&s, RAW, IOT));
	s.relay.groups[RAW].is_gone = true;
	stand_wait(&s, DISCOVERY_REPLAY_DELAY_MS);
	ck_assert_uint_eq(s.relay.n_said, 0);
	ck_assert_uint_eq(s.discovery->n_replays, 0);
}
END_TEST

START_TEST(as_many_segments_wait_as_there_are_places)
{
	struct relay_segment many[DISCOVERY_REPLAYS + 1];

	for (unsigned i = 0; i <= DISCOVERY_REPLAYS; i++) {
		many[i] = *stand_segment(&s, RAW, IOT);
		many[i].id = 1000 + i;
		discovery_ready(s.discovery, &many[i]);
	}
	ck_assert_uint_eq(s.discovery->n_replays, DISCOVERY_REPLAYS);
	stand_wait(&s, DISCOVERY_REPLAY_DELAY_MS);
	ck_assert_uint_eq(s.discovery->n_replays, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_repeat");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, is_said_again_exactly_at_the_interval);
	tcase_add_test(t, who_speaks_himself_need_not_be_repeated);
	tcase_add_test(t, ends_with_its_entry);
	tcase_add_test(t, says_what_was_said_last);
	tcase_add_test(t, each_in_turn);
	tcase_add_test(t, many_are_said_in_turns);
	tcase_add_test(t, nothing_is_said_where_the_group_does_not_repeat);
	tcase_add_test(t, ssdp_is_repeated_until_its_byebye);
	tcase_add_test(t, searches_are_not_repeated);
	tcase_add_test(t, payloads_are_kept_up_to_4096_bytes);
	tcase_add_test(t, an_empty_payload_is_repeated_too);
	tcase_add_test(t, one_source_pushes_out_nobody_elses_payloads);
	tcase_add_test(t, a_copy_by_another_source_keeps_nothing_alive);
	tcase_add_test(t, who_spoke_first_is_repeated_and_no_copy);
	tcase_add_test(t, who_merely_says_the_same_is_refreshed);
	tcase_add_test(t, copies_count_where_the_group_does_not_repeat);
	tcase_add_test(t, is_forgotten_where_the_group_stops_repeating);
	tcase_add_test(t, a_new_interval_counts_from_the_reload_on);
	tcase_add_test(t, is_forgotten_with_its_segment_or_group);
	tcase_add_test(t, is_forgotten_with_an_entry_that_is_evicted);
	tcase_add_test(t, a_segment_that_is_ready_hears_all_that_is_live);
	tcase_add_test(t, ready_again_begins_again);
	tcase_add_test(t, nobody_replays_where_the_group_does_not_repeat);
	tcase_add_test(t, a_replay_goes_on_in_turns);
	tcase_add_test(t, a_segment_that_is_gone_hears_nothing);
	tcase_add_test(t, as_many_segments_wait_as_there_are_places);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
