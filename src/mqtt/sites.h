/*
 * sites: the other sites as this one knows them, and what of theirs waits to
 * be relayed here. Pure state: times come in as an argument.
 *
 * Each site has a lane for each group: its rate, what waits, and what it has
 * brought lately, so that a flood from one site fills none but its own lane.
 */
#ifndef CRIER_MQTT_SITES_H
#define CRIER_MQTT_SITES_H

#include "config/config.h"
#include "mqtt/shelf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Without memory a site is not added, and the process goes on. */
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->failed = true)
#include <uthash.h>

enum {
	SITES_MAX = 4096, /* beyond, one that says nothing is forgotten */
	LANE_RECENT = 256,
};

/* Why something of a site's was not relayed. */
enum site_drop {
	SITE_DROP_LOOP,   /* this site is in its hops */
	SITE_DROP_FILTER, /* `take` does not let it pass */
	SITE_DROP_RATE,
	SITE_DROP_BAD,   /* it is not what it should be */
	SITE_DROP_QUEUE, /* crierd was not there, or too busy */
	SITE_DROPS,
};

struct site_lane {
	struct site *site;
	size_t group;                  /* its number in the configuration */
	struct shelf_list todo;        /* to be relayed */
	struct site_lane *prev, *next; /* those with something to do */
	bool busy;                     /* is among them */
	/* Private. */
	uint64_t tokens, filled_ms;   /* thousandths of a datagram */
	uint64_t recent[LANE_RECENT]; /* 0: none; the oldest at `next_recent` */
	size_t next_recent;
};

struct site {
	UT_hash_handle hh;
	bool failed; /* to be added */
	char name[CONFIG_SITE_NAME + 1];
	bool online;
	bool changed; /* since it was reported last */
	size_t entries;
	uint64_t taken, dropped[SITE_DROPS];
	int64_t last_seen_ms; /* since 1970; 0: never */
	struct site_lane lanes[];
};

struct sites {
	/* Private, but for the numbers. */
	struct site *by_name;
	struct site_lane *busy;
	size_t n, n_groups;
	uint64_t refused;
	struct siphash_key key;
};

void sites_init(
	struct sites *s, size_t n_groups, const struct siphash_key *key);
void sites_done(struct sites *s);

struct site *sites_find(const struct sites *s, const char *name);
/* Finds or makes one; NULL where there are too many, or no memory. */
struct site *sites_get(struct sites *s, const char *name);
/* The next one, of any order; NULL begins and ends. */
struct site *sites_next(const struct sites *s, const struct site *after);
/* Forgets one of which nothing is left. */
void sites_forget(struct sites *s, struct site *site);

/* An address that stands for a site where fairness goes by addresses. */
void sites_holder(
	const struct sites *s, const char *name, struct net_address *ret);

/* Spends one datagram of a lane's rate (0: unlimited); false if there is none
 * left now. */
bool lane_may(struct site_lane *l, uint32_t rate, uint64_t now_ms);
/* True if `heard` is among the last LANE_RECENT that were brought; else
 * remembers it. */
bool lane_repeats(struct site_lane *l, uint64_t heard);
void lane_forgets(struct site_lane *l, uint64_t heard);

/* Lists an item in its lane. */
void sites_list(struct sites *s, struct site_lane *l, struct shelf_item *i);
/* The lane whose turn it is, or NULL: it has something to do, and goes to the
 * end of the queue. */
struct site_lane *sites_turn(struct sites *s);

#endif
