/*
 * discovery_relay: a discovered table over a relay that only remembers, and a
 * clock that goes on when it is told to.
 *
 * It stands in for relay/ at link time, and for uv_now() and libuv's timers by
 * the linker's --wrap: see Makefile.am. Four groups with one channel each, but
 * mdns, which has one of each family; on each the segments lan (br-lan) and iot
 * (eth0.20). Knows nothing of check, for the fuzzers.
 */
#ifndef CRIER_TESTS_DISCOVERY_RELAY_H
#define CRIER_TESTS_DISCOVERY_RELAY_H

#include "discovery/discovery.h"

enum stand_group { MDNS, SSDP, WSD, RAW, STAND_GROUPS };
enum stand_segment { LAN, IOT, STAND_SEGMENTS };

enum { STAND_CHANNELS = 2, STAND_EVENTS = 8192, STAND_SAID = 16 };

struct relay_segment {
	const struct relay_channel *channel;
	struct relay_segment_info info;
	uint64_t id;
};

struct relay_channel {
	const struct relay_group *group;
	struct net_address address; /* differs in its family alone */
	struct relay_segment segments[STAND_SEGMENTS];
};

struct relay_group {
	struct relay *relay;
	struct config_group config;
	struct relay_channel channels[STAND_CHANNELS];
	size_t n;
	bool is_gone;
};

struct relay {
	struct relay_group groups[STAND_GROUPS];
	/* What relay_repeat() was told, and how often. */
	size_t n_said;
	struct {
		uint64_t segment, only; /* 0: all */
		uint64_t at_ms;
		size_t size;
		char text[32]; /* its beginning */
	} said[STAND_SAID];
};

struct stand {
	struct relay relay;
	struct config config;
	uv_loop_t loop;
	struct discovery *discovery;
	struct wsd_parser *parser;
	uint64_t now_ms;
	/* The timer: when it runs, 0 for never; how often it has. */
	uint64_t due_ms;
	uv_timer_cb run;
	uv_timer_t *timer;
	size_t n_runs;
	/* "new NAME", "changed NAME", "gone NAME REASON", each and a newline.
	 */
	char events[STAND_EVENTS];
	size_t n_events;
	/* The last datagram, in a buffer of its exact size. */
	uint8_t *data;
	struct proto_view view;
};

/* An empty table of `bound` entries, at a time that is not 0. */
void stand_open(struct stand *s, size_t bound);
/* Begins anew, with what the relay and the configuration were made to say. */
void stand_renew(struct stand *s);
/* Drains the loop. Returns what uv_loop_close() does. */
int stand_close(struct stand *s);
/* Forgets what was told so far. */
void stand_clear(struct stand *s);
/* Lets time go on, and the timer run. */
void stand_wait(struct stand *s, uint64_t ms);

/* What is heard on a segment, from the group's port, before it is handed to
 * the table; valid until the next call. */
struct relay_heard stand_heard(struct stand *s, enum stand_group g,
	enum stand_segment i, const char *source, const void *data,
	size_t size);
/* Takes it in. */
void stand_take(struct stand *s, const struct relay_heard *h);

const struct relay_segment *stand_segment(
	const struct stand *s, enum stand_group g, enum stand_segment i);
/* How many entries there are, by reading all of them. */
size_t stand_count(const struct stand *s);

#endif
