/*
 * mdns_fixture: mDNS messages as text, for tests.
 *
 * A line is a question or a record: its section (q, qu with the QU bit, an, au,
 * ad), its name, its type, and its data: an address; the types of NSEC; else,
 * each if there is any, bytes in hexadecimal behind "#", names, such bytes.
 */
#ifndef CRIER_TESTS_MDNS_FIXTURE_H
#define CRIER_TESTS_MDNS_FIXTURE_H

#include "proto/proto.h"

enum {
	FIXTURE_QUERY = 0,
	FIXTURE_RESPONSE = MDNS_RESPONSE | MDNS_AUTHORITATIVE
};

/* The name that a text means. */
struct mdns_name fixture_name(const char *text);

/* Builds a message of at most MDNS_MAX_BYTES from lines. Returns its size. */
size_t fixture_build(uint16_t flags, const char *text, uint8_t *out);

/* The lines of a message, until the next call. */
const char *fixture_lines(const uint8_t *message, size_t size);

/* A copy in a buffer of its exact size, which the caller frees. */
uint8_t *fixture_exact(const uint8_t *bytes, size_t size);

/* Asserts that glibc's parser, which is for name servers, reads it all. */
void fixture_parses(const uint8_t *message, size_t size);

#endif
