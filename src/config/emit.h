/*
 * emit: writes YAML, one piece after the other.
 *
 * Life cycle: emit_begin(), the pieces of one mapping, emit_end(). A failure
 * is kept, and whatever follows it does nothing.
 */
#ifndef CRIER_CONFIG_EMIT_H
#define CRIER_CONFIG_EMIT_H

#include <stdbool.h>
#include <stdio.h>
#include <yaml.h>

struct emit {
	yaml_emitter_t emitter;
	bool has_failed;
};

/* In one line or as a block. */
enum emit_style { EMIT_BLOCK, EMIT_FLOW };

void emit_begin(struct emit *e, FILE *out);
int emit_end(struct emit *e); /* 0 or -EIO */

void emit_map(struct emit *e, enum emit_style style);
void emit_map_end(struct emit *e);
void emit_list(struct emit *e);
void emit_list_end(struct emit *e);

/* A key or a value; quoted where YAML asks for it, ... */
void emit_word(struct emit *e, const char *text);
/* ... and always, so that it is a string to every reader of YAML. */
void emit_string(struct emit *e, const char *text);
__attribute__((format(printf, 2, 3))) void emit_format(
	struct emit *e, const char *format, ...);

/* A key with its value. */
void emit_pair(struct emit *e, const char *key, const char *word);
void emit_bool_pair(struct emit *e, const char *key, bool value);

#endif
