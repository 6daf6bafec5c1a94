/*
 * Clients of the control socket: pipelining, slow, silent, babbling and rude.
 */
#include "control_fixture.h"

#include "control/connection.h"

#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

static void setup_served(void)
{
	fixture_open(&f);
	fixture_serve(&f);
}

/* ---- requests ---- */

START_TEST(many_requests_at_once_are_answered_in_order)
{
	int fd = fixture_connect(&f);
	static char requests[500 * 64];
	char text[96], *end = requests;

	for (int i = 0; i < 500; i++)
		end += sprintf(end,
			"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":"
			"\"presets\"}%s\n",
			i, i % 2 ? "\r" : "\n\n");
	fixture_send_text(&f, fd, requests);
	for (int i = 0; i < 500; i++) {
		(void)snprintf(text, sizeof(text), "\"id\":%d,\"result\"", i);
		fixture_check_answer(&f, fd, text);
	}
	(void)close(fd);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
	int fd = fixture_connect(&f);

	for (const char *c = CALL("status") "\n"; *c; c++) {
		fixture_send(&f, fd, c, 1);
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	fixture_check_answer(&f, fd, "\"result\"");
	(void)close(fd);
}
END_TEST

START_TEST(a_half_closed_client_gets_all_its_answers)
{
	int fd = fixture_connect(&f);
	static char
		requests[300 * sizeof(CALL("groups")) + sizeof(CALL("status"))];
	char *end = requests;

	for (int i = 0; i < 300; i++)
		end = stpcpy(end, CALL("groups") "\n");
	(void)stpcpy(end, CALL("status")); /* without a newline */
	fixture_send_text(&f, fd, requests);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	for (int i = 0; i < 300; i++)
		fixture_check_answer(&f, fd, "\"channels\"");
	fixture_check_answer(&f, fd, "\"uptime_seconds\"");
	fixture_check_end(&f, fd);
}
END_TEST

START_TEST(a_client_that_says_nothing_gets_nothing)
{
	int fd = fixture_connect(&f);

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	fixture_check_end(&f, fd);
	fd = fixture_connect(&f);
	fixture_send_text(&f, fd, "\n\r\n  \n");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	fixture_check_end(&f, fd);
}
END_TEST

/* A request of `size` bytes, newline not counted, for the caller to free. */
static char *padded(size_t size)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"method\":\"status\","
				   "\"id\":\"";
	char *text = malloc(size + 2);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + size - 2, "\"}\n", 4);
	return text;
}

START_TEST(the_longest_line_is_answered)
{
	int fd = fixture_connect(&f);
	char *text = padded(CONNECTION_LINE_MAX);

	for (int i = 0; i < 3; i++) {
		fixture_send_text(&f, fd, text);
		fixture_check_answer(&f, fd, "\"result\"");
	}
	fixture_send_text(&f, fd, text);
	fixture_send_text(&f, fd, text);
	fixture_check_answer(&f, fd, "\"result\"");
	fixture_check_answer(&f, fd, "\"result\"");
	free(text);
	fixture_check_answer(&f,
		(fixture_send_text(&f, fd, CALL("status") "\n"), fd),
		"\"result\"");
	(void)close(fd);
}
END_TEST

/* One byte more, with its newline and without: an error and a clean end, also
 * where more was on its way (no ECONNRESET). */
START_TEST(a_longer_line_is_refused_and_ends_it)
{
	int fd = fixture_connect(&f);
	char *text = padded(CONNECTION_LINE_MAX + 1);

	fixture_send_text(&f, fd, CALL("status") "\n");
	fixture_send(&f, fd, text, CONNECTION_LINE_MAX + 1);
	if (_i > 0) {
		fixture_send_text(&f, fd, "\n");
		fixture_send(&f, fd, text, CONNECTION_LINE_MAX + 2);
	}
	free(text);
	fixture_check_answer(&f, fd, "\"id\":1,\"result\"");
	fixture_check_answer(&f, fd,
		"\"id\":null,\"error\":{\"code\":-32600,\"message\":\"a "
		"request is longer than 65536 bytes\"");
	fixture_check_end(&f, fd);
}
END_TEST

START_TEST(garbage_does_not_end_it)
{
	int fd = fixture_connect(&f);

	fixture_send_text(&f, fd, "garbage\n\xff\xfe\n" CALL("status") "\n");
	fixture_check_answer(&f, fd, "-32700");
	fixture_check_answer(&f, fd, "-32700");
	fixture_check_answer(&f, fd, "\"result\"");
	(void)close(fd);
}
END_TEST

