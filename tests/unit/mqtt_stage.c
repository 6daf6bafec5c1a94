#include "mqtt_stage.h"

#include "control/control.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* There is one at a time, and the functions that it plays get no pointer. */
static struct stage *stage;
static uint64_t offset_ms;

/* ---- time ---- */

uint64_t __real_uv_now(const uv_loop_t *loop);
uint64_t __wrap_uv_now(const uv_loop_t *loop);
int __wrap_uv_timer_start(
	uv_timer_t *t, uv_timer_cb run, uint64_t after, uint64_t again);
int __wrap_uv_timer_stop(uv_timer_t *t);
int __wrap_uv_is_active(const uv_handle_t *h);

/* What is due when: the loop's own timers would take their time. */
static struct due {
	uv_timer_t *timer;
	uv_timer_cb run;
	uint64_t at_ms;
} due[8];

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return 1000000 + offset_ms;
}

static struct due *due_of(const void *timer)
{
	for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++)
		if (due[i].timer == timer)
			return &due[i];
	return NULL;
}

int __wrap_uv_timer_start(
	uv_timer_t *t, uv_timer_cb run, uint64_t after, uint64_t again)
{
	struct due *d = due_of(t);

	ck_assert_uint_eq(again, 0);
	if (d == NULL)
		d = due_of(NULL);
	ck_assert_ptr_nonnull(d);
	*d = (struct due){ t, run, uv_now(NULL) + after };
	return 0;
}

int __wrap_uv_timer_stop(uv_timer_t *t)
{
	struct due *d = due_of(t);

	if (d != NULL)
		d->timer = NULL;
	return 0;
}

int __wrap_uv_is_active(const uv_handle_t *h)
{
	return due_of(h) != NULL;
}

static struct due *soonest(uint64_t until)
{
	struct due *found = NULL;

	for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++)
		if (due[i].timer != NULL && due[i].at_ms <= until &&
			(found == NULL || due[i].at_ms < found->at_ms))
			found = &due[i];
	return found;
}

void stage_wait(struct stage *s, uint64_t ms)
{
	uint64_t until = uv_now(NULL) + ms;
	struct due *d;
	unsigned n = 0;

	(void)s;
	while ((d = soonest(until)) != NULL) {
		uv_timer_t *t = d->timer;

		/* Nothing may run in a circle. */
		ck_assert_uint_lt(n++, 1000000);
		if (d->at_ms > uv_now(NULL))
			offset_ms = d->at_ms - 1000000;
		d->timer = NULL;
		d->run(t);
	}
	offset_ms = until - 1000000;
}

/* ---- the broker that is played ---- */

int broker_new(struct broker **ret, uv_loop_t *loop,
	const struct config_sites *c, const struct broker_will *will,
	const struct broker_callbacks *callbacks)
{
	(void)loop;
	(void)c;
	stage->broker = *callbacks;
	(void)snprintf(stage->will, sizeof(stage->will), "%s", will->topic);
	*ret = (void *)stage;
	return 0;
}

void broker_start(struct broker *b)
{
	(void)b;
	stage->state = BROKER_CONNECTING;
}

void broker_close(struct broker *b)
{
	(void)b;
}

enum broker_state broker_state(const struct broker *b)
{
	(void)b;
	return stage->state;
}

const char *broker_url(const struct broker *b)
{
	(void)b;
	return "mqtts://broker.example";
}

const char *broker_error(const struct broker *b)
{
	(void)b;
	return "";
}

int broker_publish(struct broker *b, const char *topic, const void *payload,
	size_t size, int qos, bool retain, const mosquitto_property *properties)
{
	struct stage_message *m = &stage->said[stage->n_said % STAGE_KEPT];

	(void)b;
	if (stage->state != BROKER_CONNECTED)
		return -ENOTCONN;
	if (stage->window == 0)
		return -EAGAIN;
	if (stage->window != SIZE_MAX)
		stage->window--;
	*m = (struct stage_message){ .size = size,
		.qos = qos,
		.retain = retain,
		.has_properties = properties != NULL };
	ck_assert_uint_le(size, sizeof(m->payload));
	(void)snprintf(m->topic, sizeof(m->topic), "%s", topic);
	if (size > 0)
		memcpy(m->payload, payload, size);
	ck_assert_int_eq(message_read(properties, &m->m), 0);
	stage->n_said++;
	return 0;
}

