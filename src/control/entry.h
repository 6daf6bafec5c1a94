/*
 * entry: an entry of the discovered table, and an announcement of crier's own,
 * as JSON. Pure.
 */
#ifndef CRIER_CONTROL_ENTRY_H
#define CRIER_CONTROL_ENTRY_H

#include "announce/announce.h"
#include "control/render.h"
#include "discovery/discovery.h"

/* Adds the members of an entry to an object. */
void entry_put(struct render *r, const struct discovery_info *i);

/* Adds those of an announcement that do not change by themselves: `name`,
 * `group`, `origin`, `state` and `error`. */
void entry_put_announcement(struct render *r, const struct announce_info *i);

#endif
