/*
 * calls: those of a link that crierd has not answered yet. Pure: time comes in
 * as an argument, in milliseconds on any monotonic scale.
 */
#ifndef CRIER_MQTT_CALLS_H
#define CRIER_MQTT_CALLS_H

#include "mqtt/link.h"

#include <stdint.h>

struct call {
	json_int_t id; /* 0: none */
	uint64_t due_ms;
	link_answer answer; /* or NULL */
	void *data;
};

/* All zero is empty. */
struct calls {
	size_t n; /* for callers to read */
	/* Private. */
	struct call at[LINK_WINDOW];
	json_int_t last_id;
};

/* An id that no call had before. */
json_int_t calls_new_id(struct calls *c);

/* Adds one with an id from there. There must be room: fewer than LINK_WINDOW.
 */
void calls_add(struct calls *c, const struct call *call);

/* Takes the one with this id out. False: there is none. */
bool calls_take(struct calls *c, json_int_t id, struct call *ret);

/* When the first of them is due; UINT64_MAX: there is none. */
uint64_t calls_due(const struct calls *c);

/* Tells all of them that the connection was lost, and forgets them before. */
void calls_end(struct calls *c);

/*
 * A request as a line, with its newline, for the caller to free(). `params` are
 * taken over in any case (NULL: none).
 * Returns 0; -EMSGSIZE (over LINK_REQUEST_MAX); -ENOMEM.
 */
int calls_request(json_int_t id, const char *method, json_t *params,
	char **ret_text, size_t *ret_size);

/* True for an answer: with an error that is one, or with a result. */
bool calls_is_answer(const json_t *json);

/* The error of what crierd says to nobody's question, such as that it is full;
 * NULL where it is no such thing. */
const json_t *calls_complaint(const json_t *json);

#endif
