/*
 * crierctl's command line, and what it does where there is no daemon.
 */
#include "control_fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* ---- usage ---- */

static const struct {
	const char *words, *message, *help;
} misuses[] = {
	{ "", "a command is missing", "" },
	{ "-s", "option \"-s\" needs a value", "" },
	{ "--socket", "option \"--socket\" needs a value", "" },
	{ "--sockte=x status", "unknown option \"--sockte=x\"", "" },
	{ "-x", "unknown option \"-x\"", "" },
	{ "--json=x status", "unknown option \"--json=x\"", "" },
	{ "stauts", "unknown command \"stauts\", did you mean \"status\"?",
		"" },
	{ "everything", "unknown command \"everything\"", "" },
	{ "status now", "\"now\" is one word too many", "status " },
	{ "status --group x", "unknown option \"--group\"", "status " },
	{ "groups a b", "\"b\" is one word too many", "groups " },
	{ "standby", "standby needs on|off", "standby " },
	{ "standby maybe", "\"maybe\" is neither on nor off", "standby " },
	{ "log-level", "log-level needs LEVEL", "log-level " },
	{ "explain", "explain needs --group", "explain " },
	{ "explain --group a", "explain needs --from", "explain " },
	{ "explain --group a --from b", "explain needs --source", "explain " },
	{ "explain --port x", "\"x\" is no number for --port", "explain " },
	{ "explain --port 1x", "\"1x\" is no number for --port", "explain " },
	{ "explain --port=", "\"\" is no number for --port", "explain " },
	{ "explain --port 99999999999999999999",
		"\"99999999999999999999\" is no number for --port",
		"explain " },
	{ "explain --group", "option \"--group\" needs a value", "explain " },
	{ "monitor --count 0", "--count is 1 or more", "monitor " },
	{ "monitor --count x", "\"x\" is no number for --count", "monitor " },
	{ "monitor --drops=x", "unknown option \"--drops=x\"", "monitor " },
	{ "monitor now", "\"now\" is one word too many", "monitor " },
	{ "discovered tv", "\"tv\" is one word too many", "discovered " },
	{ "announce", "announce needs NAME", "announce " },
	{ "announce a", "announce needs --group", "announce " },
	{ "announce a --group g --burst 0", "--burst is 1 or more",
		"announce " },
	{ "announce a --group g --file /nowhere",
		"/nowhere: No such file or directory", "announce " },
	{ "announce a --group g --file /", "/: Is a directory", "announce " },
	{ "announce a --group g --file /dev/zero",
		"/dev/zero is larger than the 48000 bytes that a request can "
		"carry",
		"announce " },
	{ "withdraw", "withdraw needs NAME", "withdraw " },
	{ "groups a\xff", "\"a\xff\" is not UTF-8", "groups " },
};

START_TEST(misuse_is_told_and_no_daemon_asked)
{
	char expected[256];

	ck_assert_int_eq(fixture_crierctl(&f, misuses[_i].words), 2);
	fixture_check_text(f.out, "");
	(void)snprintf(expected, sizeof(expected),
		"crierctl: %s\nTry \"crierctl %s--help\".\n",
		misuses[_i].message, misuses[_i].help);
	fixture_check_text(f.err, expected);
}
END_TEST

START_TEST(version_and_help_need_no_daemon)
{
	ck_assert_int_eq(fixture_crierctl(&f, "--version"), 0);
	fixture_check_text(f.out, "crierctl 1.2.3\n");
	ck_assert_int_eq(fixture_crierctl(&f, "-V status"), 0);
	ck_assert_int_eq(fixture_crierctl(&f, "--help"), 0);
	ck_assert_ptr_nonnull(strstr(f.out, "\n  log-level "));
	ck_assert_ptr_nonnull(strstr(f.out, CRIER_SOCKET));
	fixture_check_text(f.err, "");
}
END_TEST

