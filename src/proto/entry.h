/*
 * entry: what a message tells of who is there, for the table of what has been
 * discovered.
 *
 * Pure: no descriptor, no clock, no allocation. Messages of SSDP and
 * WS-Discovery tell of one device or service each; one of mDNS tells many
 * things in many records, which mdns_tells() reads one by one.
 */
#ifndef CRIER_PROTO_ENTRY_H
#define CRIER_PROTO_ENTRY_H

#include "proto/mdns.h"
#include "proto/ssdp.h"
#include "proto/wsd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Of a datagram without a decoder so many bytes are shown. */
	PROTO_EXCERPT = 64,
	/* Types with a blank or NUL behind each, and a number. */
	PROTO_ENTRY_TYPES = WSD_MAX_TYPES * WSD_LOCAL,
	PROTO_ENTRY_TEXT = PROTO_ENTRY_TYPES + sizeof("4294967295"),
};

enum proto_presence {
	PROTO_ALIVE,
	PROTO_UPDATED, /* alive, and its lifetime goes on as it was */
	PROTO_GONE,
};

/* Bytes of the datagram, or of the entry's own `text`; may be empty. */
struct proto_piece {
	const char *at;
	size_t size;
};

struct proto_entry {
	enum proto_presence presence;
	/* Tells it from all others on its segment; empty: nothing does but the
	 * address and port that it came from. */
	struct proto_piece identity;
	struct proto_piece name, type, location, detail;
	int64_t lifetime_s; /* -1: the protocol says nothing */
	char text[PROTO_ENTRY_TEXT];
};

/*
 * A NOTIFY (UPnP Device Architecture 2.0, 1.2.2 to 1.2.4) or an answer to a
 * search (1.3.3): its USN, NT or ST, LOCATION, SERVER and CACHE-CONTROL. What
 * devices leave out is empty. The pieces point into the datagram.
 * Returns 0; -ENOMSG (it tells of nobody).
 */
int ssdp_entry(const struct ssdp_message *m, struct proto_entry *ret);

/*
 * A Hello, Bye, ProbeMatches or ResolveMatches (WS-Discovery 1.1, 4 to 6): the
 * first endpoint reference, its Types without namespaces, XAddrs, and as its
 * detail the metadata version. The pieces point into `m` or `ret`.
 * Returns 0; -ENOMSG (it tells of nobody).
 */
int wsd_entry(const struct wsd_message *m, struct proto_entry *ret);

/* Any datagram: what of it can be printed, a dot for what cannot. */
void excerpt_entry(const void *data, size_t size, struct proto_entry *ret);

/* What one record of a response tells of services (RFC 6763). */
enum mdns_what {
	MDNS_TELLS_INSTANCE, /* PTR of a type: there is one (4.1) */
	MDNS_TELLS_SERVICE,  /* SRV: its host and port (5) */
	MDNS_TELLS_TEXT,     /* TXT: its attributes (6) */
	MDNS_TELLS_ADDRESS,  /* A, AAAA: of a host */
};

struct mdns_telling {
	enum mdns_what what;
	const struct mdns_name *subject; /* the instance, or the host */
	const struct mdns_name *host;    /* of a service */
	uint16_t port;                   /* of a service */
	struct mdns_bytes data;          /* of a text or an address */
	uint32_t ttl;                    /* seconds; 0: goodbye (6762, 10.1) */
	bool flush; /* other data of the same name and type is void (10.2) */
};

/*
 * Reads what a record tells; it points into the item. False: nothing of a
 * service or a host, as enumeration, reverse names, NSEC and the goodbye of a
 * subtype; or it stands in a question or a proposal.
 */
bool mdns_tells(const struct mdns_item *i, struct mdns_telling *ret);

/*
 * The label of an instance, such as "Lab printer", and its type, such as
 * "_ipp._tcp" in small letters. The label points into `n` and may hold any
 * byte. False: not the name of an instance (4.1).
 */
bool mdns_name_instance(const struct mdns_name *n, struct proto_piece *label,
	char type[MDNS_SERVICE_TEXT]);

#endif
