/*
 * The link to a crierd that is not there, hangs up, hangs, or is none.
 */
#include "link_stage.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- garbage ---- */

static const char *const never[] = {
	"\n",
	"x\n",
	"{\"id\":1\n",
	"[]\n",
	"{}\n",
	"7\n",
	"\xff\n",
	"{\"id\":null,\"error\":{\"code\":\"x\",\"message\":\"y\"}}\n",
	"{\"id\":null,\"error\":{\"code\":1}}\n",
	"{\"id\":null,\"error\":null}\n",
	"{\"id\":null,\"result\":1}\n",
	"{\"id\":999,\"result\":1}\n",
	"{\"id\":0,\"result\":1}\n",
	"{\"id\":-1,\"result\":1}\n",
	"{\"id\":\"2\",\"result\":1}\n",
	"{\"id\":2.0,\"result\":1}\n",
	"{\"id\":2}\n",
	"{\"id\":2,\"error\":{}}\n",
	"{\"id\":2,\"error\":7}\n",
	"{\"id\":2,\"error\":null,\"result\":1}\n",
	"{\"method\":\"event\"}\n",
	"{\"method\":\"event\",\"params\":[]}\n",
	"{\"method\":7,\"params\":{}}\n",
};

enum { NEVER = sizeof(never) / sizeof(never[0]) };

START_TEST(garbage_among_answers_ends_it)
{
	ck_assert_int_eq(stage_call("status"), 0); /* of the id 2 */
	ck_assert_int_eq(stage_hear_id(stage.calls), 2);
	stage_say(stage.calls, never[_i]);
	stage_check_comes_back("no crierd speaks on ");
	ck_assert_int_eq(stage.lost_calls, 1);
}
END_TEST

START_TEST(garbage_among_events_ends_it)
{
	stage_say(stage.stream, never[_i]);
	stage_check_comes_back("no crierd speaks on ");
}
END_TEST

START_TEST(garbage_instead_of_the_subscription_ends_it)
{
	stage_take_both();
	ck_assert_int_eq(stage_hear_id(stage.stream), 1);
	stage_say(stage.stream, never[_i]);
	stage_check_comes_back("no crierd speaks on ");
	ck_assert_int_eq(stage.connections, 1);
}
END_TEST

START_TEST(what_comes_behind_garbage_is_not_looked_at)
{
	ck_assert_int_eq(stage_call("status"), 0);
	stage_say(stage.stream, "{}\n{\"method\":\"event\",\"params\":{}}\n");
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_check_comes_back("a line that is no event");
	ck_assert_uint_eq(json_array_size(stage.events), 0);
	ck_assert_int_eq(stage.lost_calls, 1);
}
END_TEST

START_TEST(an_answer_before_the_question_ends_it)
{
	stage_take_both();
	stage_say_result(stage.calls, 1, "{}");
	stage_check_comes_back("a line before its time");
}
END_TEST

/* ---- hanging up ---- */

START_TEST(it_may_hang_up_at_once)
{
	stage.stream = stage_take();
	stage_hang_up(&stage.stream);
	stage_check_lost("has hung up");
	stage.calls = stage_take(); /* of the first try */
	stage_check_comes_back("has hung up");
}
END_TEST

START_TEST(it_may_hang_up_before_it_has_subscribed)
{
	stage_take_both();
	json_decref(stage_hear(stage.stream));
	if (_i)
		stage_say(stage.stream, "{\"jsonrpc\":\"2.0\",\"id\":1,\"resu");
	stage_hang_up(_i ? &stage.stream : &stage.calls);
	stage_check_comes_back("has hung up");
	ck_assert_int_eq(stage.connections, 1);
}
END_TEST

START_TEST(it_may_hang_up_later)
{
	for (int i = 0; i < LINK_WINDOW; i++)
		ck_assert_int_eq(stage_call("status"), 0);
	ck_assert_int_eq(stage_call("status"), -EAGAIN);
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_until(&stage.readies, 1);
	stage_hang_up(_i ? &stage.stream : &stage.calls);
	stage_check_comes_back("has hung up");
	ck_assert_int_eq(stage.answers, LINK_WINDOW);
	ck_assert_int_eq(stage.lost_calls, LINK_WINDOW - 1);
	ck_assert_int_eq(stage_call("status"), 0);
	ck_assert_int_eq(stage.readies, 1);
}
END_TEST

/* What it said before it went is heard, though writing to it fails. */
START_TEST(the_last_words_are_heard)
{
	ck_assert_int_eq(stage_call("status"), 0);
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_hang_up(&stage.calls);
	ck_assert_int_eq(stage_call("status"), 0);
	stage_check_comes_back("has hung up");
	ck_assert_int_eq(stage.lost_calls, 1);
	ck_assert_int_eq(stage.answers, 2);
	stage_say(stage.stream, "{\"method\":\"event\",\"params\":{}}\n");
	stage_hang_up(&stage.stream);
	stage_check_comes_back("has hung up");
	ck_assert_uint_eq(json_array_size(stage.events), 1);
}
END_TEST

/* ---- silence ---- */

START_TEST(a_subscription_without_an_answer_is_given_up)
{
	stage.is_impatient = true;
	stage_take_both();
	stage_check_comes_back("does not answer");
	ck_assert_uint_eq(stage.waits[1], LINK_SILENCE_MS);
}
END_TEST

