/*
 * The link to a crierd that behaves well.
 */
#include "link_stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* ---- subscribing ---- */

START_TEST(it_subscribes_as_a_carrier)
{
	json_t *request;

	stage_take_both();
	request = stage_hear(stage.stream);
	ck_assert_str_eq(json_string_value(json_object_get(request, "method")),
		"subscribe");
	stage_check_json(json_object_get(request, "params"),
		"{\"events\":[\"datagram\",\"answer\",\"discovered\","
		"\"expired\",\"config\"],\"payload\":true,\"carry\":true,"
		"\"groups\":[\"mdns\",\"ssdp\"]}");
	ck_assert(!link_is_connected(stage.link));
	ck_assert_uint_eq(link_room(stage.link), 0);
	ck_assert_int_eq(stage_call("status"), -ENOTCONN);
	stage_say_result(stage.stream,
		json_integer_value(json_object_get(request, "id")), "{}");
	stage_until(&stage.connections, 1);
	ck_assert_int_eq(stage.losses, 0);
	json_decref(request);
}
END_TEST

/* A refusal, as it is told. */
static const struct {
	int code;
	const char *message, *why;
} refusals[] = {
	{ -32002, "subscribe is for root",
		"crierd refuses: subscribe is for root: add the user to "
		"crierd's control group, as crier" },
	{ -32001, "no such group \\\"x\\\"",
		"crierd refuses: no such group \"x\"" },
	{ -32602, "a\\nb\\u001b[31m", "crierd refuses: a?b?[31m" },
};

START_TEST(a_refusal_is_told_once_and_tried_again)
{
	for (int i = 0; i < 3; i++) {
		stage_take_both();
		stage_say_error(stage.stream, stage_hear_id(stage.stream),
			refusals[_i].code, refusals[_i].message);
		stage_until(&stage.losses, 1);
		stage_rest();
		stage_hang_up_both();
	}
	ck_assert_str_eq(stage.why, refusals[_i].why);
	stage_check_comes_back(refusals[_i].why);
}
END_TEST

START_TEST(another_reason_is_told_too)
{
	stage_take_both();
	stage_say_error(stage.stream, stage_hear_id(stage.stream), -32001,
		"no such group");
	stage_until(&stage.losses, 1);
	stage_hang_up_both();
	stage_hang_up(&stage.listener);
	stage_until(&stage.losses, 2);
	ck_assert_ptr_nonnull(strstr(stage.why, "no crierd answers on"));
}
END_TEST

/* As a crierd with too many clients does, before it is asked anything. */
START_TEST(a_full_crierd_is_told)
{
	stage_take_both();
	stage_say(stage.stream,
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":"
		"-32004,\"message\":\"too many clients\"}}\n");
	stage_hang_up_both();
	stage_check_comes_back("crierd refuses: too many clients");
}
END_TEST

/* ---- calls ---- */

START_TEST(a_call_is_asked_and_answered)
{
	json_t *request;

	ck_assert_int_eq(link_call(stage.link, "relay",
				 json_pack("{s:s}", "group", "mdns"),
				 stage_answered, &stage.answers),
		0);
	request = stage_hear(stage.calls);
	stage_check_json(
		json_object_get(request, "params"), "{\"group\":\"mdns\"}");
	ck_assert_str_eq(
		json_string_value(json_object_get(request, "method")), "relay");
	ck_assert_str_eq(
		json_string_value(json_object_get(request, "jsonrpc")), "2.0");
	stage_say_result(stage.calls,
		json_integer_value(json_object_get(request, "id")),
		"{\"sent\":2}");
	json_decref(request);
	stage_until(&stage.answers, 1);
	ck_assert_int_eq(stage_call("standby"), 0);
	request = stage_hear(stage.calls);
	ck_assert_ptr_null(json_object_get(request, "params"));
	stage_say_error(stage.calls,
		json_integer_value(json_object_get(request, "id")), -32602,
		"no");
	json_decref(request);
	stage_until(&stage.answers, 2);
	stage_check_json(stage.results,
		"[{\"sent\":2},{\"code\":-32602,\"message\":\"no\"}]");
	ck_assert_int_eq(stage.losses, 0);
}
END_TEST

START_TEST(nobody_need_care_for_an_answer)
{
	ck_assert_int_eq(link_call(stage.link, "sites", NULL, NULL, NULL), 0);
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "null");
	ck_assert_int_eq(stage_call("status"), 0);
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "null");
	stage_until(&stage.answers, 1);
	stage_check_json(stage.results, "[null]");
}
END_TEST

