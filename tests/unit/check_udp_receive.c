/* What a handle tells of what it hears, and how much at a time. */
#include "udp_fixture.h"

#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

START_TEST(batch_has_bounds)
{
	struct udp_batch *b = NULL;

	ck_assert_int_eq(udp_batch_new(&b, 0, 1), -EINVAL);
	ck_assert_int_eq(udp_batch_new(&b, 257, 1), -EINVAL);
	ck_assert_int_eq(udp_batch_new(&b, 1, 0), -EINVAL);
	ck_assert_int_eq(udp_batch_new(&b, 1, 65537), -EINVAL);
	ck_assert_ptr_null(b);
	ck_assert_int_eq(udp_batch_new(&b, 1, 1), 0);
	udp_batch_free(b);
	ck_assert_int_eq(udp_batch_new(&b, 256, 65536), 0);
	udp_batch_free(b);
	udp_batch_free(NULL);
}
END_TEST

START_TEST(start_and_stop_in_any_state)
{
	union udp_address a = loopback(families[_i], 0);
	struct udp *u = new_handle();

	ck_assert_int_eq(udp_recv_stop(u), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), -EBADF);
	ck_assert_int_eq(udp_bind(u, &a, 0), 0);
	ck_assert_int_eq(udp_recv_stop(u), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), -EALREADY);
	ck_assert_int_eq(udp_recv_stop(u), 0);
	ck_assert_int_eq(udp_recv_stop(u), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
}
END_TEST

/* Where it was sent from and to, in the other namespace. */
static const struct {
	const char *from, *to, *source, *destination;
	int ttl;
} arrivals[] = {
	{ "10.1.0.2", "239.1.1.1", "10.1.0.2", "239.1.1.1", 9 },
	{ "10.1.0.2", "10.1.0.9", "10.1.0.2", "10.1.0.9", 255 },
	{ "10.1.0.2", "10.1.0.255", "10.1.0.2", "10.1.0.255", 1 },
	{ "10.1.0.2", "255.255.255.255", "10.1.0.2", "255.255.255.255", 64 },
	{ "fe80::2%p0", "ff02::77%p0", "fe80::2%r0", "ff02::77%r0", 255 },
	{ "2001:db8:1::2", "ff05::77", "2001:db8:1::2", "ff05::77", 1 },
	{ "fe80::2%p0", "fe80::1%p0", "fe80::2%r0", "fe80::1%r0", 3 },
	{ "2001:db8:1::2", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::1",
		128 },
};

START_TEST(tells_device_source_destination_and_ttl)
{
	union udp_address from, to, group, any;
	struct udp_out out = { .data = "facts", .size = 5 };
	struct udp *u, *peer;
	const struct udp_datagram *d;

	fixture_devices();
	group = address(arrivals[_i].destination, 0);
	any = address(group.sa.sa_family == AF_INET ? "0.0.0.0" : "::", 4242);
	u = hearing_handle(&any, 0);
	/* Refused where it is no group. */
	(void)udp_set_membership(u, &group, fx.r[0], NULL, UDP_JOIN);
	fixture_go_away();
	from = address(arrivals[_i].from, 4343);
	to = address(arrivals[_i].to, 4242);
	out.device = if_nametoindex("p0");
	peer = bound_handle(&from, 0);
	fixture_go_home();
	ck_assert_int_eq(udp_set_broadcast(peer, true), 0);
	out.destination = &to;
	out.ttl = arrivals[_i].ttl;
	ck_assert_uint_eq(udp_send_batch(peer, &out, 1, NULL, NULL), 1);
	until(heard(u, 0, "facts"));
	d = &ear_of(u)->seen[0].told;
	ck_assert_uint_eq(d->device, fx.r[0]);
	ck_assert_int_eq(d->ttl, arrivals[_i].ttl);
	from = address(arrivals[_i].source, 4343);
	ck_assert(same_address(&d->source, &from));
	to = address(arrivals[_i].destination, 0);
	ck_assert(same_address(&d->destination, &to));
	ck_assert(!d->partial);
	ck_assert_uint_eq(ear_of(u)->dropped, 0);
}
END_TEST

START_TEST(queued_before_the_start_has_its_facts)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = bound_handle(&a, UDP_TIMESTAMP);
	const struct udp_datagram *d = &ear_of(u)->seen[0].told;

	to = name_of(u);
	say(u, "early", &to);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	until(heard(u, 0, "early"));
	ck_assert_uint_eq(d->device, 1);
	ck_assert_int_eq(d->ttl, 64);
	ck_assert(same_host(&d->destination, &a));
}
END_TEST

