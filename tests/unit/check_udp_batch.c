/* Many datagrams at once: udp_send_batch(). */
#include "udp_fixture.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH_MAX = 300 };

static struct {
	unsigned n;
	size_t index[BATCH_MAX];
	int error[BATCH_MAX];
} reports;

static void report(void *data, size_t index, int error)
{
	ck_assert_ptr_eq(data, &reports);
	ck_assert_uint_lt(reports.n, BATCH_MAX);
	reports.index[reports.n] = index;
	reports.error[reports.n++] = error;
}

static size_t send_all(struct udp *u, const struct udp_out *out, size_t n)
{
	memset(&reports, 0, sizeof(reports));
	return udp_send_batch(u, out, n, report, &reports);
}

static bool was_reported(size_t index, int error)
{
	unsigned times = 0;

	for (unsigned i = 0; i < reports.n; i++)
		if (reports.index[i] == index && reports.error[i] == error)
			times++;
	return times == 1;
}

/* Hears `group` away, on the ends of all three devices. */
static struct udp *listen_away(const union udp_address *group)
{
	union udp_address any;
	struct udp *away;

	fixture_go_away();
	any = address(group->sa.sa_family == AF_INET ? "0.0.0.0" : "::",
		ntohs(group->in.sin_port));
	away = hearing_handle(&any, 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(udp_set_membership(away, group,
					 if_nametoindex((const char *[]){
						 "p0", "p1", "p2" }[i]),
					 NULL, UDP_JOIN),
			0);
	fixture_go_home();
	return away;
}

START_TEST(each_has_its_device_source_and_ttl)
{
	/* The source, and how it looks from away. */
	static const char *const texts[2][3][2] = {
		{ { "10.1.0.9", "10.1.0.9" }, { "10.2.0.1", "10.2.0.1" },
			{ "10.1.0.1", "10.1.0.1" } },
		{ { "fe80::1", "fe80::1%p0" },
			{ "2001:db8:2::1", "2001:db8:2::1" },
			{ "fe80::1", "fe80::1%p2" } },
	};
	static const int ttls[3] = { 1, 255, -1 };
	union udp_address any, group, source[3], seen_from[3];
	struct udp *u, *away;
	struct udp_out out[3];

	fixture_devices();
	group = address(_i ? "ff05::77" : "239.1.1.1", 7000);
	any = address(_i ? "::" : "0.0.0.0", 7000);
	away = listen_away(&group);
	fixture_go_away();
	for (unsigned i = 0; i < 3; i++)
		seen_from[i] = address(texts[_i][i][1], 7000);
	fixture_go_home();
	u = bound_handle(&any, 0);
	for (unsigned i = 0; i < 3; i++) {
		source[i] = address(texts[_i][i][0], 0);
		out[i] = (struct udp_out){
			.data = "one two three",
			.size = i + 1,
			.destination = &group,
			.source = &source[i],
			.device = fx.r[i],
			.ttl = ttls[i],
		};
	}
	ck_assert_uint_eq(send_all(u, out, 3), 3);
	ck_assert_uint_eq(reports.n, 0);
	until(ear_of(away)->n == 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct udp_datagram *d = &ear_of(away)->seen[i].told;
		size_t k = d->size - 1;

		ck_assert_uint_lt(k, 3);
		ck_assert(same_address(&d->source, &seen_from[k]));
		ck_assert_int_eq(d->ttl, k == 2 ? 1 : ttls[k]);
	}
}
END_TEST

/* Without a source: what is bound to, else an address of the device. */
START_TEST(device_alone_keeps_the_bound_address)
{
	static const char *const bound[][3] = {
		/* bound to, destination, seen as */
		{ "10.1.0.9", "239.1.1.1", "10.1.0.9" },
		{ "0.0.0.0", "239.1.1.1", "10.1.0.1" },
		{ "239.1.1.1", "239.1.1.1", "10.1.0.1" },
		{ "10.1.0.255", "239.1.1.1", "10.1.0.1" },
		{ "255.255.255.255", "239.1.1.1", "10.1.0.1" },
		{ "10.1.0.9", "255.255.255.255", "10.1.0.9" },
		{ "10.1.0.255", "10.1.0.255", "10.1.0.1" },
		{ "2001:db8:1::1", "ff05::77", "2001:db8:1::1" },
		{ "ff05::77", "ff05::77", "2001:db8:1::1" },
		{ "::", "ff05::77", "2001:db8:1::1" },
	};
	union udp_address a, to, from, group;
	struct udp *u, *away;
	struct udp_out out = { .data = "x", .size = 1, .ttl = -1 };

	fixture_devices();
	a = address(bound[_i][0], 7000);
	to = address(bound[_i][1], 7000);
	from = address(bound[_i][2], 7000);
	group = address(_i < 7 ? "239.1.1.1" : "ff05::77", 7000);
	away = listen_away(&group);
	u = bound_handle(&a, 0);
	ck_assert_int_eq(udp_set_broadcast(u, true), 0);
	out.destination = &to;
	out.device = fx.r[0];
	ck_assert_uint_eq(send_all(u, &out, 1), 1);
	until(ear_of(away)->n == 1);
	ck_assert(same_address(&ear_of(away)->seen[0].told.source, &from));
}
END_TEST

/* A batch of good ones to a loopback ear; tests spoil some. */
static struct udp_out outs[BATCH_MAX];
static union udp_address ear_name;

static struct udp *make_outs(int family, size_t n)
{
	static uint8_t numbers[BATCH_MAX];
	union udp_address a = loopback(family, 0);
	struct udp *ear = hearing_handle(&a, 0);

