/* One datagram at a time: udp_send() with its queue, and udp_try_send(). */
#include "udp_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STATUSES_MAX = 1024 };

/* What the send callbacks said, in order; a request's `data` is its number. */
static struct {
	unsigned n;
	int status[STATUSES_MAX];
	size_t number[STATUSES_MAX];
	unsigned closed_at; /* how many had been told when it closed */
} told;

static void tell(struct udp_send *req, int status)
{
	ck_assert_uint_lt(told.n, STATUSES_MAX);
	told.status[told.n] = status;
	told.number[told.n++] = (size_t)req->data;
}

static void tell_close(struct udp *u)
{
	(void)u;
	told.closed_at = told.n;
}

static void send_text(struct udp_send *req, size_t number, struct udp *u,
	const char *text, const union udp_address *to)
{
	uv_buf_t buf = uv_buf_init((char *)text, (unsigned)strlen(text));

	req->data = (void *)number;
	ck_assert_int_eq(udp_send(req, u, &buf, 1, to, tell), 0);
}

START_TEST(gathers_its_buffers_into_one_datagram)
{
	static const unsigned counts[] = { 1, 4, 5, 9 };
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *ear = hearing_handle(&a, 0), *u = new_handle();
	char letters[] = "abcdefghi";
	uv_buf_t bufs[9];
	struct udp_send req;

	memset(&told, 0, sizeof(told));
	to = name_of(ear);
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned k = 0; k < 9; k++)
			bufs[k] = uv_buf_init(&letters[k], 1);
		ck_assert_int_eq(
			udp_send(&req, u, bufs, counts[i], &to, tell), 0);
		/* The array is ours again. */
		memset(bufs, 0, sizeof(bufs));
		ck_assert_uint_eq(told.n, i);
		until(told.n == i + 1 && ear_of(ear)->n == i + 1);
		ck_assert_int_eq(told.status[i], 0);
		ck_assert_uint_eq(ear_of(ear)->seen[i].told.size, counts[i]);
		ck_assert_mem_eq(
			ear_of(ear)->seen[i].bytes, letters, counts[i]);
	}
	/* And at once. */
	for (unsigned k = 0; k < 9; k++)
		bufs[k] = uv_buf_init(&letters[k], 1);
	ck_assert_int_eq(udp_try_send(u, bufs, 9, &to), 9);
	until(heard(ear, 4, letters));
}
END_TEST

START_TEST(empty_datagram_is_a_datagram)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *ear = hearing_handle(&a, 0), *u = new_handle();
	struct udp_send req;

	memset(&told, 0, sizeof(told));
	to = name_of(ear);
	send_text(&req, 0, u, "", &to);
	say(u, "", &to);
	until(told.n == 1 && ear_of(ear)->n == 2);
	ck_assert_int_eq(told.status[0], 0);
}
END_TEST

START_TEST(refuses_what_makes_no_sense)
{
	union udp_address to = loopback(families[_i], 9), none = to;
	struct udp *u = new_handle();
	uv_buf_t buf = uv_buf_init("x", 1);
	struct udp_send req;

	none.sa.sa_family = AF_UNSPEC;
	ck_assert_int_eq(udp_send(&req, u, &buf, 0, &to, tell), -EINVAL);
	ck_assert_int_eq(udp_send(&req, u, &buf, 1, &to, NULL), -EINVAL);
	ck_assert_int_eq(udp_send(&req, u, &buf, 1, &none, tell), -EINVAL);
	ck_assert_int_eq(udp_send(&req, u, &buf, 1, NULL, tell), -EDESTADDRREQ);
	ck_assert_int_eq(udp_try_send(u, &buf, 0, &to), -EINVAL);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &none), -EINVAL);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, NULL), -EDESTADDRREQ);
	/* None of it made a socket. */
	ck_assert_int_eq(udp_fileno(u), -EBADF);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), 1);
	ck_assert_int_ge(udp_fileno(u), 0);
	/* Nor does AF_UNSPEC stand for the peer of a connected one. */
	ck_assert_int_eq(udp_connect(u, &to), 0);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &none), -EINVAL);
}
END_TEST

