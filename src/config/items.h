/*
 * items: what the lists of a configuration hold.
 */
#ifndef CRIER_CONFIG_ITEMS_H
#define CRIER_CONFIG_ITEMS_H

#include "config/glob.h"
#include "config/read.h"

/* struct net_address */
extern const struct list_kind list_multicast, list_unicast;
/* uint16_t */
extern const struct list_kind list_ports;
/* struct net_prefix, struct config_sizes */
extern const struct list_kind list_prefixes, list_sizes;
/* char *, owned */
extern const struct list_kind list_devices, list_services, list_targets,
	list_txt;

#endif
