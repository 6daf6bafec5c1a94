/*
 * A try goes this way:
 *   1. try_now() connects both wires.
 *   2. Once both are there, `subscribe` is sent on the stream.
 *   3. Its answer makes the link connected; a refusal, as anything that goes
 *      wrong at any time, comes to lose(), which ends all calls and sets the
 *      timer for the next try.
 *
 * The one timer is, by the state, for the next try, for the end of this one,
 * or for the call that has waited longest.
 */
#include "mqtt/link.h"

#include "mqtt/calls.h"
#include "mqtt/wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* Of JSON-RPC's errors, those that `subscribe` ends with. */
enum { NOT_PERMITTED = -32002 };

enum { WHY = 512 };

enum state { STOPPED, WAITING, CONNECTING, CONNECTED };

enum { STREAM, CALLS, WIRES };

struct link {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct link_callbacks callbacks;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	json_t *groups;
	enum state state;
	struct wire *wires[WIRES];
	size_t n_connected; /* of them */
	struct calls calls;
	bool refused;           /* a call, as the window was full */
	json_int_t subscribing; /* the id of that call */
	uint64_t retry_ms;      /* after the next loss */
	uint64_t connected_ms;
	char why[WHY];
};

/* ---- words ---- */

__attribute__((format(printf, 2, 3))) static void say(
	char why[WHY], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, WHY, format, ap);
	va_end(ap);
	for (char *c = why; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static void say_ended(const struct link *l, int error, char why[WHY])
{
	const char *path = l->path;

	switch (error) {
	case UV_EOF:
	case UV_ECONNRESET:
		say(why, "crierd on %s has hung up", path);
		return;
	case UV_ENOENT:
	case UV_ECONNREFUSED:
		say(why, "no crierd answers on %s: %s", path,
			uv_strerror(error));
		return;
	case UV_EACCES:
		say(why,
			"%s: %s: add the user to crierd's control group, as "
			"crier",
			path, uv_strerror(error));
		return;
	case -EMSGSIZE:
		say(why,
			"no crierd speaks on %s: a line is longer than %d "
			"bytes",
			path, (int)LINK_LINE_MAX);
		return;
	default:
		say(why, "crierd on %s: %s", path, uv_strerror(error));
	}
}

static void say_refused(const json_t *error, char why[WHY])
{
	const char *message =
		json_string_value(json_object_get(error, "message"));
	bool permitted = json_integer_value(json_object_get(error, "code")) !=
			 NOT_PERMITTED;

	say(why, "crierd refuses: %.300s%s", message,
		permitted ? ""
			  : ": add the user to crierd's control group, as "
			    "crier");
}

/* ---- losing it ---- */

static void timed_out(uv_timer_t *timer);

static void set_timer(struct link *l, uint64_t ms)
{
	(void)uv_timer_start(&l->timer, timed_out, ms, 0);
}

static void close_wires(struct link *l)
{
	for (size_t i = 0; i < WIRES; i++) {
		wire_close(l->wires[i]);
		l->wires[i] = NULL;
	}
	l->n_connected = 0;
}

static void wait_for_next_try(struct link *l)
{
	if (l->state == CONNECTED &&
		uv_now(l->loop) - l->connected_ms >= LINK_RETRY_MAX_MS)
		l->retry_ms = LINK_RETRY_MIN_MS;
	set_timer(l, l->retry_ms);
	l->retry_ms *= 2;
	if (l->retry_ms > LINK_RETRY_MAX_MS)
		l->retry_ms = LINK_RETRY_MAX_MS;
	l->state = WAITING;
}

/* The one way back to the beginning. `why` is not the link's own. */
static void lose(struct link *l, const char why[WHY])
{
	bool is_news = l->state == CONNECTED || strcmp(l->why, why) != 0;

	close_wires(l);
	wait_for_next_try(l);
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
	l->refused = false;
	calls_end(&l->calls);
	if (is_news)
		l->callbacks.disconnected(l->callbacks.data, l->why);
}

static void lose_to_garbage(struct link *l, const char *what)
{
	char why[WHY];

	say(why, "no crierd speaks on %s: %s", l->path, what);
	lose(l, why);
}

static void ended(void *data, struct wire *w, int error)
{
	struct link *l = data;
	char why[WHY];

	(void)w;
	say_ended(l, error, why);
	lose(l, why);
}

/* ---- calls ---- */

/* The timer follows the call that has waited longest. */
static void watch_calls(struct link *l)
{
	uint64_t now_ms = uv_now(l->loop), due_ms = calls_due(&l->calls);

	if (l->calls.n == 0)
		(void)uv_timer_stop(&l->timer);
	else
		set_timer(l, due_ms > now_ms ? due_ms - now_ms : 0);
}

/* Takes over the params. */
static int send_request(
	struct wire *w, json_int_t id, const char *method, json_t *params)
{
	char *text;
	size_t size;
	int r;

	r = calls_request(id, method, params, &text, &size);
	return r < 0 ? r : wire_send(w, text, size);
}

static int may_call(struct link *l)
{
	if (l->state != CONNECTED)
		return -ENOTCONN;
	if (l->calls.n < LINK_WINDOW)
		return 0;
	l->refused = true;
	return -EAGAIN;
}

int link_call(struct link *l, const char *method, json_t *params,
	link_answer answer, void *data)
{
	struct call call = { .answer = answer, .data = data };
	int r;

	r = may_call(l);
	if (r < 0) {
		json_decref(params);
		return r;
	}
	call.id = calls_new_id(&l->calls);
	call.due_ms = uv_now(l->loop) + LINK_SILENCE_MS;
	r = send_request(l->wires[CALLS], call.id, method, params);
	if (r < 0)
		return r == -ENOMEM || r == -EMSGSIZE ? r : -ENOTCONN;
	calls_add(&l->calls, &call);
	if (l->calls.n == 1)
		watch_calls(l);
	return 0;
}

/* ---- what crierd says ---- */

static void lose_to_refusal(struct link *l, const json_t *error)
{
	char why[WHY];

	say_refused(error, why);
	lose(l, why);
}

/* After an answer; what was done about that may have filled the window anew. */
static void tell_ready(struct link *l)
{
	if (!l->refused || link_room(l) == 0)
		return;
	l->refused = false;
	l->callbacks.ready(l->callbacks.data);
}

static void take_answer(struct link *l, const json_t *json)
{
	const json_t *error = json_object_get(json, "error");
	json_int_t id = json_integer_value(json_object_get(json, "id"));
	struct call c;

	if (!calls_is_answer(json) || !calls_take(&l->calls, id, &c)) {
		lose_to_garbage(l, "an answer to no question");
		return;
	}
	watch_calls(l);
	if (c.answer)
		c.answer(c.data, error ? NULL : json_object_get(json, "result"),
			error);
	tell_ready(l);
}

static void take_subscribed(struct link *l, const json_t *json)
{
	const json_t *error = json_object_get(json, "error");
	json_int_t id = json_integer_value(json_object_get(json, "id"));

	if (!calls_is_answer(json) || id != l->subscribing) {
		lose_to_garbage(l, "an answer to no question");
		return;
	}
	if (error) {
		lose_to_refusal(l, error);
		return;
	}
	l->state = CONNECTED;
	l->connected_ms = uv_now(l->loop);
	*l->why = '\0';
	(void)uv_timer_stop(&l->timer);
	l->callbacks.connected(l->callbacks.data);
}

static void take_event(struct link *l, const json_t *json)
{
	const json_t *params = json_object_get(json, "params");

	if (json_is_string(json_object_get(json, "method")) &&
		json_is_object(params))
		l->callbacks.event(l->callbacks.data, params);
	else
		lose_to_garbage(l, "a line that is no event");
}

/* cppcheck-suppress constParameter ; the type is wire.h's */
static void take_line(void *data, struct wire *w, const char *line, size_t size)
{
	struct link *l = data;
	json_t *json = json_loadb(line, size, 0, NULL);
	const json_t *complaint = calls_complaint(json);

	if (!json)
		lose_to_garbage(l, "a line that is no JSON");
	else if (complaint)
		lose_to_refusal(l, complaint);
	else if (l->state == CONNECTED && w == l->wires[CALLS])
		take_answer(l, json);
	else if (l->state == CONNECTED)
		take_event(l, json);
	else if (w == l->wires[STREAM] && l->n_connected == WIRES)
		take_subscribed(l, json);
	else
		lose_to_garbage(l, "a line before its time");
	json_decref(json);
}

/* ---- trying ---- */

static json_t *subscribe_params(const struct link *l)
{
	return json_pack("{s:[s,s,s,s,s], s:b, s:b, s:O*}", "events",
		"datagram", "answer", "discovered", "expired", "config",
		"payload", 1, "carry", 1, "groups", l->groups);
}

static void subscribe(struct link *l)
{
	json_t *params = subscribe_params(l);
	char why[WHY];
	int r = -ENOMEM;

	l->subscribing = calls_new_id(&l->calls);
	if (params)
		r = send_request(
			l->wires[STREAM], l->subscribing, "subscribe", params);
	if (r == 0)
		return;
	say(why, "cannot subscribe: %s", strerror(-r));
	lose(l, why);
}

static void connected(void *data, struct wire *w)
{
	struct link *l = data;

	(void)w;
	if (++l->n_connected == WIRES)
		subscribe(l);
}

static void try_now(struct link *l)
{
	const struct wire_callbacks callbacks = {
		.connected = connected,
		.line = take_line,
		.ended = ended,
		.data = l,
	};
	char why[WHY];
	int r = 0;

	l->state = CONNECTING;
	set_timer(l, LINK_SILENCE_MS);
	for (size_t i = 0; i < WIRES && r == 0; i++)
		r = wire_new(&l->wires[i], l->loop, l->path, LINK_LINE_MAX,
			&callbacks);
	if (r == 0)
		return;
	say_ended(l, r, why);
	lose(l, why);
}

static void timed_out(uv_timer_t *timer)
{
	struct link *l = timer->data;
	char why[WHY];

	if (l->state == WAITING) {
		try_now(l);
		return;
	}
	say(why, "crierd on %s does not answer", l->path);
	lose(l, why);
}

/* ---- beginning and end ---- */

int link_new(struct link **ret, uv_loop_t *loop, const char *path,
	json_t *groups, const struct link_callbacks *callbacks)
{
	struct link *l;
	int r;

	if (strlen(path) >= sizeof(l->path))
		return -ENAMETOOLONG;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	r = uv_timer_init(loop, &l->timer);
	if (r < 0) {
		free(l);
		return r;
	}
	l->timer.data = l;
	l->loop = loop;
	l->callbacks = *callbacks;
	l->groups = json_incref(groups);
	l->retry_ms = LINK_RETRY_MIN_MS;
	(void)stpcpy(l->path, path);
	*ret = l;
	return 0;
}

void link_start(struct link *l)
{
	l->state = WAITING;
	set_timer(l, 0);
}

static void closed(uv_handle_t *handle)
{
	struct link *l = handle->data;

	json_decref(l->groups);
	free(l);
}

void link_close(struct link *l)
{
	if (!l || uv_is_closing((uv_handle_t *)&l->timer))
		return;
	close_wires(l);
	l->state = STOPPED;
	uv_close((uv_handle_t *)&l->timer, closed);
}

bool link_is_connected(const struct link *l)
{
	return l->state == CONNECTED;
}

const char *link_error(const struct link *l)
{
	return l->why;
}

size_t link_room(const struct link *l)
{
	return l->state == CONNECTED ? LINK_WINDOW - l->calls.n : 0;
}
