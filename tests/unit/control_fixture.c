#include "control_fixture.h"

#include "control/methods.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the daemon that only remembers ---- */

static void running(void *data, struct control_running *ret)
{
	struct fixture *f = data;

	*ret = (struct control_running){ .config = &f->config,
		.generation = f->generation,
		.loaded_at = 1700000000 };
}

static int reload(void *data, struct config_errors *errors)
{
	struct fixture *f = data;

	if (f->reload_result == 0)
		f->generation++;
	if (f->reload_result == -EINVAL) {
		errors->at = calloc(2, sizeof(*errors->at));
		ck_assert_ptr_nonnull(errors->at);
		errors->n = 2;
		errors->at[0] = (struct config_error){ 14, 10,
			strdup("groups.beacon.ttl"),
			strdup("300 is out of range, 1 to 255") };
		errors->at[1] = (struct config_error){ 20, 1, strdup("grups"),
			strdup("unknown \x1b[31m key") };
	}
	return f->reload_result;
}

static int set_log_level(void *data, const char *level)
{
	struct fixture *f = data;

	if (strcmp(level, "debug"))
		return -EINVAL;
	(void)stpcpy(f->log_level, level);
	return 0;
}

static void changing(void *data, const char *method, pid_t pid, uid_t uid)
{
	struct fixture *f = data;

	ck_assert_int_gt(pid, 0);
	(void)snprintf(f->changing, sizeof(f->changing), "%s %u", method, uid);
	f->changes++;
}

static struct config_preset *fake_presets(void)
{
	static struct config_preset presets[2];
	static struct net_address addresses[2];
	static uint16_t ports[] = { 5353, 6666 };

	ck_assert_int_eq(net_address_parse("224.0.0.251", &addresses[0]), 0);
	ck_assert_int_eq(net_address_parse("ff02::fb", &addresses[1]), 0);
	presets[0] = (struct config_preset){ .name = (char *)"mdns",
		.built_in = true };
	presets[0].group = (struct config_group){ .addresses = addresses,
		.n_addresses = 2,
		.ports = ports,
		.n_ports = 1,
		.ttl = 255,
		.payload = CONFIG_PAYLOAD_MDNS,
		.replies = CONFIG_REPLIES_PROXY,
		.rate = 500 };
	presets[1] = (struct config_preset){ .name = (char *)"mine",
		.notes = (char *)"open port 6666" };
	presets[1].group = (struct config_group){
		.broadcast = true, .ports = ports, .n_ports = 2
	};
	return presets;
}

void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .directory = "/tmp/check_control.XXXXXX",
		.generation = 1 };
	ck_assert_ptr_nonnull(mkdtemp(f->directory));
	(void)snprintf(
		f->path, sizeof(f->path), "%s/control.sock", f->directory);
	ck_assert_int_eq(uv_loop_init(&f->loop), 0);
	/* As a process with libuv's streams must. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* Tables must not fit whatever terminal the tests run on. */
	(void)unsetenv("COLUMNS");
	f->relay = fixture_relay();
	f->discovery = fixture_discovery();
	f->announce = fixture_announce();
	f->config = (struct config){ .path = (char *)"/etc/crier/crierd.yaml",
		.limits = { 65536, 1024, 4, 65536 },
		.presets = fake_presets(),
		.n_presets = 2 };
	f->handles = (struct control_handles){ .relay = f->relay,
		.discovery = f->discovery,
		.announce = f->announce,
		.version = "0.1.0",
		.started_ms = uv_now(&f->loop),
		.running = running,
		.reload = reload,
		.set_log_level = set_log_level,
		.changing = changing,
		.data = f };
	f->options = (struct control_options){ .path = f->path,
		.mode = 0660,
		.gid = (gid_t)-1,
		.fd = -1,
		.clients = 4 };
}

void fixture_serve(struct fixture *f)
{
	pid_t pid = -1;

	ck_assert_int_eq(control_new(&f->control, &f->loop, &f->handles,
				 &f->options, &pid),
		0);
	ck_assert_int_eq(pid, -1);
}

void fixture_close(struct fixture *f)
{
	control_close(f->control);
	ck_assert_int_eq(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&f->loop), 0);
	reports_leave(&f->reports, f);
	fixture_relay_free(f->relay);
	fixture_discovery_free(f->discovery);
	fixture_announce_free(f->announce);
	free(f->out);
	free(f->err);
	ck_assert_int_eq(rmdir(f->directory), 0);
}

