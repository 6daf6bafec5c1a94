/*
 * relay_bench: a relay on a house's router, for the tests of the whole relay.
 */
#ifndef CRIER_TESTS_RELAY_BENCH_H
#define CRIER_TESTS_RELAY_BENCH_H

#include "house.h"
#include "net/net.h"
#include "relay/relay.h"

#include <check.h>

/* Interfaces one, two and three on the segments of these numbers. */
#define HEAD                                                                   \
	"interfaces:\n"                                                        \
	"  one: { device: r1 }\n"                                              \
	"  two: { device: r2 }\n"                                              \
	"  three: { device: r3 }\n"                                            \
	"groups:\n"

/* One group between two of them. */
#define ONE_TWO                                                                \
	HEAD "  g: { address: 239.1.1.1, port: 5000, "                         \
	     "interfaces: [one, two] }\n"

struct bench {
	struct house house;
	struct net_devices *devices;
	struct relay *relay;
	unsigned told; /* segments that changed */
	unsigned storms, troubles;
	/* For the test to set; may be NULL. */
	void (*heard)(struct bench *b, const struct relay_heard *h);
	void (*ready)(struct bench *b, const struct relay_segment *s);
	void (*answered)(struct bench *b, const struct relay_heard *h);
	void (*fate)(struct bench *b, const struct relay_fate *f);
	bool carries;            /* for other sites, in every group */
	struct house_datagram d; /* the last of bench_expect() */
};

/* A relay without a configuration. */
void bench_open(struct bench *b);
/* The same with segments 1 to `segments`, and configured. */
void bench_setup(struct bench *b, unsigned segments, const char *text);
/* The configuration that a text must be; the caller's. */
struct config *bench_parse(const char *text);
void bench_configure(struct bench *b, const char *text);
void bench_close(struct bench *b);

/* The first segment of an interface in a group, on `device` if not NULL. */
bool bench_find(const struct bench *b, const char *group, const char *interface,
	const char *device, struct relay_segment_info *ret);
/* Runs the loop until that segment is in this state. */
void bench_wait(struct bench *b, const char *group, const char *interface,
	enum relay_state state);
uint64_t bench_dropped(const struct bench *b, const char *group,
	const char *interface, enum relay_verdict v);
/* The next datagram at `fd` must be this. */
void bench_expect(struct bench *b, int fd, const void *data, size_t size);

/* Runs a suite made of test cases, in namespaces. Returns main()'s status. */
int bench_main(Suite *s);

#endif
