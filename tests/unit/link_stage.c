#include "link_stage.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const uint64_t patience_ns = 20000000000;

struct stage stage;

/* ---- time ---- */

int __real_uv_timer_start(
	uv_timer_t *t, uv_timer_cb cb, uint64_t ms, uint64_t repeat);
int __wrap_uv_timer_start(
	uv_timer_t *t, uv_timer_cb cb, uint64_t ms, uint64_t repeat);
uint64_t __real_uv_now(const uv_loop_t *l);
uint64_t __wrap_uv_now(const uv_loop_t *l);

int __wrap_uv_timer_start(
	uv_timer_t *t, uv_timer_cb cb, uint64_t ms, uint64_t repeat)
{
	if (stage.n_waits < STAGE_WAITS)
		stage.waits[stage.n_waits++] = ms;
	if (ms <= LINK_RETRY_MAX_MS || stage.is_impatient)
		ms /= STAGE_FASTER;
	return __real_uv_timer_start(t, cb, ms, repeat);
}

uint64_t __wrap_uv_now(const uv_loop_t *l)
{
	return __real_uv_now(l) + stage.skew_ms;
}

/* ---- what the link says ---- */

static void connected(void *data)
{
	ck_assert_ptr_eq(data, &stage.loop);
	ck_assert(link_is_connected(stage.link));
	ck_assert_str_eq(link_error(stage.link), "");
	stage.connections++;
}

static void disconnected(void *data, const char *text)
{
	(void)data;
	ck_assert(!link_is_connected(stage.link));
	ck_assert_str_eq(link_error(stage.link), text);
	ck_assert_int_eq(
		link_call(stage.link, "status", NULL, NULL, NULL), -ENOTCONN);
	(void)snprintf(stage.why, sizeof(stage.why), "%s", text);
	stage.losses++;
}

static void event(void *data, const json_t *params)
{
	(void)data;
	ck_assert_int_eq(
		json_array_append_new(stage.events, json_deep_copy(params)), 0);
}

static void ready(void *data)
{
	(void)data;
	ck_assert_uint_gt(link_room(stage.link), 0);
	stage.readies++;
}

void stage_answered(void *data, const json_t *result, const json_t *error)
{
	ck_assert_ptr_eq(data, &stage.answers);
	ck_assert(!result || !error);
	stage.answers++;
	if (!result && !error)
		stage.lost_calls++;
	else
		ck_assert_int_eq(
			json_array_append_new(stage.results,
				json_deep_copy(result ? result : error)),
			0);
}

int stage_call(const char *method)
{
	return link_call(
		stage.link, method, NULL, stage_answered, &stage.answers);
}

int stage_call_of(size_t size)
{
	static const char around[] =
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"x\",\"params\":"
		"{\"x\":\"\"}}";
	static char filler[LINK_REQUEST_MAX];

	memset(filler, 'x', sizeof(filler));
	return link_call(stage.link, "x",
		json_pack("{s:s#}", "x", filler,
			(int)(size + 1 - sizeof(around))),
		stage_answered, &stage.answers);
}

/* ---- the server ---- */

void stage_listen(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	(void)stpcpy(sa.sun_path, stage.path);
	stage.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(stage.listener, 0);
	ck_assert_int_eq(
		bind(stage.listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(stage.listener, 8), 0);
}

void stage_hang_up(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Runs the loop once; false where that took too long. */
bool stage_turn(uint64_t since_ns)
{
	(void)uv_run(&stage.loop, UV_RUN_NOWAIT);
	(void)usleep(200);
	return uv_hrtime() - since_ns < patience_ns;
}

void stage_until(const int *count, int n)
{
	uint64_t since_ns = uv_hrtime();

	while (*count < n)
		ck_assert_msg(stage_turn(since_ns), "it did not happen");
	ck_assert_int_eq(*count, n);
}

/* Lets everything happen that is due. */
void stage_rest(void)
{
	for (int i = 0; i < 20; i++)
		(void)stage_turn(0);
}

int stage_take(void)
{
	uint64_t since_ns = uv_hrtime();
	int fd;

	while ((fd = accept4(stage.listener, NULL, NULL, SOCK_NONBLOCK)) < 0)
		ck_assert_msg(stage_turn(since_ns), "nobody connects");
	return fd;
}

/* How many bytes the first line has, with its newline; 0: it has no end yet. */
static size_t line_size(int fd, char *line, size_t room)
{
	ssize_t n = recv(fd, line, room, MSG_PEEK);
	const char *newline = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;

	return newline ? (size_t)(newline - line) + 1 : 0;
}

json_t *stage_hear(int fd)
{
	static char line[LINK_REQUEST_MAX + 1];
	uint64_t since_ns = uv_hrtime();
	size_t size;
	json_t *json;

	while ((size = line_size(fd, line, sizeof(line))) == 0)
		ck_assert_msg(stage_turn(since_ns), "nothing is asked");
	ck_assert_int_eq(recv(fd, line, size, 0), (ssize_t)size);
	json = json_loadb(line, size - 1, 0, NULL);
	ck_assert_ptr_nonnull(json);
	return json;
}

json_int_t stage_hear_id(int fd)
{
	json_t *request = stage_hear(fd);
	json_int_t id = json_integer_value(json_object_get(request, "id"));

	json_decref(request);
	ck_assert_int_gt(id, 0);
	return id;
}

void stage_say_bytes(int fd, const char *data, size_t size)
{
	uint64_t since_ns = uv_hrtime();
	ssize_t n;

	while (size > 0) {
		n = send(fd, data, size, MSG_NOSIGNAL);
		if (n < 0)
			ck_assert_msg(stage_turn(since_ns), "it does not read");
		data += n < 0 ? 0 : n;
		size -= n < 0 ? 0 : (size_t)n;
	}
}

void stage_say(int fd, const char *text)
{
	stage_say_bytes(fd, text, strlen(text));
}

void stage_say_result(int fd, json_int_t id, const char *result)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		"{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":%s}\n", (int)id,
		result);
	stage_say(fd, text);
}