/* ---- clients ---- */

void fixture_run(struct fixture *f, bool (*done)(void *data), void *data)
{
	uint64_t until_ns = uv_hrtime() + 10000000000ULL;

	while (!done(data)) {
		ck_assert_msg(uv_hrtime() < until_ns, "nothing came of it");
		if (uv_run(&f->loop, UV_RUN_NOWAIT) == 0)
			(void)poll(NULL, 0, 1);
	}
}

int fixture_connect(struct fixture *f)
{
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	fixture_address(&sa, f->path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

struct wait {
	int fd;
	short events;
};

static bool is_ready(void *data)
{
	struct wait *w = data;
	struct pollfd p = { .fd = w->fd, .events = w->events };

	return poll(&p, 1, 0) == 1;
}

void fixture_send(struct fixture *f, int fd, const char *data, size_t size)
{
	struct wait w = { fd, POLLOUT };
	ssize_t n;

	while (size > 0) {
		fixture_run(f, is_ready, &w);
		n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		ck_assert_int_gt(n, 0);
		data += n;
		size -= (size_t)n;
	}
}

char *fixture_line(struct fixture *f, int fd)
{
	struct wait w = { fd, POLLIN };
	size_t size = 0, room = 65536;
	char *line = malloc(room);
	ssize_t n;

	ck_assert_ptr_nonnull(line);
	for (;;) {
		/* One byte at a time: what stands behind is not ours. */
		n = read(fd, line + size, 1);
		if (n < 0) {
			ck_assert_int_eq(errno, EAGAIN);
			fixture_run(f, is_ready, &w);
			continue;
		}
		if (n == 0 || line[size] == '\n')
			break;
		if (++size == room) {
			room *= 2;
			line = realloc(line, room);
			ck_assert_ptr_nonnull(line);
		}
	}
	line[size] = '\0';
	return line;
}

char *fixture_ask(struct fixture *f, int fd, const char *line)
{
	fixture_send(f, fd, line, strlen(line));
	fixture_send(f, fd, "\n", 1);
	return fixture_line(f, fd);
}

void fixture_send_text(struct fixture *f, int fd, const char *text)
{
	fixture_send(f, fd, text, strlen(text));
}

void fixture_check_answer(struct fixture *f, int fd, const char *part)
{
	char *line = fixture_line(f, fd);

	ck_assert_msg(strstr(line, part) != NULL, "%s lacks %s", line, part);
	free(line);
}

void fixture_check_end(struct fixture *f, int fd)
{
	char *line = fixture_line(f, fd);

	ck_assert_str_eq(line, "");
	free(line);
	(void)close(fd);
}

void fixture_check_served(struct fixture *f)
{
	int fd = fixture_connect(f);
	char *line = fixture_ask(f, fd, CALL("status"));

	ck_assert_ptr_nonnull(strstr(line, "\"result\""));
	free(line);
	(void)close(fd);
}

/* ---- methods ---- */

static char *answer_to(struct fixture *f, int fd, const char *line)
{
	struct subscription *subscription = NULL;
	struct methods_context context = { .handles = &f->handles,
		.now_ms = f->handles.started_ms + 3999,
		.started_at = 1700000000,
		.clients = { 1, 4, 2, 0 },
		.fd = fd,
		.gid = (gid_t)-1,
		.subscription = &subscription,
		.reports = &f->reports,
		.client = f };
	char *text;
	size_t size;

	ck_assert_int_eq(rpc_answer(&methods_rpc, &context, line, strlen(line),
				 &text, &size),
		0);
	subscription_free(subscription);
	return text;
}

json_t *fixture_call(struct fixture *f, const char *method, const char *params)
{
	int pair[2]; /* its ends are us, and so may change the daemon */
	char *line, *text;
	json_t *answer;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_gt(asprintf(&line,
				 "{\"jsonrpc\":\"2.0\",\"id\":1,"
				 "\"method\":\"%s\"%s%s}",
				 method, params ? ",\"params\":" : "",
				 params ? params : ""),
		0);
	text = answer_to(f, pair[0], line);
	answer = json_loads(text, 0, NULL);
	ck_assert_msg(answer != NULL, "no JSON: %s", text);
	free(text);
	free(line);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return answer;
}

void fixture_check_result(struct fixture *f, const char *method,
	const char *params, const char *expected)
{
	json_t *answer = fixture_call(f, method, params), *right;
	json_error_t where;
	char *got;

	right = json_loads(expected, 0, &where);
	ck_assert_msg(right != NULL, "%s: %s", expected, where.text);
	got = json_dumps(answer, 0);
	ck_assert_msg(json_equal(json_object_get(answer, "result"), right),
		"%s:\n%s\nis not\n%s", method, got, expected);
	free(got);
	json_decref(right);
	json_decref(answer);
}

void fixture_check_error(struct fixture *f, const char *method,
	const char *params, int code, const char *message)
{
	json_t *answer = fixture_call(f, method, params);
	json_t *error = json_object_get(answer, "error");

	ck_assert_int_eq(
		json_integer_value(json_object_get(error, "code")), code);
	ck_assert_str_eq(
		json_string_value(json_object_get(error, "message")), message);
	json_decref(answer);
}

/* ---- subscribers ---- */

int fixture_subscribe(struct fixture *f, const char *params)
{
	int fd = fixture_connect(f);
	char line[512];

	(void)snprintf(line, sizeof(line),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\","
		"\"params\":%s}\n",
		params);
	fixture_send_text(f, fd, line);
	fixture_check_answer(f, fd, "\"id\":1,\"result\":{\"events\":[");
	return fd;
}

json_t *fixture_event(struct fixture *f, int fd)
{
	char *line = fixture_line(f, fd);
	json_t *json = json_loads(line, 0, NULL), *params;

	ck_assert_msg(json != NULL, "no JSON: %s", line);
	ck_assert_str_eq(
		json_string_value(json_object_get(json, "jsonrpc")), "2.0");
	ck_assert_str_eq(
		json_string_value(json_object_get(json, "method")), "event");
	params = json_incref(json_object_get(json, "params"));
	json_decref(json);
	free(line);
	return params;
}

void fixture_tell_storm(struct fixture *f, size_t group, uint64_t times)
{
	struct net_address source;

	ck_assert_int_eq(net_address_parse("fe80::7%3", &source), 0);
	control_tell_storm(f->control, fixture_segment(f->relay, group, 0),
		&source, RELAY_LOOP, times);
}

void fixture_tell_fate(struct fixture *f, enum relay_verdict verdict)
{
	struct relay_fate fate = fixture_fate(f->relay);

	fate.verdict = verdict;
	control_tell_fate(f->control, &fate);
}

/* ---- other sockets ---- */

void fixture_address(struct sockaddr_un *sa, const char *path)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)stpcpy(sa->sun_path, path);
}

