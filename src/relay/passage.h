/*
 * passage: one datagram on its way through one channel. Private to this folder.
 *
 * What has been decided comes in; here are the loop guard, searches by their
 * flows, and the queues of the segments out.
 */
#ifndef CRIER_RELAY_PASSAGE_H
#define CRIER_RELAY_PASSAGE_H

#include "relay/flow.h"
#include "relay/outside.h"

struct passage {
	struct relay_segment *in;
	struct arrival *arrival;
	const struct decide_facts *facts;
	size_t row; /* of `in`, in the channel's plan */
	enum proto_kind kind;
	bool directed;
	struct guard_ruling ruling;
	/* What came of it, where it was brought from another site; or NULL. */
	struct relay_brought_result *result;
};

/* Counts and tells what becomes of it on `out`, or as a whole where that is
 * NULL. */
void passage_settle(struct passage *p, struct relay_segment *out,
	enum relay_verdict v, const char *rule);

/* True, and settled, where its source says more than the group's rate allows.
 * Takes a token else. */
bool passage_is_too_much(struct passage *p);

/*
 * Sends it where it may go. decisions: a row for all segments out, also those
 * that cannot send.
 */
void passage_fan_out(struct passage *p, const struct decision *decisions);

#endif