int broker_subscribe(struct broker *b, const char *pattern, int qos, bool local)
{
	(void)b;
	(void)qos;
	ck_assert(!local);
	if (stage->window == 0)
		return -EAGAIN;
	ck_assert_uint_lt(stage->n_patterns, STAGE_KEPT);
	(void)snprintf(stage->patterns[stage->n_patterns++], TOPIC_TEXT, "%s",
		pattern);
	return 0;
}

/* ---- the crierd that is played ---- */

int link_new(struct link **ret, uv_loop_t *loop, const char *path,
	json_t *groups, const struct link_callbacks *callbacks)
{
	(void)loop;
	(void)path;
	(void)groups;
	stage->link = *callbacks;
	*ret = (void *)stage;
	return 0;
}

void link_start(struct link *l)
{
	(void)l;
}

void link_close(struct link *l)
{
	(void)l;
	stage->linked = false;
}

bool link_is_connected(const struct link *l)
{
	(void)l;
	return stage->linked;
}

size_t link_room(const struct link *l)
{
	(void)l;
	return stage->room;
}

int link_call(struct link *l, const char *method, json_t *params,
	link_answer answer, void *data)
{
	struct stage_call *c = &stage->calls[stage->n_calls];
	int r = 0;

	(void)l;
	if (!stage->linked)
		r = -ENOTCONN;
	else if (stage->room == 0 || stage->n_calls == STAGE_KEPT)
		r = -EAGAIN;
	if (r < 0) {
		json_decref(params);
		return r;
	}
	stage->room--;
	*c = (struct stage_call){
		.params = params, .answer = answer, .data = data
	};
	(void)snprintf(c->method, sizeof(c->method), "%s", method);
	stage->n_calls++;
	return 0;
}

struct stage_call *stage_call(struct stage *s, const char *method)
{
	for (size_t i = s->n_calls; i > 0; i--)
		if (strcmp(s->calls[i - 1].method, method) == 0)
			return &s->calls[i - 1];
	return NULL;
}

size_t stage_calls(const struct stage *s, const char *method)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_calls; i++)
		n += strcmp(s->calls[i].method, method) == 0;
	return n;
}

static json_t *parse(const char *text)
{
	char *json = strdup(text);
	json_error_t error;
	json_t *o;

	for (char *at = json; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	o = json_loads(json, JSON_DECODE_ANY, &error);
	ck_assert_msg(o != NULL, "%s: %s", json, error.text);
	free(json);
	return o;
}

void stage_answer(struct stage *s, struct stage_call *c, const char *text)
{
	link_answer answer = c->answer;
	json_t *result = parse(text);

	c->answer = NULL;
	s->room++;
	if (answer != NULL)
		answer(c->data, result, NULL);
	json_decref(result);
}

const char *stage_payload(const struct stage_call *c)
{
	static uint8_t bytes[4096];
	const json_t *text = json_object_get(c->params, "payload");
	size_t size;

	ck_assert(json_is_string(text));
	ck_assert_int_eq(base64_decode(json_string_value(text),
				 json_string_length(text), bytes, &size),
		0);
	bytes[size] = '\0';
	return (const char *)bytes;
}

/* ---- the stage ---- */

void stage_open(struct stage *s, const char *yaml)
{
	struct config_sites *config = NULL;
	struct config_errors errors;

	memset(due, 0, sizeof(due));
	stage = s;
	*s = (struct stage){ .window = SIZE_MAX, .room = LINK_WINDOW };
	s->log.level = -1;
	s->log.fd = -1;
	ck_assert_int_eq(uv_loop_init(&s->loop), 0);
	ck_assert_int_eq(config_sites_parse("test.yaml", yaml, strlen(yaml),
				 &config, &errors),
		0);
	config_errors_done(&errors);
	ck_assert_int_eq(carrier_new(&s->c, &s->loop, config, &s->log), 0);
}

void stage_clear(struct stage *s)
{
	for (size_t i = 0; i < s->n_calls; i++) {
		struct stage_call *c = &s->calls[i];

		/* As a link that was lost. */
		if (c->answer != NULL)
			c->answer(c->data, NULL, NULL);
		json_decref(c->params);
	}
	s->n_calls = s->n_said = s->n_patterns = 0;
	s->room = LINK_WINDOW;
}

void stage_close(struct stage *s)
{
	stage_clear(s);
	carrier_close(s->c);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&s->loop), 0);
}

