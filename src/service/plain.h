/*
 * plain: text that came from anywhere as one line that a log and a terminal can
 * bear. Pure.
 */
#ifndef CRIER_SERVICE_PLAIN_H
#define CRIER_SERVICE_PLAIN_H

#include <stddef.h>

/* What stands at the end of a text that was cut. */
#define PLAIN_CUT "..."

/* The most bytes that one of a text may become. */
enum { PLAIN_ESCAPE = 4 };

/*
 * Copies `text`, with its control characters, what turns the direction of
 * writing and what is no UTF-8 as \xNN, a byte each. What does not fit into
 * `size` bytes (at least sizeof(PLAIN_CUT)) with its NUL is cut, neither within
 * a character nor within an escape, and ends in PLAIN_CUT.
 */
void plain_text(char *out, size_t size, const char *text);

#endif
