/*
 * Whatever a client sends, over a whole connection to the server: every answer
 * is one of JSON-RPC, there are no more than requests, it does not matter in
 * which pieces they come, and who has subscribed is told. Behind the methods
 * are those that only remember (control_fixture.h).
 */
#include "../unit/control_fixture.h"
#include "control/server.h"
#include "fuzz.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WHOLE = 1 << 20, EVENT_BYTES = 65507, QUIET = 3 };

struct session {
	const uint8_t *data;
	size_t size;
	struct fixture f; /* without the files */
	int fd;           /* the client's; -1: it has gone */
	bool ended;       /* by the server */
	char *in;         /* all that came, and a NUL */
	size_t got, room;
	/* What came, as far as it is no matter of time. */
	char *story;
	size_t story_size;
	size_t answers;
	bool subscribed;
};

/* ---- the daemon ---- */

static void running(void *data, struct control_running *ret)
{
	const struct fixture *f = data;

	*ret = (struct control_running){ .config = &f->config,
		.generation = f->generation,
		.loaded_at = 1700000000 };
}

/* Every other one fails, each time otherwise. */
static int reload(void *data, struct config_errors *errors)
{
	static const int results[] = { -EINVAL, 0, -EACCES };
	struct fixture *f = data;
	int r = results[f->generation++ % 3];

	if (r != -EINVAL)
		return r;
	errors->at = calloc(1, sizeof(*errors->at));
	MUST(errors->at != NULL);
	errors->n = 1;
	errors->at[0] = (struct config_error){ 20, 1, strdup("grups"),
		strdup("unknown \x1b[31m key") };
	return r;
}

static int set_log_level(void *data, const char *level)
{
	(void)data;
	return strcmp(level, "debug") == 0 ? 0 : -EINVAL;
}

/* At an address that the kernel chooses. */
static int listen_anywhere(struct sockaddr_un *ret, socklen_t *ret_size)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*ret_size = sizeof(*ret);
	MUST(fd >= 0);
	MUST(bind(fd, (const struct sockaddr *)&any, sizeof(sa_family_t)) == 0);
	MUST(listen(fd, 4) == 0);
	MUST(getsockname(fd, (struct sockaddr *)ret, ret_size) == 0);
	return fd;
}

static void open_daemon(struct fixture *f, int fd)
{
	struct discovery_info entry = fixture_entry("television");
	pid_t pid;

	MUST(uv_loop_init(&f->loop) == 0);
	f->relay = fixture_relay();
	f->announce = fixture_announce();
	f->discovery = fixture_discovery();
	(void)fixture_add_entry(f->discovery, &entry);
	(void)fixture_add_entry(f->discovery, &entry);
	f->config.path = (char *)"/etc/crier/crierd.yaml";
	f->handles = (struct control_handles){ .relay = f->relay,
		.discovery = f->discovery,
		.announce = f->announce,
		.version = "0.1.0",
		.started_ms = uv_now(&f->loop),
		.running = running,
		.reload = reload,
		.set_log_level = set_log_level,
		.data = f };
	f->options = (struct control_options){
		.gid = (gid_t)-1, .fd = fd, .clients = 2
	};
	MUST(control_new(&f->control, &f->loop, &f->handles, &f->options,
		     &pid) == 0);
}

static void open_session(struct session *s)
{
	struct sockaddr_un sa;
	socklen_t size;

	open_daemon(&s->f, listen_anywhere(&sa, &size));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	MUST(s->fd >= 0);
	MUST(connect(s->fd, (struct sockaddr *)&sa, size) == 0);
}

static void close_session(struct session *s)
{
	(void)close(s->fd);
	control_close(s->f.control);
	MUST(uv_run(&s->f.loop, UV_RUN_DEFAULT) == 0);
	MUST(uv_loop_close(&s->f.loop) == 0);
	MUST(!s->f.relay->watched);
	fixture_relay_free(s->f.relay);
	fixture_announce_free(s->f.announce);
	fixture_discovery_free(s->f.discovery);
	free(s->in);
}

/* ---- the client ---- */

/* Takes what is there. Returns whether there was anything. */
static bool take(struct session *s)
{
	size_t before = s->got;
	ssize_t n;

	while (!s->ended) {
		if (s->room - s->got < 2) {
			s->room = s->room ? 2 * s->room : 4096;
			s->in = realloc(s->in, s->room);
			MUST(s->in != NULL);
		}
		n = read(s->fd, s->in + s->got, s->room - s->got - 1);
		if (n < 0) {
			MUST(errno == EAGAIN);
			break;
		}
		s->ended = n == 0;
		s->got += (size_t)n;
	}
	return s->got > before;
}

static bool is_quiet(struct session *s)
{
	struct pollfd p = { .fd = uv_backend_fd(&s->f.loop), .events = POLLIN };

	/* Not 0: nobody has work for the next turn. */
	return uv_backend_timeout(&s->f.loop) != 0 && poll(&p, 1, 0) == 0;
}

/* Until nothing is left to do; what is due at a time is not. */
static void settle(struct session *s)
{
	for (int quiet = 0; quiet < QUIET && !s->ended;) {
		(void)uv_run(&s->f.loop, UV_RUN_NOWAIT);
		quiet = take(s) || !is_quiet(s) ? 0 : quiet + 1;
	}
}

