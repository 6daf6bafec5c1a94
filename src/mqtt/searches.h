/*
 * searches: those of other sites that were relayed here and wait for answers.
 * Pure state: times come in as an argument.
 *
 * crierd tells them apart by numbers of flows; several sites may share one. An
 * answer may come before crierd has said which flow it is for, so the last few
 * that nobody waits for are kept for a moment.
 */
#ifndef CRIER_MQTT_SEARCHES_H
#define CRIER_MQTT_SEARCHES_H

#include "bounds/bounds.h"
#include "mqtt/message.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SEARCHES_WAIT_MS = 60000, /* crierd's own flows last no longer */
	SEARCHES_EARLY = 32,      /* answers that are kept */
	SEARCHES_EARLY_MS = 2000,
};

/* Who asked. */
struct search {
	/* Private. */
	struct quota_item quota;
	struct search *prev, *next;
	uint64_t until_ms;
	/* To be read. */
	int64_t flow;
	size_t group;
	char site[CONFIG_SITE_NAME + 1];
	uint8_t correlation[MESSAGE_CORRELATION];
	size_t correlation_size;
};

struct searches {
	/* Private, but for `quota`'s numbers. */
	struct quota quota;
	struct search *list; /* the oldest first */
	struct {
		json_t *event;
		int64_t flow;
		uint64_t until_ms;
	} early[SEARCHES_EARLY];
	size_t next;
};

void searches_init(
	struct searches *s, size_t bound, const struct siphash_key *key);
void searches_done(struct searches *s);

/* Remembers a copy of `search`; the one who has most loses its oldest where
 * there is no room. Returns 0 or -ENOMEM. */
int searches_add(struct searches *s, const struct search *search,
	const struct net_address *holder, uint64_t now_ms);

/* Calls `each` for those who wait for `flow`. Returns how many. */
size_t searches_each(struct searches *s, int64_t flow, uint64_t now_ms,
	void (*each)(void *data, const struct search *search), void *data);

/* Keeps an answer for nobody, and gives back those of a flow, in order, each
 * with the reference that was kept; NULL ends. */
void searches_keep(
	struct searches *s, int64_t flow, const json_t *event, uint64_t now_ms);
json_t *searches_kept(struct searches *s, int64_t flow, uint64_t now_ms);

#endif