START_TEST(a_client_that_asks_and_runs_is_survived)
{
	for (int i = 0; i < 20; i++) {
		int fd = fixture_connect(&f);

		for (int j = 0; j < 20; j++)
			fixture_send_text(&f, fd, CALL("groups") "\n");
		for (int j = 0; j < i; j++)
			(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		(void)close(fd);
	}
	fixture_check_served(&f);
}
END_TEST

START_TEST(clients_are_dropped_at_the_end)
{
	int fds[4];

	for (size_t i = 0; i < 4; i++) {
		fds[i] = fixture_connect(&f);
		free(fixture_ask(&f, fds[i], CALL("status")));
		fixture_send_text(
			&f, fds[i], CALL("groups") "\n" CALL("groups"));
	}
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	control_close(f.control);
	f.control = NULL;
	ck_assert_int_eq(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	for (size_t i = 0; i < 4; i++)
		(void)close(fds[i]);
}
END_TEST

/* ---- many clients ---- */

START_TEST(beyond_the_limit_a_newcomer_is_told_so)
{
	int fds[4], fd;

	for (size_t i = 0; i < 4; i++) {
		fds[i] = fixture_connect(&f);
		free(fixture_ask(&f, fds[i], CALL("status")));
	}
	for (int i = 0; i < 2; i++) {
		fd = fixture_connect(&f);
		fixture_send_text(&f, fd, CALL("status") "\n");
		fixture_check_answer(&f, fd,
			"\"id\":null,\"error\":{\"code\":-32004,\"message\":"
			"\"too many clients are connected\"");
		fixture_check_end(&f, fd);
	}
	fixture_send_text(&f, fds[0], CALL("status") "\n");
	fixture_check_answer(&f, fds[0],
		"\"clients\":{\"used\":4,\"bound\":4,\"refused\":2,"
		"\"evicted\":0}");
	(void)close(fds[3]);
	/* It was seen to go before the next one is looked at. */
	free(fixture_ask(&f, fds[0], CALL("status")));
	free(fixture_ask(&f, fds[0], CALL("status")));
	fixture_check_served(&f);
	for (size_t i = 0; i < 3; i++)
		(void)close(fds[i]);
}
END_TEST

/* The kilobytes of a silent client: its handle and little else. */
START_TEST(silent_clients_cost_little)
{
	static int fds[256];
	size_t before;
	pid_t pid;

	f.options.clients = 257;
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	fixture_check_served(&f);
	before = mallinfo2().uordblks;
	for (size_t i = 0; i < 256; i++) {
		fds[i] = fixture_connect(&f);
		/* Even after it has talked once. */
		free(fixture_ask(&f, fds[i], CALL("status")));
	}
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	ck_assert_uint_lt(mallinfo2().uordblks - before, 256 * 1024);
	for (size_t i = 0; i < 256; i++)
		(void)close(fds[i]);
	fixture_check_served(&f);
}
END_TEST

/* Reads until `n` answers have come, and no more than that. */
static void count_answers(int fd, size_t n)
{
	static char answers[65536];
	size_t newlines = 0;
	ssize_t size;

	while (newlines < n) {
		size = recv(fd, answers, sizeof(answers), 0);
		ck_assert_int_ne(size, 0);
		for (ssize_t i = 0; i < size; i++)
			newlines += answers[i] == '\n';
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	ck_assert_uint_eq(newlines, n);
}

/* Sends requests until neither the socket nor the daemon takes more. */
static unsigned babble(int fd, const char *request)
{
	size_t size = strlen(request), at = 0;
	unsigned sent = 0, quiet = 0;
	ssize_t n;

	while (quiet < 200) {
		n = send(fd, request + at, size - at,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		quiet = n < 0 ? quiet + 1 : 0;
		at += n > 0 ? (size_t)n : 0;
		sent += at == size;
		at %= size;
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	/* The rest of the last one would garble what comes next. */
	ck_assert_uint_lt(sent, 1000000);
	return sent;
}

/*
 * A client that asks and never reads is not read any more, and costs what
 * CONNECTION_UNSENT_MAX says; others do not notice. When it reads at last, it
 * finds every answer.
 */
START_TEST(a_client_that_never_reads_is_bounded)
{
	int fd = fixture_connect(&f);
	size_t before;
	unsigned sent;

	fixture_check_served(&f);
	before = mallinfo2().uordblks;
	sent = babble(fd, CALL("groups") "\n");
	ck_assert_uint_gt(sent, 10);
	ck_assert_uint_lt(mallinfo2().uordblks - before,
		2 * CONNECTION_UNSENT_MAX + CONNECTION_LINE_MAX + 32768);
	fixture_check_served(&f);
	count_answers(fd, sent);
	(void)close(fd);
}
END_TEST

START_TEST(a_client_that_never_reads_is_dropped_at_its_end)
{
	int fd = fixture_connect(&f);

	ck_assert_uint_gt(babble(fd, CALL("groups") "\n"), 10);
	(void)close(fd);
	fixture_check_served(&f);
}
END_TEST

/*
 * A buffer full of tiny requests takes many turns of the loop, each of about a
 * millisecond, and another client's request comes in between.
 */
START_TEST(a_babbling_client_does_not_keep_the_loop)
{
	int babbler = fixture_connect(&f), other = fixture_connect(&f);
	struct pollfd p = { .fd = other, .events = POLLIN };
	static char many[65535];
	unsigned turns = 0;

	for (size_t i = 0; i < sizeof(many); i += 3)
		memcpy(many + i, "{}\n", 3);
	free(fixture_ask(&f, babbler, CALL("status")));
	free(fixture_ask(&f, other, CALL("status")));
	fixture_send(&f, babbler, many, sizeof(many));
	for (int i = 0; i < 3; i++)
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(
		send(other, CALL("status") "\n", sizeof(CALL("status")), 0),
		sizeof(CALL("status")));
	while (poll(&p, 1, 0) == 0) {
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		ck_assert_uint_lt(++turns, 50);
	}
	fixture_check_answer(&f, other, "\"result\"");
	count_answers(babbler, sizeof(many) / 3);
	(void)close(babbler);
	(void)close(other);
}
END_TEST

/* Once all is answered, the loop sleeps: no idle handle runs. */
START_TEST(nothing_to_do_is_nothing_done)
{
	int fd = fixture_connect(&f);

	free(fixture_ask(&f, fd, CALL("status")));
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(uv_backend_timeout(&f.loop), -1);
	(void)close(fd);
}
END_TEST

/* ---- out of descriptors ---- */

static unsigned troubles;

static void count_trouble(void *data, int error, uint64_t times)
{
	(void)data;
	ck_assert_int_eq(error, -EMFILE);
	ck_assert_uint_eq(times, 1);
	troubles++;
}

static bool is_troubled(void *data)
{
	(void)data;
	return troubles > 0;
}

/* valgrind plays the limit itself: it accepts, and closes what is too much. */
static bool is_limit_real(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return !preload || !strstr(preload, "vgpreload");
}

START_TEST(a_lack_of_descriptors_is_sat_out)
{
	struct rlimit before, limit;
	unsigned turns = 0;
	int fd;

	f.handles.trouble = count_trouble;
	fixture_serve(&f);
	fd = fixture_connect(&f);
	fixture_send_text(&f, fd, CALL("status") "\n");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fixture_run(&f, is_troubled, NULL);
	/* The socket is readable all the while, and wakes nobody. */
	ck_assert_int_gt(uv_backend_timeout(&f.loop), 500);
	while (turns < 100 && uv_run(&f.loop, UV_RUN_NOWAIT) > 0)
		turns++;
	ck_assert_uint_eq(troubles, 1);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	fixture_check_answer(&f, fd, "\"result\"");
	ck_assert_uint_eq(troubles, 1);
	(void)close(fd);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/clients");
	TCase *clients = tcase_create("clients");
	TCase *descriptors = tcase_create("descriptors");

	tcase_add_checked_fixture(clients, setup_served, teardown);
	tcase_set_timeout(clients, 60);
	tcase_add_test(clients, many_requests_at_once_are_answered_in_order);
	tcase_add_test(clients, a_request_may_come_byte_by_byte);
	tcase_add_test(clients, a_half_closed_client_gets_all_its_answers);
	tcase_add_test(clients, a_client_that_says_nothing_gets_nothing);
	tcase_add_test(clients, the_longest_line_is_answered);
	tcase_add_loop_test(
		clients, a_longer_line_is_refused_and_ends_it, 0, 2);
	tcase_add_test(clients, garbage_does_not_end_it);
	tcase_add_test(clients, a_client_that_asks_and_runs_is_survived);
	tcase_add_test(clients, clients_are_dropped_at_the_end);
	tcase_add_test(clients, beyond_the_limit_a_newcomer_is_told_so);
	tcase_add_test(clients, silent_clients_cost_little);
	tcase_add_test(clients, a_client_that_never_reads_is_bounded);
	tcase_add_test(
		clients, a_client_that_never_reads_is_dropped_at_its_end);
	tcase_add_test(clients, a_babbling_client_does_not_keep_the_loop);
	tcase_add_test(clients, nothing_to_do_is_nothing_done);
	suite_add_tcase(s, clients);
	tcase_add_checked_fixture(descriptors, setup, teardown);
	if (is_limit_real())
		tcase_add_test(descriptors, a_lack_of_descriptors_is_sat_out);
	suite_add_tcase(s, descriptors);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
