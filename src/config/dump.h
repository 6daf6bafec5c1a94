/*
 * dump: what the dumps of several configurations have in common.
 */
#ifndef CRIER_CONFIG_DUMP_H
#define CRIER_CONFIG_DUMP_H

#include "config/config.h"
#include "config/emit.h"

void dump_strings(
	struct emit *e, const char *key, const struct config_strings *s);
/* An empty one only if it is asked for. */
void dump_filter(struct emit *e, const char *key, const struct config_filter *f,
	bool also_empty);
void dump_rate(struct emit *e, uint32_t rate);
void dump_number(struct emit *e, const char *key, uint32_t number);
/* Ends what emit_begin() began. Returns 0 or -EIO. */
int dump_end(struct emit *e, FILE *out);

#endif
