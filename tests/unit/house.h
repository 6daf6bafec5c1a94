/*
 * house: a router with segments, each with a host, for tests in one process.
 *
 * Two network namespaces: the test itself is in the router's, the hosts'
 * sockets are made in the other one. Segment N is the veth pair rN - hN, with
 * 10.9.N.1 and fd09:N::1 on the router, .2 and ::2 on the host.
 */
#ifndef CRIER_TESTS_HOUSE_H
#define CRIER_TESTS_HOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct house {
	uv_loop_t loop;
	int router, hosts; /* namespaces */
};

/* True if this process may make namespaces; else the test is skipped. */
bool house_is_possible(void);

/* Makes both namespaces and a loop; aborts the test if that fails. */
void house_open(struct house *h);
/* Drains the loop, which must then close. */
void house_close(struct house *h);

/* Runs a command in the router's namespace; it must succeed. */
__attribute__((format(printf, 1, 2))) void house_run(const char *format, ...);

/* Adds segment `n`, up, with IPv4 and IPv6 addresses that are usable at once.
 * Without addresses on the router where `bare`. */
void house_add(struct house *h, unsigned n, bool bare);

/* A host's socket on segment `n`, bound to `address`:`port` and, if that is
 * multicast, joined there. */
int house_hear(struct house *h, unsigned n, const char *address, uint16_t port);

/* Sends from the host of segment `n`, from its port `from` (0: any). */
void house_send(struct house *h, unsigned n, const char *address, uint16_t port,
	uint16_t from, int ttl, const void *data, size_t size);

/* Sends from the socket `ear`, which house_hear() made on segment `n`. */
void house_say(struct house *h, int ear, unsigned n, const char *address,
	uint16_t port, const void *data, size_t size);

/* Sends as house_send(), but with a source that nobody has. */
void house_forge(struct house *h, unsigned n, const char *source,
	const char *address, uint16_t port, uint16_t from, const void *data,
	size_t size);

struct house_datagram {
	uint8_t data[65536];
	ssize_t size; /* -1: nothing came */
	int ttl;
	char source[64];
	uint16_t port;
};

/* Runs the loop until `fd` has a datagram, for 3 s at most. */
void house_next(struct house *h, int fd, struct house_datagram *ret);

/* Runs the loop until everything under way has arrived: a datagram sent now
 * would come after it. Then true if `fd` has nothing to read. */
bool house_is_silent(struct house *h, int fd);

/* Runs the loop until `done` says so; false after 3 s. */
bool house_wait(struct house *h, bool (*done)(void *data), void *data);

#endif
