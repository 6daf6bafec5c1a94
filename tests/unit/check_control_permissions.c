/*
 * Who may do what over the control socket. The callers are processes that take
 * on other identities, which root alone can.
 */
#include "control_fixture.h"

#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STANDBY   CALL_WITH("standby", "{\"enabled\":false}")
#define LOG_LEVEL CALL_WITH("log-level", "{\"level\":\"debug\"}")

#define RELAY                                                                  \
	CALL_WITH("relay", "{\"group\":\"mdns\",\"payload\":\"\","             \
			   "\"origin\":{}}")
#define ANSWER CALL_WITH("answer", "{\"flow\":7,\"payload\":\"\"}")
#define CARRY                                                                  \
	CALL_WITH("subscribe", "{\"events\":[\"datagram\"],\"carry\":true}")

static struct fixture f;

static void teardown(void)
{
	fixture_close(&f);
}

/* ---- who may ---- */

enum { NOBODY = 65534, GROUP = 4242, OTHERS = 100 };

struct caller {
	uid_t uid;
	gid_t gid;
	size_t n_groups; /* supplementary ones */
	gid_t groups[64];
};

/* What `caller` is answered, written to `report`. */
static void ask_in_child(
	const struct caller *caller, const char *request, int report)
{
	struct sockaddr_un sa;
	char answer[8192];
	size_t size = 0;
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	fixture_address(&sa, f.path);
	if (setgroups(caller->n_groups, caller->groups) ||
		setresgid(caller->gid, caller->gid, caller->gid) ||
		setresuid(caller->uid, caller->uid, caller->uid) ||
		connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
		write(fd, request, strlen(request)) < 0 ||
		shutdown(fd, SHUT_WR))
		_exit(1);
	while ((n = read(fd, answer + size, sizeof(answer) - size)) > 0)
		size += (size_t)n;
	(void)!write(report, answer, size);
	_exit(0);
}

/* Whether the answer to `caller` has `part` in it. */
static void check_as(
	const struct caller *caller, const char *request, const char *part)
{
	int report[2];

	ck_assert_int_eq(pipe2(report, O_NONBLOCK), 0);
	if (fork() == 0)
		ask_in_child(caller, request, report[1]);
	(void)close(report[1]);
	fixture_check_answer(&f, report[0], part);
	(void)close(report[0]);
	(void)wait(NULL);
}

static void setup_permissions(void)
{
	fixture_open(&f);
	ck_assert_int_eq(chmod(f.directory, 0755), 0);
	f.options.mode = 0666;
	f.options.gid = GROUP;
	fixture_serve(&f);
}

START_TEST(the_file_belongs_to_the_group)
{
	struct stat st;
	pid_t pid;

	ck_assert_int_eq(lstat(f.path, &st), 0);
	ck_assert_uint_eq(st.st_gid, GROUP);
	f.options.gid = OTHERS;
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	ck_assert_int_eq(lstat(f.path, &st), 0);
	ck_assert_uint_eq(st.st_gid, OTHERS);
	f.options.gid = (gid_t)-1;
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	ck_assert_int_eq(lstat(f.path, &st), 0);
	ck_assert_uint_eq(st.st_gid, getegid());
	ck_assert_uint_eq(st.st_mode & 07777, 0666);
}
END_TEST

START_TEST(anybody_who_connects_may_read)
{
	const struct caller nobody = { .uid = NOBODY, .gid = NOBODY };

	check_as(&nobody, CALL("status"), "\"result\"");
	check_as(&nobody, CALL("groups"), "\"result\"");
}
END_TEST

START_TEST(a_stranger_may_not_change)
{
	static const char *const requests[] = { STANDBY, CALL("reload"),
		LOG_LEVEL, RELAY, ANSWER, CARRY };
	const struct caller nobody = { .uid = NOBODY,
		.gid = NOBODY,
		.n_groups = 2,
		.groups = { OTHERS, NOBODY } };

	check_as(&nobody, requests[_i], "-32002");
	ck_assert_uint_eq(f.changes, 0);
	ck_assert_uint_eq(f.generation, 1);
	ck_assert(f.relay->standby);
	ck_assert_str_eq(f.log_level, "");
	ck_assert_uint_eq(f.relay->brought.times, 0);
	ck_assert(!f.relay->carried);
}
END_TEST

