/*
 * A stage for the link to crierd: the test plays the server, well or badly, on
 * the sockets' other ends, and runs the link's loop while it waits.
 *
 * What its timer is asked for is recorded. Tries come fifty times as fast as
 * that; so does the end of its patience, where a test asks for it. The link's
 * clock can be put forward.
 */
#ifndef CRIER_TESTS_LINK_STAGE_H
#define CRIER_TESTS_LINK_STAGE_H

#include "mqtt/link.h"

#include <check.h>
#include <stdint.h>

enum { STAGE_FASTER = 50, STAGE_WAITS = 64 };

struct stage {
	uv_loop_t loop;
	struct link *link;
	char path[64];
	int listener, stream, calls; /* -1: none */
	/* What the link said. */
	int connections, losses, readies, answers, lost_calls;
	char why[600]; /* of the last loss */
	json_t *events, *results;
	/* What its timer was asked for, and how far its clock is ahead. */
	uint64_t waits[STAGE_WAITS], skew_ms;
	size_t n_waits;
	bool is_impatient;
};

/* The one there is. */
extern struct stage stage;
extern const struct link_callbacks stage_callbacks;

/* A link that was started: without a server; with one that listens; with one
 * that has served it. */
void stage_open(void);
void stage_open_listening(void);
void stage_open_served(void);
void stage_close(void);

/* ---- the server ---- */

void stage_listen(void);
int stage_take(void);       /* the next connection */
void stage_take_both(void); /* the stream, and the one for calls */
void stage_serve(void);     /* that, and answers the subscription */
void stage_hang_up(int *fd);
void stage_hang_up_both(void);

/* The next request, for the caller to release; or its id alone. */
json_t *stage_hear(int fd);
json_int_t stage_hear_id(int fd);

void stage_say(int fd, const char *text);
void stage_say_bytes(int fd, const char *data, size_t size);
void stage_say_result(int fd, json_int_t id, const char *result);
void stage_say_error(int fd, json_int_t id, int code, const char *message);

/* ---- the link's side ---- */

/* Takes an answer to `results`, `answers` and `lost_calls`; `data` is the
 * stage's `answers`. */
void stage_answered(void *data, const json_t *result, const json_t *error);
/* A call whose answer goes there. */
int stage_call(const char *method);
/* One whose line has that many bytes, without its newline. The first one. */
int stage_call_of(size_t size);

/* Runs the loop once; false where that goes on for too long. */
bool stage_turn(uint64_t since_ns);
/* Until the count is `n`, and no more than that. */
void stage_until(const int *count, int n);
/* Lets everything happen that is due. */
void stage_rest(void);

/* The link was lost, once, and its reason has that in it. */
void stage_check_lost(const char *reason);
/* And it comes back. */
void stage_check_comes_back(const char *reason);

void stage_check_json(const json_t *json, const char *expected);

/* ---- the suite ---- */

TCase *stage_case(Suite *s, const char *name, void (*begin)(void));
/* Runs the suite, and frees it. Returns main()'s status. */
int stage_main(Suite *s);

#endif
