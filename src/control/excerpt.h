/*
 * excerpt: what a datagram says, in a line for people.
 *
 * Pure, but for the memory. What is returned comes from networks: text.h
 * before a terminal sees it.
 */
#ifndef CRIER_CONTROL_EXCERPT_H
#define CRIER_CONTROL_EXCERPT_H

#include "proto/proto.h"

#include <stddef.h>
#include <stdint.h>

/* Holds a parser that is made when it is needed. Begin with all zero. */
struct excerpt {
	/* Private. */
	struct wsd_parser *wsd;
};

void excerpt_done(struct excerpt *e);

/*
 * protocol: as the configuration calls its decoder. Of what that cannot read,
 *   and of all others, the first bytes are shown.
 * Returns a text for the caller to free; NULL: no memory.
 */
char *excerpt_text(struct excerpt *e, const char *protocol, const uint8_t *data,
	size_t size);

#endif