START_TEST(answers_may_come_in_any_order_and_together)
{
	json_int_t id[3];
	char text[128];

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(stage_call("status"), 0);
	for (int i = 0; i < 3; i++)
		id[i] = stage_hear_id(stage.calls);
	(void)snprintf(text, sizeof(text),
		"{\"id\":%d,\"result\":3}\n{\"id\":%d,\"result\":1}\n"
		"{\"id\":%d,\"resu",
		(int)id[2], (int)id[0], (int)id[1]);
	stage_say(stage.calls, text);
	stage_until(&stage.answers, 2);
	stage_say(stage.calls, "lt\":2}\r\n");
	stage_until(&stage.answers, 3);
	stage_check_json(stage.results, "[3,1,2]");
}
END_TEST

START_TEST(an_answer_may_come_byte_by_byte)
{
	char text[64];

	ck_assert_int_eq(stage_call("status"), 0);
	(void)snprintf(text, sizeof(text), "{\"id\":%d,\"result\":[7]}\n",
		(int)stage_hear_id(stage.calls));
	for (const char *c = text; *c; c++) {
		ck_assert_int_eq(stage.answers, 0);
		stage_say_bytes(stage.calls, c, 1);
		(void)stage_turn(0);
	}
	stage_until(&stage.answers, 1);
	stage_check_json(stage.results, "[[7]]");
}
END_TEST

START_TEST(the_window_is_bounded)
{
	json_int_t id[LINK_WINDOW];

	for (int i = 0; i < LINK_WINDOW; i++)
		ck_assert_int_eq(stage_call("status"), 0);
	ck_assert_uint_eq(link_room(stage.link), 0);
	for (int i = 0; i < LINK_WINDOW; i++)
		id[i] = stage_hear_id(stage.calls);
	stage_say_result(stage.calls, id[0], "1");
	stage_until(&stage.answers, 1);
	ck_assert_int_eq(stage.readies, 0); /* nobody was refused */
	ck_assert_int_eq(stage_call("status"), 0);
	ck_assert_int_eq(stage_call("status"), -EAGAIN);
	ck_assert_int_eq(stage_call("status"), -EAGAIN);
	for (int i = 1; i < LINK_WINDOW; i++)
		stage_say_result(stage.calls, id[i], "1");
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_until(&stage.answers, LINK_WINDOW + 1);
	ck_assert_int_eq(stage.readies, 1);
	ck_assert_uint_eq(link_room(stage.link), LINK_WINDOW);
	ck_assert_int_eq(stage.losses, 0);
}
END_TEST

static void fill_again(void *data, const json_t *result, const json_t *error)
{
	(void)error;
	ck_assert_ptr_nonnull(result);
	ck_assert_int_eq(stage_call("status"), 0);
	ck_assert_int_eq(stage_call("status"), -EAGAIN);
	++*(int *)data;
}

START_TEST(there_is_no_word_of_room_that_an_answer_took)
{
	int filled = 0;
	json_int_t first, second;

	ck_assert_int_eq(
		link_call(stage.link, "status", NULL, fill_again, &filled), 0);
	for (int i = 1; i < LINK_WINDOW; i++)
		ck_assert_int_eq(stage_call("status"), 0);
	ck_assert_int_eq(stage_call("status"), -EAGAIN);
	first = stage_hear_id(stage.calls);
	second = stage_hear_id(stage.calls);
	stage_say_result(stage.calls, first, "1");
	stage_until(&filled, 1);
	ck_assert_int_eq(stage.readies, 0);
	stage_say_result(stage.calls, second, "1");
	stage_until(&stage.readies, 1);
}
END_TEST

START_TEST(the_longest_request_is_sent_and_no_longer_one)
{
	ck_assert_int_eq(stage_call_of(LINK_REQUEST_MAX), 0);
	stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_until(&stage.answers, 1);
	ck_assert_int_eq(stage_call_of(LINK_REQUEST_MAX + 1), -EMSGSIZE);
	ck_assert_uint_eq(link_room(stage.link), LINK_WINDOW);
	stage_rest();
	ck_assert_int_eq(stage.answers, 1);
}
END_TEST

/* ---- events ---- */

START_TEST(events_come_whole_however_they_are_cut)
{
	int sizes[] = { 1, 3, 30, 100 };
	char text[1000], *end = text;
	size_t n = 0, left;

	for (int i = 0; i < 8; i++)
		end += sprintf(end,
			"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":"
			"{\"n\":%d}}\n",
			i);
	left = (size_t)(end - text);
	for (char *c = text; left > 0; c += n, left -= n) {
		n = (size_t)sizes[_i] < left ? (size_t)sizes[_i] : left;
		stage_say_bytes(stage.stream, c, n);
		(void)stage_turn(0);
	}
	stage_rest();
	stage_check_json(stage.events,
		"[{\"n\":0},{\"n\":1},{\"n\":2},{\"n\":3},{\"n\":4},"
		"{\"n\":5},{\"n\":6},{\"n\":7}]");
}
END_TEST

/* An event whose line has that many bytes, without its newline. */
static void say_event_of(size_t size)
{
	static const char head[] = "{\"method\":\"event\",\"params\":{\"x\":\"";
	char *text = malloc(size + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + size - 3, "\"}}\n", 4);
	stage_say_bytes(stage.stream, text, size + 1);
	free(text);
}

