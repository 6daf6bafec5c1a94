/*
 * bench: what the programs of the benchmarks share: where to send, how to keep
 * a pace, and the stamp by which a datagram is known again.
 *
 * They end with a message (err.h) where anything fails: status 2 for wrong use,
 * 99 for a broken set-up.
 */
#ifndef CRIER_BENCH_H
#define CRIER_BENCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

/* A number from `least` on, or the end. */
long bench_number(const char *text, long least);
unsigned bench_device(const char *name);

uint64_t bench_now_ns(clockid_t clock);
/* By CLOCK_MONOTONIC. */
void bench_sleep_until_ns(uint64_t due_ns);

/* A group, or 255.255.255.255, and its port. */
struct bench_group {
	int family;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
	socklen_t size;
	uint16_t port;
	bool broadcast;
};

void bench_group(
	struct bench_group *ret, const char *address, const char *port);
/* setsockopt() of an int, or the end. */
void bench_set(int fd, int level, int name, int value);
/*
 * A socket bound to the group, or to what the broadcast goes to, on all
 * devices: the scope of a link-local group is taken away again, or it would
 * hear one device only. With a receive buffer of so many bytes.
 */
int bench_bind(const struct bench_group *g, int buffer_bytes);
/* Has `fd` join the group on a device; nothing for a broadcast. */
void bench_join(int fd, const struct bench_group *g, unsigned device);

/*
 * The stamp is text, so that it fits into a TXT record as into anything else:
 * STAMP_KEY, then the number and the time of sending in hexadecimal.
 */
#define STAMP_KEY "crier-bench="
enum {
	STAMP_DIGITS = 16,
	STAMP_BYTES = sizeof(STAMP_KEY) - 1 + 2 * STAMP_DIGITS,
};

/* The time is that of CLOCK_REALTIME, as the kernel stamps arrivals with. */
void bench_stamp(void *at, uint64_t number, uint64_t sent_ns);
/* Where the stamp stands in a payload, or NULL. */
void *bench_find_stamp(void *payload, size_t size);
/* False where it is none. */
bool bench_read_stamp(
	const void *at, uint64_t *ret_number, uint64_t *ret_sent_ns);

/*
 * A complete mDNS announcement of the i-th sensor, at an IPv4 address, with one
 * string of text.
 * Returns its size.
 */
size_t bench_announcement(long i, const uint8_t address[4], const char *text,
	uint8_t *out, size_t room);

#endif
