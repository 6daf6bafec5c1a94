/*
 * utf8: characters of text that comes from anywhere, and how those are written
 * that no line of text can bear. Pure.
 *
 * Names come from networks and files, so nothing of them reaches a terminal or
 * a log that could move a cursor, change colours, begin a line or turn the
 * direction of writing.
 */
#ifndef CRIER_PROTO_UTF8_H
#define CRIER_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define UTF8_INVALID UINT32_MAX

/* The most bytes that utf8_escape() writes, without a NUL. */
enum { UTF8_ESCAPE = 6 };

/*
 * Reads the first character of a NUL-terminated UTF-8 text that is not empty.
 * Returns how many bytes it takes; for bytes that are no character 1, and
 * `*ret` is UTF8_INVALID.
 */
size_t utf8_decode(const char *text, uint32_t *ret);

/* Control characters, what turns the direction of writing or ends a line
 * without being one of them, and UTF8_INVALID. */
bool utf8_is_hostile(uint32_t character);

/* Writes such a character, which begins at `at`, as \n, \x1b or \u202e, with a
 * NUL. Returns its end. */
char *utf8_escape(char *out, const char *at, uint32_t character);

/* Prints a text so that it stays one line. */
void utf8_print(const char *text, FILE *out);

#endif
