/* Errors that ICMP and full queues leave on a socket, and life after them. */
#include "udp_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool has_poll_error(const struct udp *u)
{
	struct pollfd p = { .fd = udp_fileno(u) };

	ck_assert_int_ge(poll(&p, 1, 0), 0);
	return (p.revents & POLLERR) != 0;
}

START_TEST(refused_peer_is_no_end)
{
	union udp_address to = closed_port(families[_i]), name;
	struct udp *u = new_handle(), *late;
	struct ear *e = ear_of(u);

	ck_assert_int_eq(udp_connect(u, &to), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	for (unsigned i = 1; i <= 100; i++) {
		say(u, "anyone?", NULL);
		until(e->errors == i);
		ck_assert_int_eq(e->last_error, -ECONNREFUSED);
		ck_assert(!has_poll_error(u));
	}
	late = bound_handle(&to, 0);
	name = name_of(u);
	say(late, "here", &name);
	until(heard(u, 0, "here"));
	/* One error is told of once. */
	ck_assert_uint_eq(e->errors, 100);
	ck_assert_uint_eq(e->n, 1);
}
END_TEST

/* The same for a socket that keeps a queue of errors, and is not connected. */
START_TEST(queue_of_errors_is_emptied)
{
	union udp_address a = loopback(families[_i], 0), name;
	union udp_address nobody = closed_port(families[_i]);
	struct udp *u = hearing_handle(&a, UDP_SEND_ONLY);
	struct ear *e = ear_of(u);

	name = name_of(u);
	for (unsigned i = 1; i <= 100; i++) {
		say(u, "anyone?", &nobody);
		until(e->errors == i);
		ck_assert_int_eq(e->last_error, -ECONNREFUSED);
		ck_assert(!has_poll_error(u));
	}
	say(u, "self", &name);
	until(heard(u, 0, "self"));
	ck_assert_uint_eq(e->errors, 100);
}
END_TEST

/* One round takes 64 of them; the next errors wait for the next round. */
START_TEST(long_queue_of_errors_is_emptied_in_rounds)
{
	union udp_address nobody = closed_port(families[_i]), name;
	struct udp *u = new_handle();
	struct ear *e = ear_of(u);
	int fd = plain_socket(families[_i], NULL), refused = 0;

	ck_assert_int_eq(udp_open(u, fd, UDP_SEND_ONLY), 0);
	/* Each second one fails with the error of the one before, whose entry
	 * stays in the queue. */
	for (int i = 0; i < 200; i++)
		if (sendto(fd, "x", 1, 0, &nobody.sa,
			    udp_address_size(&nobody)) < 0)
			refused++;
	ck_assert_int_eq(refused, 100);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	until(!has_poll_error(u));
	ck_assert_uint_eq(e->errors, 2);
	ck_assert_int_eq(e->last_error, -ECONNREFUSED);
	name = name_of(u);
	name = loopback(families[_i], ntohs(name.in.sin_port));
	say(u, "self", &name);
	until(heard(u, 0, "self"));
	ck_assert_uint_eq(e->errors, 2);
}
END_TEST

static int last_status;
static unsigned n_sent;

static void count_sent(struct udp_send *req, int status)
{
	(void)req;
	last_status = status;
	n_sent++;
}

START_TEST(stale_error_does_not_count_against_the_next)
{
	union udp_address a = loopback(families[_i], 0), good;
	union udp_address nobody = closed_port(families[_i]);
	struct udp *ear = hearing_handle(&a, 0);
	struct udp *u = bound_handle(&a, UDP_SEND_ONLY);
	uv_buf_t buf = uv_buf_init("sent", 4);
	struct udp_send req;
	struct udp_out out[3];

	good = name_of(ear);
	/* Each error in the middle of a batch, too. */
	for (int i = 0; i < 3; i++)
		out[i] = (struct udp_out){
			.data = "batch",
			.size = 5,
			.destination = i == 1 ? &nobody : &good,
			.ttl = -1,
		};
	n_sent = 0;
	for (unsigned i = 0; i < 20; i++) {
		say(u, "lost", &nobody);
		say(u, "tried", &good);
		ck_assert(!has_poll_error(u));
		say(u, "lost", &nobody);
		ck_assert_uint_eq(udp_send_batch(u, out, 3, NULL, NULL), 3);
		ck_assert(!has_poll_error(u));
		say(u, "lost", &nobody);
		ck_assert_int_eq(
			udp_send(&req, u, &buf, 1, &good, count_sent), 0);
		until(n_sent == i + 1);
		ck_assert_int_eq(last_status, 0);
	}
	until(ear_of(ear)->n == 20 * 4);
}
END_TEST

START_TEST(refusals_do_not_fill_the_socket)
{
	union udp_address a = loopback(families[_i], 0);
	union udp_address nobody = closed_port(families[_i]);
	struct udp *u = bound_handle(&a, UDP_SEND_ONLY);

	/* Enough to fill any receive buffer, if they stayed. */
	for (int i = 0; i < 2000; i++)
		say(u, "anyone?", &nobody);
	/* The last one's error at most. */
	for (int i = 0; has_poll_error(u); i++) {
		char byte;

		ck_assert_int_eq(i, 0);
		(void)recv(
			udp_fileno(u), &byte, 1, MSG_ERRQUEUE | MSG_DONTWAIT);
	}
}
END_TEST

START_TEST(too_big_leaves_no_error_behind)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = hearing_handle(&a, UDP_SEND_ONLY);
	static char big[65536];
	uv_buf_t buf = uv_buf_init(big, sizeof(big));

	to = name_of(u);
	for (int i = 0; i < 10; i++) {
		buf.len = families[_i] == AF_INET ? 65508 : 65528;
		ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), -EMSGSIZE);
		ck_assert(!has_poll_error(u));
	}
	say(u, "fits", &to);
	until(heard(u, 0, "fits"));
	ck_assert_uint_eq(ear_of(u)->errors, 0);
}
END_TEST