static uint64_t now_ns(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Has `u` hear itself later. Whether it was told the time of the sending. */
static bool is_stamped_as_queued(struct udp *u)
{
	union udp_address to = name_of(u);
	uint64_t before, after, told;
	size_t n = ear_of(u)->n;

	before = now_ns();
	say(u, "stamped", &to);
	after = now_ns();
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	until(heard(u, n, "stamped"));
	ck_assert_int_eq(udp_recv_stop(u), 0);
	told = ear_of(u)->seen[n].told.time_ns;
	ck_assert_uint_ge(told, before);
	ck_assert_uint_le(told, now_ns());
	return told <= after;
}

START_TEST(time_is_told_where_asked_for)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *with = bound_handle(&a, UDP_TIMESTAMP);
	struct udp *without = hearing_handle(&a, 0);
	bool as_queued = false;

	/* A worker of the kernel switches the stamps on, a little later; until
	 * then they are made at the read (kernel-facts 9.2). */
	for (int i = 0; i < SEEN_MAX && !as_queued; i++)
		as_queued = is_stamped_as_queued(with);
	ck_assert(as_queued);
	to = name_of(without);
	say(without, "plain", &to);
	until(heard(without, 0, "plain"));
	ck_assert_uint_eq(ear_of(without)->seen[0].told.time_ns, 0);
}
END_TEST

START_TEST(larger_than_a_slot_is_partial)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp_batch *b;
	struct udp *u = bound_handle(&a, 0);
	const struct seen *seen = ear_of(u)->seen;

	ck_assert_int_eq(udp_batch_new(&b, 4, 8), 0);
	ck_assert_int_eq(udp_recv_start(u, b, record), 0);
	to = name_of(u);
	say(u, "12345678", &to);
	say(u, "123456789", &to);
	say(u, "", &to);
	say(u, "1", &to);
	until(ear_of(u)->n == 4);
	ck_assert(!seen[0].told.partial);
	ck_assert_uint_eq(seen[0].told.size, 8);
	ck_assert(seen[1].told.partial);
	ck_assert_uint_eq(seen[1].told.size, 8);
	ck_assert_mem_eq(seen[1].bytes, "12345678", 8);
	ck_assert_uint_eq(seen[2].told.size, 0);
	ck_assert(!seen[2].told.partial);
	ck_assert(heard(u, 3, "1"));
	udp_close(u, NULL);
	udp_batch_free(b);
}
END_TEST

static void say_times(struct udp *u, unsigned n, const union udp_address *to)
{
	for (unsigned i = 0; i < n; i++)
		say(u, "again", to);
}

START_TEST(one_wake_up_reads_four_batches)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = hearing_handle(&a, 0);
	struct ear *e = ear_of(u);

	to = name_of(u);
	say_times(u, 100, &to);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(e->calls, 4);
	ck_assert_uint_eq(e->n, 64);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(e->calls, 7);
	ck_assert_uint_eq(e->n, 100);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(e->calls, 7);
	ck_assert_uint_eq(e->largest, 16);
}
END_TEST

START_TEST(busy_handle_does_not_starve_another)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *busy = hearing_handle(&a, 0);
	struct udp *other = hearing_handle(&a, 0);

	to = name_of(busy);
	say_times(busy, 100, &to);
	to = name_of(other);
	say(other, "one", &to);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(ear_of(busy)->n, 64);
	ck_assert_uint_eq(ear_of(other)->n, 1);
}
END_TEST

/* Sends `n` more than fit and one that tells; all must be accounted for. */
static void overflow(struct udp *u, unsigned n, const union udp_address *to)
{
	struct ear *e = ear_of(u);
	uint64_t before = e->n + e->dropped;

	say_times(u, n, to);
	while (uv_run(&fx.loop, UV_RUN_NOWAIT), e->n == 0)
		;
	say(u, "tell", to);
	until(heard(u, e->n - 1, "tell"));
	ck_assert_uint_eq(e->n + e->dropped, before + n + 1);
}

START_TEST(counts_what_the_kernel_dropped)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = hearing_handle(&a, 0);
	struct ear *e = ear_of(u);
	uint64_t first;

	ck_assert_int_eq(udp_set_recv_buffer(u, 1), 0);
	to = name_of(u);
	overflow(u, 50, &to);
	first = e->dropped;
	ck_assert_uint_gt(first, 0);
	/* Only what is new, and nothing where nothing is. */
	say(u, "none", &to);
	until(heard(u, e->n - 1, "none"));
	ck_assert_uint_eq(e->dropped, first);
	overflow(u, 30, &to);
	ck_assert_uint_gt(e->dropped, first);
}
END_TEST

