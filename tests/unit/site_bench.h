/*
 * site_bench: relay_bench, and what the relay tells of other sites.
 */
#ifndef CRIER_TESTS_SITE_BENCH_H
#define CRIER_TESTS_SITE_BENCH_H

#include "relay_bench.h"

#define ONE HEAD "  g: { broadcast: true, port: 65001, interfaces: [one]"
#define TWO HEAD "  g: { broadcast: true, port: 65001, interfaces: [one, two]"
#define SIDES                                                                  \
	HEAD "  g: { broadcast: true, port: 65001, searchers: [one], "         \
	     "devices: [two] }\n"

enum { ALL_PORTS = 65001 };

/* What was told last, and how often. */
struct told {
	char text[64];
	uint64_t flow;
	unsigned times;
	char site[RELAY_SITE];
	enum relay_verdict verdict;
	bool copy;
};

/* Fates of what is to go to other sites; answers for whoever brought a search;
 * what the table is told. */
extern struct told carried, answers, taken;

/* As bench_setup(), with nothing told. */
void site_setup(struct bench *b, unsigned segments, const char *text);
/* Whether somebody carries. */
void site_carry(struct bench *b, bool on);

/* A text that a site brings; `address` may be NULL. */
struct relay_brought site_says(
	const char *site, const char *address, uint16_t port, const char *text);
/* Brings it to the group g. Returns what relay_bring() does, */
int site_bring(const struct bench *b, const struct relay_brought *x,
	struct relay_brought_result *ret);
/* or on how many segments it was sent. */
size_t site_sent(const struct bench *b, const struct relay_brought *x);

/* Of the totals. */
uint64_t site_dropped(const struct bench *b, enum relay_verdict v);

#endif
