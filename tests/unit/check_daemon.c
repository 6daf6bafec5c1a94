/* The daemon as a whole, in one process: start, reload, stop, and two of it. */
#include "daemon/daemon.h"
#include "house.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* What fits into the address of a Unix socket. */
enum { PATH_SIZE = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

struct bench {
	struct house house;
	char folder[64];
	FILE *log;
};

static const char *path(const struct bench *b, const char *name, char *buffer)
{
	(void)snprintf(buffer, PATH_SIZE, "%s/%s", b->folder, name);
	return buffer;
}

static void write_file(
	const struct bench *b, const char *name, const char *text)
{
	char file[PATH_SIZE];
	FILE *f = fopen(path(b, name, file), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void setup(struct bench *b)
{
	house_open(&b->house);
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/crier-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(b->folder));
	b->log = tmpfile();
	ck_assert_ptr_nonnull(b->log);
}

static void teardown(struct bench *b)
{
	house_close(&b->house);
	(void)fclose(b->log);
	house_run("rm -r %s", b->folder);
}

/* True if the log has this text by now. */
static bool is_logged(const struct bench *b, const char *text)
{
	char line[2048];

	rewind(b->log);
	while (fgets(line, sizeof(line), b->log))
		if (strstr(line, text))
			return true;
	return false;
}

/* keeps: for the service manager's fd store, as crierd does. */
static int start_as(struct bench *b, const char *config, const char *socket,
	bool keeps, struct daemon **ret)
{
	char file[PATH_SIZE], sock[PATH_SIZE];
	struct daemon_options options = {
		.config = path(b, config, file),
		.socket = path(b, socket, sock),
		.version = "test",
		.control_fd = -1,
		.keeps = keeps,
		.log = { .level = LOG_DEBUG, .target = SERVICE_PREFIXED },
	};

	options.log.fd = fileno(b->log);
	return daemon_new(ret, &b->house.loop, &options);
}

static int start(struct bench *b, const char *config, const char *socket,
	struct daemon **ret)
{
	return start_as(b, config, socket, false, ret);
}

static const char group[] =
	"interfaces: { lan: { device: r1 }, iot: { device: r2 } }\n"
	"groups:\n"
	"  g: { address: 239.1.1.1, port: 5000 }\n";

struct request {
	int fd;
	char answer[16384];
	size_t size;
};

static bool is_answered(void *data)
{
	struct request *q = data;
	ssize_t n = recv(q->fd, q->answer + q->size,
		sizeof(q->answer) - 1 - q->size, MSG_DONTWAIT);

	if (n > 0)
		q->size += (size_t)n;
	q->answer[q->size] = '\0';
	return strchr(q->answer, '\n') != NULL;
}

/* Asks the daemon on a socket and waits for its line. */
static void ask(struct bench *b, const char *socket_name, const char *method,
	struct request *q)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char line[128];

	memset(q, 0, sizeof(*q));
	(void)path(b, socket_name, a.sun_path);
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(q->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	(void)snprintf(line, sizeof(line),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n", method);
	ck_assert_int_gt(send(q->fd, line, strlen(line), 0), 0);
	ck_assert(house_wait(&b->house, is_answered, q));
	(void)close(q->fd);
}

START_TEST(starts_answers_and_stops_without_a_trace)
{
	struct request q;
	struct daemon *d;
	struct bench b;
	char sock[PATH_SIZE];

	setup(&b);
	write_file(&b, "a.yaml", group);
	ck_assert_int_eq(start(&b, "a.yaml", "a.sock", &d), 0);
	ask(&b, "a.sock", "status", &q);
	ck_assert_ptr_nonnull(strstr(q.answer, "\"absent\":2"));
	ck_assert_ptr_nonnull(strstr(q.answer, "\"generation\":1"));
	daemon_log_status(d);
	ck_assert(is_logged(&b, "2 absent"));
	daemon_close(d);
	ck_assert_int_eq(access(path(&b, "a.sock", sock), F_OK), -1);
	teardown(&b);
}
END_TEST

START_TEST(two_live_in_one_process)
{
	struct daemon *d[2];
	struct request q;
	struct bench b;
	int ear;

	setup(&b);
	write_file(&b, "a.yaml", group);
	write_file(&b, "b.yaml",
		"interfaces: { lan: { device: r1 }, iot: { device: r2 } }\n"
		"groups:\n"
		"  h: { address: 239.1.1.2, port: 5000 }\n");
	house_add(&b.house, 1, false);
	house_add(&b.house, 2, false);
	ck_assert_int_eq(start(&b, "a.yaml", "a.sock", &d[0]), 0);
	ck_assert_int_eq(start(&b, "b.yaml", "b.sock", &d[1]), 0);
	ask(&b, "a.sock", "groups", &q);
	ck_assert_ptr_nonnull(strstr(q.answer, "\"name\":\"g\""));
	ask(&b, "b.sock", "groups", &q);
	ck_assert_ptr_nonnull(strstr(q.answer, "\"name\":\"h\""));
	daemon_close(d[0]);
	ear = house_hear(&b.house, 2, "239.1.1.2", 5000);
	do {
		struct house_datagram datagram;

		house_send(&b.house, 1, "239.1.1.2", 5000, 0, 1, "x", 1);
		house_next(&b.house, ear, &datagram);
		ck_assert_int_eq(datagram.size, 1);
	} while (0);
	(void)close(ear);
	daemon_close(d[1]);
	teardown(&b);
}
END_TEST

START_TEST(a_second_one_on_the_same_socket_names_the_first)
{
	struct daemon *first, *second;
	char pid[32];
	struct bench b;

	setup(&b);
	write_file(&b, "a.yaml", group);
	ck_assert_int_eq(start(&b, "a.yaml", "a.sock", &first), 0);
	ck_assert_int_eq(start(&b, "a.yaml", "a.sock", &second), -EADDRINUSE);
	(void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	ck_assert(is_logged(&b, pid));
	daemon_close(first);
	teardown(&b);
}
END_TEST

START_TEST(a_bad_file_at_start_is_told_and_nothing_stays)
{
	struct daemon *d;
	struct bench b;

	setup(&b);
	write_file(&b, "a.yaml", "groups: { g: { port: 0 } }\n");
	ck_assert_int_eq(start(&b, "a.yaml", "a.sock", &d), -EBADMSG);
	ck_assert(is_logged(&b, "a.yaml:1:"));
	ck_assert_int_eq(start(&b, "none.yaml", "a.sock", &d), -EBADMSG);
	ck_assert(is_logged(&b, "none.yaml"));
	teardown(&b);
}
END_TEST

START_TEST(a_reload_takes_over_what_is_good_alone)
{
	struct config_errors errors = { 0 };
	struct daemon *d;
	struct request q;
	struct bench b;

	setup(&b);
	write_file(&b, "a.yaml", group);
	ck_assert_int_eq(start(&b, "a.yaml", "a.sock", &d), 0);
	write_file(&b, "a.yaml", "groups: 7\n");
	ck_assert_int_eq(daemon_reload(d, &errors), -EINVAL);
	ck_assert_uint_ge(errors.n, 1);
	config_errors_done(&errors);
	ck_assert(is_logged(&b, "generation 1 goes on"));
	ask(&b, "a.sock", "groups", &q);
	ck_assert_ptr_nonnull(strstr(q.answer, "\"name\":\"g\""));
	write_file(&b, "a.yaml",
		"interfaces: { lan: { device: r1 } }\n"
		"groups:\n"
		"  h: { address: 239.1.1.2, port: 5000 }\n");
	ck_assert_int_eq(daemon_reload(d, NULL), 0);
	ask(&b, "a.sock", "groups", &q);
	ck_assert_ptr_nonnull(strstr(q.answer, "\"name\":\"h\""));
	ck_assert_ptr_null(strstr(q.answer, "\"name\":\"g\""));
	ask(&b, "a.sock", "status", &q);
	ck_assert_ptr_nonnull(strstr(q.answer, "\"generation\":2"));
	daemon_close(d);
	teardown(&b);
}
END_TEST

#ifdef HAVE_SYSTEMD

/* The last notice that begins with `key`, in `text`; "" where none came. */
static void last_notice(int manager, const char *key, char *text, size_t size)
{
	char notice[1024];
	ssize_t n;

	text[0] = '\0';
	while ((n = recv(manager, notice, sizeof(notice) - 1, MSG_DONTWAIT)) >=
		0) {
		notice[n] = '\0';
		if (!strncmp(notice, key, strlen(key)))
			(void)snprintf(text, size, "%s", notice);
	}
}

static int open_manager(const struct bench *b)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)path(b, "notify", a.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", a.sun_path, 1), 0);
	return fd;
}

START_TEST(the_manager_is_told_what_a_stop_ends)
{
	static const struct {
		bool keeps;
		const char *notice;
	} stops[] = {
		{ false, "STOPPING=1\nSTATUS=stopping: "
			 "1 group and 2 announcements end" },
		{ true, "STOPPING=1\nSTATUS=stopping: "
			"1 group and 2 announcements end, "
			"0 discovered entries are kept for a restart" },
	};
	struct daemon *d;
	char text[1024];
	struct bench b;
	int manager;

	setup(&b);
	manager = open_manager(&b);
	write_file(&b, "a.yaml",
		"interfaces: { lan: { device: r1 } }\n"
		"groups:\n"
		"  g: { address: 239.1.1.1, port: 5000 }\n"
		"announcements:\n"
		"  a: { group: g, payload: { text: a } }\n"
		"  b: { group: g, payload: { text: b } }\n");
	ck_assert_int_eq(
		start_as(&b, "a.yaml", "a.sock", stops[_i].keeps, &d), 0);
	last_notice(manager, "STOPPING=1", text, sizeof(text));
	ck_assert_str_eq(text, "");
	daemon_close(d);
	last_notice(manager, "STOPPING=1", text, sizeof(text));
	ck_assert_str_eq(text, stops[_i].notice);
	(void)close(manager);
	(void)unsetenv("NOTIFY_SOCKET");
	teardown(&b);
}
END_TEST

#endif

START_TEST(check_and_dump_answer_without_running)
{
	char file[PATH_SIZE], text[4096];
	FILE *out = tmpfile(), *err = tmpfile();
	struct bench b;

	setup(&b);
	write_file(&b, "a.yaml", group);
	ck_assert_int_eq(daemon_check(path(&b, "a.yaml", file), out, err), 0);
	rewind(out);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), out));
	ck_assert_ptr_nonnull(strstr(text, "a.yaml: ok\n"));
	rewind(out);
	ck_assert_int_eq(daemon_dump_config(file, out, err), 0);
	rewind(out);
	text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
	write_file(&b, "b.yaml", text);
	ck_assert_int_eq(daemon_check(path(&b, "b.yaml", file), out, err), 0);
	write_file(&b, "c.yaml", "groups: {}\n");
	ck_assert_int_eq(daemon_check(path(&b, "c.yaml", file), out, err),
		DAEMON_BAD_CONFIG);
	ck_assert_int_eq(daemon_dump_config(file, out, err), DAEMON_BAD_CONFIG);
	rewind(err);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), err));
	ck_assert_ptr_nonnull(strstr(text, "c.yaml:1:"));
	(void)fclose(out);
	(void)fclose(err);
	teardown(&b);
}
END_TEST

