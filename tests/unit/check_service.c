/*
 * What the service manager is told, and what it passes.
 */
#include "service/service.h"

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD

/* ---- notices ---- */

static char directory[32], path[64];

static void setup(void)
{
	(void)stpcpy(directory, "/tmp/check_service.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
}

static void teardown(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static int bound_socket(const char *where, int type, bool listening)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)stpcpy(sa.sun_path, where);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (listening)
		ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static int manager;

static void setup_manager(void)
{
	setup();
	manager = bound_socket(path, SOCK_DGRAM, false);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
}

static void teardown_manager(void)
{
	(void)close(manager);
	teardown();
}

/* The next notice, in `text`. */
static void hear(char *text, size_t size)
{
	ssize_t n = recv(manager, text, size - 1, MSG_DONTWAIT);

	ck_assert_int_gt(n, 0);
	text[n] = '\0';
}

static void check_notice(const char *expected)
{
	char text[1024];

	hear(text, sizeof(text));
	ck_assert_str_eq(text, expected);
}

START_TEST(the_manager_is_told)
{
	service_notify_ready();
	check_notice("READY=1");
	service_notify_stopping("%d groups end", 3);
	check_notice("STOPPING=1\nSTATUS=3 groups end");
	service_notify_watchdog();
	check_notice("WATCHDOG=1");
	service_notify_status("%d groups, %s", 3, "on standby");
	check_notice("STATUS=3 groups, on standby");
}
END_TEST

START_TEST(a_reload_is_told_with_its_time)
{
	struct timespec now;
	unsigned long long us, now_us;
	char text[128];

	service_notify_reloading();
	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	now_us = (unsigned long long)now.tv_sec * 1000000 +
		 (unsigned long long)now.tv_nsec / 1000;
	hear(text, sizeof(text));
	ck_assert_int_eq(
		sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
	ck_assert_uint_le(us, now_us);
	ck_assert_uint_lt(now_us - us, 10000000);
}
END_TEST

/* A group's name must not be able to say READY=1. */
START_TEST(a_status_is_one_line)
{
	char expected[600], longer[600];

	service_notify_status("one\nMAINPID=%d", 1);
	check_notice("STATUS=one\\x0aMAINPID=1");
	service_notify_stopping("one\nMAINPID=%d", 1);
	check_notice("STOPPING=1\nSTATUS=one\\x0aMAINPID=1");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	service_notify_status("%s", longer);
	(void)snprintf(expected, sizeof(expected), "STATUS=%.501s...", longer);
	check_notice(expected);
}
END_TEST

START_TEST(the_watchdog_is_asked_for_its_time)
{
	char pid[16];

	ck_assert_uint_eq(service_watchdog_ms(), 0);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "2500999", 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_PID", pid, 1), 0);
	ck_assert_uint_eq(service_watchdog_ms(), 2500);
	ck_assert_uint_eq(service_watchdog_ms(), 2500);
	ck_assert_int_eq(setenv("WATCHDOG_PID", "1", 1), 0);
	ck_assert_uint_eq(service_watchdog_ms(), 0);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "soon", 1), 0);
	ck_assert_uint_eq(service_watchdog_ms(), 0);
}
END_TEST

/* ---- passed sockets ---- */

enum { PASSED_MAX = 3 };

/* What service_listen_fd() says in a process that got `fds` as 3, 4 ... under
 * `names`. The process is a child: its 3 is not ours. */
static int listen_fd_with(const int fds[], int n, const char *names)
{
	int copies[PASSED_MAX], status;
	char text[16];

	if (fork() > 0) {
		(void)wait(&status);
		ck_assert(WIFEXITED(status));
		return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
	}
	for (int i = 0; i < n; i++)
		copies[i] = fcntl(fds[i], F_DUPFD, 20);
	for (int i = 0; i < n; i++)
		(void)dup2(copies[i], 3 + i);
	(void)snprintf(text, sizeof(text), "%d", n);
	(void)setenv("LISTEN_FDS", text, 1);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", text, 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
	_exit(service_listen_fd() & 255);
}

START_TEST(a_passed_socket_is_found)
{
	int pair[2], a, b, fds[PASSED_MAX];
	char other[64];

	(void)snprintf(other, sizeof(other), "%s/other", directory);
	(void)unlink(path);
	a = bound_socket(path, SOCK_STREAM, true);
	b = bound_socket(other, SOCK_STREAM, true);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);

	fds[0] = a;
	ck_assert_int_eq(listen_fd_with(fds, 1, "crierd.socket"), 3);
	fds[1] = b;
	ck_assert_int_eq(listen_fd_with(fds, 2, "x:control"), 4);
	ck_assert_int_eq(listen_fd_with(fds, 2, "control:control"), 3);
	/* Which of two would it be? */
	ck_assert_int_eq(listen_fd_with(fds, 2, "x:y"), -1);
	/* What does not listen is something else, whatever its name. */
	fds[0] = pair[0];
	ck_assert_int_eq(listen_fd_with(fds, 1, "control"), -1);
	ck_assert_int_eq(listen_fd_with(fds, 2, "control:x"), 4);
	fds[0] = manager;
	ck_assert_int_eq(listen_fd_with(fds, 2, "control:x"), 4);
	ck_assert_int_eq(listen_fd_with(fds, 0, ""), -1);
	ck_assert_int_eq(service_listen_fd(), -1);
	(void)close(a);
	(void)close(b);
	(void)close(pair[0]);
	(void)close(pair[1]);
	ck_assert_int_eq(unlink(other), 0);
}
END_TEST

#endif

/* Started by hand: nobody to tell, and no complaint about it. */
START_TEST(without_a_manager_notices_go_nowhere)
{
	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	service_notify_ready();
	service_notify_reloading();
	service_notify_status("%s", "fine");
	service_notify_watchdog();
	service_notify_stopping("%s", "fine");
	ck_assert_uint_eq(service_watchdog_ms(), 0);
	ck_assert_int_eq(service_listen_fd(), -1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("service");
	TCase *t = tcase_create("alone");

	tcase_add_test(t, without_a_manager_notices_go_nowhere);
	suite_add_tcase(s, t);
#ifdef HAVE_SYSTEMD
	t = tcase_create("systemd");
	tcase_add_checked_fixture(t, setup_manager, teardown_manager);
	tcase_add_test(t, the_manager_is_told);
	tcase_add_test(t, a_reload_is_told_with_its_time);
	tcase_add_test(t, a_status_is_one_line);
	tcase_add_test(t, the_watchdog_is_asked_for_its_time);
	tcase_add_test(t, a_passed_socket_is_found);
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
