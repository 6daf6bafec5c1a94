/*
 * What the mdns files of proto/ tell each other.
 */
#ifndef CRIER_PROTO_MDNS_INTERNAL_H
#define CRIER_PROTO_MDNS_INTERNAL_H

#include "proto/mdns.h"

/* The class of questions and records, and the bit that mDNS puts on top. */
enum { MDNS_CLASS_IN = 1, MDNS_TOP_BIT = 0x8000 };

/*
 * Reads the name at `at` of a message. Returns the bytes that it takes there,
 * or -EBADMSG.
 */
int mdns_name_unpack(
	const uint8_t *message, size_t size, size_t at, struct mdns_name *ret);

/* True if a name begins with a service type, such as "_ipp._tcp.local". */
bool mdns_name_is_service(const struct mdns_name *n);

/*
 * True if a record has the class of mDNS, and what it holds besides names its
 * form: the strings of TXT and HINFO, the options of OPT, the bitmaps of NSEC.
 * Nobody needs that to read a message on, but some stumble over it.
 */
bool mdns_record_is_right(const struct mdns_item *i);

/*
 * The bitmap of NSEC in the one form that mDNS has (RFC 6762, 6.1): block 0,
 * the bytes of bits (1 to 32), these bytes, the first bit for type 0. The last
 * of them is never 0 (RFC 4034, 4.1.2).
 */
enum {
	MDNS_BITMAP_HEAD = 2,
	MDNS_BITMAP_BITS = 32,
	MDNS_BITMAP = MDNS_BITMAP_HEAD + MDNS_BITMAP_BITS,
};

/* True if the bytes are of that form. */
bool mdns_bitmap_is_right(const struct mdns_bytes *b);
/* Sets the bit of a type, 1 to 255; one of zeros is empty. */
void mdns_bitmap_set(uint8_t bitmap[MDNS_BITMAP], uint16_t type);
/* Clears it, whether it is set or not; the bitmap may become empty. */
void mdns_bitmap_clear(uint8_t bitmap[MDNS_BITMAP], uint16_t type);

/*
 * What becomes of the addresses of each name in a message, as far as NSEC
 * records and the questions of probes hang on it.
 */
enum { MDNS_MAX_HOSTS = 64 };

/* Bits of what is known of a name. */
enum {
	MDNS_LOST_A = 1,    /* an A record was stripped */
	MDNS_LOST_AAAA = 2, /* an AAAA record was */
	MDNS_KEPT_A = 4,
	MDNS_KEPT_AAAA = 8,
	MDNS_LOST_PROPOSAL = 16, /* in the authority section of a probe */
	MDNS_KEPT_PROPOSAL = 32,
};

struct mdns_hosts {
	size_t n;
	bool is_full;  /* there were more names */
	unsigned bits; /* of all names, also of those */
	struct {
		uint64_t hash;
		unsigned bits;
	} at[MDNS_MAX_HOSTS];
};

/* Adds bits to what is known of a name. */
void mdns_hosts_note(
	struct mdns_hosts *h, const struct mdns_name *name, unsigned bits);
/* What is known of a name. */
unsigned mdns_hosts_bits(
	const struct mdns_hosts *h, const struct mdns_name *name);

#endif
