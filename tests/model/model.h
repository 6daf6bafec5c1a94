/*
 * model: networks of relays in virtual time, without a socket.
 *
 * A crier of the model asks the real decide(), guard_hear(), guard_may_send(),
 * guard_sent() and rate_take(), in the order of relay/fanout.c. Foreign relays
 * are as simple as those that people have: what they hear on one leg they say
 * on the others, after a while, and remember nothing.
 *
 * generate.c makes a network and what its hosts say from a seed, simulate.c
 * lets it happen, expect.c says what must be heard where, claims.c compares,
 * shrink.c makes a failure smaller, show.c writes it down.
 */
#ifndef CRIER_TESTS_MODEL_H
#define CRIER_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MODEL_SEGMENTS = 30,
	MODEL_RELAYS = 50,
	MODEL_LEGS = 12,
	MODEL_HOSTS = 8,
	MODEL_PAYLOADS = 64,
	MODEL_SAYINGS = 2000,
	/* Addresses are a segment's number and one of so many within it. */
	MODEL_ADDRESSES = 256,
	MODEL_SOURCES = MODEL_SEGMENTS * MODEL_ADDRESSES,
	MODEL_JITTER_MS = 3, /* of a datagram to each listener of a segment */
	MODEL_SLOWEST_MS = 1000, /* foreign relay */
};

/* ---- a network ---- */

struct model_leg {
	unsigned segment;
	unsigned role; /* as in struct config_use; a foreign relay has both */
};

struct model_relay {
	bool crier;
	bool keeps_source;
	int ttl;           /* as in struct config_use */
	uint32_t rate;     /* of a crier, per second, or 0 */
	uint64_t delay_ms; /* of a foreign relay, at most */
	bool steady;       /* always that long */
	bool knows_itself; /* drops what comes from an address of its own */
	struct model_leg legs[MODEL_LEGS];
	size_t n_legs; /* 0 or 1: it does nothing */
};

struct model_host {
	unsigned segment;
	int ttl;
};

/* A host says a payload. */
struct model_saying {
	uint64_t at_ms;
	unsigned host, payload;
};

struct model {
	uint64_t seed;
	uint64_t window_ms; /* the criers' dedup */
	/* When all is said once more, and something new besides: long after
	 * the rest, so that a silent network can be told from one that is not.
	 */
	uint64_t again_ms;
	unsigned n_segments, n_relays, n_hosts, n_payloads, n_sayings;
	struct model_relay relays[MODEL_RELAYS];
	struct model_host hosts[MODEL_HOSTS];
	/* In the order of time. */
	struct model_saying sayings[MODEL_SAYINGS];
};

/* What is broken on purpose, to see that the claims can fail. */
enum model_break {
	BREAK_NOTHING,
	BREAK_GUARD,     /* the guard is off */
	BREAK_WINDOW,    /* it remembers for a moment only */
	BREAK_SILENCE,   /* who is silenced passes all the same */
	BREAK_REACH,     /* what is heard counts as sent everywhere */
	BREAK_LONGER,    /* being held back prolongs */
	BREAK_DIRECTION, /* what is only sent to is heard too */
};

/* Makes the network of this seed. mixed: see generate.c. */
void generate(struct model *ret, uint64_t seed, bool mixed);

/* ---- what happens in it ---- */

/* One datagram, on one segment. */
struct model_copy {
	uint64_t at_ms;
	unsigned segment;
	unsigned payload;
	uint32_t source;
	bool by_crier; /* or by a host or a foreign relay */
};

struct trace {
	struct model_copy *copies; /* in the order of time */
	size_t n_copies, size;
	uint64_t heard;               /* datagrams, by relays */
	uint64_t last_ms;             /* when something was heard last */
	bool endless;                 /* given up */
	bool limited[MODEL_PAYLOADS]; /* by a rate */
};

/*
 * Lets happen what `m` says, and fills `ret`, whose copies the caller frees.
 * luck: draws the delays.
 */
void simulate(const struct model *m, uint64_t luck, enum model_break broken,
	struct trace *ret);

/* ---- what is claimed ---- */

/* What must become of a payload when one host says it. */
struct expectation {
	/* Some path leads there, from whoever says it at all. */
	bool may[MODEL_SEGMENTS];
	bool must[MODEL_SEGMENTS]; /* and none can spoil it */
	/* Where it must: by when, and how many relays are on that way. */
	uint64_t within_ms[MODEL_SEGMENTS];
	unsigned hops[MODEL_SEGMENTS];
};

void expect(const struct model *m, unsigned host, unsigned payload,
	struct expectation *ret);

enum claim {
	CLAIM_NONE,
	CLAIM_REACH,
	CLAIM_STRAY,
	CLAIM_COPIES,
	CLAIM_QUIET,
	CLAIM_STARVE,
	CLAIMS,
};

struct measure {
	uint64_t most, bound;
};

struct outcome {
	enum claim failed; /* CLAIM_NONE: all hold */
	char text[240];
	/* The worst that was seen, beside what is allowed then. */
	struct measure copies; /* of a payload on a segment, in a window */
	struct measure quiet;  /* ms from the last saying to the last copy */
	struct measure gap;    /* ms without what a host says all the time */
	uint64_t slow_ms;      /* from a saying until a segment hears it */
	uint64_t asked;        /* sayings times segments that were held to it */
	uint64_t datagrams;
};

/* Keeps the largest in `m`, with its bound. True if `value` is within `bound`.
 */
bool measure(struct measure *m, uint64_t value, uint64_t bound);

/* The claim in words. */
const char *claim_word(enum claim c);

/* Runs `m` and compares. */
void judge(const struct model *m, uint64_t luck, enum model_break broken,
	struct outcome *ret);

/* Takes away what the failure does not need. `luck` and `o` follow. */
void shrink(struct model *m, uint64_t *luck, enum model_break broken,
	struct outcome *o);

/* Writes the network and what its hosts say to standard output. */
void show(const struct model *m);

/* ---- chance ---- */

/* xorshift64* (Vigna 2016); never of state 0. */
uint64_t draw(uint64_t *state);
/* 0 to n - 1. */
unsigned pick(uint64_t *state, unsigned n);
/* True `percent` times of a hundred. */
bool chance(uint64_t *state, unsigned percent);
/* A state from a seed: neighbouring seeds have nothing in common. */
uint64_t chance_from(uint64_t seed);

#endif