START_TEST(a_stranger_may_not_report)
{
	const struct caller nobody = { .uid = NOBODY, .gid = NOBODY };

	check_as(&nobody,
		CALL_WITH("sites", "{\"site\":\"a\",\"broker\":\"b\","
				   "\"state\":\"waiting\"}"),
		"-32002");
	check_as(&nobody, CALL("status"), "\"sites\":[]}}");
}
END_TEST

START_TEST(root_may_change)
{
	const struct caller root = { .uid = 0, .gid = OTHERS };

	check_as(&root, STANDBY, "\"result\"");
	ck_assert_str_eq(f.changing, "standby 0");
}
END_TEST

START_TEST(a_member_by_primary_group_may_change)
{
	const struct caller member = { .uid = NOBODY, .gid = GROUP };

	check_as(&member, STANDBY, "\"result\"");
	ck_assert_str_eq(f.changing, "standby 65534");
}
END_TEST

/* Also one of so many groups that they need a larger buffer. */
START_TEST(a_member_by_supplementary_group_may_change)
{
	struct caller member = {
		.uid = NOBODY, .gid = NOBODY, .n_groups = _i ? 64 : 1
	};

	for (size_t i = 0; i + 1 < member.n_groups; i++)
		member.groups[i] = (gid_t)(10000 + i);
	member.groups[member.n_groups - 1] = GROUP;
	check_as(&member, STANDBY, "\"result\"");
	member.groups[member.n_groups - 1] = OTHERS;
	check_as(&member, STANDBY, "-32002");
	ck_assert_uint_eq(f.changes, 1);
}
END_TEST

START_TEST(without_a_control_group_nobody_is_a_member)
{
	const struct caller stranger = {
		.uid = NOBODY, .gid = NOBODY, .n_groups = 1, .groups = { GROUP }
	};
	pid_t pid;

	f.options.gid = (gid_t)-1;
	ck_assert_int_eq(control_reconfigure(f.control, &f.options, &pid), 0);
	check_as(&stranger, STANDBY, "-32002");
}
END_TEST

/* The daemon's own user: it gives up root, but not the right to be told. */
START_TEST(the_daemons_own_user_may_change)
{
	const struct caller own = { .uid = 4343, .gid = NOBODY };
	int report[2];

	ck_assert_int_eq(pipe2(report, O_NONBLOCK), 0);
	if (fork() == 0)
		ask_in_child(&own, STANDBY, report[1]);
	(void)close(report[1]);
	ck_assert_int_eq(seteuid(4343), 0);
	fixture_check_answer(&f, report[0], "\"result\"");
	ck_assert_int_eq(seteuid(0), 0);
	(void)close(report[0]);
	(void)wait(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/permissions");
	TCase *permissions = tcase_create("permissions");

	tcase_add_checked_fixture(permissions, setup_permissions, teardown);
	tcase_add_test(permissions, the_file_belongs_to_the_group);
	tcase_add_test(permissions, anybody_who_connects_may_read);
	tcase_add_loop_test(permissions, a_stranger_may_not_change, 0, 6);
	tcase_add_test(permissions, a_stranger_may_not_report);
	tcase_add_test(permissions, root_may_change);
	tcase_add_test(permissions, a_member_by_primary_group_may_change);
	tcase_add_loop_test(
		permissions, a_member_by_supplementary_group_may_change, 0, 2);
	tcase_add_test(permissions, without_a_control_group_nobody_is_a_member);
	tcase_add_test(permissions, the_daemons_own_user_may_change);
	suite_add_tcase(s, permissions);
	return s;
}

int main(void)
{
	if (geteuid() != 0)
		return 77;
	return fixture_main(suite());
}
