/*
 * render: crier's things as JSON. Pure.
 *
 * Functions that make a value return a new reference, or NULL where memory ran
 * out. A struct render gathers such values into an object or an array and
 * remembers whether one was NULL, so that only its end need be checked.
 */
#ifndef CRIER_CONTROL_RENDER_H
#define CRIER_CONTROL_RENDER_H

#include "net/net.h"
#include "proto/proto.h"
#include "relay/relay.h"

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

/* An object or an array in the making. */
struct render {
	/* Private. */
	json_t *json;
	bool failed;
};

void render_object(struct render *r);
void render_array(struct render *r);

/* Adds `value`, a reference that it takes over, or NULL for failed. */
void render_put(struct render *r, const char *key, json_t *value);
void render_append(struct render *r, json_t *value);

/* Adds `received`, `sent`, `dropped`, `received_bytes` and `sent_bytes`. */
void render_put_counters(struct render *r, const struct relay_counters *c);

/* The whole, as a new reference; NULL where anything failed. */
json_t *render_end(struct render *r);

json_t *render_number(uint64_t n);
/* As seconds, with a fraction where it has one. */
json_t *render_seconds(uint64_t ms);

/* Any text. JSON is UTF-8, but a device's name need not be: bytes that are not
 * become U+FFFD. */
json_t *render_text(const char *text);
/* The same; null for NULL and for "". */
json_t *render_name(const char *text);

/* Seconds since 1970 as RFC 3339 in UTC. */
json_t *render_time(time_t t);
/* The same with milliseconds. */
json_t *render_moment(const struct timespec *t);

/* `device` names the scope of a link-local address; may be NULL. */
json_t *render_address(const struct net_address *a, const char *device);
/* The same; null where it is unset. */
json_t *render_host(const struct net_address *a, const char *device);
/* "10.0.0.1:5353", "[fe80::1%eth0]:5353". */
json_t *render_endpoint(
	const struct net_address *a, uint16_t port, const char *device);
/* "10.0.0.1/24", "fe80::1%eth0/64". */
json_t *render_prefix(const struct net_prefix *p, const char *device);

/* A number, "keep" or "decrement"; null for CONFIG_TTL_UNSET. */
json_t *render_ttl(int ttl);

/* "search", "announcement", "probe", "other", "unknown". */
const char *render_kind_word(enum proto_kind kind);

/* Base64 (RFC 4648, 4) with its padding. */
json_t *render_bytes(const uint8_t *data, size_t size);

json_t *render_limit(const struct relay_limit *l);

#endif
