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

/* For lists of owned strings: keeps a copy of `text` in the item `ret`. False
 * if there is no memory, and reported. */
bool keep_string(const struct spot *s, const char *text, void *ret);
bool is_same_string(const void *a, const void *b);
void string_done(void *item);

#endif
