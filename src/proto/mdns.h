/*
 * mdns: Multicast DNS messages (RFC 6762, RFC 6763): read, judge, edit, write.
 *
 * Pure: no descriptor, no clock, no allocation. Messages are cut up by glibc's
 * ns_* functions. Whatever a message says, the work that it can cause is
 * bounded: by its size, by the pointers that one name may have, and by what all
 * its names come to without compression.
 *
 *   - mdns_inspect() says what a message is.
 *   - mdns_open() and mdns_next() give its questions and records one by one.
 *   - mdns_edit() takes records out of it, for one segment.
 *   - mdns_begin() and mdns_put...() write a new one.
 */
#ifndef CRIER_PROTO_MDNS_H
#define CRIER_PROTO_MDNS_H

#include "proto/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* The port of queriers and responders. A search from any other port is
	 * a legacy one: its answers come by unicast (RFC 6762, 6.7). */
	MDNS_PORT = 5353,
	/* No message is longer, all headers included (RFC 6762, 17). */
	MDNS_MAX_BYTES = 9000,
	MDNS_MAX_NAME = 255,
	/* All names of a message together, in bytes, without compression. Known
	 * answers that fill 9000 bytes come to less than half of it. */
	MDNS_MAX_NAMES = 65535,
	/* Any name as text, and its NUL: four characters for a byte. */
	MDNS_NAME_TEXT = 1025,
	/* Any service type as text, and its NUL. */
	MDNS_SERVICE_TEXT = 264,
	/* No name in the data of a record that is read or written here has
	 * more company than one other (SOA, RP, PX, MINFO). */
	MDNS_MAX_TARGETS = 2,
};

/* The types of records that mean something here. */
enum mdns_type {
	MDNS_A = 1,
	MDNS_PTR = 12,
	MDNS_HINFO = 13,
	MDNS_TXT = 16,
	MDNS_AAAA = 28,
	MDNS_SRV = 33,
	MDNS_OPT = 41,
	MDNS_NSEC = 47,
	MDNS_ANY = 255,
};

/* The bits of the second word of a header. */
enum {
	MDNS_RESPONSE = 0x8000,      /* QR */
	MDNS_AUTHORITATIVE = 0x0400, /* AA: set in all answers */
	MDNS_TRUNCATED = 0x0200,     /* TC: more known answers follow */
};

enum mdns_section {
	MDNS_QUESTION,
	MDNS_ANSWER,
	MDNS_AUTHORITY,
	MDNS_ADDITIONAL,
	MDNS_SECTIONS,
};

/*
 * A domain name as on the wire, without compression: labels with their lengths,
 * the last one empty. Labels may hold any byte, dots and NULs included.
 */
struct mdns_name {
	uint8_t size; /* bytes of `wire`; 0: no name */
	uint8_t wire[MDNS_MAX_NAME];
};

/*
 * Reads text such as "host.local", with \. for a dot within a label and \DDD
 * for a byte (RFC 4343, 2.1). Returns 0; -EINVAL (not a name, or too long).
 */
int mdns_name_from_text(const char *text, struct mdns_name *ret);
/* Writes it as such text; all but printable ASCII is escaped. */
void mdns_name_to_text(const struct mdns_name *n, char out[MDNS_NAME_TEXT]);
/*
 * Puts one label of `size` bytes in front of `n`: the instance, whose dots are
 * no dots of the name (RFC 6763, 4.1.1). Returns 0; -EINVAL (the label is empty
 * or above 63 bytes, or the name becomes too long).
 */
int mdns_name_prepend(struct mdns_name *n, const void *label, size_t size);
/* True if they are the same name: letters match without case (RFC 6762, 16). */
bool mdns_name_equal(const struct mdns_name *a, const struct mdns_name *b);
/* Makes ASCII letters small, so that the bytes may be hashed or compared. */
void mdns_name_fold(struct mdns_name *n);
/*
 * Finds the DNS-SD service type that a name ends with, its domain apart:
 * "_ipp._tcp" of "Lab._ipp._tcp.local" and of "_color._sub._ipp._tcp.local"
 * (RFC 6763, 7.1). Returns false, and leaves `ret` untouched, where there is
 * none: host names, reverse names, and "_services._dns-sd._udp".
 *
 * ret: the type as text, in small letters.
 */
bool mdns_name_service(const struct mdns_name *n, char ret[MDNS_SERVICE_TEXT]);
/* True for "_services._dns-sd._udp" in any domain (RFC 6763, 9). */
bool mdns_name_is_enumeration(const struct mdns_name *n);

