/*
 * What the kernel says rarely, or not on request: interrupted calls, control
 * data cut off, a drop counter that wraps, no descriptor left. The two calls of
 * the data path are ours here; they ask the kernel but where a test has a say.
 */
#include "udp_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int recv_errors[8]; /* one for each call, 0 ends them */
	int send_errors[8];
	unsigned recv_calls, send_calls; /* that failed */
	unsigned recv_total, send_total;
	size_t control_limit; /* bytes for each message, 0 none */
	bool has_overflow;
	uint32_t overflow; /* what SO_RXQ_OVFL is to say */
} script;

static void script_reset(void)
{
	memset(&script, 0, sizeof(script));
}

static bool fails(int *errors, unsigned *calls)
{
	if (*calls >= 8 || errors[*calls] == 0)
		return false;
	errno = errors[(*calls)++];
	return true;
}

static void rewrite_overflow(struct msghdr *m)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(CMSG_DATA(c), &script.overflow,
				sizeof(script.overflow));
}

int recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags,
	struct timespec *timeout)
{
	long r;

	/* It may never wait, whatever the descriptor says. */
	ck_assert(flags & MSG_DONTWAIT);
	script.recv_total++;
	if (fails(script.recv_errors, &script.recv_calls))
		return -1;
	for (unsigned i = 0; script.control_limit > 0 && i < n; i++)
		m[i].msg_hdr.msg_controllen = script.control_limit;
	r = syscall(SYS_recvmmsg, fd, m, n, flags, timeout);
	for (long i = 0; script.has_overflow && i < r; i++)
		rewrite_overflow(&m[i].msg_hdr);
	return (int)r;
}

int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	ck_assert(flags & MSG_DONTWAIT);
	script.send_total++;
	if (fails(script.send_errors, &script.send_calls))
		return -1;
	return (int)syscall(SYS_sendmmsg, fd, m, n, flags);
}

static struct udp *self_hearing(int i, union udp_address *self)
{
	union udp_address a = loopback(families[i], 0);
	struct udp *u = hearing_handle(&a, UDP_TIMESTAMP);

	script_reset();
	*self = name_of(u);
	return u;
}

START_TEST(interrupted_calls_are_made_again)
{
	union udp_address self;
	struct udp *u = self_hearing(_i, &self);

	for (int i = 0; i < 3; i++)
		script.recv_errors[i] = script.send_errors[i] = EINTR;
	say(u, "through", &self);
	ck_assert_uint_eq(script.send_calls, 3);
	until(heard(u, 0, "through"));
	ck_assert_uint_eq(script.recv_calls, 3);
	ck_assert_uint_eq(ear_of(u)->errors, 0);
}
END_TEST

START_TEST(error_of_a_receive_is_told_and_no_end)
{
	union udp_address self;
	struct udp *u = self_hearing(_i, &self);

	script.recv_errors[0] = EHOSTUNREACH;
	script.recv_errors[1] = ENOMEM;
	say(u, "still", &self);
	until(heard(u, 0, "still"));
	ck_assert_uint_eq(ear_of(u)->errors, 2);
	ck_assert_int_eq(ear_of(u)->last_error, -ENOMEM);
}
END_TEST

START_TEST(short_batch_is_the_last_of_a_wake_up)
{
	union udp_address self;
	struct udp *u = self_hearing(_i, &self);

	for (int i = 0; i < 16 + 15; i++)
		say(u, "x", &self);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(ear_of(u)->n, 31);
	ck_assert_uint_eq(script.recv_total, 2);
}
END_TEST

static unsigned n_told;

static void count_told(struct udp_send *req, int status)
{
	(void)req;
	ck_assert_int_eq(status, 0);
	n_told++;
}

static void count_busy(void *data, size_t index, int error)
{
	unsigned *n = data;

	ck_assert_uint_eq(index, (*n)++);
	ck_assert_int_eq(error, -EAGAIN);
}