START_TEST(other_family_is_the_callbacks_error)
{
	union udp_address a = loopback(AF_INET, 0);
	union udp_address to = loopback(AF_INET6, 9);
	struct udp *u = bound_handle(&a, 0);
	struct udp_send req;

	memset(&told, 0, sizeof(told));
	send_text(&req, 0, u, "x", &to);
	until(told.n == 1);
	ck_assert_int_eq(told.status[0], -EAFNOSUPPORT);
}
END_TEST

START_TEST(largest_datagram_fits_and_one_more_does_not)
{
	static char big[65528];
	size_t most = families[_i] == AF_INET ? 65507 : 65527;
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *ear = bound_handle(&a, 0), *u = new_handle();
	struct udp_batch *batch;
	uv_buf_t bufs[2];
	struct udp_send req;

	memset(&told, 0, sizeof(told));
	ck_assert_int_eq(udp_batch_new(&batch, 2, 65536), 0);
	ck_assert_int_eq(udp_recv_start(ear, batch, record), 0);
	to = name_of(ear);
	bufs[0] = uv_buf_init(big, 1000);
	bufs[1] = uv_buf_init(big + 1000, (unsigned)most - 1000);
	ck_assert_int_eq(udp_try_send(u, bufs, 2, &to), (int)most);
	ck_assert_int_eq(udp_send(&req, u, bufs, 2, &to, tell), 0);
	until(told.n == 1 && ear_of(ear)->n == 2);
	ck_assert_int_eq(told.status[0], 0);
	ck_assert_uint_eq(ear_of(ear)->seen[0].told.size, most);
	ck_assert(!ear_of(ear)->seen[0].told.partial);
	bufs[1].len++;
	ck_assert_int_eq(udp_try_send(u, bufs, 2, &to), -EMSGSIZE);
	ck_assert_int_eq(udp_send(&req, u, bufs, 2, &to, tell), 0);
	until(told.n == 2);
	ck_assert_int_eq(told.status[1], -EMSGSIZE);
	udp_close(ear, NULL);
	udp_batch_free(batch);
}
END_TEST

START_TEST(callbacks_come_in_order_with_their_errors)
{
	static char big[65528];
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *ear = hearing_handle(&a, 0), *u = new_handle();
	uv_buf_t buf = uv_buf_init(big, sizeof(big));
	struct udp_send req[6];

	memset(&told, 0, sizeof(told));
	to = name_of(ear);
	for (size_t i = 0; i < 6; i++) {
		req[i].data = (void *)i;
		buf.len = i % 3 == 1 ? sizeof(big) : 10;
		ck_assert_int_eq(udp_send(&req[i], u, &buf, 1, &to, tell), 0);
	}
	ck_assert_uint_eq(told.n, 0);
	until(told.n == 6 && ear_of(ear)->n == 4);
	for (unsigned i = 0; i < 6; i++) {
		ck_assert_uint_eq(told.number[i], i);
		ck_assert_int_eq(told.status[i], i % 3 == 1 ? -EMSGSIZE : 0);
	}
	ck_assert_int_eq(udp_recv_stop(ear), 0);
	ck_assert_int_eq(uv_loop_alive(&fx.loop), 0);
}
END_TEST

/*
 * A handle whose buffer is full, because it waits for a neighbour that does not
 * answer; `let_go()` tells the kernel where it is.
 */
static struct udp *full_handle(int family)
{
	bool is_ipv6 = family == AF_INET6;
	union udp_address a = address(is_ipv6 ? "::" : "0.0.0.0", 0);
	union udp_address silent;
	struct udp *u = bound_handle(&a, 0);
	uv_buf_t buf = uv_buf_init("fills", 5);
	ssize_t r;

	fixture_devices();
	memset(&told, 0, sizeof(told));
	silent = address(is_ipv6 ? "2001:db8:1::99" : "10.1.0.99", 7000);
	ck_assert_int_eq(udp_set_send_buffer(u, 1), 0);
	do {
		r = udp_try_send(u, &buf, 1, &silent);
	} while (r > 0);
	ck_assert_int_eq(r, -EAGAIN);
	return u;
}

static void let_go(void)
{
	sh("ip neigh replace 10.1.0.99 lladdr 02:00:00:00:00:99 dev r0 && "
	   "ip neigh replace 2001:db8:1::99 lladdr 02:00:00:00:00:99 dev r0");
}

