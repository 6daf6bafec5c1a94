/*
 * The log: to a terminal, to whoever reads standard error, to the journal.
 */
#include "service/service.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* ---- lines ---- */

static int lines[2];

static void setup_lines(void)
{
	ck_assert_int_eq(pipe2(lines, O_NONBLOCK), 0);
}

static void teardown_lines(void)
{
	(void)close(lines[0]);
	(void)close(lines[1]);
}

/* All that was written since the last time. */
static void check_written(const char *expected)
{
	char text[16384];
	ssize_t n = read(lines[0], text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	ck_assert_str_eq(text, expected);
}

START_TEST(lines_have_a_prefix_but_on_a_terminal)
{
	const struct service_fields fields = { .group = "mdns" };
	struct service_log log = { LOG_DEBUG, SERVICE_PREFIXED, lines[1] };

	service_log(&log, LOG_ERR, &fields, "one %d", 1);
	service_log(&log, LOG_DEBUG, NULL, "two");
	check_written("<3>one 1\n<7>two\n");
	log.target = SERVICE_TERMINAL;
	service_log(&log, LOG_ERR, NULL, "three");
	check_written("three\n");
}
END_TEST

START_TEST(the_level_is_a_bound)
{
	static const int all[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO,
		LOG_DEBUG };
	struct service_log log = { all[_i], SERVICE_TERMINAL, lines[1] };

	service_log(&log, all[_i], NULL, "at it");
	check_written("at it\n");
	service_log(&log, all[_i] + 1, NULL, "beyond it");
	check_written("");
}
END_TEST

static const struct {
	const char *message, *line;
} messages[] = {
	{ "", "\n" },
	{ "K\xc3\xbc"
	  "che",
		"K\xc3\xbc"
		"che\n" },
	{ "a\nb", "a\\x0ab\n" },
	{ "\x1b[31m\x7f", "\\x1b[31m\\x7f\n" },
	{ "\xc2\x9b"
	  "31m",
		"\\xc2\\x9b31m\n" },
	{ "\xc2\xa0 \xc3\x9f", "\xc2\xa0 \xc3\x9f\n" },
	{ "ends in \xc2", "ends in \\xc2\n" },
};

START_TEST(a_message_is_one_line_whatever_it_says)
{
	const struct service_log log = { LOG_INFO, SERVICE_TERMINAL, lines[1] };

	service_log(&log, LOG_INFO, NULL, "%s", messages[_i].message);
	check_written(messages[_i].line);
}
END_TEST

START_TEST(a_long_message_is_cut_and_says_so)
{
	const struct service_log log = { LOG_INFO, SERVICE_TERMINAL, lines[1] };
	static char message[3000], expected[16384];

	memset(message, 'x', sizeof(message));
	message[2047] = '\0';
	service_log(&log, LOG_INFO, NULL, "%s", message);
	(void)snprintf(expected, sizeof(expected), "%s\n", message);
	check_written(expected);

	message[2047] = 'x';
	message[2048] = '\0';
	service_log(&log, LOG_INFO, NULL, "%s", message);
	(void)snprintf(expected, sizeof(expected), "%.2044s...\n", message);
	check_written(expected);

	/* Not in the middle of a character. */
	memcpy(message + 2043, "\xc3\xbc", 2);
	service_log(&log, LOG_INFO, NULL, "%s", message);
	(void)snprintf(expected, sizeof(expected), "%.2043s...\n", message);
	check_written(expected);

	/* All of it escaped. */
	memset(message, '\x01', 2999);
	message[2999] = '\0';
	service_log(&log, LOG_INFO, NULL, "%s", message);
	for (size_t i = 0; i < 2044; i++)
		(void)stpcpy(expected + 4 * i, "\\x01");
	(void)stpcpy(expected + 4 * 2044, "...\n");
	check_written(expected);
}
END_TEST

START_TEST(a_log_that_cannot_be_written_is_survived)
{
	const struct service_log log = { LOG_INFO, SERVICE_PREFIXED, -1 };

	service_log(&log, LOG_INFO, NULL, "nobody hears this");
}
END_TEST

START_TEST(levels_have_words)
{
	static const char *const words[] = { "err", "warning", "notice", "info",
		"debug" };
	static const char *const bad[] = { "", "ERR", "error", "debug ",
		"emerg" };
	int level = -1;

	ck_assert_int_eq(service_log_level_parse(words[_i], &level), 0);
	ck_assert_int_eq(level, LOG_ERR + _i);
	ck_assert_str_eq(service_log_level_word(level), words[_i]);
	ck_assert_int_eq(service_log_level_parse(bad[_i], &level), -EINVAL);
	ck_assert_int_eq(level, LOG_ERR + _i);
	ck_assert_str_eq(service_log_level_word(99), "?");
}
END_TEST

#ifdef HAVE_SYSTEMD

/* ---- the journal ---- */

/* A process whose standard error is `fd`, and $JOURNAL_STREAM what `stream`
 * says of it. Its target as service_log_init() has it. */
static int target_with(int fd, const char *stream)
{
	struct service_log log;
	struct stat st;
	char text[64];
	int status;

	if (fork() > 0) {
		(void)wait(&status);
		ck_assert(WIFEXITED(status));
		return WEXITSTATUS(status);
	}
	if (fstat(fd, &st) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(99);
	(void)snprintf(text, sizeof(text), stream ? "%s" : "%s%lu:%lu",
		stream ? stream : "", (unsigned long)st.st_dev,
		(unsigned long)st.st_ino);
	(void)setenv("JOURNAL_STREAM", text, 1);
	service_log_init(&log, LOG_INFO);
	_exit(log.level == LOG_INFO && log.fd == STDERR_FILENO ? (int)log.target
							       : 98);
}

START_TEST(the_journal_is_known_by_its_stream)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(target_with(fds[1], NULL), SERVICE_JOURNAL);
	ck_assert_int_eq(target_with(fds[1], "1:2"), SERVICE_PREFIXED);
	ck_assert_int_eq(target_with(fds[1], ""), SERVICE_PREFIXED);
	ck_assert_int_eq(target_with(fds[1], "x"), SERVICE_PREFIXED);
	ck_assert_int_eq(target_with(fds[1], "1"), SERVICE_PREFIXED);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

/* A journal of our own, where the real one would be. -1: not possible here. */
static int make_journal(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket" };
	int fd;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0 ||
		mount("none", "/run", "tmpfs", 0, "") < 0 ||
		mkdir("/run/systemd", 0755) < 0 ||
		mkdir("/run/systemd/journal", 0755) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

START_TEST(the_journal_gets_fields)
{
	struct service_log log = { LOG_INFO, SERVICE_JOURNAL, -1 };
	struct service_fields fields = { .group = "mdns",
		.device = "eth0",
		.message_id = "0123456789abcdef0123456789abcdef" };
	int journal = make_journal();
	char record[2048];
	ssize_t n;

	if (journal < 0)
		return;
	service_log(&log, LOG_WARNING, &fields, "%s is\ndown", "eth0");
	n = recv(journal, record, sizeof(record) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(n, 0);
	record[n] = '\0';
	ck_assert_ptr_nonnull(strstr(record, "MESSAGE=eth0 is\\x0adown\n"));
	ck_assert_ptr_nonnull(strstr(record, "PRIORITY=4\n"));
	ck_assert_ptr_nonnull(strstr(record, "CRIER_GROUP=mdns\n"));
	ck_assert_ptr_nonnull(strstr(record, "CRIER_DEVICE=eth0\n"));
	ck_assert_ptr_nonnull(strstr(
		record, "MESSAGE_ID=0123456789abcdef0123456789abcdef\n"));
	ck_assert_ptr_null(strstr(record, "CRIER_INTERFACE"));
	ck_assert_ptr_null(strstr(record, "CODE_FILE"));
	(void)close(journal);
}
END_TEST

/* A device may have any name without blanks, a key of the file any at all; and
 * journalctl shows no field that is not one line of UTF-8. */
START_TEST(fields_can_be_read_whatever_they_say)
{
	const struct service_log log = { LOG_INFO, SERVICE_JOURNAL, -1 };
	static char path[600];
	struct service_fields fields = {
		.device = "e\x1b\xff\n9", .path = path, .line = 14
	};
	int journal = make_journal();
	char record[4096], expected[600];
	ssize_t n;

	if (journal < 0)
		return;
	/* Two bytes each, behind a key of 11: an odd place for the cut. */
	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		(void)stpcpy(path + i, "\xc3\xbc");
	(void)snprintf(
		expected, sizeof(expected), "\nCRIER_PATH=%.240s...\n", path);
	service_log(&log, LOG_WARNING, &fields, "x");
	n = recv(journal, record, sizeof(record) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(n, 0);
	record[n] = '\0';
	ck_assert_ptr_nonnull(
		strstr(record, "\nCRIER_DEVICE=e\\x1b\\xff\\x0a9\n"));
	ck_assert_ptr_nonnull(strstr(record, "\nCRIER_LINE=14\n"));
	ck_assert_ptr_nonnull(strstr(record, expected));
	ck_assert_ptr_null(strstr(record, "CRIER_GROUP"));

	/* The file as a whole. */
	fields.path = NULL;
	fields.line = 0;
	service_log(&log, LOG_WARNING, &fields, "x");
	n = recv(journal, record, sizeof(record) - 1, MSG_DONTWAIT);
	ck_assert_int_gt(n, 0);
	record[n] = '\0';
	ck_assert_ptr_null(strstr(record, "CRIER_PATH"));
	ck_assert_ptr_null(strstr(record, "CRIER_LINE"));
	(void)close(journal);
}
END_TEST

/* Its socket is there, but nobody is behind it: journald is being restarted. */
START_TEST(without_the_journal_its_stream_is_written)
{
	struct service_log log = { LOG_INFO, SERVICE_JOURNAL, -1 };
	int journal = make_journal(), fds[2];
	char line[64];
	ssize_t n;

	if (journal < 0)
		return;
	(void)close(journal);
	ck_assert_int_eq(pipe(fds), 0);
	log.fd = fds[1];
	service_log(&log, LOG_INFO, NULL, "hello");
	n = read(fds[0], line, sizeof(line));
	ck_assert_int_eq(n, 9);
	ck_assert_int_eq(memcmp(line, "<6>hello\n", 9), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("service/log");
	TCase *t = tcase_create("lines");

	tcase_add_checked_fixture(t, setup_lines, teardown_lines);
	tcase_add_test(t, lines_have_a_prefix_but_on_a_terminal);
	tcase_add_loop_test(t, the_level_is_a_bound, 0, 5);
	tcase_add_loop_test(t, a_message_is_one_line_whatever_it_says, 0,
		sizeof(messages) / sizeof(messages[0]));
	tcase_add_test(t, a_long_message_is_cut_and_says_so);
	tcase_add_test(t, a_log_that_cannot_be_written_is_survived);
	tcase_add_loop_test(t, levels_have_words, 0, 5);
	suite_add_tcase(s, t);
#ifdef HAVE_SYSTEMD
	t = tcase_create("journal");
	tcase_add_test(t, the_journal_is_known_by_its_stream);
	tcase_add_test(t, the_journal_gets_fields);
	tcase_add_test(t, fields_can_be_read_whatever_they_say);
	tcase_add_test(t, without_the_journal_its_stream_is_written);
	suite_add_tcase(s, t);
#endif
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