START_TEST(drops_before_open_are_not_counted)
{
	union udp_address a = loopback(families[_i], 0), to;
	int fd = plain_socket(families[_i], &a), small = 1;
	socklen_t size = sizeof(to);
	struct udp *u = new_handle(), *peer = new_handle();
	struct ear *e = ear_of(u);

	ck_assert_int_eq(
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
		0);
	ck_assert_int_eq(getsockname(fd, &to.sa, &size), 0);
	say_times(peer, 50, &to);
	ck_assert_int_eq(udp_open(u, fd, 0), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	until(e->n > 0);
	say(peer, "quiet", &to);
	until(heard(u, e->n - 1, "quiet"));
	ck_assert_uint_lt(e->n, 51);
	ck_assert_uint_eq(e->dropped, 0);
	overflow(u, 50, &to);
	ck_assert_uint_gt(e->dropped, 0);
}
END_TEST

static void record_and_stop(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped)
{
	record(u, n, datagrams, kernel_dropped);
	ck_assert_int_eq(udp_recv_stop(u), 0);
}

START_TEST(stop_inside_the_callback_is_the_end)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = bound_handle(&a, 0);

	ck_assert_int_eq(udp_recv_start(u, fx.batch, record_and_stop), 0);
	to = name_of(u);
	say_times(u, 40, &to);
	/* Nothing else keeps the loop. */
	ck_assert_int_eq(uv_run(&fx.loop, UV_RUN_DEFAULT), 0);
	ck_assert_uint_eq(ear_of(u)->calls, 1);
	ck_assert_uint_eq(ear_of(u)->n, 16);
	/* The rest is still there. */
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	until(ear_of(u)->n == 40);
}
END_TEST

static struct udp_batch *other_batch;

static void record_and_change(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped)
{
	record(u, n, datagrams, kernel_dropped);
	ck_assert_int_eq(udp_recv_start(u, other_batch, record), -EALREADY);
	ck_assert_int_eq(udp_recv_stop(u), 0);
	ck_assert_int_eq(udp_recv_start(u, other_batch, record), 0);
	/* Nothing looks at the old one any more. */
	udp_batch_free(fx.batch);
	fx.batch = NULL;
}

START_TEST(start_inside_the_callback_goes_on_with_the_new)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = bound_handle(&a, 0);

	ck_assert_int_eq(udp_batch_new(&other_batch, 4, 100), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record_and_change), 0);
	to = name_of(u);
	say_times(u, 40, &to);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(ear_of(u)->calls, 4);
	ck_assert_uint_eq(ear_of(u)->n, 16 + 3 * 4);
	until(ear_of(u)->n == 40);
	ck_assert_uint_eq(ear_of(u)->calls, 1 + 6);
	udp_close(u, NULL);
	udp_batch_free(other_batch);
}
END_TEST

static void record_and_close(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped)
{
	record(u, n, datagrams, kernel_dropped);
	udp_close(u, NULL);
	udp_close(u, NULL);
}

START_TEST(close_inside_the_callback_is_the_end)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = bound_handle(&a, 0);

	ck_assert_int_eq(udp_recv_start(u, fx.batch, record_and_close), 0);
	to = name_of(u);
	say_times(u, 40, &to);
	ck_assert_int_eq(uv_run(&fx.loop, UV_RUN_DEFAULT), 0);
	ck_assert_uint_eq(ear_of(u)->calls, 1);
}
END_TEST

static struct udp *victim;

static void record_and_close_victim(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped)
{
	record(u, n, datagrams, kernel_dropped);
	udp_close(victim, NULL);
}

/* Both are ready in the same round of the loop: the second must not speak. */
START_TEST(close_inside_anothers_callback_is_the_end)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u[2];

	for (int i = 0; i < 2; i++) {
		u[i] = bound_handle(&a, 0);
		ck_assert_int_eq(
			udp_recv_start(u[i], fx.batch, record_and_close_victim),
			0);
	}
	for (int i = 0; i < 2; i++) {
		to = name_of(u[i]);
		say(u[i], "x", &to);
	}
	victim = u[1];
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(ear_of(u[0])->n, 1);
	ck_assert_uint_eq(ear_of(u[1])->n, 0);
}
END_TEST

static Suite *make_suite(void)
{
	const int n_arrivals = sizeof(arrivals) / sizeof(arrivals[0]);
	Suite *s = suite_create("udp receive");
	TCase *c = fixture_case(s, "facts");

	tcase_add_test(c, batch_has_bounds);
	tcase_add_loop_test(c, start_and_stop_in_any_state, 0, 2);
	tcase_add_loop_test(
		c, tells_device_source_destination_and_ttl, 0, n_arrivals);
	tcase_add_loop_test(c, queued_before_the_start_has_its_facts, 0, 2);
	tcase_add_loop_test(c, time_is_told_where_asked_for, 0, 2);
	tcase_add_loop_test(c, larger_than_a_slot_is_partial, 0, 2);
	c = fixture_case(s, "amounts");
	tcase_add_loop_test(c, one_wake_up_reads_four_batches, 0, 2);
	tcase_add_loop_test(c, busy_handle_does_not_starve_another, 0, 2);
	tcase_add_loop_test(c, counts_what_the_kernel_dropped, 0, 2);
	tcase_add_loop_test(c, drops_before_open_are_not_counted, 0, 2);
	c = fixture_case(s, "inside the callback");
	tcase_add_loop_test(c, stop_inside_the_callback_is_the_end, 0, 2);
	tcase_add_loop_test(
		c, start_inside_the_callback_goes_on_with_the_new, 0, 2);
	tcase_add_loop_test(c, close_inside_the_callback_is_the_end, 0, 2);
	tcase_add_loop_test(c, close_inside_anothers_callback_is_the_end, 0, 2);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
