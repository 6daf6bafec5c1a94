/*
 * audience: all who have subscribed, and how they are told.
 *
 * Life cycle of a subscription:
 *   1. audience_join() takes it in.
 *   2. audience_tell() gives it lines to keep. audience_flush_one() hands what
 *      is kept to its connection; audience_drained() says that the connection
 *      takes more.
 *   3. audience_leave() frees it.
 *
 * So nothing is written from within the relay, and what a slow reader has no
 * room for is counted and forgotten.
 */
#ifndef CRIER_CONTROL_AUDIENCE_H
#define CRIER_CONTROL_AUDIENCE_H

#include "control/subscription.h"
#include "relay/relay.h"

#include <jansson.h>
#include <stdbool.h>

struct audience {
	/* Private. */
	struct subscription *all, *due;
	struct relay *relay;
	size_t watching; /* how many of `all` want to know about datagrams */
	size_t carrying; /* and to take them to other sites */
};

/* What is told. */
struct event {
	enum event_kind kind;
	const char *group; /* NULL: it is about none */
	enum event_readers readers;
	json_t *params;      /* NULL: memory ran out, and it is lost */
	const uint8_t *data; /* a datagram's; or NULL */
	size_t size;
};

/* `relay` tells the fate of datagrams only while somebody wants to know. */
void audience_init(struct audience *a, struct relay *relay);

/* Takes over `s`, whose lines go to `client`. */
void audience_join(
	struct audience *a, struct subscription *s, struct connection *client);
void audience_leave(struct audience *a, struct subscription *s);

/* Whether such an event, of which only its kind, its group and its readers are
 * looked at, is for anybody: else it need not be made. Where nobody whom it is
 * for has room, it counts as lost here. */
bool audience_wants(struct audience *a, const struct event *e);

/* Whether somebody takes datagrams of a group to other sites. */
bool audience_carries(const struct audience *a, const char *group);

/* Tells whoever wants to know. `e->params` stays the caller's. */
void audience_tell(struct audience *a, const struct event *e);

/* The connection of `s` has sent all that it was given. */
void audience_drained(struct audience *a, struct subscription *s);

/* True while something can be handed on. */
bool audience_is_due(const struct audience *a);
void audience_flush_one(struct audience *a);

#endif
