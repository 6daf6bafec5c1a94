/*
 * The socket's file: how it comes, moves at a reload, and goes.
 */
#include "control_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
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

static int serve(pid_t *ret_pid)
{
	return control_new(
		&f.control, &f.loop, &f.handles, &f.options, ret_pid);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* ---- the file ---- */

START_TEST(the_file_has_its_mode_and_goes_at_the_end)
{
	mode_t umask_before = umask(0077);

	f.options.mode = 0666;
	fixture_serve(&f);
	(void)umask(umask_before);
	ck_assert_uint_eq(mode_of(f.path), 0666);
	fixture_check_served(&f);
	control_close(f.control);
	f.control = NULL;
	ck_assert(!exists(f.path));
}
END_TEST

START_TEST(a_missing_directory_is_made)
{
	char directory[64], path[96];
	mode_t umask_before = umask(0077);

	(void)snprintf(directory, sizeof(directory), "%s/run", f.directory);
	(void)snprintf(path, sizeof(path), "%s/control.sock", directory);
	f.options.path = path;
	fixture_serve(&f);
	(void)umask(umask_before);
	ck_assert_uint_eq(mode_of(directory), 0755);
	control_close(f.control);
	f.control = NULL;
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(a_directory_two_levels_up_is_not_guessed)
{
	char path[96];
	pid_t pid = -1;

	(void)snprintf(path, sizeof(path), "%s/a/b/control.sock", f.directory);
	f.options.path = path;
	ck_assert_int_eq(serve(&pid), -ENOENT);
	ck_assert_int_eq(pid, -1);
}
END_TEST

START_TEST(a_path_has_the_length_that_the_kernel_takes)
{
	char path[128];
	size_t size = strlen(f.directory);
	pid_t pid;

	(void)stpcpy(path, f.directory);
	path[size] = '/';
	memset(path + size + 1, 'x', sizeof(path) - size - 1);
	path[108] = '\0';
	f.options.path = path;
	ck_assert_int_eq(serve(&pid), -ENAMETOOLONG);
	path[107] = '\0';
	ck_assert_int_eq(serve(&pid), 0);
	f.options.path = "";
	ck_assert_int_eq(
		control_reconfigure(f.control, &f.options, &pid), -EINVAL);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	(void)close(fixture_bound_socket(f.path, SOCK_STREAM, 5));
	ck_assert(exists(f.path));
	fixture_serve(&f);
	fixture_check_served(&f);
}
END_TEST

START_TEST(a_live_daemon_is_named_and_left_alone)
{
	struct control *first;
	pid_t pid = -1;

	fixture_serve(&f);
	first = f.control;
	f.control = NULL;
	ck_assert_int_eq(serve(&pid), -EADDRINUSE);
	ck_assert_int_eq(pid, getpid());
	ck_assert_ptr_null(f.control);
	f.control = first;
	fixture_check_served(&f);
}
END_TEST

/* Its backlog is full, so connect() says EAGAIN: it is slow, not dead. */
START_TEST(a_daemon_too_busy_to_answer_is_alive)
{
	int listening = fixture_bound_socket(f.path, SOCK_STREAM, 0), fds[4];
	struct sockaddr_un sa;
	pid_t pid = -1;

	fixture_address(&sa, f.path);
	for (size_t i = 0; i < 4; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	ck_assert_int_eq(serve(&pid), -EADDRINUSE);
	ck_assert_int_eq(pid, 0);
	for (size_t i = 0; i < 4; i++)
		(void)close(fds[i]);
	(void)close(listening);
	ck_assert_int_eq(unlink(f.path), 0);
}
END_TEST

START_TEST(a_live_socket_of_another_kind_is_left_alone)
{
	int fd = fixture_bound_socket(f.path, SOCK_DGRAM, -1);
	pid_t pid = -1;

	ck_assert_int_eq(serve(&pid), -EADDRINUSE);
	ck_assert_int_eq(pid, 0);
	(void)close(fd);
	ck_assert_int_eq(unlink(f.path), 0);
}
END_TEST

START_TEST(what_is_no_socket_is_never_removed)
{
	char other[96];
	pid_t pid;

	(void)snprintf(other, sizeof(other), "%s/other", f.directory);
	(void)close(open(f.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(serve(&pid), -ENOTSOCK);
	ck_assert_int_eq(unlink(f.path), 0);

	ck_assert_int_eq(mkdir(f.path, 0700), 0);
	ck_assert_int_eq(serve(&pid), -ENOTSOCK);
	ck_assert_int_eq(rmdir(f.path), 0);

	/* Not even a link to a socket that is stale. */
	(void)close(fixture_bound_socket(other, SOCK_STREAM, 5));
	ck_assert_int_eq(symlink(other, f.path), 0);
	ck_assert_int_eq(serve(&pid), -ENOTSOCK);
	ck_assert_int_eq(unlink(f.path), 0);
	ck_assert_int_eq(unlink(other), 0);
}
END_TEST

START_TEST(a_file_that_somebody_else_put_there_stays)
{
	int fd;

	fixture_serve(&f);
	ck_assert_int_eq(unlink(f.path), 0);
	fd = fixture_bound_socket(f.path, SOCK_STREAM, 5);
	control_close(f.control);
	f.control = NULL;
	ck_assert(exists(f.path));
	(void)close(fd);
	ck_assert_int_eq(unlink(f.path), 0);
}
END_TEST

START_TEST(a_locked_directory_is_not_waited_for_without_end)
{
	int fd = open(f.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(serve(&pid), -EBUSY);
	(void)close(fd);
	fixture_serve(&f);
}
END_TEST

/* A child that tries to be the daemon once `start` closes; writes what came of
 * it to `report` and stays until `end` closes. */
static void race(int start, int end, int report)
{
	char waste;
	pid_t pid = 0;
	int r;

	(void)!read(start, &waste, 1);
	r = serve(&pid);
	(void)!write(report, &r, sizeof(r));
	(void)!read(end, &waste, 1);
	_exit(0);
}

/* Eight at once find the same stale file: one wins, and seven learn of it. */
START_TEST(of_many_that_start_at_once_one_wins)
{
	int start[2], end[2], report[2], r, won = 0, lost = 0;

	(void)close(fixture_bound_socket(f.path, SOCK_STREAM, 5));
	ck_assert_int_eq(pipe(start) | pipe(end) | pipe(report), 0);
	for (int i = 0; i < 8; i++) {
		if (fork() > 0)
			continue;
		(void)close(start[1]);
		(void)close(end[1]);
		race(start[0], end[0], report[1]);
	}
	(void)close(start[1]);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(read(report[0], &r, sizeof(r)), sizeof(r));
		won += r == 0;
		lost += r == -EADDRINUSE;
	}
	ck_assert_int_eq(won, 1);
	ck_assert_int_eq(lost, 7);
	(void)close(end[1]);
	while (wait(NULL) > 0)
		;
	(void)close(start[0]);
	(void)close(end[0]);
	(void)close(report[0]);
	(void)close(report[1]);
	ck_assert_int_eq(unlink(f.path), 0);
}
END_TEST

START_TEST(a_passed_socket_is_served_and_never_unlinked)
{
	pid_t pid;

	f.options.fd = fixture_bound_socket(f.path, SOCK_STREAM, 5);
	ck_assert_int_eq(chmod(f.path, 0604), 0);
	fixture_serve(&f);
	fixture_check_served(&f);
	f.options.path = "/nowhere/at/all";
	f.options.fd = -1;
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	fixture_check_served(&f);
	ck_assert_uint_eq(mode_of(f.path), 0604);
	control_close(f.control);
	f.control = NULL;
	ck_assert(exists(f.path));
	ck_assert_int_eq(unlink(f.path), 0);
}
END_TEST

START_TEST(two_daemons_live_in_one_process)
{
	struct fixture other;

	fixture_open(&other);
	fixture_serve(&other);
	fixture_serve(&f);
	fixture_check_served(&f);
	fixture_close(&other);
	fixture_check_served(&f);
}
END_TEST

/* ---- a reload ---- */

START_TEST(a_reload_changes_the_mode)
{
	pid_t pid;

	f.options.mode = 0600;
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	ck_assert_uint_eq(mode_of(f.path), 0600);
	fixture_check_served(&f);
}
END_TEST

START_TEST(a_reload_moves_the_socket_and_keeps_its_clients)
{
	int fd = fixture_connect(&f);
	char path[96], *line;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/new.sock", f.directory);
	free(fixture_ask(&f, fd, CALL("status")));
	f.options.path = path;
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	ck_assert(!exists(f.path));
	line = fixture_ask(&f, fd, CALL("status"));
	ck_assert_ptr_nonnull(strstr(line, "\"result\""));
	free(line);
	(void)close(fd);
	(void)stpcpy(f.path, path);
	fixture_check_served(&f);
}
END_TEST

START_TEST(a_reload_to_a_path_in_use_changes_nothing)
{
	char path[96];
	pid_t pid = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/new.sock", f.directory);
	fd = fixture_bound_socket(path, SOCK_STREAM, 5);
	f.options.path = path;
	f.options.clients = 0;
	ck_assert_int_eq(
		control_reconfigure(f.control, &f.options, &pid), -EADDRINUSE);
	ck_assert_int_eq(pid, getpid());
	fixture_check_served(&f);
	(void)close(fd);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_reload_makes_a_lost_file_again)
{
	pid_t pid;

	ck_assert_int_eq(unlink(f.path), 0);
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	fixture_check_served(&f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/socket");
	TCase *start = tcase_create("start");
	TCase *reload = tcase_create("reload");

	tcase_add_checked_fixture(start, setup, teardown);
	tcase_add_test(start, the_file_has_its_mode_and_goes_at_the_end);
	tcase_add_test(start, a_missing_directory_is_made);
	tcase_add_test(start, a_directory_two_levels_up_is_not_guessed);
	tcase_add_test(start, a_path_has_the_length_that_the_kernel_takes);
	tcase_add_test(start, a_stale_socket_is_replaced);
	tcase_add_test(start, a_live_daemon_is_named_and_left_alone);
	tcase_add_test(start, a_daemon_too_busy_to_answer_is_alive);
	tcase_add_test(start, a_live_socket_of_another_kind_is_left_alone);
	tcase_add_test(start, what_is_no_socket_is_never_removed);
	tcase_add_test(start, a_file_that_somebody_else_put_there_stays);
	tcase_add_test(start, a_locked_directory_is_not_waited_for_without_end);
	tcase_add_test(start, of_many_that_start_at_once_one_wins);
	tcase_add_test(start, a_passed_socket_is_served_and_never_unlinked);
	tcase_add_test(start, two_daemons_live_in_one_process);
	suite_add_tcase(s, start);
	tcase_add_checked_fixture(reload, setup_served, teardown);
	tcase_add_test(reload, a_reload_changes_the_mode);
	tcase_add_test(reload, a_reload_moves_the_socket_and_keeps_its_clients);
	tcase_add_test(reload, a_reload_to_a_path_in_use_changes_nothing);
	tcase_add_test(reload, a_reload_makes_a_lost_file_again);
	suite_add_tcase(s, reload);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
