/*
 * wsd: WS-Discovery messages (2005/04, and 1.1 of OASIS, 2009/01).
 *
 * Pure: no descriptor, no clock, and no allocation for a message. XML is read
 * by expat, which gets its memory from an arena in the parser: it is emptied
 * for each message, so that what one message needs does not depend on those
 * before it, and a hostile one fails alone. (XML_ParserReset() would call for
 * memory as often as a new parser in the arena does, take as long, and keep
 * what a message had made it grow to.)
 *
 * Documents with a DTD are refused, so there are no entities to expand; names
 * nest to WSD_MAX_DEPTH.
 */
#ifndef CRIER_PROTO_WSD_H
#define CRIER_PROTO_WSD_H

#include "proto/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* MAX_ENVELOPE_SIZE of DPWS 1.1, appendix B. */
	WSD_MAX_BYTES = 32767,
	WSD_MAX_DEPTH = 32,
	WSD_MAX_TYPES = 8,
	/* Bytes of texts, their NULs included. */
	WSD_ID = 128,
	WSD_ADDRESS = 256,
	WSD_XADDRS = 512,
	WSD_NAMESPACE = 128,
	WSD_LOCAL = 64,
};

enum wsd_action {
	WSD_OTHER,
	WSD_HELLO,
	WSD_BYE,
	WSD_PROBE,
	WSD_PROBE_MATCHES,
	WSD_RESOLVE,
	WSD_RESOLVE_MATCHES,
};

/* A qualified name; `space` is "" where the prefix is not declared. */
struct wsd_type {
	char space[WSD_NAMESPACE], local[WSD_LOCAL];
};

/* Texts are UTF-8, without blanks at their ends, "" where there are none. */
struct wsd_message {
	enum wsd_action action; /* by its header, else by the body */
	/* Probe and Resolve are searches; Hello, Bye and both answers are
	 * announcements. */
	enum proto_kind kind;
	char message_id[WSD_ID];
	char relates_to[WSD_ID]; /* an answer's: the search's id */
	/* How many ProbeMatch or ResolveMatch, 1 for a Hello ...; what follows
	 * is of the first of them. */
	unsigned targets;
	char address[WSD_ADDRESS]; /* of the endpoint reference: who it is */
	struct wsd_type types[WSD_MAX_TYPES];
	unsigned n_types;
	bool has_scopes;
	char xaddrs[WSD_XADDRS]; /* where it is: URLs between blanks */
	uint32_t metadata_version;
	bool truncated; /* something had no room, and was cut off */
};

struct wsd_parser;

/*
 * Makes a parser, for one thread at a time.
 *
 * salt: a secret random number, not 0, against names that collide on purpose.
 * Returns 0; -ENOMEM.
 */
int wsd_parser_new(struct wsd_parser **ret, unsigned long salt);
void wsd_parser_free(struct wsd_parser *p); /* NULL is fine */

/*
 * Reads a datagram. Returns 0; -EBADMSG (no XML, with a DTD, nested too deep,
 * not a SOAP envelope, or above WSD_MAX_BYTES); -ENOBUFS (it wants more memory
 * than the arena has).
 */
int wsd_parse(struct wsd_parser *p, const void *datagram, size_t size,
	struct wsd_message *ret);

#endif
