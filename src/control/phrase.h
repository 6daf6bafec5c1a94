/*
 * phrase: pieces of JSON as pieces of text. Pure, but for the memory.
 *
 * Texts that are returned as `char *` are the caller's to free; NULL: no
 * memory. Nothing is escaped here (text.h).
 */
#ifndef CRIER_CONTROL_PHRASE_H
#define CRIER_CONTROL_PHRASE_H

#include <jansson.h>
#include <stdbool.h>

/* A member that is a string, else "". */
const char *phrase_word(const json_t *object, const char *key);
/* A member that is a whole number, else 0. */
json_int_t phrase_number(const json_t *object, const char *key);

/* As asprintf(3). */
__attribute__((format(printf, 1, 2))) char *phrase_format(const char *how, ...);

/* The numbers of an object that are not 0: "5 joined, 1 failed", or "own 5,
 * loop 2" where the name stands first. */
char *phrase_counts(const json_t *object, bool name_first);
/* The strings and numbers of an array, between commas. */
char *phrase_elements(const json_t *array);
/* The sum of an object's numbers. */
json_int_t phrase_sum(const json_t *object);

#endif
