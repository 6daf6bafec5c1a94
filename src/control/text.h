/*
 * text: what a terminal may be shown. Pure.
 *
 * Names come from networks and files, so nothing of them reaches a terminal
 * that could move its cursor, change its colours or turn its writing round.
 * Widths do not depend on the locale.
 */
#ifndef CRIER_CONTROL_TEXT_H
#define CRIER_CONTROL_TEXT_H

#include <stddef.h>

/* Columns that the text takes on a terminal. It must have been escaped. */
size_t text_width(const char *text);

/*
 * A copy in which characters that are not for showing are written as \n, \x1b,
 * \u202e. The caller frees it. NULL: no memory.
 */
char *text_escape(const char *text);

/*
 * The same JSON, with such characters, and those that YAML may only hold so,
 * written as \u202e within its texts. Takes over `json`, NULL where memory ran
 * out. The caller frees it. NULL: no memory.
 */
char *text_escape_json(char *json);

/*
 * Bytes of the longest beginning of an escaped text that takes at most `width`
 * columns, and ends neither within a character nor within an escape.
 */
size_t text_cut(const char *text, size_t width);

#endif