struct mdns_bytes {
	const uint8_t *at;
	size_t size;
};

/*
 * One question or record.
 *
 * The data of a record is what stands before its names, the names, and what
 * stands behind them; where no names are known to be in it, all of it is `head`
 * (RFC 3597). So PTR has targets[0] alone; SRV a head of 6 bytes and
 * targets[0], the host; A, AAAA and TXT have a head; NSEC has targets[0] and
 * its bitmap as the tail. `head` and `tail` point into the message that was
 * read.
 */
struct mdns_item {
	enum mdns_section section;
	struct mdns_name name; /* the owner */
	uint16_t type;
	uint16_t rrclass; /* without `top`, but as it stands for OPT */
	bool top; /* a question's QU bit (5.4), a record's cache-flush (10.2) */
	uint32_t ttl; /* seconds; 0 for questions */
	struct mdns_bytes head;
	struct mdns_name targets[MDNS_MAX_TARGETS];
	unsigned n_targets;
	struct mdns_bytes tail;
};

/* The service type that an item belongs to, as mdns_name_service(); a PTR
 * record of "_services._dns-sd._udp" belongs to the type that it points to,
 * while a question for that name belongs to none. */
bool mdns_item_service(const struct mdns_item *i, char ret[MDNS_SERVICE_TEXT]);

/* Reads a message front to back. */
struct mdns_reader {
	/* For callers to read. */
	uint16_t id, flags;
	uint16_t count[MDNS_SECTIONS]; /* as the header has it */
	/* Private. */
	const uint8_t *message;
	size_t size, at;
	size_t names; /* bytes of those so far */
	unsigned section;
	uint16_t done; /* items of this section */
};

/*
 * Begins to read `message`, which must outlive the reader and its items.
 * Returns 0; -EBADMSG (no header, or above MDNS_MAX_BYTES).
 */
int mdns_open(struct mdns_reader *r, const uint8_t *message, size_t size);
/*
 * Reads the next question or record. Returns 1; 0 at the end; -EBADMSG (it is
 * cut off, a name is wrong or its pointers go round, the names are above
 * MDNS_MAX_NAMES, or the data of a known type does not have its form). Bytes
 * behind the last record do not matter.
 */
int mdns_next(struct mdns_reader *r, struct mdns_item *ret);

/* What there is to know of a message as a whole. */
struct mdns_info {
	/*
	 * SEARCH: a query, also one of known answers alone, which goes on from
	 * one with `truncated` (7.2). PROBE: a query with records in its
	 * authority section (8.1). ANNOUNCEMENT: a response, by multicast or by
	 * unicast. OTHER: opcode or response code are not 0, so that nobody
	 * will heed it (18.3, 18.11).
	 */
	enum proto_kind kind;
	uint16_t id;
	bool truncated; /* TC */
	bool qu;        /* some question has the QU bit (5.4) */
	bool goodbye;   /* a response whose answers all have TTL 0 (10.1) */
	unsigned questions;
	unsigned records;          /* in all other sections, OPT apart */
	uint32_t ttl_min, ttl_max; /* of these records, in seconds; else 0 */
};

/*
 * Reads all of a message. Returns 0; -EBADMSG (as mdns_open(), mdns_next()).
 */
int mdns_inspect(const uint8_t *message, size_t size, struct mdns_info *ret);

/* What mdns_edit() takes out. */
struct mdns_rules {
	/* Service types; each filter must let pass. */
	const struct proto_filter *filters;
	size_t n_filters;
	/* A in 169.254/16 and AAAA in fe80::/10. */
	bool strip_link_local;
	/* Clear the QU bit of questions. */
	bool clear_qu;
	/*
	 * True for a name whose addresses are not to cross; asked for owners of
	 * A, AAAA and NSEC records, and must say the same of a name, in any
	 * case, throughout the call. NULL: none.
	 */
	bool (*strip_host)(void *data, const struct mdns_name *name);
	void *data;
};

/* True if `service`, such as "_hap._tcp" in any case, passes all filters. */
bool mdns_service_passes(const struct proto_filter *filters, size_t n_filters,
	const char *service);

enum mdns_edited {
	MDNS_UNCHANGED, /* relay it byte for byte */
	MDNS_EDITED,    /* relay `out` */
	MDNS_DROPPED,   /* nothing is left that is worth sending */
};

