/*
 * reports: what clients say of the sites that they join, such as crier-mqtt.
 * Pure, but for the memory.
 *
 * A report belongs to the connection that made it, and goes with it. It is told
 * by its site and its broker: where two connections report the same, the later
 * word stands.
 */
#ifndef CRIER_CONTROL_REPORTS_H
#define CRIER_CONTROL_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
	REPORTS_MAX = 8,
	REPORTS_SITES_MAX = 4096, /* of all reports together */
	REPORT_NAME_MAX = 63,     /* bytes */
	REPORT_TEXT_MAX = 512,    /* bytes of a broker, or of an error */
};

enum report_state {
	REPORT_CONNECTED,
	REPORT_CONNECTING,
	REPORT_WAITING,
	REPORT_STATES,
};

/* "connected" ... */
const char *report_state_word(enum report_state s);

/* Another site. */
struct report_site {
	char name[REPORT_NAME_MAX + 1];
	bool online;
	bool gone; /* to be forgotten; none that is kept is */
	uint64_t entries, taken, dropped;
	time_t last_seen; /* -1: never */
};

struct report {
	/* Private. */
	struct report *prev, *next;
	const void *client;
	/* For callers to read. */
	char site[REPORT_NAME_MAX + 1];
	char broker[REPORT_TEXT_MAX + 1];
	char error[REPORT_TEXT_MAX + 1]; /* "": none */
	enum report_state state;
	time_t since; /* it is in this state */
	time_t reported_at;
	uint64_t own, queued, lost, published, taken;
	struct report_site *sites; /* by their names */
	size_t n_sites;
};

/* All zero is empty. */
struct reports {
	struct report *all;
	/* Private. */
	size_t n, n_sites;
};

/*
 * Takes in what `client` says. Of the same site as before, it changes the
 * other sites that `said` has and leaves the rest, as a client that has gone
 * over to another broker knows of them still; else the earlier report is
 * forgotten. `said`, whose sites stand by their names, each once,
 * stays the caller's. `*ret` is the report as it is then.
 * Returns 0; -ENOBUFS (a bound is reached); -ENOMEM; and nothing has changed.
 */
int reports_take(struct reports *r, const void *client,
	const struct report *said, time_t now, const struct report **ret);

/* Forgets what `client` said. */
void reports_leave(struct reports *r, const void *client);

#endif
