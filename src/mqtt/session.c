#include "mqtt/session_internal.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* A broker that sends faster is slowed down by TCP. */
	RECEIVE_BUFFER = 256 * 1024,
	/* What TLS and the packets that wait add to one packet. */
	PACKET_SLACK = 64 * 1024,
};

/* ---- Its end ---- */

static void release(struct session *s)
{
	struct session_callbacks callbacks = s->setup.callbacks;

	if (--s->holds > 0)
		return;
	prepare_free(s->prepare);
	free(s);
	callbacks.gone(callbacks.data);
}

static void on_close(uv_handle_t *handle)
{
	release(handle->data);
}

static void hang_up(struct session *s)
{
	tap_close(s->tap);
	s->tap = NULL;
	client_free(s);
}

static void end(struct session *s)
{
	bool is_told = !s->orphan;

	if (s->phase == SESSION_ENDED)
		return;
	if (s->phase == SESSION_PREPARING)
		(void)uv_cancel((uv_req_t *)&s->work);
	s->phase = SESSION_ENDED;
	hang_up(s);
	uv_close((uv_handle_t *)&s->timer, on_close);
	uv_close((uv_handle_t *)&s->more, on_close);
	if (is_told)
		s->setup.callbacks.ended(
			s->setup.callbacks.data, s->why, s->lost);
}

/* ---- A turn of the loop ---- */

static void on_timer(uv_timer_t *timer);
static void on_more(uv_idle_t *idle);

static void leave(struct session *s)
{
	if (s->tap == NULL || tap_watch(s->tap, UV_READABLE) < 0) {
		end(s);
		return;
	}
	/* Closed with something unread, TCP would take the goodbye back. */
	s->phase = SESSION_LEAVING;
	tap_shut(s->tap);
}

static void say_goodbye(struct session *s)
{
	if (s->said_goodbye)
		return;
	s->said_goodbye = true;
	/* With the will, in case what would have said the same before found
	 * no room. */
	if (mosquitto_disconnect_v5(s->client, MQTT_RC_DISCONNECT_WITH_WILL_MSG,
		    NULL) != MOSQ_ERR_SUCCESS ||
		client_write(s) != MOSQ_ERR_SUCCESS)
		end(s);
}

static void open_session(struct session *s)
{
	/* A third of what it promised is in time for half as much again, which
	 * is when the broker gives up. */
	uint64_t ms = s->keepalive_s * UINT64_C(1000) / 3;

	s->opened = false;
	s->phase = SESSION_OPEN;
	(void)uv_timer_stop(&s->timer);
	if (ms > 0)
		(void)uv_timer_start(&s->timer, on_timer, ms, ms);
	s->setup.callbacks.connected(s->setup.callbacks.data);
}

/*
 * The size of a packet that was not there as a whole when it began may not have
 * been seen. This comes late where the broker is faster than we are.
 */
static void weigh(struct session *s)
{
	uint64_t now;

	if (!s->partial) {
		s->weighed = false;
		return;
	}
	now = tap_consumed(s->tap);
	if (!s->weighed || now < s->begun_at)
		s->begun_at = now;
	s->weighed = true;
	if (now - s->begun_at > BROKER_PACKET_MAX + PACKET_SLACK)
		session_blame(s, "it sends more than %d bytes in one packet",
			BROKER_PACKET_MAX);
}

static void tell(struct session *s)
{
	if (s->opened && s->why[0] == '\0')
		open_session(s);
	if (s->room && s->phase == SESSION_OPEN) {
		s->room = false;
		s->setup.callbacks.ready(s->setup.callbacks.data);
	}
	if (s->phase == SESSION_FINISHING && s->published == 0)
		say_goodbye(s);
}

/* After libmosquitto did something, which returned `rc`. */
static void look(struct session *s, int rc, int error)
{
	bool lost = rc != MOSQ_ERR_SUCCESS || mosquitto_socket(s->client) < 0;

	tell(s);
	if (s->phase == SESSION_ENDED)
		return;
	if (s->phase == SESSION_FINISHING && mosquitto_socket(s->client) < 0) {
		leave(s);
		return;
	}
	if (lost)
		client_blame(s, rc, error);
	else if (tap_watch(s->tap, client_events(s)) < 0)
		session_blame(s, "it cannot be watched");
	if (s->why[0] != '\0') {
		end(s);
		return;
	}
	if (client_has_more(s))
		(void)uv_idle_start(&s->more, on_more);
	else
		(void)uv_idle_stop(&s->more);
}

static void turn(struct session *s)
{
	int rc = client_read(s), error = errno;

	weigh(s);
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(s->client) >= 0) {
		rc = client_write(s);
		error = errno;
	}
	look(s, rc, error);
}

static void on_more(uv_idle_t *idle)
{
	turn(idle->data);
}

/* ---- Its beginning ---- */

static void dial(struct session *s);

