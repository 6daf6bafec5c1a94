/*
 * announcements: what the readers of crier's own announcements share.
 */
#ifndef CRIER_CONFIG_ANNOUNCEMENTS_H
#define CRIER_CONFIG_ANNOUNCEMENTS_H

#include "config/read.h"

/* Readers of struct config_data and of an owned struct config_service *. */
void read_data(const struct spot *s, void *base, const struct key *k);
void read_service(const struct spot *s, void *base, const struct key *k);

#endif
