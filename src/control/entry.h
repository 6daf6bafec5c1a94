/*
 * entry: an entry of the discovered table, and an announcement of crier's own,
 * as JSON. Pure.
 */
#ifndef CRIER_CONTROL_ENTRY_H
#define CRIER_CONTROL_ENTRY_H

#include "announce/announce.h"
#include "control/render.h"
#include "discovery/discovery.h"

/* What tells an entry from others of its group and site, here and there. */
struct entry_identity {
	enum config_payload protocol;
	const char *name, *type; /* as of struct discovery_info */
	struct net_address source;
	uint16_t port;
};

/* The same as a text that stays the same. */
json_t *entry_key(const struct entry_identity *i);

/* What an announcement tells of, as an array of {`key`, `expires_in`,
 * `goodbye`}; empty for anything else. */
json_t *entry_told(const struct relay_fate *f);

/* Adds the members of an entry to an object. */
void entry_put(struct render *r, const struct discovery_info *i);

/* Adds those of an announcement that do not change by themselves: `name`,
 * `group`, `origin`, `state` and `error`. */
void entry_put_announcement(struct render *r, const struct announce_info *i);

#endif