/*
 * Takes out of a message what the rules do not let pass, and writes what is
 * left, anew compressed.
 *
 * A question or record whose service does not pass goes, wherever it stands,
 * known answers (7.1) and NSEC records included. One that belongs to no service
 * stays, except that nothing is left to send
 *   - where something was filtered and what remains belongs to no service (it
 *     would be the addresses of a device that is not to be seen);
 *   - of a query that had questions, where none remains; of one that had none
 *     (7.2, more known answers), where no record remains;
 *   - of a response, where no record but OPT remains.
 *
 * NSEC says which types a name has (6.1). Where an address type was stripped
 * from a name, and no address of that type is left in the message, its bit is
 * cleared, so that whoever asks for it on the other segment is told "none" and
 * does not wait; an NSEC that would be left without a type goes. Of a name that
 * strip_host() knows, NSEC goes as a whole: the host on the other segment
 * speaks for itself. Where the bitmap is not of the one form that mDNS has it
 * goes too, and all of them go where addresses were stripped from a message of
 * more than 64 hosts: to say nothing is never wrong.
 *
 * Of a probe (8.1), the question for a name goes with that name's last record:
 * alone it would be a question, which the name's own host would answer.
 *
 * Compression: names in the data of the types of RFC 6762, 18.14 (and of RFC
 * 1035) are read and written compressed; but not in SRV records of responses
 * that repeat a question, since these are legacy ones (18.14). Data of other
 * types stays as it is.
 *
 * What is written anew is whole: bytes behind the last record are left out, and
 * TXT, HINFO, OPT and NSEC records whose data does not have its form, and
 * records of a class but IN. An unchanged message keeps all of that.
 *
 * To edit twice is to edit once, byte for byte.
 *
 * out: for at most out_size bytes; overwritten only where MDNS_EDITED is
 *   returned or on failure. As much as `size` is enough, but for messages that
 *   were made up to defeat it.
 * Returns enum mdns_edited, with `*ret_size` set for MDNS_EDITED alone;
 * -EBADMSG (as mdns_inspect()); -ENOBUFS (out is too small).
 */
int mdns_edit(const struct mdns_rules *rules, const uint8_t *message,
	size_t size, uint8_t *out, size_t out_size, size_t *ret_size);

/* Where the suffixes of names stand that were written. */
enum { MDNS_SUFFIXES = 1024 }; /* a power of two */

/* Writes a message, which is whole after each item. */
struct mdns_writer {
	/* For callers to read. */
	uint8_t *out;
	size_t used; /* bytes */
	/* Private. */
	size_t room;
	unsigned section;
	uint16_t count[MDNS_SECTIONS];
	uint16_t suffix[MDNS_SUFFIXES];
};

/*
 * Begins a message in `out`, which must outlive the writer. It will be at most
 * out_size bytes, and at most MDNS_MAX_BYTES.
 *
 * flags: MDNS_RESPONSE ...
 * Returns 0; -ENOBUFS (out_size has no room for a header).
 */
int mdns_begin(struct mdns_writer *w, uint8_t *out, size_t out_size,
	uint16_t id, uint16_t flags);
/*
 * Writes one question or record. Sections must come in their order.
 * Returns 0; on failure the message stays as it was: -ENOBUFS (no room);
 * -EINVAL (a section that is over).
 */
int mdns_put(struct mdns_writer *w, const struct mdns_item *i);

/* A question, for multicast answers or (qu) unicast ones. */
int mdns_put_question(struct mdns_writer *w, const struct mdns_name *name,
	uint16_t type, bool qu);
/*
 * Records in the ways of DNS-SD: PTR is shared, all others are unique, with the
 * cache-flush bit (RFC 6762, 10.2), which a responder sets but for probes and
 * known answers: `section` MDNS_AUTHORITY leaves it out (8.2).
 *
 * ttl: in seconds; 0 says goodbye.
 * They return what mdns_put() does.
 */
int mdns_put_ptr(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl,
	const struct mdns_name *target);
/* With priority and weight 0 (RFC 6763, 5). */
int mdns_put_srv(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl, uint16_t port,
	const struct mdns_name *host);
/*
 * strings: "key=value"; none gives one empty string (RFC 6763, 6.1). All of
 *   them may fill the message: that 1300 bytes are better (6.2) is for whoever
 *   writes them to heed.
 * Besides: -EINVAL (a string above 255 bytes).
 */
int mdns_put_txt(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl,
	const struct proto_list *strings);
/* A (4 bytes) or AAAA (16 bytes). Besides: -EINVAL (of any other size). */
int mdns_put_address(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl, const void *address,
	size_t size);
/* types: those that `name` has, each 1 to 255 (6.1). Besides: -EINVAL (one is
 * out of range, or there is none). */
int mdns_put_nsec(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl, const uint16_t *types,
	size_t n_types);

#endif
