/*
 * control_fixture: a relay that only remembers, for the tests of the control
 * socket.
 *
 * It stands in for relay/ at link time: what the methods read of it is set up
 * here, and what they ask of it can be looked at. Two groups:
 *   mdns    224.0.0.251 and ff02::fb, each with the segments lan (joined), iot
 *           (failed) and guest (absent)
 *   beacon  239.255.42.42, with lan (down)
 * Two flows: of mdns on iot, answered, with two searchers; of beacon on lan,
 * not answered.
 *
 * Likewise for discovery/, with an empty table, and for announce/, with
 *   gate    of the file, active, in beacon
 *   web     added at run time, silent, in mdns
 * and for config_parse_announcement().
 */
#ifndef CRIER_TESTS_CONTROL_FIXTURE_H
#define CRIER_TESTS_CONTROL_FIXTURE_H

#include "control/control.h"
#include "control/reports.h"

#include <check.h>
#include <jansson.h>
#include <sys/un.h>

/* A request with the id 1, without its newline. */
#define CALL(method) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\"}"
#define CALL_WITH(method, params)                                              \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method                   \
	"\",\"params\":" params "}"

struct relay {
	bool standby;
	struct relay_limit remembered, flow_limit;
	struct relay_flow *flows;
	size_t n_flows;
	struct relay_counters totals;
	struct relay_group *groups[2];

	/* What relay_explain() was asked, and what it says. */
	struct relay_question asked;
	char asked_names[64]; /* joined by commas */
	int explain_error;

	/* What relay_watch() was told, and how often. */
	bool watched;
	unsigned watches;
	bool carried; /* the same of relay_carry() */
	struct relay_site_counts sites;

	/* What relay_bring() or relay_bring_answer() was given last, and what
	 * they say. */
	struct fixture_brought {
		unsigned times;
		char group[64], site[RELAY_SITE];
		struct relay_brought b; /* but for what it points at */
		uint64_t flow;
		uint8_t data[65536];
		int error;
		struct relay_brought_result result;
	} brought;
};

struct discovery {
	struct discovery_entry *entries; /* by their ids */
	size_t n, room;
	uint64_t last_id;
	struct relay_limit limit;
	const struct relay_heard *message; /* discovery_message() */
};

struct announce {
	struct announce_entry *entries;
	size_t n;
	struct relay_limit limit;
	int add_result; /* of the next announce_add() */
	unsigned withdrawals;
};

/* What config_parse_announcement() was given, and what it says. */
extern struct fixture_parse {
	char text[65536 * 2]; /* any request */
	int result;
} fixture_parse;

/* A daemon that only remembers. */
struct fixture {
	char directory[32]; /* of its own, below /tmp */
	char path[64];      /* a socket in it */
	uv_loop_t loop;
	struct relay *relay;
	struct discovery *discovery;
	struct announce *announce;
	struct config config;
	struct control_handles handles;
	struct control_options options;
	struct control *control;
	struct reports reports; /* of fixture_call(), which is one client */

	/* What the last fixture_crierctl() wrote. */
	char *out, *err;

	uint64_t generation;
	int reload_result; /* of the next reload */
	char log_level[16];
	char changing[64]; /* "METHOD UID" of the last change */
	unsigned changes;
};

/* Sets all up but the control. */
void fixture_open(struct fixture *f);

/* Serves the socket, or fails the test. */
void fixture_serve(struct fixture *f);

/* Closes the control, drains the loop, and removes the directory, which must
 * be empty. */
void fixture_close(struct fixture *f);

/* Runs the loop until `done` says so; fails the test after ten seconds. */
void fixture_run(struct fixture *f, bool (*done)(void *data), void *data);

/* A connected client, non-blocking. */
int fixture_connect(struct fixture *f);
/* Sends it all, running the loop where the socket is full. */
void fixture_send(struct fixture *f, int fd, const char *data, size_t size);
/* The next line, without its newline, for the caller to free; "" at the end of
 * the stream. `fd` is non-blocking; runs the loop while it has nothing. */
char *fixture_line(struct fixture *f, int fd);
/* Sends a line and reads one, as above. */
char *fixture_ask(struct fixture *f, int fd, const char *line);

void fixture_send_text(struct fixture *f, int fd, const char *text);
/* The next line has `part` in it. */
void fixture_check_answer(struct fixture *f, int fd, const char *part);
/* The stream ends here; closes it. */
void fixture_check_end(struct fixture *f, int fd);
/* A client is served at the fixture's path. */
void fixture_check_served(struct fixture *f);

/* ---- methods, without a socket between ---- */

/* The whole answer to a call by root or the daemon's own user, for the caller
 * to release; `params` is JSON or NULL. The daemon started 3999 ms ago. */
json_t *fixture_call(struct fixture *f, const char *method, const char *params);
/* The result equals `expected`, JSON whose members may stand in any order. */
void fixture_check_result(struct fixture *f, const char *method,
	const char *params, const char *expected);
void fixture_check_error(struct fixture *f, const char *method,
	const char *params, int code, const char *message);

/* ---- subscribers ---- */

/* A client that has subscribed; `params` is JSON. */
int fixture_subscribe(struct fixture *f, const char *params);
/* The parameters of the next notification, for the caller to release. */
json_t *fixture_event(struct fixture *f, int fd);
/* Tells of a storm on the group's lan. */
void fixture_tell_storm(struct fixture *f, size_t group, uint64_t times);
/* Tells of fixture_fate(). */
void fixture_tell_fate(struct fixture *f, enum relay_verdict verdict);

/* ---- other sockets ---- */

void fixture_address(struct sockaddr_un *sa, const char *path);
/* One that is bound to `path`, and listens where `backlog` is not -1. */
int fixture_bound_socket(const char *path, int type, int backlog);

/* Runs crierctl with words that blanks separate; "@" stands for the fixture's
 * path. Returns its exit status. */
int fixture_crierctl(struct fixture *f, const char *words);
/* For texts that are too long for check's own messages. */
void fixture_check_text(const char *text, const char *expected);

/* Runs the suite, and frees it. Returns main()'s status. */
int fixture_main(Suite *s);

/* ---- the table's side, in control_discovery.c ---- */

struct discovery *fixture_discovery(void);
void fixture_discovery_free(struct discovery *d);

/* A service of tv.local on mdns's iot; what it says may be changed. */
struct discovery_info fixture_entry(const char *name);
/* Adds it, with an id of its own, which is returned. Texts must outlive it. */
uint64_t fixture_add_entry(
	struct discovery *d, const struct discovery_info *info);
void fixture_remove_entry(struct discovery *d, uint64_t id);

/* ---- crier's own announcements, in control_announce.c ---- */

struct announce *fixture_announce(void);
void fixture_announce_free(struct announce *a);
/* 0 is gate, 1 web. */
const struct announce_entry *fixture_announcement(
	const struct announce *a, size_t i);

/* ---- the relay's side, in control_relay.c ---- */

struct relay *fixture_relay(void);
void fixture_relay_free(struct relay *r);

/* A segment of the group's first channel: 0 is lan, 1 iot, 2 guest. */
const struct relay_segment *fixture_segment(
	const struct relay *r, size_t group, size_t segment);
/* What stands for other sites in mdns's first channel. */
const struct relay_segment *fixture_outside(const struct relay *r);
/* Has the second flow ask other sites, for one who is at `site`. */
void fixture_flow_outside(struct relay *r, const char *site);
/* Of 5 bytes from fe80::7 port 5353 on mdns's lan to iot; `verdict` may be
 * changed, and `out`. */
struct relay_fate fixture_fate(const struct relay *r);

#endif