START_TEST(the_longest_line_is_taken)
{
	say_event_of(LINK_LINE_MAX);
	say_event_of(100);
	say_event_of(LINK_LINE_MAX);
	stage_rest();
	ck_assert_uint_eq(json_array_size(stage.events), 3);
	ck_assert_int_eq(stage.losses, 0);
}
END_TEST

START_TEST(a_longer_line_ends_it)
{
	char *text = malloc(LINK_LINE_MAX + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', LINK_LINE_MAX + 1);
	stage_say_bytes(stage.stream, text, LINK_LINE_MAX);
	stage_rest();
	ck_assert_int_eq(stage.losses, 0);
	stage_say_bytes(stage.stream, text, 1);
	free(text);
	stage_check_comes_back("a line is longer than 4194304 bytes");
}
END_TEST

/* ---- from within callbacks, and the end ---- */

static void call_on(void *data, const json_t *result, const json_t *error)
{
	int *left = data;

	(void)error;
	ck_assert_ptr_nonnull(result);
	if (--*left > 0)
		ck_assert_int_eq(
			link_call(stage.link, "status", NULL, call_on, data),
			0);
	else
		stage.answers++;
}

START_TEST(an_answer_may_ask_again)
{
	int left = 3 * LINK_WINDOW;

	ck_assert_int_eq(
		link_call(stage.link, "status", NULL, call_on, &left), 0);
	for (int i = 0; i < 3 * LINK_WINDOW; i++)
		stage_say_result(stage.calls, stage_hear_id(stage.calls), "1");
	stage_until(&stage.answers, 1);
	ck_assert_int_eq(left, 0);
}
END_TEST

/* At each stage; what comes after it is for nobody. */
START_TEST(it_may_be_closed_at_any_time)
{
	if (_i > 0)
		stage_listen();
	if (_i > 1)
		(void)uv_run(&stage.loop, UV_RUN_NOWAIT);
	if (_i > 2)
		stage_take_both();
	if (_i > 3)
		stage_say_result(
			stage.stream, stage_hear_id(stage.stream), "{}");
	if (_i > 4)
		stage_until(&stage.connections, 1);
	for (int i = 0; _i > 5 && i < LINK_WINDOW; i++)
		ck_assert_int_eq(stage_call_of(60000), 0);
	if (_i > 6)
		stage_hang_up_both();
	link_close(stage.link);
	link_close(stage.link);
	stage.link = NULL;
	ck_assert_int_eq(uv_run(&stage.loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(stage.losses + stage.answers, 0);
	ck_assert_int_eq(stage.connections, _i > 4);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	char name[200];
	struct link *l = NULL;

	memset(name, 'x', sizeof(name));
	name[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = '\0';
	ck_assert_int_eq(
		link_new(&l, &stage.loop, name, NULL, &stage_callbacks),
		-ENAMETOOLONG);
	ck_assert_ptr_null(l);
	name[sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1] = '\0';
	ck_assert_int_eq(
		link_new(&l, &stage.loop, name, NULL, &stage_callbacks), 0);
	link_close(l);
}
END_TEST

/* ---- the suite ---- */

static void add_alone(TCase *t)
{
	tcase_add_loop_test(t, it_may_be_closed_at_any_time, 0, 8);
	tcase_add_test(t, a_path_that_is_too_long_is_refused);
}

static void add_listening(TCase *t)
{
	tcase_add_test(t, it_subscribes_as_a_carrier);
	tcase_add_loop_test(t, a_refusal_is_told_once_and_tried_again, 0, 3);
	tcase_add_test(t, another_reason_is_told_too);
	tcase_add_test(t, a_full_crierd_is_told);
}

static void add_served(TCase *t)
{
	tcase_add_test(t, a_call_is_asked_and_answered);
	tcase_add_test(t, nobody_need_care_for_an_answer);
	tcase_add_test(t, answers_may_come_in_any_order_and_together);
	tcase_add_test(t, an_answer_may_come_byte_by_byte);
	tcase_add_test(t, the_window_is_bounded);
	tcase_add_test(t, there_is_no_word_of_room_that_an_answer_took);
	tcase_add_test(t, the_longest_request_is_sent_and_no_longer_one);
	tcase_add_loop_test(t, events_come_whole_however_they_are_cut, 0, 4);
	tcase_add_test(t, the_longest_line_is_taken);
	tcase_add_test(t, a_longer_line_ends_it);
	tcase_add_test(t, an_answer_may_ask_again);
}

int main(void)
{
	Suite *s = suite_create("mqtt link");

	add_alone(stage_case(s, "alone", stage_open));
	add_listening(stage_case(s, "listening", stage_open_listening));
	add_served(stage_case(s, "served", stage_open_served));
	return stage_main(s);
}
