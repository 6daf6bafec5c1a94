/*
 * One line in, one line out: JSON-RPC 2.0 and its refusals.
 */
#include "control/rpc.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- methods to call ---- */

static int run_echo(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	unsigned *calls = context;

	(void)error;
	(*calls)++;
	*ret = params ? json_deep_copy(params) : json_null();
	return 0;
}

static int run_break(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	(void)context;
	(void)params;
	(void)ret;
	(void)error;
	return -EIO;
}

static int run_refuse(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	(void)context;
	(void)params;
	(void)ret;
	error->data = json_pack("[i]", 7);
	return rpc_fail(error, RPC_NOT_FOUND, "no such \xff thing");
}

static const struct rpc_param echo_params[] = {
	{ .name = "name", .type = RPC_STRING },
	{ .name = "count", .type = RPC_INTEGER, .low = 1, .high = 3 },
	{ .name = "on", .type = RPC_BOOLEAN },
	{ .name = "list", .type = RPC_STRINGS },
	{ .name = NULL },
};

static const struct rpc_param need_params[] = {
	{ .name = "name", .type = RPC_STRING, .required = true },
	{ .name = NULL },
};

static const struct rpc_method methods[] = {
	{ .name = "echo", .run = run_echo, .params = echo_params },
	{ .name = "need", .run = run_echo, .params = need_params },
	{ .name = "change", .run = run_echo, .changes = true },
	{ .name = "break", .run = run_break },
	{ .name = "refuse", .run = run_refuse },
};

static bool nobody_may(void *context, const struct rpc_method *method)
{
	(void)context;
	ck_assert_str_eq(method->name, "change");
	return false;
}

static bool anybody_may(void *context, const struct rpc_method *method)
{
	(void)context;
	(void)method;
	return true;
}

static const struct rpc rpc = {
	.methods = methods,
	.n_methods = sizeof(methods) / sizeof(methods[0]),
	.may_change = nobody_may,
};

/* The answer, for the caller to free. The line is handed over in a buffer of
 * its exact size, so that a sanitizer sees one byte too many. */
static char *answer_bytes(
	const struct rpc *r, unsigned *calls, const char *line, size_t size)
{
	char *exact = malloc(size ? size : 1), *text = NULL;
	size_t n = 0;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, line, size);
	ck_assert_int_eq(rpc_answer(r, calls, exact, size, &text, &n), 0);
	free(exact);
	if (text)
		ck_assert_uint_eq(strlen(text), n);
	return text;
}

struct exchange {
	const char *line;
	const char *answer; /* without the newline; NULL: none */
	unsigned calls;
};

static void check_exchange(const struct rpc *r, const struct exchange *e)
{
	unsigned calls = 0;
	char *text = answer_bytes(r, &calls, e->line, strlen(e->line));

	if (!e->answer) {
		ck_assert_msg(!text, "%s: %s", e->line, text);
	} else {
		ck_assert_msg(text != NULL, "%s: no answer", e->line);
		ck_assert_int_eq(text[strlen(text) - 1], '\n');
		text[strlen(text) - 1] = '\0';
		ck_assert_str_eq(text, e->answer);
	}
	ck_assert_msg(calls == e->calls, "%s: %u calls", e->line, calls);
	free(text);
}

#define V             "{\"jsonrpc\":\"2.0\","
#define RESULT(id, r) V "\"id\":" id ",\"result\":" r "}"
#define ERROR(id, c, m)                                                        \
	V "\"id\":" id ",\"error\":{\"code\":" c ",\"message\":\"" m "\"}}"
#define CALL(m)      V "\"id\":1,\"method\":\"" m "\"}"
#define CALL_P(m, p) V "\"id\":1,\"method\":\"" m "\",\"params\":" p "}"

START_TEST(echoes_the_id_as_it_came)
{
	static const struct exchange exchanges[] = {
		{ CALL("echo"), RESULT("1", "null"), 1 },
		{ V "\"id\":\"a\xc3\xa9\",\"method\":\"echo\"}",
			RESULT("\"a\xc3\xa9\"", "null"), 1 },
		{ V "\"id\":null,\"method\":\"echo\"}", RESULT("null", "null"),
			1 },
		{ V "\"id\":-9223372036854775808,\"method\":\"echo\"}",
			RESULT("-9223372036854775808", "null"), 1 },
		{ V "\"id\":1.5,\"method\":\"echo\"}", RESULT("1.5", "null"),
			1 },
		{ V "\"id\":\"\",\"method\":\"none\"}",
			ERROR("\"\"", "-32601", "unknown method \\\"none\\\""),
			0 },
		{ V "\"id\":7,\"method\":5}",
			ERROR("7", "-32600",
				"\\\"method\\\" is the name of one"),
			0 },
	};

	check_exchange(&rpc, &exchanges[_i]);
}
END_TEST