static void dial_next(struct session *s)
{
	hang_up(s);
	s->address = s->address->ai_next;
	dial(s);
}

static void greet(struct session *s)
{
	int e = tap_error(s->tap);

	if (e != 0) {
		session_blame(s, "%s", strerror(e));
		dial_next(s);
		return;
	}
	s->phase = SESSION_GREETING;
	tap_set_up(s->tap, RECEIVE_BUFFER);
	turn(s);
}

static void on_tap(void *data)
{
	struct session *s = data;

	if (s->phase == SESSION_DIALLING)
		greet(s);
	else if (s->phase != SESSION_LEAVING)
		turn(s);
	else if (tap_drain(s->tap))
		end(s);
}

/* An address that nobody answers at gets its share of the time only. */
static uint64_t share_ms(const struct session *s)
{
	uint64_t now = uv_now(s->loop), n = 1;

	for (const struct addrinfo *a = s->address->ai_next; a != NULL;
		a = a->ai_next)
		n++;
	return s->deadline_ms > now ? (s->deadline_ms - now) / n : 0;
}

static int try_address(struct session *s)
{
	int r = client_new(s);

	if (r < 0)
		return r;
	r = tap_new(&s->tap, s->loop, mosquitto_socket(s->client), on_tap, s);
	if (r == 0)
		r = tap_watch(s->tap, UV_WRITABLE);
	if (r < 0)
		session_blame(s, "%s", uv_strerror(r));
	else
		(void)uv_timer_start(&s->timer, on_timer, share_ms(s), 0);
	return r;
}

static void dial(struct session *s)
{
	s->phase = SESSION_DIALLING;
	for (; s->address != NULL; s->address = s->address->ai_next) {
		if (try_address(s) == 0)
			return;
		hang_up(s);
	}
	end(s);
}

static void on_connect_timer(struct session *s)
{
	uint64_t now = uv_now(s->loop);

	if (s->phase == SESSION_GREETING && now < s->deadline_ms) {
		(void)uv_timer_start(
			&s->timer, on_timer, s->deadline_ms - now, 0);
		return;
	}
	session_blame(s, "no answer in %d s", SESSION_CONNECT_MS / 1000);
	if (s->phase == SESSION_DIALLING && s->address->ai_next != NULL)
		dial_next(s);
	else
		end(s);
}

static void on_timer(uv_timer_t *timer)
{
	struct session *s = timer->data;
	int rc;

	switch (s->phase) {
	case SESSION_OPEN:
		errno = 0;
		rc = mosquitto_loop_misc(s->client);
		look(s, rc, 0);
		break;
	case SESSION_FINISHING:
		say_goodbye(s);
		end(s);
		break;
	case SESSION_PREPARING:
	case SESSION_DIALLING:
	case SESSION_GREETING:
		on_connect_timer(s);
		break;
	case SESSION_LEAVING:
	case SESSION_ENDED:
		end(s);
		break;
	}
}

static void on_work(uv_work_t *work)
{
	struct session *s = work->data;

	prepare_run(s->prepare);
}

static void on_prepared(uv_work_t *work, int status)
{
	struct session *s = work->data;

	if (s->phase == SESSION_PREPARING) {
		if (status < 0)
			session_blame(s, "%s", uv_strerror(status));
		else if (s->prepare->why[0] != '\0')
			session_blame(s, "%s", s->prepare->why);
		if (s->why[0] != '\0') {
			end(s);
		} else {
			s->address = s->prepare->addresses;
			dial(s);
		}
	}
	release(s);
}

int session_new(struct session **ret, uv_loop_t *loop,
	const struct session_setup *setup)
{
	struct session *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	s->loop = loop;
	s->setup = *setup;
	s->setup.config = NULL;
	s->setup.broker = NULL;
	s->work.data = s->timer.data = s->more.data = s;
	r = prepare_new(&s->prepare, setup->config, setup->broker);
	if (r == 0)
		r = uv_queue_work(loop, &s->work, on_work, on_prepared);
	if (r < 0) {
		prepare_free(s->prepare);
		free(s);
		return r;
	}
	/* Neither of these fails. */
	(void)uv_timer_init(loop, &s->timer);
	(void)uv_idle_init(loop, &s->more);
	s->holds = 3;
	s->deadline_ms = uv_now(loop) + SESSION_CONNECT_MS;
	(void)uv_timer_start(&s->timer, on_timer, SESSION_CONNECT_MS, 0);
	*ret = s;
	return 0;
}

void session_finish(struct session *s)
{
	s->orphan = true;
	if (s->phase != SESSION_OPEN) {
		end(s);
		return;
	}
	s->phase = SESSION_FINISHING;
	(void)uv_timer_start(&s->timer, on_timer, SESSION_FINISH_MS, 0);
	look(s, MOSQ_ERR_SUCCESS, 0);
}
