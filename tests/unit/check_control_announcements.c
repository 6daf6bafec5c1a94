/*
 * The methods `announcements`, `announce` and `withdraw`.
 */
#include "control_fixture.h"

#include "control/rpc.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

START_TEST(announcements_are_shown_with_their_state)
{
	fixture_check_result(&f, "announcements", NULL,
		"[{\"name\":\"gate\",\"group\":\"beacon\","
		"\"origin\":\"config\",\"state\":\"active\",\"error\":\"\","
		"\"interval\":30,\"sent\":12,\"next_in\":8},"
		"{\"name\":\"web\",\"group\":\"mdns\",\"origin\":\"runtime\","
		"\"state\":\"silent\","
		"\"error\":\"192.0.2.9 announces the name\","
		"\"interval\":0.5,\"sent\":1,\"next_in\":null}]");
	f.handles.announce = NULL;
	fixture_check_result(&f, "announcements", NULL, "[]");
}
END_TEST

/* ---- announce ---- */

#define TEXT "\"payload\": {\"text\": \"hi\"}"

static const struct {
	const char *params, *declared;
} good[] = {
	{ "{\"name\":\"a\",\"group\":\"mdns\"," TEXT "}",
		"{\"group\": \"mdns\", " TEXT "}" },
	{ "{\"name\":\"_a.B-9\",\"group\":\"mdns\"," TEXT ",\"interval\":30,"
	  "\"burst\":3,\"goodbye\":{\"hex\":\"00\"}}",
		"{\"group\": \"mdns\", " TEXT ", \"interval\": \"30s\", "
		"\"burst\": 3, \"goodbye\": {\"hex\": \"00\"}}" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"interval\":\"250ms\","
	  "\"service\":{\"name\":\"My Web\",\"type\":\"_http._tcp\","
	  "\"port\":80,\"txt\":[\"a=1\"],\"host\":\"h\"}}",
		"{\"group\": \"mdns\", \"interval\": \"250ms\", "
		"\"service\": {\"name\": \"My Web\", \"type\": \"_http._tcp\","
		" \"port\": 80, \"txt\": [\"a=1\"], \"host\": \"h\"}}" },
	/* What YAML takes only escaped, or would fold. */
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"payload\":{\"text\":"
	  "\"\\u00e4\xc2\x85\x7f\xe2\x80\xa8\xef\xbb\xbf\xf0\x9f\x98\x80\\n\"}}",
		"{\"group\": \"mdns\", \"payload\": {\"text\": "
		"\"\xc3\xa4\\u0085\\u007f\\u2028\\ufeff\xf0\x9f\x98\x80\\n\"}}" },
};

START_TEST(it_is_read_as_the_configuration_is)
{
	char expected[80];
	json_t *params = json_loads(good[_i].params, 0, NULL);

	(void)snprintf(expected, sizeof(expected), "{\"name\":\"%s\"}",
		json_string_value(json_object_get(params, "name")));
	json_decref(params);
	fixture_check_result(&f, "announce", good[_i].params, expected);
	ck_assert_str_eq(fixture_parse.text, good[_i].declared);
	ck_assert_uint_eq(f.announce->n, 3);
	ck_assert_uint_eq(f.changes, 1);
}
END_TEST

#define NAME_RULE                                                              \
	"\"name\" is 1 to 63 letters (A to Z, a to z), digits, \"_\", \".\" "  \
	"and \"-\", and begins with none of the last two"
#define SIXTY_THREE                                                            \
	"0123456789012345678901234567890123456789012345678901234567890ab"

static const struct {
	const char *params;
	int code;
	const char *message;
} bad[] = {
	{ "{}", RPC_INVALID_PARAMS, "parameter \"name\" is missing" },
	{ "{\"name\":\"a\"}", RPC_INVALID_PARAMS,
		"parameter \"group\" is missing" },
	{ "{\"name\":\"\",\"group\":\"mdns\"}", RPC_INVALID_PARAMS, NAME_RULE },
	{ "{\"name\":\"-a\",\"group\":\"mdns\"}", RPC_INVALID_PARAMS,
		NAME_RULE },
	{ "{\"name\":\".a\",\"group\":\"mdns\"}", RPC_INVALID_PARAMS,
		NAME_RULE },
	{ "{\"name\":\"a b\",\"group\":\"mdns\"}", RPC_INVALID_PARAMS,
		NAME_RULE },
	{ "{\"name\":\"\xc3\xa4\",\"group\":\"mdns\"}", RPC_INVALID_PARAMS,
		NAME_RULE },
	{ "{\"name\":\"" SIXTY_THREE "c\",\"group\":\"mdns\"}",
		RPC_INVALID_PARAMS, NAME_RULE },
	{ "{\"name\":\"" SIXTY_THREE "\",\"group\":\"becon\"}", RPC_NOT_FOUND,
		"no group \"becon\", did you mean \"beacon\"?" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"payload\":\"hi\"}",
		RPC_INVALID_PARAMS, "\"payload\" is an object" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"payload\":{\"text\":5}}",
		RPC_INVALID_PARAMS, "a payload is a string" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"goodbye\":{\"hex\":null}}",
		RPC_INVALID_PARAMS, "a payload is a string" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"service\":{\"port\":\"80\"}}",
		RPC_INVALID_PARAMS, "service.port is a number" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"service\":{\"name\":7}}",
		RPC_INVALID_PARAMS,
		"name, type and host of a service are strings" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"service\":{\"txt\":\"a=b\"}}",
		RPC_INVALID_PARAMS, "service.txt is an array of strings" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"service\":{\"txt\":[5]}}",
		RPC_INVALID_PARAMS, "service.txt is an array of strings" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"interval\":true}",
		RPC_INVALID_PARAMS,
		"\"interval\" is a whole number of seconds, or a text such as "
		"\"30s\"" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"interval\":0}",
		RPC_INVALID_PARAMS,
		"\"interval\" is out of range, 1 to 86400" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"interval\":86401}",
		RPC_INVALID_PARAMS,
		"\"interval\" is out of range, 1 to 86400" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"burst\":101}",
		RPC_INVALID_PARAMS, "\"burst\" is out of range, 1 to 100" },
	{ "{\"name\":\"a\",\"group\":\"mdns\",\"file\":\"/etc/shadow\"}",
		RPC_INVALID_PARAMS, "unknown parameter \"file\"" },
};