/* There would be room again, but those that wait come first. */
START_TEST(queue_comes_first_and_yields_to_the_loop)
{
	union udp_address self;
	struct udp *u = self_hearing(_i, &self);
	static struct udp_send reqs[150];
	static struct udp_out outs[100];
	uv_buf_t buf = uv_buf_init("queued", 6);
	unsigned busy = 0;

	n_told = 0;
	script.send_errors[0] = EAGAIN;
	for (unsigned i = 0; i < 150; i++)
		ck_assert_int_eq(
			udp_send(&reqs[i], u, &buf, 1, &self, count_told), 0);
	for (unsigned i = 0; i < 100; i++)
		outs[i] = (struct udp_out){
			.data = "x",
			.size = 1,
			.destination = &self,
			.ttl = -1,
		};
	ck_assert_uint_eq(udp_send_batch(u, outs, 100, count_busy, &busy), 0);
	ck_assert_uint_eq(busy, 100);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &self), -EAGAIN);
	/* None of these asked the kernel in vain. */
	ck_assert_uint_eq(script.send_total, 1);
	for (unsigned done = 64; done < 150 + 64; done += 64) {
		unsigned want = done < 150 ? done : 150;

		(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
		ck_assert_uint_eq(script.send_total, 1 + want);
	}
	until(n_told == 150 && ear_of(u)->n == 150);
}
END_TEST

START_TEST(full_buffer_ends_a_batch_with_one_call)
{
	union udp_address self;
	struct udp *u = self_hearing(_i, &self);
	static struct udp_out outs[100];
	unsigned busy = 0;

	for (unsigned i = 0; i < 100; i++)
		outs[i] = (struct udp_out){
			.data = "x",
			.size = 1,
			.destination = &self,
			.ttl = -1,
		};
	script.send_errors[0] = EAGAIN;
	ck_assert_uint_eq(udp_send_batch(u, outs, 100, count_busy, &busy), 0);
	ck_assert_uint_eq(busy, 100);
	ck_assert_uint_eq(script.send_total, 1);
	/* With room, two: one for each 64. */
	ck_assert_uint_eq(udp_send_batch(u, outs, 100, count_busy, &busy), 100);
	ck_assert_uint_eq(script.send_total, 3);
}
END_TEST

/* Which errors an earlier datagram can have left; those are tried once more. */
START_TEST(only_what_may_be_stale_is_tried_again)
{
	static const struct {
		int error;
		unsigned calls;
	} cases[] = {
		{ EACCES, 2 },
		{ ECONNREFUSED, 2 },
		{ EHOSTDOWN, 2 },
		{ EHOSTUNREACH, 2 },
		{ EMSGSIZE, 2 },
		{ ENETUNREACH, 2 },
		{ ENONET, 2 },
		{ ENOPROTOOPT, 2 },
		{ EOPNOTSUPP, 2 },
		{ EPROTO, 2 },
		{ ENOBUFS, 1 },
		{ EINVAL, 1 },
		{ ENODEV, 1 },
		{ EPERM, 1 },
		{ EAGAIN, 1 },
	};
	union udp_address self;
	struct udp *u = self_hearing(0, &self);
	uv_buf_t buf = uv_buf_init("x", 1);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		script_reset();
		script.send_errors[0] = cases[i].error;
		script.send_errors[1] = cases[i].error;
		ck_assert_int_eq(
			udp_try_send(u, &buf, 1, &self), -cases[i].error);
		ck_assert_uint_eq(script.send_calls, cases[i].calls);
	}
}
END_TEST

START_TEST(facts_cut_off_are_unknown)
{
	union udp_address self;
	struct udp *u = self_hearing(_i, &self);
	unsigned whole = 0;

	/* Every length, up to one where all of them fit. */
	for (size_t limit = 1; limit < 200; limit++) {
		const struct udp_datagram *d = &ear_of(u)->seen[limit - 1].told;

		script.control_limit = limit;
		say(u, "x", &self);
		until(ear_of(u)->n == limit);
		ck_assert(d->device == 0 || d->device == 1);
		ck_assert(d->ttl == -1 || d->ttl == 64);
		ck_assert_int_eq(d->device == 1,
			d->destination.sa.sa_family == families[_i]);
		if (d->device == 1)
			ck_assert(same_host(&d->destination, &self));
		if (d->device == 1 && d->ttl == 64 && d->time_ns != 0)
			whole++;
	}
	ck_assert_uint_gt(whole, 0);
	ck_assert_uint_lt(whole, 199);
	/* With the first byte of the first of them it knew nothing yet. */
	ck_assert_uint_eq(ear_of(u)->seen[0].told.time_ns, 0);
	ck_assert_uint_eq(ear_of(u)->seen[0].told.device, 0);
}
END_TEST

