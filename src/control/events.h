/*
 * events: what happens, as the parameters of a notification. Pure.
 *
 * Each returns a new object, or NULL where memory ran out.
 */
#ifndef CRIER_CONTROL_EVENTS_H
#define CRIER_CONTROL_EVENTS_H

#include "announce/announce.h"
#include "control/subscription.h"
#include "discovery/discovery.h"
#include "relay/relay.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The name of the segment's group. */
const char *event_group(const struct relay_segment *s);

/* `state` is what it is now, as a word; `was` NULL where it has just come to
 * be. */
json_t *event_segment(const struct timespec *now, const struct relay_segment *s,
	const char *state, const char *was);
json_t *event_config(const struct timespec *now, uint64_t generation);
json_t *event_storm(const struct timespec *now, const struct relay_segment *s,
	const struct net_address *source, enum relay_verdict why,
	uint64_t times);

/* EVENT_DATAGRAM or EVENT_DROP. */
enum event_kind event_kind_of_fate(const struct relay_fate *f);
/* Without the payload. */
json_t *event_fate(const struct timespec *now, const struct relay_fate *f);

/* EVENT_DISCOVERED or EVENT_EXPIRED. */
enum event_kind event_kind_of_change(enum discovery_change change);
json_t *event_entry(const struct timespec *now, const struct discovery_info *i,
	enum discovery_change change, enum discovery_reason why);

/* `i` is what its entry shows. */
json_t *event_announcement(const struct timespec *now,
	const struct announce_info *i, const struct announce_event *e);

/* Without the payload. */
json_t *event_answer(const struct timespec *now, const struct relay_heard *h);

#endif