START_TEST(hands_parameters_on)
{
	static const struct exchange exchanges[] = {
		{ CALL_P("echo", "{}"), RESULT("1", "{}"), 1 },
		{ CALL_P("echo", "{\"name\":\"x\"}"),
			RESULT("1", "{\"name\":\"x\"}"), 1 },
		{ CALL_P("echo", "{\"count\":1}"), RESULT("1", "{\"count\":1}"),
			1 },
		{ CALL_P("echo", "{\"count\":3}"), RESULT("1", "{\"count\":3}"),
			1 },
		{ CALL_P("echo", "{\"on\":true,\"list\":[\"a\",\"b\"]}"),
			RESULT("1", "{\"on\":true,\"list\":[\"a\",\"b\"]}"),
			1 },
		{ CALL_P("echo", "{\"list\":[]}"), RESULT("1", "{\"list\":[]}"),
			1 },
	};

	check_exchange(&rpc, &exchanges[_i]);
}
END_TEST

START_TEST(a_notification_is_heard_and_not_answered)
{
	static const struct exchange exchanges[] = {
		{ V "\"method\":\"echo\"}", NULL, 1 },
		{ V "\"method\":\"echo\",\"params\":{\"name\":\"x\"}}", NULL,
			1 },
		{ V "\"method\":\"none\"}", NULL, 0 },
		{ V "\"method\":\"echo\",\"params\":{\"none\":1}}", NULL, 0 },
		{ V "\"method\":\"change\"}", NULL, 0 },
		{ V "\"method\":\"refuse\"}", NULL, 0 },
		{ V "\"method\":\"break\"}", NULL, 0 },
	};

	check_exchange(&rpc, &exchanges[_i]);
}
END_TEST

START_TEST(blank_lines_are_passed_over)
{
	static const struct exchange exchanges[] = {
		{ "", NULL, 0 },
		{ "\r", NULL, 0 },
		{ " \t\r", NULL, 0 },
		{ CALL("echo") "\r", RESULT("1", "null"), 1 },
		{ "  " CALL("echo") "  ", RESULT("1", "null"), 1 },
	};

	check_exchange(&rpc, &exchanges[_i]);
}
END_TEST

START_TEST(what_is_no_request_is_refused)
{
	static const struct exchange exchanges[] = {
		{ "[]",
			ERROR("null", "-32600",
				"batches are not served: one request a line"),
			0 },
		{ "[" CALL("echo") "]",
			ERROR("null", "-32600",
				"batches are not served: one request a line"),
			0 },
		{ "5", ERROR("null", "-32600", "a request is an object"), 0 },
		{ "\"echo\"", ERROR("null", "-32600", "a request is an object"),
			0 },
		{ "null", ERROR("null", "-32600", "a request is an object"),
			0 },
		{ "{}",
			ERROR("null", "-32600",
				"\\\"jsonrpc\\\" must be \\\"2.0\\\""),
			0 },
		{ "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"echo\"}",
			ERROR("1", "-32600",
				"\\\"jsonrpc\\\" must be \\\"2.0\\\""),
			0 },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}",
			ERROR("1", "-32600",
				"\\\"jsonrpc\\\" must be \\\"2.0\\\""),
			0 },
		{ V "\"id\":1}",
			ERROR("1", "-32600",
				"\\\"method\\\" is the name of one"),
			0 },
		{ V "\"id\":{},\"method\":\"echo\"}",
			ERROR("null", "-32600",
				"\\\"id\\\" is a string, a number or null"),
			0 },
		{ V "\"id\":[1],\"method\":\"echo\"}",
			ERROR("null", "-32600",
				"\\\"id\\\" is a string, a number or null"),
			0 },
		{ V "\"id\":true,\"method\":\"echo\"}",
			ERROR("null", "-32600",
				"\\\"id\\\" is a string, a number or null"),
			0 },
		{ CALL_P("echo", "5"),
			ERROR("1", "-32600", "\\\"params\\\" is an object"),
			0 },
		{ CALL_P("echo", "null"),
			ERROR("1", "-32600", "\\\"params\\\" is an object"),
			0 },
		/* No id, but no request either: the error is told. */
		{ V "\"method\":1}",
			ERROR("null", "-32600",
				"\\\"method\\\" is the name of one"),
			0 },
	};

	check_exchange(&rpc, &exchanges[_i]);
}
END_TEST

