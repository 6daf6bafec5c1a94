/*
 * subscription: what one client of `subscribe` wants to hear, and what waits
 * to be read by it. Pure, but for the memory.
 */
#ifndef CRIER_CONTROL_SUBSCRIPTION_H
#define CRIER_CONTROL_SUBSCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What can be subscribed to. */
enum event_kind {
	EVENT_DISCOVERED,   /* an entry of the table is new, or has changed */
	EVENT_EXPIRED,      /* one is gone */
	EVENT_SEGMENT,      /* a segment's state changed */
	EVENT_CONFIG,       /* a configuration was taken over */
	EVENT_ANNOUNCEMENT, /* of crier's own */
	EVENT_DATAGRAM, /* relayed, or heard where nobody is to be sent to */
	EVENT_DROP,     /* not relayed */
	EVENT_STORM,    /* a source was held back */
	EVENT_ANSWER,   /* a search was answered by unicast */
	EVENT_KINDS,
};

/* Who reads an event, of those who want to know of its kind. Carriers take to
 * other sites what they read, and want each datagram once. */
enum event_readers { EVENT_FOR_ALL, EVENT_FOR_CARRIERS, EVENT_FOR_OTHERS };

/* The word of the contract: "segment" ... */
const char *event_kind_word(enum event_kind k);

/* Bytes that may wait for one reader, those on their way included. */
enum { SUBSCRIPTION_WAITING_MAX = 256 * 1024 };

struct connection;

struct subscription {
	/* The audience's (audience.h). */
	struct subscription *prev, *next;
	struct subscription *due_prev, *due_next;
	bool is_due;
	struct connection *client;
	uint64_t lost; /* events, since the last one that it was told */
	/* For callers to read. */
	bool payload;    /* datagrams with their bytes */
	bool carries;    /* takes them to other sites */
	unsigned events; /* bit 1 << enum event_kind */
	/* Private. */
	char **groups; /* none: all of them */
	size_t n_groups;
	char *text; /* whole lines */
	size_t size, room;
};

/* Returns 0, or -ENOMEM. */
int subscription_new(struct subscription **ret, unsigned events, bool payload);
void subscription_free(struct subscription *s); /* NULL is fine */

/* Limits it to the groups that are added. Twice is once. 0, or -ENOMEM. */
int subscription_add_group(struct subscription *s, const char *name);

/* Whether an event about `group` (NULL: about none) is for it. */
bool subscription_wants(const struct subscription *s, enum event_kind kind,
	const char *group, enum event_readers readers);

/* Whether `size` bytes more may wait; `unsent` bytes are on their way. */
bool subscription_has_room(
	const struct subscription *s, size_t size, size_t unsent);

/* Adds a line. Returns 0, or -ENOMEM. */
int subscription_put(struct subscription *s, const char *line, size_t size);

/* Hands over what waits, for the caller to free. False: nothing does. */
bool subscription_take(
	struct subscription *s, char **ret_text, size_t *ret_size);

#endif