static const char *const commands[] = { "status", "interfaces", "groups",
	"explain", "presets", "reload", "standby", "log-level", "flows",
	"monitor", "discovered", "announcements", "announce", "withdraw",
	"metrics" };

START_TEST(each_command_has_its_help)
{
	char words[64], usage[64];

	(void)snprintf(words, sizeof(words), "%s --help", commands[_i]);
	(void)snprintf(
		usage, sizeof(usage), "Usage: crierctl %s", commands[_i]);
	ck_assert_int_eq(fixture_crierctl(&f, words), 0);
	ck_assert(begins(f.out, usage));
	fixture_check_text(f.err, "");
	for (char *line = f.out; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_le(strcspn(line, "\n"), 80);
}
END_TEST

/* ---- no daemon ---- */

START_TEST(without_a_daemon_it_says_how_to_start_one)
{
	char expected[512];

	ck_assert_int_eq(fixture_crierctl(&f, "-s @ status"), 3);
	(void)snprintf(expected, sizeof(expected),
		"crierctl: no daemon answers on %s: No such file or directory\n"
		"Start it with \"systemctl start crierd\" or \"crierd -c "
		"FILE\", or name its socket with -s.\n",
		f.path);
	fixture_check_text(f.err, expected);
	fixture_check_text(f.out, "");
}
END_TEST

/* Another program at the socket: answers one connection with `bytes`. */
struct impostor {
	int fd;
	const char *bytes;
};

static void *pretend(void *data)
{
	struct impostor *i = data;
	char waste[4096];
	int fd = accept(i->fd, NULL, NULL);

	(void)!read(fd, waste, sizeof(waste));
	(void)!write(fd, i->bytes, strlen(i->bytes));
	/* What is not read when it closes would take the answer with it. */
	(void)shutdown(fd, SHUT_WR);
	while (read(fd, waste, sizeof(waste)) > 0)
		;
	(void)close(fd);
	return NULL;
}

static const struct {
	const char *bytes, *why;
} impostors[] = {
	{ "", "it hung up" },
	{ "no newline", "it hung up" },
	{ "HTTP/1.1 400 Bad Request\r\n", "what came is no answer of crierd" },
	{ "{}\n", "what came is no answer of crierd" },
	{ "[]\n", "what came is no answer of crierd" },
	{ "{\"error\":5}\n", "what came is no answer of crierd" },
	{ "\xff\n", "what came is no answer of crierd" },
};

/* Runs crierctl against an impostor. */
static int run_deceived(const char *words, const char *bytes)
{
	struct impostor i = { fixture_bound_socket(f.path, SOCK_STREAM, 1),
		bytes };
	pthread_t thread;
	int r;

	ck_assert_int_eq(pthread_create(&thread, NULL, pretend, &i), 0);
	r = fixture_crierctl(&f, words);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	(void)close(i.fd);
	ck_assert_int_eq(unlink(f.path), 0);
	return r;
}

START_TEST(an_impostor_is_no_daemon)
{
	char expected[256];

	ck_assert_int_eq(run_deceived("-s @ status", impostors[_i].bytes), 3);
	(void)snprintf(expected, sizeof(expected),
		"crierctl: no daemon answers on %s: %s\n", f.path,
		impostors[_i].why);
	ck_assert_str_eq(f.err, expected);
}
END_TEST

/* What lacks everything shows little, and breaks nothing. */
START_TEST(a_strange_result_is_shown_as_far_as_it_goes)
{
	static const char *const answers[] = {
		"{\"result\":{}}\n",
		"{\"result\":[]}\n",
		"{\"result\":[5,null,{}]}\n",
		"{\"result\":\"\"}\n",
	};
	static const char *const words[] = { "-s @ status", "-s @ interfaces",
		"-s @ groups", "-s @ explain --group a --from b --source c",
		"-s @ presets", "-s @ reload", "-s @ standby on",
		"-s @ log-level err", "-s @ flows", "-s @ discovered",
		"-s @ announcements", "-s @ announce a --group b",
		"-s @ withdraw a", "-s @ metrics" };

	ck_assert_int_eq(run_deceived(words[_i / 4], answers[_i % 4]), 0);
	ck_assert_str_eq(f.err, "");
}
END_TEST

static const struct {
	const char *bytes;
	int status;
	const char *entries;
} pages[] = {
	{ "{\"result\":{\"entries\":[1],\"cursor\":\"5\"}}\n"
	  "{\"result\":{\"entries\":[2],\"cursor\":null}}\n",
		0, "[1, 2]" },
	/* A cursor that stays where it is would never end. */
	{ "{\"result\":{\"entries\":[1],\"cursor\":\"5\"}}\n"
	  "{\"result\":{\"entries\":[2],\"cursor\":\"5\"}}\n",
		0, "[1, 2]" },
	{ "{\"result\":{\"entries\":5,\"cursor\":7}}\n", 0, "[]" },
	/* The group went with a reload meanwhile. */
	{ "{\"result\":{\"entries\":[1],\"cursor\":\"5\"}}\n"
	  "{\"error\":{\"code\":-32001,\"message\":\"no\"}}\n",
		1, NULL },
	{ "{\"result\":{\"entries\":[1],\"cursor\":\"5\"}}\n", 3, NULL },
};

START_TEST(pages_are_read_as_far_as_they_go)
{
	json_t *result;
	char *entries;

	ck_assert_int_eq(
		run_deceived("--json -s @ discovered", pages[_i].bytes),
		pages[_i].status);
	result = json_loads(f.out, 0, NULL);
	ck_assert_int_eq(result != NULL, pages[_i].entries != NULL);
	if (!result)
		return;
	entries = json_dumps(json_object_get(result, "entries"), 0);
	ck_assert_str_eq(entries, pages[_i].entries);
	ck_assert(json_is_null(json_object_get(result, "cursor")));
	free(entries);
	json_decref(result);
}
END_TEST

/* What is no entry shows as one that says nothing. */
START_TEST(strange_entries_are_shown_as_far_as_they_go)
{
	ck_assert_int_eq(
		run_deceived("-s @ discovered",
			"{\"result\":{\"entries\":[5,null,{},{\"host\":7,"
			"\"addresses\":[1,{}],\"first_seen\":\"now\"}]}}\n"),
		0);
	ck_assert_str_eq(f.err, "");
	ck_assert_ptr_nonnull(strstr(f.out, "  NAME  TYPE"));
}
END_TEST

START_TEST(a_silent_daemon_is_given_up)
{
	int fd = fixture_bound_socket(f.path, SOCK_STREAM, 1);

	ck_assert_int_eq(fixture_crierctl(&f, "-s @ status"), 3);
	ck_assert_ptr_nonnull(strstr(f.err, ": Connection timed out\n"));
	(void)close(fd);
	ck_assert_int_eq(unlink(f.path), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/usage");
	TCase *t = tcase_create("usage");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, misuse_is_told_and_no_daemon_asked, 0,
		sizeof(misuses) / sizeof(misuses[0]));
	tcase_add_test(t, version_and_help_need_no_daemon);
	tcase_add_loop_test(t, each_command_has_its_help, 0, 15);
	tcase_add_test(t, without_a_daemon_it_says_how_to_start_one);
	tcase_add_loop_test(t, an_impostor_is_no_daemon, 0,
		sizeof(impostors) / sizeof(impostors[0]));
	tcase_add_loop_test(
		t, a_strange_result_is_shown_as_far_as_it_goes, 0, 14 * 4);
	tcase_add_loop_test(t, pages_are_read_as_far_as_they_go, 0,
		sizeof(pages) / sizeof(pages[0]));
	tcase_add_test(t, strange_entries_are_shown_as_far_as_they_go);
	tcase_add_test(t, a_silent_daemon_is_given_up);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