START_TEST(bad_calls_say_what_would_be_right)
{
	static const struct exchange exchanges[] = {
		{ CALL("ecko"),
			ERROR("1", "-32601",
				"unknown method \\\"ecko\\\", did you mean "
				"\\\"echo\\\"?"),
			0 },
		{ CALL(""), ERROR("1", "-32601", "unknown method \\\"\\\""),
			0 },
		{ CALL_P("echo", "[1]"),
			ERROR("1", "-32602",
				"parameters go by name, in an object"),
			0 },
		{ CALL_P("echo", "[]"),
			ERROR("1", "-32602",
				"parameters go by name, in an object"),
			0 },
		{ CALL_P("echo", "{\"nmae\":\"x\"}"),
			ERROR("1", "-32602",
				"unknown parameter \\\"nmae\\\", did you mean "
				"\\\"name\\\"?"),
			0 },
		{ CALL_P("echo", "{\"zzzzzzzz\":\"x\"}"),
			ERROR("1", "-32602",
				"unknown parameter \\\"zzzzzzzz\\\""),
			0 },
		{ CALL_P("break", "{\"x\":1}"),
			ERROR("1", "-32602",
				"unknown parameter \\\"x\\\": break takes "
				"none"),
			0 },
		{ CALL_P("echo", "{\"name\":1}"),
			ERROR("1", "-32602", "\\\"name\\\" is a string"), 0 },
		{ CALL_P("echo", "{\"name\":null}"),
			ERROR("1", "-32602", "\\\"name\\\" is a string"), 0 },
		{ CALL_P("echo", "{\"count\":0}"),
			ERROR("1", "-32602",
				"\\\"count\\\" is out of range, 1 to 3"),
			0 },
		{ CALL_P("echo", "{\"count\":4}"),
			ERROR("1", "-32602",
				"\\\"count\\\" is out of range, 1 to 3"),
			0 },
		{ CALL_P("echo", "{\"count\":1.0}"),
			ERROR("1", "-32602", "\\\"count\\\" is a whole number"),
			0 },
		{ CALL_P("echo", "{\"on\":1}"),
			ERROR("1", "-32602", "\\\"on\\\" is true or false"),
			0 },
		{ CALL_P("echo", "{\"list\":\"a\"}"),
			ERROR("1", "-32602",
				"\\\"list\\\" is an array of strings"),
			0 },
		{ CALL_P("echo", "{\"list\":[\"a\",1]}"),
			ERROR("1", "-32602",
				"\\\"list\\\" is an array of strings"),
			0 },
		{ CALL("need"),
			ERROR("1", "-32602",
				"parameter \\\"name\\\" is missing"),
			0 },
		{ CALL_P("need", "{}"),
			ERROR("1", "-32602",
				"parameter \\\"name\\\" is missing"),
			0 },
		{ CALL("break"),
			ERROR("1", "-32603", "break: Input/output error"), 0 },
		/* Not permitted comes before the parameters are looked at. */
		{ CALL_P("change", "{\"x\":1}"),
			ERROR("1", "-32002",
				"change is for root, the daemon's own user and "
				"members of the control group"),
			0 },
	};

	check_exchange(&rpc, &exchanges[_i]);
}
END_TEST

START_TEST(who_may_change_does)
{
	static const struct exchange change = { CALL("change"),
		RESULT("1", "null"), 1 };
	struct rpc open = rpc;

	open.may_change = anybody_may;
	check_exchange(&open, &change);
}
END_TEST

START_TEST(an_error_brings_its_data_and_stays_utf8)
{
	static const struct exchange refuse = { CALL("refuse"),
		V "\"id\":1,\"error\":{\"code\":-32001,\"message\":"
		  "\"no such \xef\xbf\xbd thing\",\"data\":[7]}}",
		0 };

	check_exchange(&rpc, &refuse);
}
END_TEST