int fixture_bound_socket(const char *path, int type, int backlog)
{
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	fixture_address(&sa, path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (backlog >= 0)
		ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

/* ---- crierctl ---- */

enum { WORDS = 32 };

int fixture_crierctl(struct fixture *f, const char *words)
{
	char copy[512], *argv[WORDS] = { (char *)"crierctl" }, *word, *rest;
	size_t out_size, err_size;
	FILE *out_file, *err_file;
	int argc = 1, r;

	free(f->out);
	free(f->err);
	ck_assert_uint_lt(strlen(words), sizeof(copy));
	(void)stpcpy(copy, words);
	for (word = strtok_r(copy, " ", &rest); word;
		word = strtok_r(NULL, " ", &rest)) {
		ck_assert_int_lt(argc, WORDS - 1);
		argv[argc++] = strcmp(word, "@") ? word : f->path;
	}
	out_file = open_memstream(&f->out, &out_size);
	err_file = open_memstream(&f->err, &err_size);
	ck_assert(out_file && err_file);
	r = control_cli(argc, argv, "1.2.3", out_file, err_file);
	ck_assert_int_eq(fclose(out_file) | fclose(err_file), 0);
	return r;
}

void fixture_check_text(const char *text, const char *expected)
{
	if (strcmp(text, expected) == 0)
		return;
	(void)fprintf(stderr, "--- got\n%s--- expected\n%s", text, expected);
	ck_abort_msg("another text was expected");
}

int fixture_main(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