void stage_link(struct stage *s, const char *groups)
{
	char json[1024] = "[", *copy = strdup(groups), *save = NULL;

	s->linked = true;
	s->link.connected(s->link.data);
	for (char *g = strtok_r(copy, ",", &save); g != NULL;
		g = strtok_r(NULL, ",", &save)) {
		size_t used = strlen(json);

		(void)snprintf(json + used, sizeof(json) - used,
			"%s{\"name\":\"%.*s\",\"payload\":\"%s\"}",
			used > 1 ? "," : "", (int)strcspn(g, "="), g,
			strchr(g, '=') + 1);
	}
	(void)strcat(json, "]");
	free(copy);
	stage_answer(s, stage_call(s, "groups"), json);
}

void stage_connect(struct stage *s)
{
	s->state = BROKER_CONNECTED;
	s->n_patterns = 0;
	s->broker.connected(s->broker.data);
}

void stage_disconnect(struct stage *s)
{
	s->state = BROKER_WAITING;
	s->broker.disconnected(s->broker.data, "the test says so");
}

void stage_ready(struct stage *s, const char *groups)
{
	stage_link(s, groups);
	stage_connect(s);
	stage_wait(s, 10000);
	stage_clear(s);
}

void stage_event(struct stage *s, const char *text)
{
	json_t *o = parse(text);

	s->link.event(s->link.data, o);
	json_decref(o);
}

void stage_heard(struct stage *s, const char *group, const char *kind,
	const char *payload, const char *entries, const char *flow)
{
	static unsigned n;
	char text[2048], json[4096];
	size_t size =
		base64_encode((const uint8_t *)payload, strlen(payload), text);

	text[size] = '\0';
	(void)snprintf(json, sizeof(json),
		"{'event':'datagram','time':'2026-11-29T21:00:%02u.%03uZ',"
		"'group':'%s','interface':'lan','device':'br-lan',"
		"'source':'10.0.1.5','port':1900,'channel':{'address':"
		"'239.255.255.250','port':1900},'protocol':'none','kind':'%s',"
		"'flow':%s,'entries':%s,'payload':'%s'}",
		n / 1000 % 60, n % 1000, group, kind,
		flow != NULL ? flow : "null", entries != NULL ? entries : "[]",
		text);
	n++;
	stage_event(s, json);
}

struct message stage_from(const char *site, const char *heard)
{
	struct message m = {
		.expires_s = 120, .origin_port = 1900, .channel_port = 1900
	};

	(void)snprintf(m.hops, sizeof(m.hops), "%s", site);
	(void)snprintf(m.heard, sizeof(m.heard), "%s", heard);
	(void)snprintf(m.kind, sizeof(m.kind), "announcement");
	ck_assert_int_eq(net_address_parse("10.9.0.7", &m.origin), 0);
	ck_assert_int_eq(net_address_parse("239.255.255.250", &m.channel), 0);
	return m;
}

void stage_message(struct stage *s, const char *topic, const char *payload,
	const struct message *m, bool retained)
{
	struct broker_message b = { .topic = topic,
		.payload = (const uint8_t *)payload,
		.size = strlen(payload),
		.retained = retained };
	mosquitto_property *properties = NULL;
	struct message with;

	if (m != NULL) {
		with = *m;
		with.digest = topic_digest(payload, strlen(payload));
		ck_assert_int_eq(message_write(&with, &properties), 0);
	}
	b.properties = properties;
	s->broker.message(s->broker.data, &b);
	mosquitto_property_free_all(&properties);
}

const struct stage_message *stage_said(const struct stage *s, const char *topic)
{
	for (size_t i = s->n_said; i > 0; i--)
		if (strcmp(s->said[i - 1].topic, topic) == 0)
			return &s->said[i - 1];
	return NULL;
}

bool stage_has_pattern(const struct stage *s, const char *pattern)
{
	for (size_t i = 0; i < s->n_patterns; i++)
		if (strcmp(s->patterns[i], pattern) == 0)
			return true;
	return false;
}