void stage_say_error(int fd, json_int_t id, int code, const char *message)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		"{\"jsonrpc\":\"2.0\",\"id\":%d,\"error\":{\"code\":%d,"
		"\"message\":\"%s\"}}\n",
		(int)id, code, message);
	stage_say(fd, text);
}

/* The stream comes first. */
void stage_take_both(void)
{
	stage.stream = stage_take();
	stage.calls = stage_take();
}

void stage_hang_up_both(void)
{
	stage_hang_up(&stage.stream);
	stage_hang_up(&stage.calls);
}

void stage_serve(void)
{
	int before = stage.connections;

	stage_take_both();
	stage_say_result(
		stage.stream, stage_hear_id(stage.stream), "{\"events\":[]}");
	stage_until(&stage.connections, before + 1);
	ck_assert_uint_eq(link_room(stage.link), LINK_WINDOW);
}

/* ---- each test's link ---- */

const struct link_callbacks stage_callbacks = {
	.connected = connected,
	.disconnected = disconnected,
	.event = event,
	.ready = ready,
	.data = &stage.loop,
};

void stage_open(void)
{
	json_t *groups = json_pack("[s,s]", "mdns", "ssdp");

	(void)signal(SIGPIPE, SIG_IGN);
	stage = (struct stage){ .listener = -1, .stream = -1, .calls = -1 };
	(void)snprintf(stage.path, sizeof(stage.path), "check_mqtt_link.%d",
		(int)getpid());
	ck_assert_int_eq(uv_loop_init(&stage.loop), 0);
	stage.events = json_array();
	stage.results = json_array();
	ck_assert_int_eq(link_new(&stage.link, &stage.loop, stage.path, groups,
				 &stage_callbacks),
		0);
	json_decref(groups);
	link_start(stage.link);
}

void stage_open_listening(void)
{
	stage_open();
	stage_listen();
}

void stage_open_served(void)
{
	stage_open_listening();
	stage_serve();
}

void stage_close(void)
{
	link_close(stage.link);
	ck_assert_int_eq(uv_run(&stage.loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&stage.loop), 0);
	stage_hang_up(&stage.listener);
	stage_hang_up_both();
	json_decref(stage.events);
	json_decref(stage.results);
	(void)unlink(stage.path);
}

void stage_check_lost(const char *reason)
{
	stage_until(&stage.losses, 1);
	ck_assert_msg(strstr(stage.why, reason), "\"%s\" has no \"%s\"",
		stage.why, reason);
	ck_assert_ptr_null(strchr(stage.why, '\n'));
}

/* It was lost once, for that reason, and comes back. */
void stage_check_comes_back(const char *reason)
{
	stage_check_lost(reason);
	stage_hang_up_both();
	stage_serve();
	ck_assert_int_eq(stage.losses, 1);
	stage.losses = 0;
}

void stage_check_json(const json_t *json, const char *expected)
{
	json_t *other = json_loads(expected, 0, NULL);
	char *text = json_dumps(json, 0);

	ck_assert_ptr_nonnull(other);
	ck_assert_msg(json_equal(json, other), "%s", text);
	json_decref(other);
	free(text);
}

/* ---- the suite ---- */

TCase *stage_case(Suite *s, const char *name, void (*begin)(void))
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, begin, stage_close);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return t;
}

int stage_main(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