/* The notes of a preset were printed as they are: an escape moved the cursor,
 * and a line that they ended began another that nobody had said. */
START_TEST(a_note_of_the_file_is_one_line)
{
	char file[PATH_SIZE], text[4096];
	FILE *out = tmpfile();
	struct bench b;

	setup(&b);
	write_file(&b, "a.yaml",
		"presets:\n"
		"  p: { address: 239.1.1.1, port: 5000,\n"
		"    notes: \"a\\e[2J\\nb: note: forged\" }\n"
		"interfaces: { lan: { device: lan } }\n"
		"groups: { g: { preset: p, interfaces: [lan] } }\n");
	ck_assert_int_eq(daemon_check(path(&b, "a.yaml", file), out, out), 0);
	rewind(out);
	text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
	ck_assert_ptr_nonnull(
		strstr(text, ": groups.g: a\\x1b[2J\\nb: note: forged\n"));
	ck_assert_ptr_null(strchr(text, '\x1b'));
	(void)fclose(out);
	teardown(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	if (!house_is_possible()) {
		(void)fputs("no network namespaces here\n", stderr);
		return 77;
	}
	tcase_set_timeout(t, 60);
	tcase_add_test(t, starts_answers_and_stops_without_a_trace);
	tcase_add_test(t, two_live_in_one_process);
	tcase_add_test(t, a_second_one_on_the_same_socket_names_the_first);
	tcase_add_test(t, a_bad_file_at_start_is_told_and_nothing_stays);
	tcase_add_test(t, a_reload_takes_over_what_is_good_alone);
#ifdef HAVE_SYSTEMD
	tcase_add_loop_test(t, the_manager_is_told_what_a_stop_ends, 0, 2);
#endif
	tcase_add_test(t, check_and_dump_answer_without_running);
	tcase_add_test(t, a_note_of_the_file_is_one_line);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
