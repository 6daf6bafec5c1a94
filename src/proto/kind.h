/*
 * kind: the words that all decoders of proto/ share.
 */
#ifndef CRIER_PROTO_KIND_H
#define CRIER_PROTO_KIND_H

#include <stddef.h>

/* What a datagram is for whoever decides where it goes. */
enum proto_kind {
	PROTO_UNKNOWN,      /* no decoder, or not what its decoder reads */
	PROTO_SEARCH,       /* it asks */
	PROTO_ANNOUNCEMENT, /* it announces, or answers a search */
	PROTO_PROBE,        /* mDNS: it asks whether a name is free */
	PROTO_OTHER,        /* well-formed, and none of these */
};

/* Words of a configuration; the caller keeps them. */
struct proto_list {
	char *const *at;
	size_t n;
};

/* What may pass: deny wins, and an empty list says nothing. */
struct proto_filter {
	struct proto_list allow, deny;
};

#endif
