/*
 * text: fills in what a payload leaves open. Pure.
 */
#ifndef CRIER_ANNOUNCE_TEXT_H
#define CRIER_ANNOUNCE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* What stands for %{hostname} and so on. */
struct text_values {
	const char *hostname, *address, *interface, *time;
};

/*
 * Copies the `size` bytes of `text` to `out`, with the values for their names.
 * What else looks like a name stays as it is, and values are not looked at for
 * names.
 *
 * room: bytes of `out`, which may be overwritten on failure too.
 * Returns the bytes written; -EMSGSIZE (they would be more than `room`).
 */
int text_fill(const char *text, size_t size, const struct text_values *v,
	uint8_t *out, size_t room);

#endif