START_TEST(a_hostile_name_is_repeated_only_in_part)
{
	char line[4096], *text;
	unsigned calls = 0;
	int n;

	n = snprintf(
		line, sizeof(line), V "\"id\":1,\"method\":\"%02000d\"}", 0);
	text = answer_bytes(&rpc, &calls, line, (size_t)n);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_lt(strlen(text), 200);
	free(text);
}
END_TEST

/* What is not JSON, or not the JSON that is taken here. */
static const struct {
	const char *bytes;
	size_t size;
} garbage[] = {
#define G(s)                                                                   \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}
	G("{"),
	G("}"),
	G("x"),
	G("\""),
	G("{\"jsonrpc\""),
	G(CALL("echo") "x"),
	G(CALL("echo") CALL("echo")),
	G("'a'"),
	G("\x00"),
	G(CALL("echo") "\x00"),
	G("\x00" CALL("echo")),
	G(V "\"id\":\"\xff\",\"method\":\"echo\"}"),
	G(V "\"id\":\"\xc0\x80\",\"method\":\"echo\"}"),
	G(V "\"id\":\"\xed\xa0\x80\",\"method\":\"echo\"}"),
	G(V "\"id\":\"\xf4\x90\x80\x80\",\"method\":\"echo\"}"),
	G(V "\"id\":\"a\\u0000b\",\"method\":\"echo\"}"),
	G(V "\"id\":\"\\ud800\",\"method\":\"echo\"}"),
	G(V "\"id\":1,\"id\":1,\"method\":\"echo\"}"),
	G(V "\"id\":99999999999999999999,\"method\":\"echo\"}"),
	G(V "\"id\":1e999,\"method\":\"echo\"}"),
	G(V "\"id\":01,\"method\":\"echo\"}"),
	G("\xef\xbb\xbf" CALL("echo")),
	G("\x80"),
	G("\xf0\x9f\x98"),
#undef G
};

START_TEST(garbage_is_a_parse_error)
{
	unsigned calls = 0;
	char *text =
		answer_bytes(&rpc, &calls, garbage[_i].bytes, garbage[_i].size);
	json_t *answer, *error;

	ck_assert_ptr_nonnull(text);
	answer = json_loads(text, 0, NULL);
	ck_assert_msg(answer != NULL, "no JSON: %s", text);
	error = json_object_get(answer, "error");
	ck_assert_int_eq(
		json_integer_value(json_object_get(error, "code")), -32700);
	ck_assert(json_is_null(json_object_get(answer, "id")));
	ck_assert_uint_eq(calls, 0);
	json_decref(answer);
	free(text);
}
END_TEST

/* 60,000 brackets must neither be followed to the end of the stack nor take
 * long. */
START_TEST(depth_has_a_bound)
{
	static char deep[60000];
	unsigned calls = 0;
	char *text;

	memset(deep, _i ? '{' : '[', sizeof(deep));
	text = answer_bytes(&rpc, &calls, deep, sizeof(deep));
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "-32700"));
	free(text);
}
END_TEST

START_TEST(complains_without_a_request)
{
	char *text;
	size_t size;

	ck_assert_int_eq(rpc_complain(RPC_BOUND, "full", &text, &size), 0);
	ck_assert_str_eq(text, ERROR("null", "-32004", "full") "\n");
	ck_assert_uint_eq(size, strlen(text));
	free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/rpc");
	TCase *t = tcase_create("rpc");

	tcase_add_loop_test(t, echoes_the_id_as_it_came, 0, 7);
	tcase_add_loop_test(t, hands_parameters_on, 0, 6);
	tcase_add_loop_test(t, a_notification_is_heard_and_not_answered, 0, 7);
	tcase_add_loop_test(t, blank_lines_are_passed_over, 0, 5);
	tcase_add_loop_test(t, what_is_no_request_is_refused, 0, 15);
	tcase_add_loop_test(t, bad_calls_say_what_would_be_right, 0, 19);
	tcase_add_test(t, who_may_change_does);
	tcase_add_test(t, an_error_brings_its_data_and_stays_utf8);
	tcase_add_test(t, a_hostile_name_is_repeated_only_in_part);
	tcase_add_loop_test(t, garbage_is_a_parse_error, 0,
		sizeof(garbage) / sizeof(garbage[0]));
	tcase_add_loop_test(t, depth_has_a_bound, 0, 2);
	tcase_add_test(t, complains_without_a_request);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
