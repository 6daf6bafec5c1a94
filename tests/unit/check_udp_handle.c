/* Life, bind, open, connect and names of a UDP handle. */
#include "udp_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned closed;

static void count_close(struct udp *u)
{
	ck_assert(udp_is_closing(u));
	closed++;
}

START_TEST(init_leaves_the_callers_data_alone)
{
	int mine;
	struct udp *u = &fx.handles[fx.n_handles++];

	u->data = &mine;
	ck_assert_int_eq(udp_init(&fx.loop, u), 0);
	ck_assert_ptr_eq(u->data, &mine);
	ck_assert_int_eq(udp_fileno(u), -EBADF);
}
END_TEST

START_TEST(size_of_an_address_follows_its_family)
{
	union udp_address a = loopback(AF_INET, 1);

	ck_assert_uint_eq(udp_address_size(&a), sizeof(struct sockaddr_in));
	a = loopback(AF_INET6, 1);
	ck_assert_uint_eq(udp_address_size(&a), sizeof(struct sockaddr_in6));
	a.sa.sa_family = AF_UNIX;
	ck_assert_uint_eq(udp_address_size(&a), 0);
}
END_TEST

START_TEST(close_without_a_socket_calls_back_once)
{
	struct udp *u = new_handle();

	closed = 0;
	udp_close(u, count_close);
	udp_close(u, count_close);
	ck_assert_uint_eq(closed, 0);
	until(closed > 0);
	ck_assert_int_eq(uv_run(&fx.loop, UV_RUN_DEFAULT), 0);
	ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(close_ends_the_descriptor_at_once)
{
	union udp_address a = loopback(families[_i], 0);
	struct udp *u = hearing_handle(&a, 0);
	int fd = udp_fileno(u);

	closed = 0;
	udp_close(u, count_close);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(udp_fileno(u), -EBADF);
	udp_close(u, NULL);
	ck_assert_int_eq(uv_run(&fx.loop, UV_RUN_DEFAULT), 0);
	ck_assert_uint_eq(closed, 1);
}
END_TEST

static void never(struct udp_send *req, int status)
{
	(void)req;
	ck_abort_msg("called back with %d", status);
}

START_TEST(closing_handle_refuses_everything)
{
	union udp_address a = loopback(families[_i], 9);
	struct udp *u = new_handle();
	struct udp_send req;
	uv_buf_t buf = uv_buf_init("x", 1);
	int fd = plain_socket(families[_i], NULL);

	udp_close(u, NULL);
	ck_assert_int_eq(udp_bind(u, &a, 0), -EBADF);
	ck_assert_int_eq(udp_open(u, fd, 0), -EBADF);
	ck_assert_int_eq(udp_connect(u, &a), -EBADF);
	ck_assert_int_eq(udp_connect(u, NULL), -EBADF);
	ck_assert_int_eq(udp_getsockname(u, &a), -EBADF);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &a), -EBADF);
	ck_assert_int_eq(udp_send(&req, u, &buf, 1, &a, never), -EBADF);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), -EBADF);
	ck_assert_int_eq(udp_recv_stop(u), 0);
	(void)close(fd);
}
END_TEST

START_TEST(bind_takes_a_free_port_and_tells_it)
{
	union udp_address a = loopback(families[_i], 0), name;
	struct udp *u = bound_handle(&a, 0);

	name = name_of(u);
	ck_assert(same_host(&name, &a));
	ck_assert_uint_ne(name.in.sin_port, 0);
	ck_assert_int_ge(udp_fileno(u), 0);
	ck_assert_int_eq(udp_bind(u, &a, 0), -EALREADY);
}
END_TEST

START_TEST(failed_bind_leaves_the_handle_as_it_was)
{
	union udp_address a = loopback(families[_i], 7000), name;
	struct udp *u = new_handle();
	int fd = plain_socket(families[_i], &a);

	ck_assert_int_eq(udp_bind(u, &a, 0), -EADDRINUSE);
	ck_assert_int_eq(udp_bind(u, &a, UDP_SHARE), -EADDRINUSE);
	ck_assert_int_eq(udp_fileno(u), -EBADF);
	(void)close(fd);
	ck_assert_int_eq(udp_bind(u, &a, 0), 0);
	name = name_of(u);
	ck_assert(same_address(&name, &a));
}
END_TEST

