/*
 * ssdp: SSDP messages (UPnP Device Architecture 2.0, 1.2 and 1.3), and what
 * others made of them: Yeelight, and Plex's GDM.
 *
 * Pure: no descriptor, no clock, no allocation, no copies. It reads what
 * devices send rather than what they should: lines may end with LF alone, have
 * spaces about the colon, go on in the next line; the empty line at the end may
 * be missing. The text ends with the datagram or at its first NUL.
 */
#ifndef CRIER_PROTO_SSDP_H
#define CRIER_PROTO_SSDP_H

#include "proto/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* How long a searcher waits, in seconds (1.3.2). */
	SSDP_MX_MIN = 1,
	SSDP_MX_DEFAULT = 3,
	SSDP_MX_MAX = 5,
	/* A longer target passes no filter. */
	SSDP_MAX_TARGET = 255,
};

enum ssdp_method {
	SSDP_M_SEARCH,
	SSDP_NOTIFY,
	SSDP_ANSWER, /* HTTP/1.x 200 */
	SSDP_HELLO,  /* GDM: a player is there */
	SSDP_BYE,    /* GDM: it goes */
	SSDP_OTHER,
};

/* The headers that mean something here. */
enum ssdp_header {
	SSDP_HOST,
	SSDP_ST,
	SSDP_NT,
	SSDP_NTS,
	SSDP_USN,
	SSDP_LOCATION,
	SSDP_SERVER,
	SSDP_CACHE_CONTROL,
	SSDP_MAN,
	SSDP_MX,
	SSDP_BOOTID,     /* BOOTID.UPNP.ORG */
	SSDP_NEXTBOOTID, /* NEXTBOOTID.UPNP.ORG */
	SSDP_CONFIGID,   /* CONFIGID.UPNP.ORG */
	SSDP_SEARCHPORT, /* SEARCHPORT.UPNP.ORG */
	SSDP_HEADERS,
};

/* What NTS says of an announcement (1.2). */
enum ssdp_nts { SSDP_NTS_NONE, SSDP_ALIVE, SSDP_BYEBYE, SSDP_UPDATE };

/* A piece of the datagram, without blanks at its ends; `at` is NULL where there
 * is none. One that goes on in the next line has the line's end within it. */
struct ssdp_text {
	const char *at;
	size_t size;
};

struct ssdp_message {
	enum proto_kind kind;
	enum ssdp_method method;
	/* By enum ssdp_header; of several with one name the first. */
	struct ssdp_text header[SSDP_HEADERS];
	enum ssdp_nts nts;
	int64_t max_age; /* of CACHE-CONTROL, in seconds; -1: none */
	int mx;          /* in seconds, within its bounds */
};

/*
 * Reads a datagram, which must outlive the message. Returns 0; -EBADMSG (its
 * first line is neither a request nor a status line of HTTP/1).
 */
int ssdp_parse(const void *datagram, size_t size, struct ssdp_message *ret);

/* What a message is about: NT of NOTIFY, ST of searches and answers. Without
 * one, as with Yeelight and GDM, `at` is NULL. */
struct ssdp_text ssdp_target(const struct ssdp_message *m);

/*
 * True if a target passes all filters, whose lists are globs as of fnmatch(3),
 * without escapes. Letters match without case: URNs and UUIDs are equal so, and
 * nobody slips past a filter by case.
 *
 * A search for "ssdp:all" passes every `allow`, since its answers are filtered
 * anyway; `deny` can name it. No target, or one above SSDP_MAX_TARGET, passes
 * no `allow`; the latter no `deny` either.
 *
 * kind: PROTO_SEARCH for a search.
 */
bool ssdp_target_passes(const struct proto_filter *filters, size_t n_filters,
	enum proto_kind kind, const struct ssdp_text *target);

#endif
