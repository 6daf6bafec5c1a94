/*
 * session: one connection to one broker, from the search for its address to
 * its end. broker.h's, which makes one after the other.
 *
 * Life cycle:
 *   1. session_new() looks for the addresses and reads the keys in libuv's
 *      thread pool, then tries the addresses in turn, all within
 *      SESSION_CONNECT_MS.
 *   2. `connected`, and then one call of `ended`; or `ended` alone. No other
 *      callback but `gone` comes after it.
 *   3. Or session_finish(), after which none but `gone` comes: it lets what is
 *      published reach the broker, for SESSION_FINISH_MS at most, and says
 *      goodbye.
 *   4. `gone`: the memory is about to be freed, and no handle is left. Nothing
 *      but the loop and the thread pool brings it about.
 */
#ifndef CRIER_MQTT_SESSION_H
#define CRIER_MQTT_SESSION_H

#include "config/config.h"
#include "mqtt/broker.h"

struct session;

enum {
	SESSION_CONNECT_MS = 15000,
	SESSION_FINISH_MS = 1000,
	SESSION_KEEPALIVE_S = 30,
	/* What one turn of the loop takes from the broker. */
	SESSION_PACKETS_A_TURN = 64,
};

struct session_callbacks {
	void (*connected)(void *data);
	/* lost: nobody wanted it to. */
	void (*ended)(void *data, const char *why, bool lost);
	void (*gone)(void *data);
	/* As those of broker.h. */
	void (*message)(void *data, const struct broker_message *m);
	void (*ready)(void *data);
	void (*refused)(void *data, const char *why);
	void *data;
};

struct session_setup {
	const struct config_sites *config;  /* not needed any more then */
	const struct config_broker *broker; /* not, either */
	const char *client;                 /* its id; until `gone` */
	const struct broker_will *will;     /* until `gone` */
	struct session_callbacks callbacks;
};

/* Returns 0; -ENOMEM; or what libuv says. */
int session_new(struct session **ret, uv_loop_t *loop,
	const struct session_setup *setup);
void session_finish(struct session *s);

/* As broker_publish(), broker_subscribe() and broker_unsubscribe(). */
int session_publish(struct session *s, const char *topic, const void *payload,
	size_t size, int qos, bool retain,
	const mosquitto_property *properties);
int session_subscribe(
	struct session *s, const char *pattern, int qos, int options);
int session_unsubscribe(struct session *s, const char *pattern);

#endif