/* Nor does it read: what waits is bounded by the window. */
START_TEST(calls_without_an_answer_are_given_up)
{
	stage.is_impatient = true;
	for (int i = 0; i < LINK_WINDOW; i++)
		ck_assert_int_eq(stage_call_of(60000), 0);
	ck_assert_int_eq(stage_call_of(60000), -EAGAIN);
	stage_check_comes_back("does not answer");
	ck_assert_int_eq(stage.lost_calls, LINK_WINDOW);
}
END_TEST

START_TEST(one_call_without_an_answer_is_enough)
{
	ck_assert_int_eq(stage_call("status"), 0);
	(void)stage_hear_id(stage.calls);
	stage.skew_ms += LINK_SILENCE_MS - 1;
	stage.n_waits = 0;
	ck_assert_int_eq(stage_call("status"), 0);
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_until(&stage.answers, 1);
	ck_assert_uint_eq(stage.n_waits, 1);
	ck_assert_uint_le(stage.waits[0], 1);
	stage_check_comes_back("does not answer");
}
END_TEST

START_TEST(a_stream_may_be_silent)
{
	stage.is_impatient = true;
	ck_assert_int_eq(stage_call("status"), 0);
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_until(&stage.answers, 1);
	for (int i = 0; i < 2 * LINK_SILENCE_MS / STAGE_FASTER; i++) {
		(void)usleep(1000);
		(void)stage_turn(0);
	}
	ck_assert_int_eq(stage.losses, 0);
}
END_TEST

/* ---- trying ---- */

static void check_waits(const uint64_t *expected, size_t n)
{
	size_t i = 0;

	for (size_t w = 0; w < stage.n_waits && i < n; w++) {
		if (stage.waits[w] == LINK_SILENCE_MS)
			continue;
		ck_assert_uint_eq(stage.waits[w], expected[i]);
		i++;
	}
	ck_assert_uint_eq(i, n);
}

START_TEST(without_a_server_it_tries_less_and_less_often)
{
	static const uint64_t expected[] = { 0, 100, 200, 400, 800, 1600, 3200,
		5000, 5000 };
	uint64_t since_ns = uv_hrtime();

	while (stage.n_waits < 2 * 9 + 1)
		ck_assert(stage_turn(since_ns));
	check_waits(expected, 9);
	ck_assert_int_eq(stage.losses, 1);
	ck_assert_ptr_nonnull(
		strstr(stage.why, "no crierd answers on check_mqtt"));
	ck_assert_ptr_nonnull(strstr(stage.why, ": no such file or directory"));
	stage_listen();
	stage_serve();
	ck_assert_int_eq(stage.losses, 1);
}
END_TEST

/* So that one which ends every connection is not asked ten times a second. */
START_TEST(short_lives_do_not_make_it_hasty)
{
	static const uint64_t hasty[] = { 100, 200, 400 },
			      long_lived[] = { 100, 200 };

	stage.n_waits = 0;
	for (int i = 1; i <= 3; i++) {
		stage.skew_ms += LINK_RETRY_MAX_MS - 1000;
		stage_hang_up_both();
		stage_until(&stage.losses, i);
		stage_serve();
	}
	check_waits(hasty, 3);
	stage.n_waits = 0;
	for (int i = 4; i <= 5; i++) {
		stage.skew_ms += i == 4 ? LINK_RETRY_MAX_MS : 0;
		stage_hang_up_both();
		stage_until(&stage.losses, i);
		stage_serve();
	}
	check_waits(long_lived, 2);
}
END_TEST

START_TEST(who_may_not_connect_is_told_why)
{
	if (geteuid() == 0)
		return; /* who may */
	ck_assert_int_eq(chmod(stage.path, 0), 0);
	stage_check_lost("add the user to crierd's control group");
}
END_TEST

/* ---- the suite ---- */

static void add_alone(TCase *t)
{
	tcase_add_test(t, without_a_server_it_tries_less_and_less_often);
}

static void add_listening(TCase *t)
{
	tcase_add_loop_test(
		t, garbage_instead_of_the_subscription_ends_it, 0, NEVER);
	tcase_add_test(t, an_answer_before_the_question_ends_it);
	tcase_add_test(t, it_may_hang_up_at_once);
	tcase_add_loop_test(t, it_may_hang_up_before_it_has_subscribed, 0, 2);
	tcase_add_test(t, a_subscription_without_an_answer_is_given_up);
	tcase_add_test(t, who_may_not_connect_is_told_why);
}

static void add_served(TCase *t)
{
	tcase_add_loop_test(t, garbage_among_answers_ends_it, 0, NEVER);
	tcase_add_loop_test(t, garbage_among_events_ends_it, 0, NEVER);
	tcase_add_test(t, what_comes_behind_garbage_is_not_looked_at);
	tcase_add_loop_test(t, it_may_hang_up_later, 0, 2);
	tcase_add_test(t, the_last_words_are_heard);
	tcase_add_test(t, calls_without_an_answer_are_given_up);
	tcase_add_test(t, one_call_without_an_answer_is_enough);
	tcase_add_test(t, a_stream_may_be_silent);
	tcase_add_test(t, short_lives_do_not_make_it_hasty);
}

int main(void)
{
	Suite *s = suite_create("mqtt link, faults");

	add_alone(stage_case(s, "alone", stage_open));
	add_listening(stage_case(s, "listening", stage_open_listening));
	add_served(stage_case(s, "served", stage_open_served));
	return stage_main(s);
}
