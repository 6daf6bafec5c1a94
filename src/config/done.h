/*
 * done: frees what the structs of a configuration hold, and leaves them empty.
 * Knows what empty is, too.
 */
#ifndef CRIER_CONFIG_DONE_H
#define CRIER_CONFIG_DONE_H

#include "config/config.h"

void strings_done(struct config_strings *s);
void filter_done(struct config_filter *f);
bool filter_is_empty(const struct config_filter *f);
void interface_done(struct config_interface *i);
void use_done(struct config_use *u);
void group_done(struct config_group *g);
void preset_done(struct config_preset *p);
void data_done(struct config_data *d);
void service_free(struct config_service *s); /* NULL is fine */
void announcement_done(struct config_announcement *a);
void config_free(struct config *c); /* NULL is fine */
void broker_done(struct config_broker *b);
void site_group_done(struct config_site_group *g);

#endif