	ck_assert_int_eq(udp_set_recv_buffer(ear, 1 << 20), 0);
	ear_name = name_of(ear);
	for (size_t i = 0; i < n; i++) {
		numbers[i] = (uint8_t)i;
		outs[i] = (struct udp_out){
			.data = &numbers[i],
			.size = 1,
			.destination = &ear_name,
			.ttl = -1,
		};
	}
	return ear;
}

/* All but the `bad` ones arrive, in order, and each of those is reported. */
static void check_outs(
	struct udp *ear, size_t n, const size_t *bad, size_t n_bad, int error)
{
	struct udp *u = new_handle();
	size_t next = 0, k = 0;

	ck_assert_int_eq(udp_connect(u, &ear_name), 0);
	ck_assert_uint_eq(send_all(u, outs, n), n - n_bad);
	ck_assert_uint_eq(reports.n, n_bad);
	until(ear_of(ear)->n == n - n_bad);
	for (size_t i = 0; i < n; i++) {
		if (k < n_bad && bad[k] == i) {
			ck_assert(was_reported(i, error));
			k++;
			continue;
		}
		ck_assert_uint_eq(ear_of(ear)->seen[next++].bytes[0], i & 255);
	}
}

START_TEST(sends_every_number_of_datagrams)
{
	static const size_t counts[] = { 0, 1, 63, 64, 65, 128, 129, 300 };
	size_t n = counts[_i / 2];

	check_outs(make_outs(families[_i % 2], n), n, NULL, 0, 0);
}
END_TEST

START_TEST(bad_one_is_skipped_and_reported)
{
	/* Around the edges of the chunks, and in a row. */
	static const size_t bad[] = { 0, 1, 62, 63, 64, 65, 100, 127, 128,
		129 };
	static char big[65528];
	struct udp *ear = make_outs(families[_i], 130);

	for (size_t i = 0; i < 10; i++) {
		outs[bad[i]].data = big;
		outs[bad[i]].size = families[_i] == AF_INET ? 65508 : 65528;
	}
	check_outs(ear, 130, bad, 10, -EMSGSIZE);
}
END_TEST

START_TEST(one_that_cannot_be_is_skipped_and_reported)
{
	static const size_t bad[] = { 0, 3, 63, 64, 66 };
	union udp_address nowhere = { .sa.sa_family = AF_UNIX };
	union udp_address other = loopback(families[1 - _i], 0);
	struct udp *ear = make_outs(families[_i], 67);

	outs[0].destination = &nowhere;
	outs[3].source = &other;
	outs[63].ttl = 0;
	outs[64].ttl = 256;
	outs[66].ttl = -2;
	check_outs(ear, 67, bad, 5, -EINVAL);
}
END_TEST

START_TEST(batch_of_bad_ones_sends_nothing)
{
	static size_t bad[70];
	struct udp *ear = make_outs(families[_i], 70);

	for (size_t i = 0; i < 70; i++) {
		bad[i] = i;
		outs[i].device = 4711;
	}
	check_outs(ear, 70, bad, 70, -ENODEV);
}
END_TEST

START_TEST(ttl_reaches_from_1_to_255)
{
	struct udp *ear = make_outs(families[_i], 3), *u = new_handle();

	outs[0].ttl = 1;
	outs[1].ttl = 255;
	ck_assert_int_eq(udp_connect(u, &ear_name), 0);
	ck_assert_int_eq(udp_set_ttl(u, 77), 0);
	/* The last leaves it to the socket; to the peer, all the same. */
	outs[2].destination = NULL;
	ck_assert_uint_eq(send_all(u, outs, 3), 3);
	until(ear_of(ear)->n == 3);
	ck_assert_int_eq(ear_of(ear)->seen[0].told.ttl, 1);
	ck_assert_int_eq(ear_of(ear)->seen[1].told.ttl, 255);
	ck_assert_int_eq(ear_of(ear)->seen[2].told.ttl, 77);
}
END_TEST

START_TEST(without_a_socket_all_are_reported)
{
	struct udp *u = new_handle();

	(void)make_outs(families[_i], 100);
	ck_assert_uint_eq(send_all(u, outs, 100), 0);
	ck_assert_uint_eq(reports.n, 100);
	for (size_t i = 0; i < 100; i++)
		ck_assert(was_reported(i, -EBADF));
	/* No reporter, no report. */
	ck_assert_uint_eq(udp_send_batch(u, outs, 100, NULL, NULL), 0);
}
END_TEST

START_TEST(without_a_peer_it_needs_a_destination)
{
	union udp_address a = loopback(families[_i], 0);
	struct udp *u = bound_handle(&a, 0);

	(void)make_outs(families[_i], 2);
	outs[0].destination = NULL;
	ck_assert_uint_eq(send_all(u, outs, 2), 1);
	ck_assert_uint_eq(reports.n, 1);
	ck_assert(was_reported(0, -EDESTADDRREQ));
}
END_TEST

START_TEST(broadcast_needs_to_be_allowed)
{
	union udp_address a = address("0.0.0.0", 0);
	union udp_address all = address("255.255.255.255", 7000);
	struct udp_out out = { .data = "x", .size = 1, .ttl = -1 };
	struct udp *u = bound_handle(&a, UDP_SEND_ONLY);

	fixture_devices();
	out.destination = &all;
	out.device = fx.r[0];
	ck_assert_uint_eq(send_all(u, &out, 1), 0);
	ck_assert(was_reported(0, -EACCES));
	ck_assert_int_eq(udp_set_broadcast(u, true), 0);
	ck_assert_uint_eq(send_all(u, &out, 1), 1);
	ck_assert_int_eq(udp_set_broadcast(u, false), 0);
	ck_assert_uint_eq(send_all(u, &out, 1), 0);
}
END_TEST

START_TEST(full_buffer_reports_the_rest)
{
	union udp_address a, silent;
	struct udp *ear, *u;
	size_t sent;

	fixture_devices();
	ear = make_outs(families[_i], 200);
	a = address(_i ? "::" : "0.0.0.0", 0);
	u = bound_handle(&a, 0);
	ck_assert_int_eq(udp_set_send_buffer(u, 1), 0);
	/* It waits for a neighbour that does not answer. */
	silent = address(_i ? "2001:db8:1::99" : "10.1.0.99", 7000);
	for (size_t i = 1; i < 200; i++)
		outs[i].destination = &silent;
	sent = send_all(u, outs, 200);
	ck_assert_uint_ge(sent, 2);
	ck_assert_uint_lt(sent, 200);
	ck_assert_uint_eq(reports.n, 200 - sent);
	for (size_t i = sent; i < 200; i++)
		ck_assert(was_reported(i, -EAGAIN));
	/* Nothing is queued, so nothing keeps the loop. */
	until(ear_of(ear)->n == 1);
	ck_assert_int_eq(udp_recv_stop(ear), 0);
	ck_assert_int_eq(uv_loop_alive(&fx.loop), 0);
}
END_TEST

static struct udp *sender;

static void report_and_close(void *data, size_t index, int error)
{
	udp_close(sender, NULL);
	report(data, index, error);
}

START_TEST(report_may_close_the_handle)
{
	struct udp *ear = make_outs(families[_i], 150);

	sender = new_handle();
	ck_assert_int_eq(udp_connect(sender, &ear_name), 0);
	/* In the first chunk, by the kernel; in another one, by us. */
	outs[2].device = 4711;
	outs[140].ttl = 0;
	memset(&reports, 0, sizeof(reports));
	ck_assert_uint_eq(
		udp_send_batch(sender, outs, 150, report_and_close, &reports),
		2);
	ck_assert_uint_eq(reports.n, 148);
	ck_assert(was_reported(2, -ENODEV));
	for (size_t i = 3; i < 150; i++)
		ck_assert(was_reported(i, -EBADF));
	until(ear_of(ear)->n == 2);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp send batch");
	TCase *c = fixture_case(s, "each its own");

	tcase_add_loop_test(c, each_has_its_device_source_and_ttl, 0, 2);
	tcase_add_loop_test(c, device_alone_keeps_the_bound_address, 0, 10);
	tcase_add_loop_test(c, ttl_reaches_from_1_to_255, 0, 2);
	c = fixture_case(s, "partial");
	tcase_add_loop_test(c, sends_every_number_of_datagrams, 0, 16);
	tcase_add_loop_test(c, bad_one_is_skipped_and_reported, 0, 2);
	tcase_add_loop_test(
		c, one_that_cannot_be_is_skipped_and_reported, 0, 2);
	tcase_add_loop_test(c, batch_of_bad_ones_sends_nothing, 0, 2);
	tcase_add_loop_test(c, full_buffer_reports_the_rest, 0, 2);
	c = fixture_case(s, "refused");
	tcase_add_loop_test(c, without_a_socket_all_are_reported, 0, 2);
	tcase_add_loop_test(c, without_a_peer_it_needs_a_destination, 0, 2);
	tcase_add_test(c, broadcast_needs_to_be_allowed);
	tcase_add_loop_test(c, report_may_close_the_handle, 0, 2);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