START_TEST(what_makes_no_sense_is_refused)
{
	fixture_check_error(
		&f, "announce", bad[_i].params, bad[_i].code, bad[_i].message);
	ck_assert_str_eq(fixture_parse.text, "");
	ck_assert_uint_eq(f.announce->n, 2);
}
END_TEST

#define GOOD "{\"name\":\"gate\",\"group\":\"mdns\"," TEXT "}"

START_TEST(what_the_configuration_refuses_is_told)
{
	json_t *answer, *data, *right;

	fixture_parse.result = -EINVAL;
	fixture_check_error(&f, "announce", GOOD, RPC_INVALID_PARAMS,
		"payload.hex: \"x\" is no hexadecimal digit");
	answer = fixture_call(&f, "announce", GOOD);
	data = json_object_get(json_object_get(answer, "error"), "data");
	right = json_loads("{\"errors\":[{\"line\":1,\"column\":10,"
			   "\"path\":\"payload.hex\","
			   "\"message\":\"\\\"x\\\" is no hexadecimal digit\"},"
			   "{\"line\":1,\"column\":20,\"path\":\"burst\","
			   "\"message\":\"too \\u001b[31m much\"}]}",
		0, NULL);
	ck_assert(json_equal(data, right));
	json_decref(right);
	json_decref(answer);
	fixture_parse.result = -ENOMEM;
	fixture_check_error(&f, "announce", GOOD, RPC_INTERNAL,
		"announce: Cannot allocate memory");
}
END_TEST

static const struct {
	int result, code;
	const char *message;
} refused[] = {
	{ -EEXIST, RPC_EXISTS, "an announcement \"gate\" is there already" },
	{ -ENOSPC, RPC_BOUND,
		"1024 announcements were added at run time: withdraw one" },
	{ -EMSGSIZE, RPC_INVALID_PARAMS, "it is too large for a datagram" },
	{ -ENOMEM, RPC_INTERNAL, "announce: Cannot allocate memory" },
};

START_TEST(each_refusal_has_its_code)
{
	f.announce->add_result = refused[_i].result;
	fixture_check_error(
		&f, "announce", GOOD, refused[_i].code, refused[_i].message);
}
END_TEST

START_TEST(without_announcements_none_is_added)
{
	f.handles.announce = NULL;
	fixture_check_error(&f, "announce", GOOD, RPC_INTERNAL,
		"announce: Operation not supported");
	fixture_check_error(&f, "withdraw", "{\"name\":\"gate\"}",
		RPC_NOT_FOUND, "no announcement \"gate\"");
}
END_TEST

/* ---- withdraw ---- */

START_TEST(one_of_the_run_time_is_withdrawn)
{
	char expected[64];

	fixture_check_result(
		&f, "withdraw", "{\"name\":\"web\"}", "{\"name\":\"web\"}");
	ck_assert_uint_eq(f.announce->withdrawals, 1);
	(void)snprintf(expected, sizeof(expected), "withdraw %u", geteuid());
	ck_assert_str_eq(f.changing, expected);
}
END_TEST

START_TEST(one_of_the_file_stays)
{
	fixture_check_error(&f, "withdraw", "{\"name\":\"gate\"}",
		RPC_NOT_PERMITTED,
		"\"gate\" is declared by the file: remove it there and reload");
	ck_assert_uint_eq(f.announce->withdrawals, 0);
}
END_TEST

START_TEST(one_that_is_not_there_may_be_misspelt)
{
	fixture_check_error(&f, "withdraw", "{\"name\":\"gaet\"}",
		RPC_NOT_FOUND,
		"no announcement \"gaet\", did you mean \"gate\"?");
	fixture_check_error(&f, "withdraw", "{\"name\":\"\"}", RPC_NOT_FOUND,
		"no announcement \"\"");
	fixture_check_error(&f, "withdraw", NULL, RPC_INVALID_PARAMS,
		"parameter \"name\" is missing");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/announcements");
	TCase *t = tcase_create("announcements");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, announcements_are_shown_with_their_state);
	tcase_add_loop_test(t, it_is_read_as_the_configuration_is, 0,
		sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(t, what_makes_no_sense_is_refused, 0,
		sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, what_the_configuration_refuses_is_told);
	tcase_add_loop_test(t, each_refusal_has_its_code, 0,
		sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, without_announcements_none_is_added);
	tcase_add_test(t, one_of_the_run_time_is_withdrawn);
	tcase_add_test(t, one_of_the_file_stays);
	tcase_add_test(t, one_that_is_not_there_may_be_misspelt);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
