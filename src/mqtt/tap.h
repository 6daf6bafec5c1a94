/*
 * tap: a descriptor of a connection, watched by a libuv loop.
 *
 * It is a duplicate. libmosquitto closes its own wherever it likes, and the
 * number may be another's by the time that libuv is told to look away; and
 * with a duplicate there is still something to ask for the reason, and to wait
 * at until the other side has read the last word.
 *
 * Life cycle: tap_new(), tap_watch() as often as wanted, tap_close(), which
 * gives its memory to the loop.
 */
#ifndef CRIER_MQTT_TAP_H
#define CRIER_MQTT_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct tap;

/* `ready` runs from the loop. Returns 0; -ENOMEM; or what the system says. */
int tap_new(struct tap **ret, uv_loop_t *loop, int fd,
	void (*ready)(void *data), void *data);
void tap_close(struct tap *t); /* NULL is fine */

/* events: UV_READABLE, UV_WRITABLE. Returns 0, or what libuv says. */
int tap_watch(struct tap *t, int events);

/* The error that the connection has met, as a positive errno; 0: none. It is
 * told once. */
int tap_error(struct tap *t);

/* No more than `bytes` wait here to be read, and connections that nobody
 * answers on end. */
void tap_set_up(struct tap *t, int bytes);

/* What comes next, without taking it. Returns how many bytes; 0: none yet; or
 * -1: there is an end, or an error. */
int tap_peek(struct tap *t, void *bytes, int size);

/* How many bytes have been read from the connection; 0 where the kernel does
 * not say. */
uint64_t tap_consumed(const struct tap *t);

/* Nothing more will be written. */
void tap_shut(struct tap *t);
/* Reads what is there, up to some, and forgets it. True once it has ended. */
bool tap_drain(struct tap *t);

#endif
