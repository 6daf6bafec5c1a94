/*
 * The method `sites`: what clients report of the sites that they join.
 */
#include "control_fixture.h"

#include "control/rpc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct fixture f;
static time_t now;

time_t __wrap_time(time_t *ret);

time_t __wrap_time(time_t *ret)
{
	if (ret)
		*ret = now;
	return now;
}

static void setup(void)
{
	now = 1700000000; /* 2023-11-14T22:13:20Z */
	fixture_open(&f);
}

static void setup_served(void)
{
	setup();
	f.options.clients = 32;
	fixture_serve(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

/* What a report begins with, and one of no more than that. */
#define OF(site, broker, state)                                                \
	"{\"site\":\"" site "\",\"broker\":\"" broker "\",\"state\":\"" state  \
	"\""
#define HOME OF("home", "mqtts://hub:8883", "connected")

static void report(const char *params, const char *result)
{
	fixture_check_result(&f, "sites", params, result);
}

static json_t *shown(void)
{
	json_t *answer = fixture_call(&f, "status", NULL), *sites;

	sites = json_incref(
		json_object_get(json_object_get(answer, "result"), "sites"));
	ck_assert(json_is_array(sites));
	json_decref(answer);
	return sites;
}

/* What status has of sites. */
static void check_shown(const char *expected)
{
	json_t *sites = shown(), *right = json_loads(expected, 0, NULL);
	char *got = json_dumps(sites, 0);

	ck_assert_msg(right != NULL, "no JSON: %s", expected);
	ck_assert_msg(
		json_equal(sites, right), "%s\nis not\n%s", got, expected);
	free(got);
	json_decref(right);
	json_decref(sites);
}

/* The names of the first report's other sites. */
static void check_names(const char *expected)
{
	json_t *sites = shown(), *of, *one;
	char names[256] = "";
	size_t i;

	of = json_object_get(json_array_get(sites, 0), "sites");
	json_array_foreach(of, i, one)
	{
		(void)strcat(
			names, json_string_value(json_object_get(one, "site")));
		(void)strcat(names, " ");
	}
	ck_assert_str_eq(names, expected);
	json_decref(sites);
}

/* ---- one client ---- */

START_TEST(a_report_is_shown_whole)
{
	check_shown("[]");
	report(OF("home", "mqtts://hub:8883",
		       "waiting") ",\"error\":\"no route\",\"own\":1,"
				  "\"queued\":2,\"lost\":3,\"published\":4,"
				  "\"taken\":5,\"sites\":[{\"site\":\"hut\","
				  "\"online\":true,\"entries\":6,\"taken\":7,"
				  "\"dropped\":8,\"last_seen\":"
				  "\"2026-11-29T21:00:00.25Z\"},"
				  "{\"site\":\"cabin\",\"last_seen\":null}]}",
		"{\"sites\":2}");
	check_shown("[{\"site\":\"home\",\"broker\":\"mqtts://hub:8883\","
		    "\"state\":\"waiting\",\"error\":\"no route\",\"own\":1,"
		    "\"queued\":2,\"lost\":3,\"published\":4,\"taken\":5,"
		    "\"since\":\"2023-11-14T22:13:20Z\","
		    "\"reported_at\":\"2023-11-14T22:13:20Z\",\"sites\":["
		    "{\"site\":\"cabin\",\"online\":false,\"entries\":0,"
		    "\"taken\":0,\"dropped\":0,\"last_seen\":null},"
		    "{\"site\":\"hut\",\"online\":true,\"entries\":6,"
		    "\"taken\":7,\"dropped\":8,"
		    "\"last_seen\":\"2026-11-29T21:00:00Z\"}]}]");
	ck_assert_uint_eq(f.changes, 0); /* or the log would drown */
}
END_TEST

START_TEST(what_a_report_leaves_out_is_nothing)
{
	report(HOME "}", "{\"sites\":0}");
	check_shown("[{\"site\":\"home\",\"broker\":\"mqtts://hub:8883\","
		    "\"state\":\"connected\",\"error\":null,\"own\":0,"
		    "\"queued\":0,\"lost\":0,\"published\":0,\"taken\":0,"
		    "\"since\":\"2023-11-14T22:13:20Z\","
		    "\"reported_at\":\"2023-11-14T22:13:20Z\",\"sites\":[]}]");
}
END_TEST

START_TEST(a_report_may_come_in_parts)
{
	report(HOME ",\"sites\":[{\"site\":\"c\"},{\"site\":\"a\"}]}",
		"{\"sites\":2}");
	report(HOME ",\"sites\":[{\"site\":\"d\"},{\"site\":\"b\"}]}",
		"{\"sites\":4}");
	check_names("a b c d ");
	report(HOME "}", "{\"sites\":4}");
	report(HOME ",\"sites\":[{\"site\":\"b\",\"gone\":true},"
		    "{\"site\":\"x\",\"gone\":true},"
		    "{\"site\":\"c\",\"gone\":false}]}",
		"{\"sites\":3}");
	check_names("a c d ");
	report(HOME ",\"sites\":[{\"site\":\"a\",\"gone\":true},"
		    "{\"site\":\"c\",\"gone\":true},"
		    "{\"site\":\"d\",\"gone\":true}]}",
		"{\"sites\":0}");
	check_names("");
}
END_TEST

START_TEST(the_last_word_on_a_site_stands)
{
	json_t *sites, *one;

	report(HOME ",\"own\":9,\"sites\":[{\"site\":\"a\",\"entries\":1,"
		    "\"online\":true}]}",
		"{\"sites\":1}");
	report(HOME ",\"sites\":[{\"site\":\"a\",\"entries\":2}]}",
		"{\"sites\":1}");
	sites = shown();
	one = json_array_get(
		json_object_get(json_array_get(sites, 0), "sites"), 0);
	ck_assert_int_eq(
		json_integer_value(json_object_get(one, "entries")), 2);
	ck_assert(json_is_false(json_object_get(one, "online")));
	ck_assert_int_eq(json_integer_value(json_object_get(
				 json_array_get(sites, 0), "own")),
		0);
	json_decref(sites);
}
END_TEST

static void check_times(const char *since, const char *reported_at)
{
	json_t *sites = shown(), *one = json_array_get(sites, 0);

	ck_assert_str_eq(
		json_string_value(json_object_get(one, "since")), since);
	ck_assert_str_eq(json_string_value(json_object_get(one, "reported_at")),
		reported_at);
	json_decref(sites);
}

START_TEST(it_tells_since_when_the_state_is_so)
{
	report(HOME "}", "{\"sites\":0}");
	now += 5;
	report(HOME "}", "{\"sites\":0}");
	check_times("2023-11-14T22:13:20Z", "2023-11-14T22:13:25Z");
	now += 5;
	report(OF("home", "mqtts://hub:8883", "connecting") "}",
		"{\"sites\":0}");
	check_times("2023-11-14T22:13:30Z", "2023-11-14T22:13:30Z");
}
END_TEST

/* It may try several, one after the other. */
START_TEST(sites_outlive_a_change_of_the_broker)
{
	report(HOME ",\"sites\":[{\"site\":\"a\"}]}", "{\"sites\":1}");
	now += 5;
	report(OF("home", "mqtt://[::1]", "connected") "}", "{\"sites\":1}");
	check_names("a ");
	check_times("2023-11-14T22:13:20Z", "2023-11-14T22:13:25Z");
	report(OF("hut", "mqtt://[::1]", "connected") "}", "{\"sites\":0}");
	check_names("");
}
END_TEST

/* ---- what is refused ---- */

#define SITE(members) HOME ",\"sites\":[{" members "}]}"
#define NAME_63                                                                \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"

static const char *const wrong[] = {
	"{}",
	"{\"site\":\"home\",\"broker\":\"b\"}",
	"{\"site\":\"home\",\"state\":\"waiting\"}",
	"{\"broker\":\"b\",\"state\":\"waiting\"}",
	OF("", "b", "waiting") "}",
	OF("a b", "b", "waiting") "}",
	OF("-a", "b", "waiting") "}",
	OF(".a", "b", "waiting") "}",
	OF("\xc3\xa4", "b", "waiting") "}",
	OF("x" NAME_63, "b", "waiting") "}",
	OF("home", "", "waiting") "}",
	OF("home", "b", "lost") "}",
	HOME ",\"error\":1}",
	HOME ",\"own\":-1}",
	HOME ",\"own\":1.5}",
	HOME ",\"queued\":\"1\"}",
	HOME ",\"lost\":null}",
	HOME ",\"more\":true}",
	HOME ",\"sites\":{}}",
	HOME ",\"sites\":[{}]}",
	SITE("\"online\":true"),
	SITE("\"site\":\"\""),
	SITE("\"site\":1"),
	SITE("\"site\":\"x" NAME_63 "\""),
	SITE("\"site\":\"a\",\"online\":1"),
	SITE("\"site\":\"a\",\"gone\":\"yes\""),
	SITE("\"site\":\"a\",\"entries\":-1"),
	SITE("\"site\":\"a\",\"taken\":1.0"),
	SITE("\"site\":\"a\",\"dropped\":null"),
	SITE("\"site\":\"a\",\"colour\":1"),
	SITE("\"site\":\"a\",\"last_seen\":0"),
	SITE("\"site\":\"a\",\"last_seen\":\"\""),
	SITE("\"site\":\"a\",\"last_seen\":\"2026-11-29\""),
	SITE("\"site\":\"a\",\"last_seen\":\"2026-11-29T21:00:00\""),
	SITE("\"site\":\"a\",\"last_seen\":\"2026-11-29T21:00:00.Z\""),
	SITE("\"site\":\"a\",\"last_seen\":\"2026-11-29T21:00:00+01:00\""),
	SITE("\"site\":\"a\",\"last_seen\":\"2026-11-29T21:00:00Zx\""),
	SITE("\"site\":\"a\",\"last_seen\":\"2026-02-29T21:00:00Z\""),
	SITE("\"site\":\"a\",\"last_seen\":\"2026-13-01T21:00:00Z\""),
	SITE("\"site\":\"a\",\"last_seen\":\" 026-11-01T21:00:00Z\""),
	HOME ",\"sites\":[{\"site\":\"a\"},{\"site\":\"b\"},"
	     "{\"site\":\"a\"}]}",
};

START_TEST(what_is_wrong_is_refused_and_changes_nothing)
{
	json_t *answer;
	int code;

	report(HOME ",\"sites\":[{\"site\":\"" NAME_63 "\"}]}",
		"{\"sites\":1}");
	answer = fixture_call(&f, "sites", wrong[_i]);
	code = (int)json_integer_value(
		json_object_get(json_object_get(answer, "error"), "code"));
	ck_assert_msg(code == RPC_INVALID_PARAMS, "%s: %d", wrong[_i], code);
	json_decref(answer);
	check_names(NAME_63 " ");
}
END_TEST

START_TEST(refusals_say_what_is_wrong)
{
	fixture_check_error(&f, "sites", OF("a", "b", "x") "}",
		RPC_INVALID_PARAMS,
		"\"state\" is connected, connecting or waiting");
	fixture_check_error(&f, "sites", SITE("\"site\":\"a\",\"enties\":1"),
		RPC_INVALID_PARAMS,
		"\"enties\" of one of the \"sites\" is unknown");
	fixture_check_error(&f, "sites", HOME ",\"sites\":[1]}",
		RPC_INVALID_PARAMS, "\"sites\" is an array of objects");
	fixture_check_error(&f, "sites", HOME ",\"error\":1}",
		RPC_INVALID_PARAMS, "\"error\" is a string or null");
}
END_TEST

/* A report whose `key` has that many bytes. */
static json_t *call_with_long(const char *key, size_t size)
{
	char text[1024], params[2048];

	memset(text, 'x', size);
	text[size] = '\0';
	(void)snprintf(params, sizeof(params),
		"{\"site\":\"home\",\"state\":\"waiting\",%s\"%s\":\"%s\"}",
		strcmp(key, "broker") ? "\"broker\":\"b\"," : "", key, text);
	return fixture_call(&f, "sites", params);
}

START_TEST(texts_are_bounded)
{
	static const char *const keys[] = { "broker", "error" };
	json_t *answer = call_with_long(keys[_i], REPORT_TEXT_MAX);

	ck_assert_ptr_nonnull(json_object_get(answer, "result"));
	json_decref(answer);
	answer = call_with_long(keys[_i], REPORT_TEXT_MAX + 1);
	ck_assert_int_eq(json_integer_value(json_object_get(
				 json_object_get(answer, "error"), "code")),
		RPC_INVALID_PARAMS);
	json_decref(answer);
}
END_TEST

/* A report on `n` sites from `first` on. */
static json_t *call_with_sites(size_t first, size_t n)
{
	char *params, *end;
	json_t *answer;

	params = malloc(256 + 24 * n);
	ck_assert_ptr_nonnull(params);
	end = stpcpy(params, HOME ",\"sites\":[");
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, "%s{\"site\":\"s%05zu\"}", i ? "," : "",
			first + i);
	(void)stpcpy(end, "]}");
	answer = fixture_call(&f, "sites", params);
	free(params);
	return answer;
}

static void check_code(json_t *answer, int code)
{
	ck_assert_int_eq(json_integer_value(json_object_get(
				 json_object_get(answer, "error"), "code")),
		code);
	json_decref(answer);
}

START_TEST(sites_are_bounded)
{
	check_code(
		call_with_sites(0, REPORTS_SITES_MAX + 1), RPC_INVALID_PARAMS);
	check_code(call_with_sites(0, REPORTS_SITES_MAX - 1), 0);
	check_code(call_with_sites(5000, 2), RPC_BOUND);
	check_code(call_with_sites(5000, 1), 0);
	check_code(call_with_sites(5001, 1), RPC_BOUND);
	check_code(call_with_sites(0, REPORTS_SITES_MAX - 1), 0);
	report(HOME ",\"sites\":[{\"site\":\"s00007\",\"gone\":true},"
		    "{\"site\":\"x\"}]}",
		"{\"sites\":4096}");
	/* Another site: it begins anew, and has all of the room. */
	report(OF("hut", "b", "waiting") ",\"sites\":[{\"site\":\"y\"}]}",
		"{\"sites\":1}");
}
END_TEST

/* ---- several clients ---- */

/* A client that has reported. */
static int reporter(const char *params)
{
	int fd = fixture_connect(&f);
	char line[512];

	(void)snprintf(line, sizeof(line),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sites\","
		"\"params\":%s}\n",
		params);
	fixture_send_text(&f, fd, line);
	return fd;
}

static void check_reporters(const char *part)
{
	int fd = fixture_connect(&f);

	fixture_send_text(&f, fd, CALL("status") "\n");
	fixture_check_answer(&f, fd, part);
	(void)close(fd);
}

static bool is_alone(void *data)
{
	(void)data;
	check_reporters("\"sites\":[{\"site\":\"hut\",");
	return true;
}

START_TEST(a_report_goes_with_its_connection)
{
	int home = reporter(HOME "}"),
	    hut = reporter(OF("hut", "b", "waiting") "}");

	fixture_check_answer(&f, home, "\"result\":{\"sites\":0}");
	fixture_check_answer(&f, hut, "\"result\":{\"sites\":0}");
	check_reporters("\"sites\":[{\"site\":\"home\",");
	(void)close(home);
	fixture_run(&f, is_alone, NULL);
	(void)close(hut);
	check_reporters("\"sites\":[]}}");
}
END_TEST

START_TEST(the_later_of_two_that_say_the_same_stands)
{
	int old = reporter(HOME ",\"own\":1}"), new;

	fixture_check_answer(&f, old, "\"result\"");
	new = reporter(HOME ",\"own\":2}");
	fixture_check_answer(&f, new, "\"result\"");
	check_reporters("\"sites\":[{\"site\":\"home\",\"broker\":"
			"\"mqtts://hub:8883\",\"state\":\"connected\","
			"\"since\":\"2023-11-14T22:13:20Z\",\"error\":null,"
			"\"own\":2,");
	(void)close(old); /* and takes nothing with it */
	check_reporters("\"sites\":[{\"site\":\"home\",");
	old = reporter(OF("hut", "b", "waiting") "}");
	fixture_check_answer(&f, old, "\"result\"");
	fixture_send_text(&f, old, CALL_WITH("sites", HOME ",\"own\":3}") "\n");
	fixture_check_answer(&f, old, "\"result\"");
	check_reporters("\"own\":3");
	(void)close(old);
	check_reporters("\"sites\":[]}}");
	(void)close(new);
}
END_TEST

START_TEST(reporters_are_bounded)
{
	int fds[REPORTS_MAX + 1];
	char params[128];

	for (int i = 0; i <= REPORTS_MAX; i++) {
		(void)snprintf(params, sizeof(params),
			OF("s%d", "b", "waiting") "}", i);
		fds[i] = reporter(params);
		fixture_check_answer(&f, fds[i],
			i < REPORTS_MAX ? "\"result\"" : "\"code\":-32004");
	}
	(void)close(fds[0]);
	check_reporters("\"sites\":[{\"site\":\"s1\",");
	fixture_send_text(&f, fds[REPORTS_MAX],
		CALL_WITH("sites", OF("s8", "b", "waiting") "}") "\n");
	fixture_check_answer(&f, fds[REPORTS_MAX], "\"result\"");
	for (int i = 1; i <= REPORTS_MAX; i++)
		(void)close(fds[i]);
}
END_TEST

/* ---- the suite ---- */

static TCase *add_case(Suite *s, const char *name, void (*begin)(void))
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, begin, teardown);
	tcase_set_timeout(t, 30);
	suite_add_tcase(s, t);
	return t;
}

static void add_served(TCase *t)
{
	tcase_add_test(t, a_report_goes_with_its_connection);
	tcase_add_test(t, the_later_of_two_that_say_the_same_stands);
	tcase_add_test(t, reporters_are_bounded);
}

int main(void)
{
	Suite *s = suite_create("control sites");
	TCase *t = add_case(s, "sites", setup);

	tcase_add_test(t, a_report_is_shown_whole);
	tcase_add_test(t, what_a_report_leaves_out_is_nothing);
	tcase_add_test(t, a_report_may_come_in_parts);
	tcase_add_test(t, the_last_word_on_a_site_stands);
	tcase_add_test(t, it_tells_since_when_the_state_is_so);
	tcase_add_test(t, sites_outlive_a_change_of_the_broker);
	tcase_add_loop_test(t, what_is_wrong_is_refused_and_changes_nothing, 0,
		sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(t, refusals_say_what_is_wrong);
	tcase_add_loop_test(t, texts_are_bounded, 0, 2);
	tcase_add_test(t, sites_are_bounded);
	add_served(add_case(s, "served", setup_served));
	return fixture_main(s);
}