START_TEST(full_buffer_queues_until_there_is_room)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = full_handle(families[_i]), *ear;
	static struct udp_send req[200];
	uv_buf_t buf = uv_buf_init("try", 3);
	struct udp_out out = { .data = "x", .size = 1, .ttl = -1 };

	ear = hearing_handle(&a, 0);
	to = name_of(ear);
	for (size_t i = 0; i < 200; i++)
		send_text(&req[i], i, u, "queued", &to);
	out.destination = &to;
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), -EAGAIN);
	ck_assert_uint_eq(udp_send_batch(u, &out, 1, NULL, NULL), 0);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(told.n, 0);
	let_go();
	/* No loop has turned, so those before still come first. */
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), -EAGAIN);
	until(told.n == 200 && ear_of(ear)->n == 200);
	for (unsigned i = 0; i < 200; i++) {
		ck_assert_uint_eq(told.number[i], i);
		ck_assert_int_eq(told.status[i], 0);
		ck_assert(heard(ear, i, "queued"));
	}
	ck_assert_int_eq(udp_recv_stop(ear), 0);
	ck_assert_int_eq(uv_loop_alive(&fx.loop), 0);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), 3);
}
END_TEST

/* There is room, but not for all: the rest waits once more. */
START_TEST(full_again_waits_again)
{
	union udp_address silent;
	struct udp *u = full_handle(families[_i]);
	static struct udp_send req[200];

	silent = address(_i ? "2001:db8:1::98" : "10.1.0.98", 7000);
	for (size_t i = 0; i < 200; i++)
		send_text(&req[i], i, u, "queued", &silent);
	let_go();
	until(told.n > 0);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_uint_lt(told.n, 200);
	ck_assert_int_eq(uv_backend_timeout(&fx.loop), -1);
	sh("ip neigh replace %s lladdr 02:00:00:00:00:98 dev r0",
		_i ? "2001:db8:1::98" : "10.1.0.98");
	until(told.n == 200);
	for (unsigned i = 0; i < 200; i++) {
		ck_assert_uint_eq(told.number[i], i);
		ck_assert_int_eq(told.status[i], 0);
	}
}
END_TEST

START_TEST(waiting_for_room_leaves_the_loop_asleep)
{
	union udp_address to = loopback(families[_i], 9);
	struct udp *u = full_handle(families[_i]);
	struct udp_send req;

	send_text(&req, 0, u, "queued", &to);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(uv_backend_timeout(&fx.loop), -1);
	ck_assert_int_ne(uv_loop_alive(&fx.loop), 0);
	let_go();
	until(told.n == 1);
}
END_TEST

START_TEST(full_buffer_does_not_hold_up_receiving)
{
	union udp_address any, name;
	struct udp *u = full_handle(families[_i]), *peer = new_handle();
	struct udp_send req;

	name = name_of(u);
	any = loopback(families[_i], ntohs(name.in.sin_port));
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	send_text(&req, 0, u, "queued", &any);
	say(peer, "heard", &any);
	until(heard(u, 0, "heard"));
	ck_assert_uint_eq(told.n, 0);
	let_go();
	until(told.n == 1 && heard(u, 1, "queued"));
}
END_TEST

START_TEST(close_cancels_what_is_queued)
{
	union udp_address to = loopback(families[_i], 9);
	struct udp *u = full_handle(families[_i]);
	struct udp_send req[3];
	uv_buf_t bufs[5];

	for (size_t i = 0; i < 2; i++)
		send_text(&req[i], i, u, "queued", &to);
	for (unsigned i = 0; i < 5; i++)
		bufs[i] = uv_buf_init("gathered", 8);
	req[2].data = (void *)(size_t)2;
	ck_assert_int_eq(udp_send(&req[2], u, bufs, 5, &to, tell), 0);
	udp_close(u, tell_close);
	ck_assert_uint_eq(told.n, 0);
	until(told.closed_at > 0);
	ck_assert_uint_eq(told.closed_at, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(told.number[i], i);
		ck_assert_int_eq(told.status[i], -ECANCELED);
	}
}
END_TEST

START_TEST(close_does_not_cancel_what_was_sent)
{
	union udp_address to = loopback(families[_i], 9);
	struct udp *u = new_handle();
	struct udp_send req;

	memset(&told, 0, sizeof(told));
	send_text(&req, 0, u, "sent", &to);
	udp_close(u, tell_close);
	until(told.closed_at > 0);
	ck_assert_uint_eq(told.n, 1);
	ck_assert_int_eq(told.status[0], 0);
}
END_TEST

