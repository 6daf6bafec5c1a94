/*
 * service_stage: a service of crier's own on a stage, and a host that asks for
 * it, contradicts it and hears it.
 */
#ifndef CRIER_TESTS_SERVICE_STAGE_H
#define CRIER_TESTS_SERVICE_STAGE_H

#include "announce_stage.h"
#include "proto/proto.h"

/* A group on one segment, for what announcements follow. */
#define M                                                                      \
	HEAD "  m: { address: 224.0.0.251, port: 5353, ttl: 255, "             \
	     "interfaces: [one], payload: mdns }\n"                            \
	     "announcements:\n"
#define LAB                                                                    \
	"  lab: { group: m, interval: 1h, service: { name: Lab, "              \
	"type: _ipp._tcp, port: 631, host: lab } }\n"
#define ENUMERATION "_services._dns-sd._udp.local"
#define INSTANCE    "Lab._ipp._tcp.local"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Further away than any answer. */
enum { NOT_SOON_MS = 1800 * 1000 };

/* The stage with one segment, and LAB with its burst over. Returns an ear. */
int service_begin(struct stage *s, const char *text);
void service_end(struct stage *s, int ear);
int service_hear(struct stage *s, unsigned n);

/* ---- what the host says ---- */

/* A message in the stage's buffer. */
struct mdns_writer service_message(struct stage *s, uint16_t flags);
/* from: its port; 0: any. */
void service_say(struct stage *s, const struct mdns_writer *w, uint16_t from);
void service_ask(
	struct stage *s, const char *name, uint16_t type, uint16_t from);

/* ---- what it hears ---- */

/* How many records of each kind. */
struct reply {
	unsigned ptr, enumeration, srv, txt, a, aaaa;
	uint32_t ttl;     /* of the PTR record of the type */
	bool is_question; /* for SRV */
};

struct reply service_next(struct stage *s, int ear);
/* The next datagram must have all records, and be sent as mDNS is. */
void service_expect(struct stage *s, int ear);
void service_expect_goodbye(struct stage *s, int ear);
/* Until a second after the last sending. */
void service_wait_for_quiet(struct stage *s);

#endif
