/*
 * text: what a terminal may be shown. Pure.
 *
 * Names come from networks and files, so nothing of them reaches a terminal
 * that could move its cursor, change its colours or turn its writing round.
 * Widths do not depend on the locale.
 */
#ifndef CRIER_CONTROL_TEXT_H
#define CRIER_CONTROL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_INVALID UINT32_MAX

/*
 * Reads the first character of a NUL-terminated UTF-8 text that is not empty.
 * Returns how many bytes it takes; for bytes that are no character 1, and
 * `*ret` is TEXT_INVALID.
 */
size_t text_decode(const char *text, uint32_t *ret);

/* Control characters, what turns the direction of writing or ends a line
 * without being one of them, and TEXT_INVALID. */
bool text_is_hostile(uint32_t character);

/* Columns that the text takes on a terminal. It must have been escaped. */
size_t text_width(const char *text);

/*
 * A copy in which characters that are not for showing are written as \n, \x1b,
 * \u202e. The caller frees it. NULL: no memory.
 */
char *text_escape(const char *text);

/*
 * Bytes of the longest beginning of an escaped text that takes at most `width`
 * columns, and ends neither within a character nor within an escape.
 */
size_t text_cut(const char *text, size_t width);

#endif