START_TEST(bind_refuses_what_makes_no_sense)
{
	union udp_address a = loopback(AF_INET, 7000);
	struct udp *u = new_handle();

	ck_assert_int_eq(udp_bind(u, &a, UDP_IPV6ONLY), -EINVAL);
	ck_assert_int_eq(udp_bind(u, &a, 1 << 30), -EINVAL);
	a.sa.sa_family = AF_UNIX;
	ck_assert_int_eq(udp_bind(u, &a, 0), -EINVAL);
	a = address("10.99.0.1", 7000);
	ck_assert_int_eq(udp_bind(u, &a, 0), -EADDRNOTAVAIL);
}
END_TEST

/* One flag of the neighbour, by `_i`, and a family. */
START_TEST(shares_with_a_neighbour_of_either_kind)
{
	int family = families[_i % 2], on = 1, fd;
	int kind = _i / 2 ? SO_REUSEPORT : SO_REUSEADDR;
	union udp_address a = loopback(family, 7000);
	struct udp *u = new_handle();

	fd = plain_socket(family, NULL);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, kind, &on, sizeof(on)), 0);
	ck_assert_int_eq(bind(fd, &a.sa, udp_address_size(&a)), 0);
	ck_assert_int_eq(udp_bind(u, &a, 0), -EADDRINUSE);
	ck_assert_int_eq(udp_bind(u, &a, UDP_SHARE), 0);
	(void)close(fd);

	/* And the other way round: it comes second. */
	fd = plain_socket(family, NULL);
	ck_assert_int_eq(bind(fd, &a.sa, udp_address_size(&a)), -1);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, kind, &on, sizeof(on)), 0);
	ck_assert_int_eq(bind(fd, &a.sa, udp_address_size(&a)), 0);
	(void)close(fd);
}
END_TEST

/* Its buffer stays empty; what it sends leaves. */
START_TEST(deaf_handle_hears_nothing)
{
	union udp_address a = loopback(families[_i], 0), to, name;
	struct udp *u = bound_handle(&a, UDP_DEAF),
		   *ear = hearing_handle(&a, 0);
	struct pollfd p = { .fd = udp_fileno(u), .events = POLLIN };

	name = name_of(u);
	to = name_of(ear);
	say(ear, "unheard", &name);
	say(u, "heard", &to);
	until(heard(ear, 0, "heard"));
	ck_assert_int_eq(poll(&p, 1, 0), 0);
}
END_TEST

START_TEST(opened_descriptor_is_owned)
{
	union udp_address a = loopback(families[_i], 0), name;
	int fd = plain_socket(families[_i], &a);
	struct udp *u = new_handle();

	ck_assert_int_eq(udp_open(u, fd, UDP_TIMESTAMP), 0);
	ck_assert_int_eq(udp_fileno(u), fd);
	ck_assert_int_eq(udp_open(u, fd, 0), -EALREADY);
	name = name_of(u);
	ck_assert(same_host(&name, &a));
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	say(u, "self", &name);
	until(heard(u, 0, "self"));
	ck_assert_uint_eq(ear_of(u)->seen[0].told.device, 1);
	ck_assert_uint_ne(ear_of(u)->seen[0].told.time_ns, 0);
	udp_close(u, NULL);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(open_refuses_what_is_no_udp_socket)
{
	struct udp *u = new_handle();
	int fd[5];

	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	fd[2] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd[3] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fd[4] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
	ck_assert_int_eq(udp_open(u, -1, 0), -EBADF);
	for (int i = 0; i < 5; i++) {
		if (fd[i] < 0)
			continue; /* this kernel has no UDP-Lite */
		ck_assert_int_eq(udp_open(u, fd[i], 0), -EINVAL);
		/* The caller keeps it. */
		ck_assert_int_eq(close(fd[i]), 0);
	}
	ck_assert_int_eq(udp_fileno(u), -EBADF);
}
END_TEST

START_TEST(open_refuses_what_the_loop_polls_already)
{
	union udp_address a = loopback(families[_i], 0);
	struct udp *u = hearing_handle(&a, 0), *v = new_handle();

	ck_assert_int_eq(udp_open(v, udp_fileno(u), 0), -EEXIST);
	ck_assert_int_eq(udp_fileno(v), -EBADF);
	a = name_of(u);
	say(u, "still", &a);
	until(heard(u, 0, "still"));
}
END_TEST

START_TEST(connected_handle_sends_to_its_peer)
{
	union udp_address a = loopback(families[_i], 0), to, to2;
	struct udp *one = hearing_handle(&a, 0), *two = hearing_handle(&a, 0);
	struct udp *u = new_handle();
	uv_buf_t buf = uv_buf_init("x", 1);

	to = name_of(one);
	to2 = name_of(two);
	ck_assert_int_eq(udp_connect(u, NULL), -EBADF);
	ck_assert_int_eq(udp_connect(u, &to), 0);
	say(u, "first", NULL);
	until(heard(one, 0, "first"));
	ck_assert_int_eq(udp_connect(u, &to2), 0);
	say(u, "second", NULL);
	until(heard(two, 0, "second"));
	ck_assert_int_eq(udp_connect(u, NULL), 0);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, NULL), -EDESTADDRREQ);
	say(u, "third", &to);
	until(heard(one, 1, "third"));
	ck_assert_uint_eq(ear_of(one)->n, 2);
	ck_assert_uint_eq(ear_of(two)->n, 1);
}
END_TEST

