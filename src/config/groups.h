/*
 * groups: what the readers of groups and of presets share.
 */
#ifndef CRIER_CONFIG_GROUPS_H
#define CRIER_CONFIG_GROUPS_H

#include "config/read.h"

/* The keys that both groups and presets have. */
extern const struct keys group_shared_keys;

void group_set_defaults(struct config_group *g);

/* Reports keys that contradict each other, of a group or of a preset. */
void group_check(const struct spot *s, struct config_group *g);
/* Reports what `allow` and `deny` of a group or a use say that its payload does
 * not have. */
void group_check_filters(const struct spot *s, enum config_payload payload);
/* Reports sources that no address of the group goes with, and drops those of
 * a preset. */
void group_check_sources(const struct spot *s, struct config_group *g);

/* True if a datagram of this family can belong to the group. */
bool group_has_family(const struct config_group *g, sa_family_t family);
const char *family_text(sa_family_t family); /* "IPv4" or "IPv6" */

/*
 * Moves `g` from the defaults to what the preset that the group at `s` names
 * says, if any.
 */
void preset_apply(const struct spot *s, struct config_group *g);
/* Reader of the key `preset`. */
void read_preset_name(const struct spot *s, void *base, const struct key *k);

/* Readers of `interfaces`, `from`, `to`, `searchers` and `devices`, whose role
 * is the key's `low`. */
void read_uses(const struct spot *s, void *base, const struct key *k);
/* Takes every interface where the group at `s` names none, fills in TTLs, and
 * reports uses that contradict each other. */
void uses_complete(const struct spot *s, struct config_group *g);

#endif
