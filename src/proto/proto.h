/*
 * proto: wire formats. The folder's one header for others.
 *
 * All of it is pure: bytes in, facts out (or the other way round); no
 * descriptor, no clock, no log, no allocation for a datagram. What comes from
 * the network may be anything: -EBADMSG says that it is not what it should be,
 * and out parameters are untouched then.
 */
#ifndef CRIER_PROTO_PROTO_H
#define CRIER_PROTO_PROTO_H

#include "proto/entry.h"
#include "proto/ip.h"
#include "proto/kind.h"
#include "proto/mdns.h"
#include "proto/ssdp.h"
#include "proto/utf8.h"
#include "proto/wsd.h"

/* The decoders. */
enum proto_payload { PROTO_NONE, PROTO_MDNS, PROTO_SSDP, PROTO_WSD };

/* A datagram as its decoder sees it. */
struct proto_view {
	enum proto_kind kind;
	enum proto_payload payload; /* which of these is set */
	union {
		struct mdns_info mdns;
		struct ssdp_message ssdp; /* points into the datagram */
		struct wsd_message wsd;
	};
};

/*
 * Says what a datagram is.
 *
 * wsd: for PROTO_WSD, else it may be NULL.
 * Returns 0 (for PROTO_NONE with kind PROTO_UNKNOWN); -EBADMSG; -ENOBUFS (as
 * wsd_parse()).
 */
int proto_inspect(enum proto_payload payload, struct wsd_parser *wsd,
	const void *datagram, size_t size, struct proto_view *ret);

#endif
