/*
 * broker: a connection to an MQTT 5 broker, on a libuv loop, that comes back.
 *
 * libmosquitto speaks the protocol, driven by a uv_poll_t; what might wait
 * (names, reading keys) runs in libuv's thread pool. Addresses are tried one
 * after the other, which is all over, one way or the other, in 15 s.
 *
 * Life cycle:
 *   1. broker_new() with a configuration, which must last until
 *      broker_close().
 *   2. broker_start() connects, and again after each loss: to the next of the
 *      configured brokers, within 1 s at first and within up to a minute
 *      later, at random, so that many sites do not come back at once. Who was
 *      connected for a minute begins at 1 s again; and for a minute after a
 *      broker was lost that had taken it, it waits no longer than 3 s, since
 *      that is likely to be restarted.
 *   3. broker_close(): no callback runs any more. Where there is a connection
 *      it lets what was published before reach the broker, for 1 s at most,
 *      and says goodbye, upon which the broker publishes the will as it does
 *      after a loss. Its memory goes once the loop has closed its handles and
 *      the thread pool is done.
 *
 * To the broker it is "crier-SITE-XXXXXXXX", X from a hash of the machine's id
 * and the path of the configuration: two sites of one name do not end each
 * other's connections for ever, and one that comes back after its power failed
 * ends its old connection, the will of which would say that it is offline when
 * it is not any more.
 *
 * Nothing is kept for a broker that is not there: who has something to say says
 * it when `connected` is called, and what cannot be said now is refused.
 */
#ifndef CRIER_MQTT_BROKER_H
#define CRIER_MQTT_BROKER_H

#include "config/config.h"

#include <mosquitto.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct broker;

enum {
	/* Messages that the broker has not taken yet; more are refused. */
	BROKER_WINDOW = 64,
	/* The largest packet that the broker may send; it is told so. */
	BROKER_PACKET_MAX = 128 * 1024,
};

enum broker_state {
	BROKER_WAITING,    /* until it tries again */
	BROKER_CONNECTING, /* names, TCP, TLS, CONNECT */
	BROKER_CONNECTED,
};

/* A message as it came; valid until the callback returns. */
struct broker_message {
	const char *topic;
	const uint8_t *payload;
	size_t size;
	bool retained; /* by the broker: now, or since before we subscribed */
	const mosquitto_property *properties; /* MQTT 5, may be NULL */
};

/* All run from the loop, and may call every function but broker_close(). */
struct broker_callbacks {
	/* The session is new: there is nothing subscribed. */
	void (*connected)(void *data);
	/* A connection was lost, or could not be made; `why`: one line for the
	 * log and for status, such as "broker mqtts://b.example: its
	 * certificate cannot be trusted: certificate has expired". */
	void (*disconnected)(void *data, const char *why);
	void (*message)(void *data, const struct broker_message *m);
	/* The broker has taken something: there is room in the window. */
	void (*ready)(void *data);
	/* The broker refused something that was published or subscribed, such
	 * as by an access list; `why` is the reason in words. */
	void (*refused)(void *data, const char *why);
	/* Something that an operator should know before it connects, such as
	 * that nothing is verified; may be NULL. */
	void (*warned)(void *data, const char *what);
	void *data;
};

/* What is said if the connection is lost, retained; copied. */
struct broker_will {
	const char *topic;
	const void *payload;
	size_t size;
};

/*
 * Makes one that is not connected. `will` may be NULL. Ignores SIGPIPE for the
 * process, since libmosquitto writes with write(2).
 * Returns 0; -ENOMEM; or what libuv says.
 */
int broker_new(struct broker **ret, uv_loop_t *loop,
	const struct config_sites *c, const struct broker_will *will,
	const struct broker_callbacks *callbacks);
void broker_start(struct broker *b);
void broker_close(struct broker *b); /* NULL is fine */

enum broker_state broker_state(const struct broker *b);
/* The broker that it is connected to, or tries. */
const char *broker_url(const struct broker *b);
/* Why it is not connected, or "". */
const char *broker_error(const struct broker *b);

/*
 * Publishes; with a lower `qos` where the broker has no other. `properties`
 * stay the caller's.
 * Returns 0; -ENOTCONN; -EAGAIN (the window is full: `ready` will tell);
 * -EMSGSIZE (larger than the broker takes); -ENOMEM; -EINVAL.
 */
int broker_publish(struct broker *b, const char *topic, const void *payload,
	size_t size, int qos, bool retain,
	const mosquitto_property *properties);

/*
 * Subscribes with MQTT 5's options "no local" (unless `local`) and "retain as
 * published". Returns as broker_publish().
 */
int broker_subscribe(
	struct broker *b, const char *pattern, int qos, bool local);
int broker_unsubscribe(struct broker *b, const char *pattern);

#endif