static void tell_and_close(struct udp_send *req, int status)
{
	uv_buf_t buf = uv_buf_init("x", 1);
	union udp_address to = req->destination;

	tell(req, status);
	udp_close(req->handle, tell_close);
	ck_assert_int_eq(
		udp_send(req, req->handle, &buf, 1, &to, tell), -EBADF);
}

START_TEST(close_inside_a_send_callback)
{
	union udp_address to = loopback(families[_i], 9);
	struct udp *u = new_handle();
	struct udp_send req[3];
	uv_buf_t buf = uv_buf_init("x", 1);

	memset(&told, 0, sizeof(told));
	for (size_t i = 0; i < 3; i++) {
		req[i].data = (void *)i;
		ck_assert_int_eq(udp_send(&req[i], u, &buf, 1, &to,
					 i == 0 ? tell_and_close : tell),
			0);
	}
	until(told.closed_at > 0);
	ck_assert_uint_eq(told.closed_at, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(told.number[i], i);
		ck_assert_int_eq(told.status[i], 0);
	}
}
END_TEST

static void tell_and_repeat(struct udp_send *req, int status)
{
	uv_buf_t buf = uv_buf_init("again", 5);
	union udp_address to = req->destination;

	tell(req, status);
	if (told.n < 10)
		ck_assert_int_eq(udp_send(req, req->handle, &buf, 1, &to,
					 tell_and_repeat),
			0);
}

START_TEST(request_is_free_in_its_callback)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *ear = hearing_handle(&a, 0), *u = new_handle();
	struct udp_send req = { .data = NULL };
	uv_buf_t buf = uv_buf_init("once", 4);

	memset(&told, 0, sizeof(told));
	to = name_of(ear);
	ck_assert_int_eq(udp_send(&req, u, &buf, 1, &to, tell_and_repeat), 0);
	/* One in each round: it does not keep the loop from the others. */
	for (unsigned i = 1; i <= 10; i++) {
		(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
		ck_assert_uint_eq(told.n, i);
	}
	until(ear_of(ear)->n == 10);
}
END_TEST

static void tell_and_free(struct udp_send *req, int status)
{
	tell(req, status);
	free(req);
}

START_TEST(callback_may_free_its_request)
{
	union udp_address to = loopback(families[_i], 9);
	struct udp *u = new_handle();
	uv_buf_t buf = uv_buf_init("x", 1);

	memset(&told, 0, sizeof(told));
	for (size_t i = 0; i < 20; i++) {
		struct udp_send *req = malloc(sizeof(*req));

		ck_assert_ptr_nonnull(req);
		req->data = (void *)i;
		ck_assert_int_eq(
			udp_send(req, u, &buf, 1, &to, tell_and_free), 0);
	}
	until(told.n == 20);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp send");
	TCase *c = fixture_case(s, "datagrams");

	tcase_add_loop_test(c, gathers_its_buffers_into_one_datagram, 0, 2);
	tcase_add_loop_test(c, empty_datagram_is_a_datagram, 0, 2);
	tcase_add_loop_test(c, refuses_what_makes_no_sense, 0, 2);
	tcase_add_test(c, other_family_is_the_callbacks_error);
	tcase_add_loop_test(
		c, largest_datagram_fits_and_one_more_does_not, 0, 2);
	tcase_add_loop_test(c, callbacks_come_in_order_with_their_errors, 0, 2);
	c = fixture_case(s, "queue");
	tcase_add_loop_test(c, full_buffer_queues_until_there_is_room, 0, 2);
	tcase_add_loop_test(c, full_again_waits_again, 0, 2);
	tcase_add_loop_test(c, waiting_for_room_leaves_the_loop_asleep, 0, 2);
	tcase_add_loop_test(c, full_buffer_does_not_hold_up_receiving, 0, 2);
	tcase_add_loop_test(c, close_cancels_what_is_queued, 0, 2);
	tcase_add_loop_test(c, close_does_not_cancel_what_was_sent, 0, 2);
	c = fixture_case(s, "inside the callback");
	tcase_add_loop_test(c, close_inside_a_send_callback, 0, 2);
	tcase_add_loop_test(c, request_is_free_in_its_callback, 0, 2);
	tcase_add_loop_test(c, callback_may_free_its_request, 0, 2);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
