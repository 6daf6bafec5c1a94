/*
 * announce_stage: crier's own announcements on a bench's relay.
 */
#ifndef CRIER_TESTS_ANNOUNCE_STAGE_H
#define CRIER_TESTS_ANNOUNCE_STAGE_H

#include "announce/announce.h"
#include "relay_bench.h"

struct stage {
	struct bench b; /* first, so that its hooks find the rest */
	struct announce *a;
	const char *text;                         /* of the configuration */
	unsigned sent, goodbyes, states, removed; /* told */
	/* Of what was sent last. */
	uint64_t now_ms, next_in_ms;
	uint64_t gap_ms;       /* between the last two */
	uint8_t message[9000]; /* for the test to write */
};

/* A bench with a relay of that configuration, and no announcements yet, so that
 * a test can open its ears. */
void stage_setup(struct stage *s, unsigned segments, const char *text);
/* Then those of the configuration. */
void stage_start(struct stage *s);
void stage_reload(struct stage *s, const char *text);
void stage_close(struct stage *s);

/* What announce_add() says to a text that must be an announcement. */
int stage_add(struct stage *s, const char *name, const char *text);
/* It must be there. */
struct announce_info stage_info(const struct stage *s, const char *name);
bool stage_has(const struct stage *s, const char *name);

/* Runs the loop until so many were told of. */
void stage_wait_sent(struct stage *s, unsigned n);
/* Runs the loop until the announcement is in this state. */
void stage_wait_state(
	struct stage *s, const char *name, enum announce_state state);
/* Runs the loop until its next sending is at most that far away. */
void stage_wait_next(struct stage *s, const char *name, uint64_t within_ms);
/* Runs the loop until its next sending is more than a second away. */
void stage_wait_late(struct stage *s, const char *name);

/* The next datagram must be this text. */
void stage_expect(struct stage *s, int ear, const char *text);

#endif
