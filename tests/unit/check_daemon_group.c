/*
 * Who is of the control group, whatever the name service says of it.
 *
 * The process itself may change things in any case, so another one asks: of
 * another user, whose only group is that.
 */
#include "daemon/daemon.h"
#include "house.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

enum { GID = 54321, NOBODY = 65534 };

#define FILE_OF(group)                                                         \
	"control: { group: " group ", mode: '0666' }\n"                        \
	"interfaces: { lan: { device: r1 } }\n"                                \
	"groups:\n"                                                            \
	"  g: { address: 239.1.1.1, port: 5000 }\n"

/* What the name service says next. */
static struct {
	int error;
	size_t size; /* of the buffer that it takes */
} service;

int __wrap_getgrnam_r(const char *name, struct group *ret, char *buffer,
	size_t size, struct group **ret_found);
int __wrap_getgrnam_r(const char *name, struct group *ret, char *buffer,
	size_t size, struct group **ret_found)
{
	*ret_found = NULL;
	if (service.error)
		return service.error;
	if (size < service.size)
		return ERANGE;
	/* All of it is used, where it has that size. */
	memset(buffer, 0, size);
	*ret = (struct group){ .gr_gid = GID };
	if (strcmp(name, "keepers") == 0)
		*ret_found = ret;
	return 0;
}

static struct house house;
static struct daemon *d;
static char folder[64], config[96], sock[96];
static FILE *log_file;

static void write_file(const char *text)
{
	FILE *f = fopen(config, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void start(int error, size_t size)
{
	struct daemon_options options = {
		.config = config,
		.socket = sock,
		.version = "test",
		.control_fd = -1,
		.log = { .level = LOG_NOTICE, .target = SERVICE_PREFIXED },
	};

	service.error = error;
	service.size = size;
	options.log.fd = fileno(log_file);
	ck_assert_int_eq(daemon_new(&d, &house.loop, &options), 0);
}

static void setup(void)
{
	house_open(&house);
	(void)strcpy(folder, "/tmp/crier-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	(void)snprintf(config, sizeof(config), "%s/yaml", folder);
	(void)snprintf(sock, sizeof(sock), "%s/sock", folder);
	write_file(FILE_OF("keepers"));
	log_file = tmpfile();
	ck_assert_ptr_nonnull(log_file);
}

static void teardown(void)
{
	daemon_close(d);
	house_close(&house);
	(void)fclose(log_file);
	house_run("rm -r %s", folder);
}

static bool is_logged(const char *text)
{
	char line[2048];

	rewind(log_file);
	while (fgets(line, sizeof(line), log_file))
		if (strstr(line, text))
			return true;
	return false;
}

/* Of the other process: 0 where it may. */
static int ask(void)
{
	static const char line[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
		"\"standby\",\"params\":{\"enabled\":true}}\n";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const gid_t gid = GID;
	char answer[1024];
	ssize_t n;
	int fd;

	if (setgroups(1, &gid) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return 2;
	(void)strcpy(a.sun_path, sock);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		send(fd, line, sizeof(line) - 1, 0) < 0)
		return 3;
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	if (n <= 0)
		return 4;
	answer[n] = '\0';
	return strstr(answer, "-32002") ? 1 : 0;
}

struct asker {
	pid_t pid;
	int status;
};

static bool has_ended(void *data)
{
	struct asker *q = data;

	return waitpid(q->pid, &q->status, WNOHANG) == q->pid;
}

/* 1: a member is refused; 0: not. */
static int is_refused(void)
{
	struct asker q = { .pid = fork() };

	if (q.pid == 0)
		_exit(ask());
	ck_assert_int_gt(q.pid, 0);
	ck_assert(house_wait(&house, has_ended, &q));
	ck_assert(WIFEXITED(q.status));
	return WEXITSTATUS(q.status);
}

START_TEST(a_member_may_change_things)
{
	start(0, 0);
	ck_assert_int_eq(is_refused(), 0);
}
END_TEST

/* It took those with more than 16 KiB of members for groups that do not exist,
 * without a word. */
START_TEST(a_group_may_have_many_members)
{
	start(0, 300000);
	ck_assert_int_eq(is_refused(), 0);
}
END_TEST

/* An error of the name service took the members' rights at a reload, without a
 * word. */
START_TEST(an_error_takes_no_rights)
{
	static const int errors[] = { EMFILE, EIO, ENOMEM };

	start(0, 0);
	service.error = errors[_i];
	ck_assert_int_eq(daemon_reload(d, NULL), 0);
	ck_assert_int_eq(is_refused(), 0);
	ck_assert(is_logged("keepers cannot be looked up"));
	ck_assert(is_logged(strerror(errors[_i])));
	ck_assert_int_eq(daemon_reload(d, NULL), 0);
	ck_assert_int_eq(is_refused(), 0);
}
END_TEST

START_TEST(nor_does_it_give_those_of_one_group_to_another)
{
	start(0, 0);
	write_file(FILE_OF("others"));
	service.error = EIO;
	ck_assert_int_eq(daemon_reload(d, NULL), 0);
	ck_assert_int_eq(is_refused(), 1);
	/* Back to the first: nothing is known of it any more. */
	write_file(FILE_OF("keepers"));
	ck_assert_int_eq(daemon_reload(d, NULL), 0);
	ck_assert_int_eq(is_refused(), 1);
}
END_TEST

START_TEST(an_error_at_the_start_is_told_and_mended_by_a_reload)
{
	start(EIO, 0);
	ck_assert(is_logged("keepers cannot be looked up"));
	ck_assert_int_eq(is_refused(), 1);
	service.error = 0;
	ck_assert_int_eq(daemon_reload(d, NULL), 0);
	ck_assert_int_eq(is_refused(), 0);
}
END_TEST

START_TEST(one_that_is_gone_has_no_members)
{
	start(0, 0);
	write_file(FILE_OF("others"));
	ck_assert_int_eq(daemon_reload(d, NULL), 0);
	ck_assert_int_eq(is_refused(), 1);
	ck_assert(is_logged("there is no such group"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon: the control group");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	if (!house_is_possible()) {
		(void)fputs("no network namespaces here\n", stderr);
		return 77;
	}
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_member_may_change_things);
	tcase_add_test(t, a_group_may_have_many_members);
	tcase_add_loop_test(t, an_error_takes_no_rights, 0, 3);
	tcase_add_test(t, nor_does_it_give_those_of_one_group_to_another);
	tcase_add_test(t, an_error_at_the_start_is_told_and_mended_by_a_reload);
	tcase_add_test(t, one_that_is_gone_has_no_members);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