/* A token bucket that lets through one datagram in a long while. */
static bool limit_device(const char *device)
{
	if (try_sh("tc qdisc add dev %s root tbf rate 8kbit burst 1600 "
		   "limit 2000 2>&1",
		    device) == 0)
		return true;
	fprintf(stderr, "not tested: no tc or no tbf here\n");
	return false;
}

START_TEST(full_queue_is_seen_by_those_who_only_send)
{
	union udp_address a, to;
	struct udp *u;
	uv_buf_t buf;
	static char payload[1000];
	unsigned sent = 0;
	ssize_t r = 0;
	bool only = _i / 2;

	fixture_devices();
	if (!limit_device("r0"))
		return;
	a = address(_i % 2 ? "::" : "0.0.0.0", 0);
	to = address(_i % 2 ? "ff02::77%r0" : "239.1.1.1", 7000);
	u = bound_handle(&a, only ? UDP_SEND_ONLY : 0);
	ck_assert_int_eq(udp_set_multicast_interface(u, fx.r[0], NULL), 0);
	buf = uv_buf_init(payload, sizeof(payload));
	while (sent < 20 && r >= 0) {
		r = udp_try_send(u, &buf, 1, &to);
		if (r >= 0)
			sent++;
	}
	if (!only) {
		/* What the kernel throws away counts as sent here. */
		ck_assert_uint_eq(sent, 20);
		return;
	}
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_uint_ge(sent, 1);
	/* It is no end, and no other device's affair. */
	ck_assert(!has_poll_error(u));
	ck_assert_int_eq(udp_set_multicast_interface(u, fx.r[1], NULL), 0);
	to.in6.sin6_scope_id = _i % 2 ? fx.r[1] : 0;
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), sizeof(payload));
}
END_TEST

/* Sends to a neighbour that does not answer until the buffer is full. */
static void fill_buffer(struct udp *u, const union udp_address *silent)
{
	uv_buf_t buf = uv_buf_init("waits for a neighbour", 21);
	ssize_t r;

	ck_assert_int_eq(udp_set_send_buffer(u, 1), 0);
	do {
		r = udp_try_send(u, &buf, 1, silent);
	} while (r > 0);
	ck_assert_int_eq(r, -EAGAIN);
}

/*
 * The neighbour is given up, which frees the buffer and leaves an error on the
 * socket at the same moment: the poll handle stops, with a send in the queue.
 */
START_TEST(queued_send_survives_an_error)
{
	union udp_address a, silent, good;
	struct udp *u, *ear;
	uv_buf_t buf = uv_buf_init("late", 4);
	struct udp_send req;

	fixture_devices();
	set_sysctl("ipv4/neigh/r0/retrans_time_ms", "20");
	set_sysctl("ipv6/neigh/r0/retrans_time_ms", "20");
	a = address(_i ? "::" : "0.0.0.0", 0);
	u = bound_handle(&a, UDP_SEND_ONLY);
	a = loopback(families[_i], 0);
	ear = hearing_handle(&a, 0);
	good = name_of(ear);
	silent = address(_i ? "2001:db8:1::99" : "10.1.0.99", 7000);
	fill_buffer(u, &silent);
	n_sent = 0;
	ck_assert_int_eq(udp_send(&req, u, &buf, 1, &good, count_sent), 0);
	until(n_sent == 1);
	ck_assert_int_eq(last_status, 0);
	until(heard(ear, 0, "late"));
	/* And the handle has nothing to wait for any more. */
	ck_assert_int_eq(udp_recv_stop(ear), 0);
	ck_assert_int_eq(uv_loop_alive(&fx.loop), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp errors");
	TCase *c = fixture_case(s, "ICMP");

	tcase_add_loop_test(c, refused_peer_is_no_end, 0, 2);
	tcase_add_loop_test(c, queue_of_errors_is_emptied, 0, 2);
	tcase_add_loop_test(c, long_queue_of_errors_is_emptied_in_rounds, 0, 2);
	tcase_add_loop_test(
		c, stale_error_does_not_count_against_the_next, 0, 2);
	tcase_add_loop_test(c, refusals_do_not_fill_the_socket, 0, 2);
	c = fixture_case(s, "own");
	tcase_add_loop_test(c, too_big_leaves_no_error_behind, 0, 2);
	tcase_add_loop_test(c, full_queue_is_seen_by_those_who_only_send, 0, 4);
	tcase_add_loop_test(c, queued_send_survives_an_error, 0, 2);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
