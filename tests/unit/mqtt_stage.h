/*
 * mqtt_stage: a carrier between a broker and a crierd that are only played.
 *
 * What it publishes, subscribes to and calls is written down, and the test
 * says what comes back. Time is the loop's own, moved on by stage_wait().
 */
#ifndef CRIER_TESTS_MQTT_STAGE_H
#define CRIER_TESTS_MQTT_STAGE_H

#include "mqtt/carrier.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Something that was published. */
struct stage_message {
	char topic[TOPIC_TEXT];
	uint8_t payload[2048];
	size_t size;
	int qos;
	bool retain;
	bool has_properties;
	struct message m;
};

/* A call that crierd has not answered. */
struct stage_call {
	char method[32];
	json_t *params;
	link_answer answer;
	void *data;
};

enum { STAGE_KEPT = 256 };

struct stage {
	uv_loop_t loop;
	struct carrier *c;
	struct service_log log;
	struct broker_callbacks broker;
	struct link_callbacks link;
	enum broker_state state;
	bool linked;
	size_t window; /* what the broker still takes; SIZE_MAX: all */
	size_t room;   /* what crierd still takes */
	struct stage_message said[STAGE_KEPT];
	size_t n_said;
	char patterns[STAGE_KEPT][TOPIC_TEXT];
	size_t n_patterns;
	struct stage_call calls[STAGE_KEPT];
	size_t n_calls;
	char will[TOPIC_TEXT];
};

/* A carrier with this configuration (YAML), and nothing connected. */
void stage_open(struct stage *s, const char *yaml);
void stage_close(struct stage *s);

/* crierd is there, and its groups have these decoders ("mdns=mdns,raw=none").
 */
void stage_link(struct stage *s, const char *groups);
void stage_connect(struct stage *s);
void stage_disconnect(struct stage *s);
/* Both, and nothing that was said or called in the course of it is left. */
void stage_ready(struct stage *s, const char *groups);

/* Forgets what was said and called. */
void stage_clear(struct stage *s);

/* An event of crierd's, as JSON with ' for ". */
void stage_event(struct stage *s, const char *json);
/* An event with a datagram of crierd's; `entries` may be NULL. */
void stage_heard(struct stage *s, const char *group, const char *kind,
	const char *payload, const char *entries, const char *flow);
/* A message of the broker's. `m` NULL: without properties; its digest is set
 * here. */
void stage_message(struct stage *s, const char *topic, const char *payload,
	const struct message *m, bool retained);
/* Of `site`, heard at a time. */
struct message stage_from(const char *site, const char *heard);

/* The last call of a method, or NULL; and its answer, as JSON. */
struct stage_call *stage_call(struct stage *s, const char *method);
size_t stage_calls(const struct stage *s, const char *method);
void stage_answer(struct stage *s, struct stage_call *c, const char *json);
/* The payload of a call, as text. Valid until the next. */
const char *stage_payload(const struct stage_call *c);

/* The last that was said under a topic, or NULL. */
const struct stage_message *stage_said(
	const struct stage *s, const char *topic);
bool stage_has_pattern(const struct stage *s, const char *pattern);

/* Moves the clock on, and runs what is due. */
void stage_wait(struct stage *s, uint64_t ms);

#endif
