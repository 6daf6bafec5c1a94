/*
 * udp_fixture: what the tests of the UDP handle layer share.
 *
 * Each test runs in a network namespace of its own, "home", with nothing but
 * the loopback device up, so that ports and groups may be fixed. At its end all
 * handles are closed, the loop must drain, and uv_loop_close() must say 0.
 *
 * fixture_devices() adds three devices, each a cable to a second namespace,
 * "away":
 *   r0  10.1.0.1/24 and 10.1.0.9/24, 2001:db8:1::1/64, fe80::1
 *   r1  10.2.0.1/24, 2001:db8:2::1/64, fe80::1
 *   r2  fe80::1, no IPv4 address
 * The ends away are p0, p1 and p2, with .2 and ::2 where these have .1 and ::1;
 * p2 has 10.3.0.2/24.
 */
#ifndef CRIER_TESTS_UDP_FIXTURE_H
#define CRIER_TESTS_UDP_FIXTURE_H

#include "udp/udp.h"

#include <check.h>

/* A datagram that was heard: what its handle was told, and its first bytes. */
struct seen {
	struct udp_datagram told; /* `data` is NULL */
	uint8_t bytes[32];
};

enum { SEEN_MAX = 2048 };

/* All that a handle's receive callback was told. */
struct ear {
	struct seen seen[SEEN_MAX];
	size_t n;
	unsigned calls; /* with datagrams */
	size_t largest; /* call */
	uint64_t dropped;
	unsigned errors; /* calls */
	int last_error;
};

enum { HANDLES_MAX = 24 };

struct fixture {
	uv_loop_t loop;
	uv_timer_t deadline;
	bool expired;
	struct udp_batch *batch; /* 16 slots of 2048 bytes */
	struct udp handles[HANDLES_MAX];
	struct ear ears[HANDLES_MAX];
	unsigned n_handles;
	unsigned r[3]; /* indexes */
	int home, away;
};

extern struct fixture fx;

/* The families that loop tests go through, by `_i`. */
extern const int families[2];

/* Runs the suite: 0, 1 on failures, 77 where namespaces are impossible. */
int fixture_main(Suite *suite);

/* A test case in `suite` whose tests run in a namespace of their own. */
TCase *fixture_case(Suite *suite, const char *name);

void fixture_devices(void);
/* Sockets made in between belong to the other namespace. */
void fixture_go_away(void);
void fixture_go_home(void);

/* Runs a shell command, printf-like. `sh` fails the test where it fails. */
void sh(const char *format, ...) __attribute__((format(printf, 1, 2)));
int try_sh(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes a sysctl of the current namespace, by its path in /proc/sys/net. */
void set_sysctl(const char *path, const char *value);

/* Runs the loop until it holds, and fails after five seconds. */
#define until(condition)                                                       \
	do {                                                                   \
		fixture_arm();                                                 \
		while (!(condition) && !fx.expired)                            \
			(void)uv_run(&fx.loop, UV_RUN_ONCE);                   \
		ck_assert_msg(condition, "not within 5 s: " #condition);       \
		fixture_disarm();                                              \
	} while (0)
void fixture_arm(void);
void fixture_disarm(void);

/* "10.1.0.1", "ff02::fb%r0" (a device of the current namespace). */
union udp_address address(const char *text, uint16_t port);
union udp_address loopback(int family, uint16_t port);
/* Whatever the ports. */
bool same_host(const union udp_address *a, const union udp_address *b);
bool same_address(const union udp_address *a, const union udp_address *b);

/* An initialised handle, without a socket; the fixture closes it. */
struct udp *new_handle(void);
struct udp *bound_handle(const union udp_address *a, unsigned flags);
/* A bound handle that records in its ear what it hears. */
struct udp *hearing_handle(const union udp_address *a, unsigned flags);
struct ear *ear_of(const struct udp *u);
/* A receive callback that records. */
void record(struct udp *u, ssize_t n, const struct udp_datagram *datagrams,
	uint32_t kernel_dropped);
union udp_address name_of(const struct udp *u);

/* A plain UDP socket, bound where `a` is not NULL. */
int plain_socket(int family, const union udp_address *a);
/* A loopback address and a port that nobody listens on. */
union udp_address closed_port(int family);
/* Sends a text, at once or the test fails. */
void say(struct udp *u, const char *text, const union udp_address *to);
bool heard(const struct udp *u, size_t i, const char *text);

#endif