/* Real losses, so that the kernel says anything; then our numbers. */
START_TEST(drop_counter_may_wrap)
{
	union udp_address self;
	struct udp *u = self_hearing(_i, &self);
	struct ear *e = ear_of(u);
	uint64_t before;

	ck_assert_int_eq(udp_set_recv_buffer(u, 1), 0);
	script.has_overflow = true;
	script.overflow = INT32_MAX;
	for (int i = 0; i < 50; i++)
		say(u, "lost", &self);
	until(e->n > 0);
	say(u, "tell", &self);
	until(heard(u, e->n - 1, "tell"));
	ck_assert_uint_eq(e->dropped, INT32_MAX);
	for (uint32_t step = 1; step < UINT32_C(1) << 31; step *= 2) {
		before = e->dropped;
		script.overflow += step;
		say(u, "tell", &self);
		until(e->dropped != before);
		ck_assert_uint_eq(e->dropped - before, step);
	}
	/* Over the top. Then, what is older says nothing. */
	before = e->dropped;
	script.overflow += 200;
	ck_assert_uint_lt(script.overflow, 200);
	say(u, "over", &self);
	until(heard(u, e->n - 1, "over"));
	ck_assert_uint_eq(e->dropped - before, 200);
	before = e->dropped;
	script.overflow -= 100;
	say(u, "older", &self);
	until(heard(u, e->n - 1, "older"));
	ck_assert_uint_eq(e->dropped, before);
	script.overflow += 101;
	say(u, "newer", &self);
	until(heard(u, e->n - 1, "newer"));
	ck_assert_uint_eq(e->dropped - before, 1);
}
END_TEST

/* Lets `n`, 0 or 1, more descriptors be opened. */
static void leave_descriptors(int n)
{
	int next = dup(0);
	struct rlimit limit;

	ck_assert_int_ge(next, 0);
	(void)close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)(next + n);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(without_descriptors_nothing_is_left_behind)
{
	union udp_address a = loopback(families[_i], 7000);
	struct udp *u = new_handle();
	struct rlimit before;
	uv_buf_t buf = uv_buf_init("x", 1);

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	leave_descriptors(0);
	ck_assert_int_eq(udp_bind(u, &a, 0), -EMFILE);
	ck_assert_int_eq(udp_connect(u, &a), -EMFILE);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &a), -EMFILE);
	ck_assert_int_eq(udp_fileno(u), -EBADF);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* IPv4 needs one more for a moment, to know a broadcast address. */
	leave_descriptors(1);
	for (int i = 0; i < 3 && families[_i] == AF_INET; i++)
		ck_assert_int_eq(udp_bind(u, &a, 0), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(udp_bind(u, &a, 0), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp and a kernel in a mood");
	TCase *c = fixture_case(s, "kernel");

	tcase_add_loop_test(c, interrupted_calls_are_made_again, 0, 2);
	tcase_add_loop_test(c, error_of_a_receive_is_told_and_no_end, 0, 2);
	tcase_add_loop_test(c, short_batch_is_the_last_of_a_wake_up, 0, 2);
	tcase_add_loop_test(c, queue_comes_first_and_yields_to_the_loop, 0, 2);
	tcase_add_loop_test(c, full_buffer_ends_a_batch_with_one_call, 0, 2);
	tcase_add_test(c, only_what_may_be_stale_is_tried_again);
	tcase_add_loop_test(c, facts_cut_off_are_unknown, 0, 2);
	tcase_add_loop_test(c, drop_counter_may_wrap, 0, 2);
	tcase_add_loop_test(
		c, without_descriptors_nothing_is_left_behind, 0, 2);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
