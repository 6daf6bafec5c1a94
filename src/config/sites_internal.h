/*
 * sites_internal: what the readers of crier-mqtt's configuration share.
 */
#ifndef CRIER_CONFIG_SITES_INTERNAL_H
#define CRIER_CONFIG_SITES_INTERNAL_H

#include "config/read.h"
#include "config/sites.h"

/* struct config_broker */
extern const struct list_kind list_brokers;
/* char *, owned */
extern const struct list_kind list_hosts;

/* Reports brokers of the mapping at `s` that would be spoken to in the clear
 * without leave. */
void brokers_check(const struct spot *s, const struct config_sites *c);

/* Why `name` cannot be that of a site, a phrase such as "names no site"; NULL:
 * it can. */
const char *site_problem(const char *name);

/* Reader of `groups`, into a struct config_sites whose own site is known. */
void read_site_groups(const struct spot *s, void *base, const struct key *k);

#endif
