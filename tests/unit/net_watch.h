/*
 * A table of the kernel's devices under watch, in a network namespace for each
 * test, where `ip` changes things.
 */
#ifndef CRIER_TESTS_NET_WATCH_H
#define CRIER_TESTS_NET_WATCH_H

#include "net/internal.h"

#include <check.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { DEADLINE_MS = 15000, SKIPPED = 77 };

/* A table, and what was told of it. */
struct watch {
	struct net_devices *devices;
	int n_changed, n_problems, problem;
	bool closes;
};

static uv_loop_t loop;
static uv_timer_t deadline;
static struct watch w;

static inline void on_changed(void *data)
{
	struct watch *watch = data;

	watch->n_changed++;
	uv_stop(&loop); /* after a timer, uv_run() would wait for more */
	if (watch->closes)
		net_devices_close(watch->devices);
}

static inline void on_problem(void *data, int error)
{
	struct watch *watch = data;

	watch->n_problems++;
	watch->problem = error;
	uv_stop(&loop);
	if (watch->closes)
		net_devices_close(watch->devices);
}

static inline void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	ck_abort_msg("the deadline passed");
}

/* Runs the loop until it holds. */
#define wait_until(condition)                                                  \
	do {                                                                   \
		(void)uv_timer_start(&deadline, on_deadline, DEADLINE_MS, 0);  \
		while (!(condition))                                           \
			(void)uv_run(&loop, UV_RUN_ONCE);                      \
		(void)uv_timer_stop(&deadline);                                \
	} while (0)

/* One wake-up for what is there: the kernel tells before `ip` ends. */
static inline void settle(void)
{
	(void)uv_run(&loop, UV_RUN_NOWAIT);
}

__attribute__((format(printf, 1, 2))) static inline void ip(
	const char *format, ...)
{
	char command[512] = "ip ";
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command + 3, sizeof(command) - 3, format, arguments);
	va_end(arguments);
	ck_assert_msg(system(command) == 0, "%s", command);
}

static inline void start(struct watch *watch)
{
	struct net_devices_callbacks callbacks = { on_changed, on_problem,
		watch };

	memset(watch, 0, sizeof(*watch));
	ck_assert_int_eq(
		net_devices_new(&watch->devices, &loop, &callbacks), 0);
}

static inline void watch_set_up(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	(void)uv_timer_init(&loop, &deadline);
	memset(&w, 0, sizeof(w));
}

static inline void watch_tear_down(void)
{
	net_devices_close(w.devices);
	uv_close((uv_handle_t *)&deadline, NULL);
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static inline const struct net_device *named(const char *name)
{
	return net_devices_by_name(w.devices, name);
}

static struct net_address address(const char *text)
{
	struct net_address a;

	ck_assert_int_eq(net_address_parse(text, &a), 0);
	return a;
}

static inline bool has_own(const char *text)
{
	struct net_address a = address(text);

	return net_devices_is_own(w.devices, &a);
}

static inline const struct net_device_address *having(
	const struct net_device *d, const char *text)
{
	struct net_address a = address(text);

	for (size_t i = 0; i < d->n_addresses; i++)
		if (net_address_equal(&d->addresses[i].local.address, &a))
			return &d->addresses[i];
	return NULL;
}

/* The broadcast address of the device's address `text`, or "". */
static inline const char *broadcast_of(const char *device, const char *text)
{
	static char buffer[NET_ADDRESS_TEXT];
	const struct net_device_address *a = having(named(device), text);

	ck_assert_ptr_nonnull(a);
	return net_address_format(&a->broadcast, NULL, buffer);
}

static inline bool is_same_device(
	const struct net_device *a, const struct net_device *b)
{
	if (a->index != b->index || a->flags != b->flags ||
		a->n_addresses != b->n_addresses ||
		strcmp(a->name, b->name) != 0)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (!net_address_equal(&a->addresses[i].local.address,
			    &b->addresses[i].local.address))
			return false;
	return true;
}

/* True if the table is what a new one would be. */
static inline bool is_right(void)
{
	const struct net_device *a = NULL, *b = NULL;
	struct watch fresh;
	bool same;

	start(&fresh);
	do {
		a = net_devices_next(w.devices, a);
		b = net_devices_next(fresh.devices, b);
		same = (a == NULL) == (b == NULL) &&
		       (a == NULL || is_same_device(a, b));
	} while (same && a != NULL);
	net_devices_close(fresh.devices);
	return same;
}

/* Gives a device `n` addresses, from 10.9.0.1 on. */
static inline void flood(const char *device, int n)
{
	ip("-batch - <<-E\n"
	   "$(for i in $(seq 0 %d); do\n"
	   "echo addr add 10.$((9 + i / 250)).$((i %% 250)).1/24 dev %s\n"
	   "done)\n"
	   "E",
		n - 1, device);
}

/* Lets no descriptor be made, or again as many as before. */
static inline void forbid_sockets(bool forbid)
{
	static struct rlimit before;
	struct rlimit none;

	if (!forbid) {
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
		return;
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* Room for events, in bytes as the kernel counts them: twice `size`. */
static inline void set_buffer(int size)
{
	ck_assert_int_eq(setsockopt(net_devices_fileno(w.devices), SOL_SOCKET,
				 SO_RCVBUFFORCE, &size, sizeof(size)),
		0);
}

/* Runs the suite, in a namespace of its own. */
static inline int run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	if (unshare(CLONE_NEWNET) != 0 ||
		system("ip link add d0 type bridge && ip link del d0") != 0) {
		(void)fprintf(stderr, "skipped: needs root and iproute2\n");
		srunner_free(runner);
		return SKIPPED;
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

#endif
