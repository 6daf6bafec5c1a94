/*
 * The parts of a session, which know each other: session.c has its life and
 * its turns of the loop, client.c what libmosquitto is told and tells, say.c
 * what the owner has to say.
 */
#ifndef CRIER_MQTT_SESSION_INTERNAL_H
#define CRIER_MQTT_SESSION_INTERNAL_H

#include "mqtt/prepare.h"
#include "mqtt/session.h"
#include "mqtt/tap.h"

enum session_phase {
	SESSION_PREPARING, /* in the thread pool */
	SESSION_DIALLING,  /* TCP */
	SESSION_GREETING,  /* TLS, CONNECT */
	SESSION_OPEN,
	SESSION_FINISHING, /* until all is published */
	SESSION_LEAVING,   /* until the broker has read the goodbye */
	SESSION_ENDED,
};

struct session {
	uv_loop_t *loop;
	struct session_setup setup;
	enum session_phase phase;
	uv_work_t work;
	uv_timer_t timer; /* connecting, keeping alive, or finishing */
	uv_idle_t more;   /* there is something that TLS has read already */
	int holds;        /* of libuv's on our memory */
	struct prepare *prepare;
	const struct addrinfo *address; /* that is tried */
	uint64_t deadline_ms;           /* of connecting */
	bool orphan; /* finishing: nobody is to be told any more */

	struct mosquitto *client; /* or NULL */
	struct tap *tap;
	uint64_t packets;  /* that came */
	bool partial;      /* there is one that has not come as a whole, ... */
	bool weighed;      /* ... and not for the first time */
	uint64_t begun_at; /* tap_consumed() the first time */

	/* What the broker allows. */
	unsigned window;
	int qos;
	unsigned keepalive_s;
	uint32_t packet_max; /* 0: it did not say */

	unsigned published, asked; /* which it has not answered */

	bool said_goodbye;
	bool lost; /* ended, but nobody wanted it to */

	/* What libmosquitto told, for the end of the turn. */
	bool opened, room;
	char why[256];
};

/* Says why it is going to end, unless something else did before. */
__attribute__((format(printf, 2, 3))) void session_blame(
	struct session *s, const char *format, ...);

/* A client that connects to the address. Returns 0 or a negative errno, where
 * `why` says what. */
int client_new(struct session *s);
void client_free(struct session *s);
bool client_is_shaking_hands(const struct session *s);
/* Whether TLS has more to read than the socket shows. */
bool client_has_more(const struct session *s);
/* What there is to wait for. */
int client_events(const struct session *s);
/* Read what is there, up to some; write what there is. They return what
 * libmosquitto does. */
int client_read(struct session *s);
int client_write(struct session *s);
/* Makes sense of what they returned. */
void client_blame(struct session *s, int rc, int error);

#endif