/* piece: how much at once. */
static void send_all(struct session *s, size_t piece)
{
	size_t at = 0;
	ssize_t n;

	while (at < s->size && !s->ended) {
		n = send(s->fd, s->data + at,
			s->size - at < piece ? s->size - at : piece,
			MSG_NOSIGNAL);
		if (n < 0 && errno == EPIPE)
			break;
		MUST(n > 0 || errno == EAGAIN);
		at += n > 0 ? (size_t)n : 0;
		/* One turn, so that it is in the middle of something. */
		(void)uv_run(&s->f.loop, UV_RUN_NOWAIT);
		(void)take(s);
	}
	(void)shutdown(s->fd, SHUT_WR);
	settle(s);
}

/* ---- what is said ---- */

static void check_error(const json_t *error)
{
	const char *message =
		json_string_value(json_object_get(error, "message"));
	json_int_t code = json_integer_value(json_object_get(error, "code"));

	MUST(message != NULL && message[0] != '\0');
	MUST((code <= -32001 && code >= -32005) ||
		(code <= -32600 && code >= -32603) || code == -32700);
}

static void check_answer(struct session *s, const json_t *answer, FILE *story)
{
	const json_t *id = json_object_get(answer, "id");
	const json_t *result = json_object_get(answer, "result");
	const json_t *error = json_object_get(answer, "error");

	MUST(json_object_size(answer) == 3);
	MUST(id != NULL && !json_is_object(id) && !json_is_array(id));
	MUST(!result != !error);
	if (error)
		check_error(error);
	s->answers++;
	/* Who was told so is in the audience. */
	MUST(s->subscribed ||
		!json_is_array(json_object_get(result, "events")));
	MUST(json_dumpf(id, story, JSON_ENCODE_ANY) == 0);
	(void)fprintf(story, " %lld\n",
		(long long)json_integer_value(json_object_get(error, "code")));
}

static void check_event(const struct session *s, const json_t *event)
{
	const json_t *params = json_object_get(event, "params");

	MUST(s->subscribed);
	MUST(json_object_size(event) == 3);
	MUST(json_is_string(json_object_get(params, "event")));
}

static void check_line(
	struct session *s, const char *line, size_t size, FILE *story)
{
	json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	const char *version, *method;

	MUST(json_is_object(json));
	version = json_string_value(json_object_get(json, "jsonrpc"));
	method = json_string_value(json_object_get(json, "method"));
	MUST(version != NULL && strcmp(version, "2.0") == 0);
	if (method == NULL) {
		check_answer(s, json, story);
	} else {
		MUST(strcmp(method, "event") == 0);
		check_event(s, json);
	}
	json_decref(json);
}

/* All is in lines. */
static void check_lines(struct session *s)
{
	FILE *story = open_memstream(&s->story, &s->story_size);
	const char *at = s->in, *end = s->in + s->got, *newline;

	MUST(story != NULL);
	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		MUST(newline != NULL);
		check_line(s, at, (size_t)(newline - at), story);
	}
	MUST(fclose(story) == 0);
}

static size_t count_lines(const uint8_t *data, size_t size)
{
	size_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

/* ---- a session ---- */

/* An answer to `subscribe` does not tell: there is none to one without an id.
 */
static bool has_audience(const struct session *s)
{
	static const char *const groups[] = { "mdns", "beacon" };

	for (enum event_kind k = 0; k < EVENT_KINDS; k++)
		for (size_t i = 0; i < 2; i++) {
			const struct event e = { .kind = k,
				.group = groups[i] };

			if (server_wants(s->f.control, &e))
				return true;
		}
	return false;
}

/* What may have been subscribed to; the input is what is relayed. */
static void tell(struct session *s)
{
	struct relay_fate fate = fixture_fate(s->f.relay);
	const struct relay_segment *segment = fixture_segment(s->f.relay, 0, 0);
	const struct proto_view view = { .payload = PROTO_MDNS };

	fate.data = s->data;
	fate.size = s->size < EVENT_BYTES ? s->size : EVENT_BYTES;
	control_tell_fate(s->f.control, &fate);
	fate.verdict = RELAY_LOOP;
	control_tell_fate(s->f.control, &fate);
	fate.out = fixture_outside(s->f.relay);
	fate.view = &view;
	control_tell_fate(s->f.control, &fate);
	control_tell_storm(s->f.control, segment, &fate.source, RELAY_LOOP, 9);
	control_tell_gone(s->f.control, segment);
	control_tell_config(s->f.control);
}

/* Returns what came of it, for the caller to free. */
static char *run_session(const uint8_t *data, size_t size, size_t piece)
{
	struct session s = { .data = data, .size = size };

	open_session(&s);
	send_all(&s, piece);
	s.subscribed = has_audience(&s);
	tell(&s);
	settle(&s);
	check_lines(&s);
	MUST(s.answers <= count_lines(data, size));
	/* The client has ended, and only a stream outlives that. */
	MUST(s.ended == !s.subscribed);
	close_session(&s);
	return s.story;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Pieces of an input's own, so that all are tried. */
	size_t piece = size > 0 ? 1 + data[size / 2] % 64U : 1;
	char *whole, *pieces;

	(void)signal(SIGPIPE, SIG_IGN);
	whole = run_session(data, size, WHOLE);
	pieces = run_session(data, size, piece);
	MUST(strcmp(whole, pieces) == 0);
	free(whole);
	free(pieces);
	return 0;
}