START_TEST(connect_refuses_other_families)
{
	union udp_address a = loopback(AF_INET, 7000);
	struct udp *u = new_handle();

	a.sa.sa_family = AF_UNIX;
	ck_assert_int_eq(udp_connect(u, &a), -EINVAL);
	a = loopback(AF_INET, 0);
	ck_assert_int_eq(udp_bind(u, &a, 0), 0);
	a = loopback(AF_INET6, 7000);
	ck_assert_int_eq(udp_connect(u, &a), -EAFNOSUPPORT);
	/* AF_UNSPEC would dissolve the connection. */
	a.sa.sa_family = AF_UNSPEC;
	ck_assert_int_eq(udp_connect(u, &a), -EINVAL);
}
END_TEST

START_TEST(waiting_handle_leaves_the_loop_asleep)
{
	union udp_address a = loopback(families[_i], 0), to;
	struct udp *u = bound_handle(&a, 0);
	struct pollfd p = { .events = POLLIN };

	/* Bound alone it does not keep the loop alive. */
	ck_assert_int_eq(uv_run(&fx.loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	to = name_of(u);
	say(u, "x", &to);
	until(heard(u, 0, "x"));
	/* It waits without a time limit, for what nothing has made ready. */
	ck_assert_int_ne(uv_loop_alive(&fx.loop), 0);
	(void)uv_run(&fx.loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(uv_backend_timeout(&fx.loop), -1);
	p.fd = uv_backend_fd(&fx.loop);
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	ck_assert_int_eq(udp_recv_stop(u), 0);
	ck_assert_int_eq(uv_loop_alive(&fx.loop), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp handle");
	TCase *c = fixture_case(s, "life");

	tcase_add_test(c, init_leaves_the_callers_data_alone);
	tcase_add_test(c, size_of_an_address_follows_its_family);
	tcase_add_test(c, close_without_a_socket_calls_back_once);
	tcase_add_loop_test(c, close_ends_the_descriptor_at_once, 0, 2);
	tcase_add_loop_test(c, closing_handle_refuses_everything, 0, 2);
	tcase_add_loop_test(c, waiting_handle_leaves_the_loop_asleep, 0, 2);
	c = fixture_case(s, "bind");
	tcase_add_loop_test(c, bind_takes_a_free_port_and_tells_it, 0, 2);
	tcase_add_loop_test(c, failed_bind_leaves_the_handle_as_it_was, 0, 2);
	tcase_add_test(c, bind_refuses_what_makes_no_sense);
	tcase_add_loop_test(c, deaf_handle_hears_nothing, 0, 2);
	tcase_add_loop_test(c, shares_with_a_neighbour_of_either_kind, 0, 4);
	c = fixture_case(s, "open");
	tcase_add_loop_test(c, opened_descriptor_is_owned, 0, 2);
	tcase_add_test(c, open_refuses_what_is_no_udp_socket);
	tcase_add_loop_test(c, open_refuses_what_the_loop_polls_already, 0, 2);
	c = fixture_case(s, "connect");
	tcase_add_loop_test(c, connected_handle_sends_to_its_peer, 0, 2);
	tcase_add_test(c, connect_refuses_other_families);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
