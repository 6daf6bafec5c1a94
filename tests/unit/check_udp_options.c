/* TTLs, loop, interface, broadcast and buffer sizes. */
#include "udp_fixture.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(options_need_a_socket)
{
	struct udp *u = new_handle();
	size_t bytes = 4711;

	ck_assert_int_eq(udp_set_multicast_ttl(u, 1), -EBADF);
	ck_assert_int_eq(udp_set_ttl(u, 1), -EBADF);
	ck_assert_int_eq(udp_set_multicast_loop(u, true), -EBADF);
	ck_assert_int_eq(udp_set_multicast_interface(u, 1, NULL), -EBADF);
	ck_assert_int_eq(udp_set_broadcast(u, true), -EBADF);
	ck_assert_int_eq(udp_set_recv_buffer(u, 4096), -EBADF);
	ck_assert_int_eq(udp_set_send_buffer(u, 4096), -EBADF);
	ck_assert_int_eq(udp_get_recv_buffer(u, &bytes), -EBADF);
	ck_assert_int_eq(udp_get_send_buffer(u, &bytes), -EBADF);
	ck_assert_uint_eq(bytes, 4711);
}
END_TEST

START_TEST(ttl_is_1_to_255)
{
	union udp_address a = loopback(families[_i], 0);
	struct udp *u = bound_handle(&a, 0);

	for (int ttl = -1; ttl <= 256; ttl++) {
		int want = ttl < 1 || ttl > 255 ? -EINVAL : 0;

		ck_assert_int_eq(udp_set_ttl(u, ttl), want);
		ck_assert_int_eq(udp_set_multicast_ttl(u, ttl), want);
	}
}
END_TEST

/* A handle bound to the wildcard address that hears itself on r0, too. */
static struct udp *self_hearing(int i, union udp_address *group)
{
	union udp_address any = address(i ? "::" : "0.0.0.0", 7000);
	struct udp *u;

	fixture_devices();
	*group = address(i ? "ff02::77%r0" : "239.1.1.1", 7000);
	u = hearing_handle(&any, 0);
	ck_assert_int_eq(
		udp_set_membership(u, group, fx.r[0], NULL, UDP_JOIN), 0);
	ck_assert_int_eq(udp_set_multicast_interface(u, fx.r[0], NULL), 0);
	return u;
}

START_TEST(each_ttl_has_its_own_use)
{
	union udp_address group, self = loopback(families[_i], 7000);
	union udp_address all = address("255.255.255.255", 7000);
	struct udp *u = self_hearing(_i, &group);
	struct seen *seen = ear_of(u)->seen;

	say(u, "default", &group);
	ck_assert_int_eq(udp_set_multicast_ttl(u, 9), 0);
	ck_assert_int_eq(udp_set_ttl(u, 33), 0);
	say(u, "multicast", &group);
	say(u, "unicast", &self);
	until(ear_of(u)->n == 3);
	ck_assert_int_eq(seen[0].told.ttl, 1);
	ck_assert_int_eq(seen[1].told.ttl, 9);
	ck_assert_int_eq(seen[2].told.ttl, 33);
	if (_i == 1)
		return;
	/* Broadcast goes by the unicast one. */
	ck_assert_int_eq(udp_set_broadcast(u, true), 0);
	ck_assert_uint_eq(udp_send_batch(u,
				  &(struct udp_out){ .data = "all",
					  .size = 3,
					  .destination = &all,
					  .device = fx.r[0],
					  .ttl = -1 },
				  1, NULL, NULL),
		1);
	until(heard(u, 3, "all"));
	ck_assert_int_eq(seen[3].told.ttl, 33);
}
END_TEST

START_TEST(loop_is_whether_this_host_hears)
{
	union udp_address group, self = loopback(families[_i], 7000);
	struct udp *u = self_hearing(_i, &group);

	ck_assert_int_eq(udp_set_multicast_loop(u, false), 0);
	say(u, "unheard", &group);
	ck_assert_int_eq(udp_set_multicast_loop(u, true), 0);
	say(u, "heard", &group);
	say(u, "end", &self);
	until(ear_of(u)->n == 2);
	ck_assert(heard(u, 0, "heard"));
	ck_assert_uint_eq(ear_of(u)->seen[0].told.device, fx.r[0]);
	ck_assert(heard(u, 1, "end"));
}
END_TEST

/* Hears `group` on p0, p1 and p2, and tells their indexes. */
static struct udp *listen_away(const union udp_address *group, unsigned *index)
{
	union udp_address any;
	struct udp *away;

	fixture_go_away();
	any = address(group->sa.sa_family == AF_INET ? "0.0.0.0" : "::", 7000);
	away = hearing_handle(&any, 0);
	for (unsigned i = 0; i < 3; i++) {
		char name[] = { 'p', (char)('0' + i), '\0' };

		index[i] = if_nametoindex(name);
		ck_assert_int_eq(udp_set_membership(
					 away, group, index[i], NULL, UDP_JOIN),
			0);
	}
	fixture_go_home();
	return away;
}

START_TEST(interface_is_where_multicast_leaves)
{
	union udp_address group = address(_i ? "ff05::77" : "239.1.1.1", 7000);
	struct udp *u = new_handle(), *away;
	unsigned index[3];

	fixture_devices();
	away = listen_away(&group, index);
	/* Makes the socket, too. */
	ck_assert_int_eq(udp_connect(u, &group), _i ? 0 : -ENETUNREACH);
	ck_assert_int_eq(udp_connect(u, NULL), 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(
			udp_set_multicast_interface(u, fx.r[i], NULL), 0);
		say(u, "leaves", &group);
		until(heard(away, i, "leaves"));
		ck_assert_uint_eq(ear_of(away)->seen[i].told.device, index[i]);
	}
	ck_assert_int_eq(udp_set_multicast_interface(u, 4711, NULL), -ENODEV);
	/* Back to the route. */
	ck_assert_int_eq(udp_set_multicast_interface(u, 0, NULL), 0);
	sh("ip route add 239.0.0.0/8 dev r1 && "
	   "ip -6 route add ff05::/16 dev r1 table local metric 1");
	say(u, "routed", &group);
	until(heard(away, 3, "routed"));
	ck_assert_uint_eq(ear_of(away)->seen[3].told.device, index[1]);
}
END_TEST

START_TEST(interface_names_the_source_of_ipv4)
{
	union udp_address group = address("239.1.1.1", 7000);
	union udp_address any = address("0.0.0.0", 0), source, six;
	struct udp *u = bound_handle(&any, 0), *away;
	unsigned index[3];

	fixture_devices();
	away = listen_away(&group, index);
	source = address("10.1.0.9", 0);
	ck_assert_int_eq(udp_set_multicast_interface(u, fx.r[0], &source), 0);
	say(u, "second address", &group);
	/* A device without an address carries what it is told. */
	ck_assert_int_eq(udp_set_multicast_interface(u, fx.r[2], &source), 0);
	say(u, "no address", &group);
	until(ear_of(away)->n == 2);
	for (int i = 0; i < 2; i++)
		ck_assert(
			same_host(&ear_of(away)->seen[i].told.source, &source));
	six = address("fe80::1", 0);
	ck_assert_int_eq(
		udp_set_multicast_interface(u, fx.r[0], &six), -EINVAL);
	any = address("::", 0);
	u = bound_handle(&any, 0);
	ck_assert_int_eq(
		udp_set_multicast_interface(u, fx.r[0], &six), -EINVAL);
	ck_assert_int_eq(
		udp_set_multicast_interface(u, fx.r[0], &source), -EINVAL);
}
END_TEST

START_TEST(broadcast_needs_to_be_allowed)
{
	union udp_address any = address("0.0.0.0", 7000);
	union udp_address all = address("10.1.0.255", 7000);
	struct udp *u = hearing_handle(&any, 0);
	uv_buf_t buf = uv_buf_init("all", 3);

	fixture_devices();
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &all), -EACCES);
	ck_assert_int_eq(udp_set_broadcast(u, true), 0);
	say(u, "all", &all);
	until(heard(u, 0, "all"));
	ck_assert(same_host(&ear_of(u)->seen[0].told.destination, &all));
	ck_assert_int_eq(udp_set_broadcast(u, false), 0);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &all), -EACCES);
}
END_TEST

/* What the kernel allows to anyone, doubled as it counts. */
static size_t limit(const char *name)
{
	char path[64];
	size_t bytes = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/core/%s", name);
	f = fopen(path, "r");
	if (!f)
		return 0; /* told to the first namespace only, on old kernels */
	ck_assert_int_eq(fscanf(f, "%zu", &bytes), 1);
	(void)fclose(f);
	return 2 * bytes;
}

START_TEST(buffer_sizes_are_set_and_told)
{
	union udp_address a = loopback(families[_i], 0);
	struct udp *u = bound_handle(&a, 0);
	size_t bytes = 0;

	ck_assert_int_eq(udp_set_recv_buffer(u, 20000), 0);
	ck_assert_int_eq(udp_get_recv_buffer(u, &bytes), 0);
	ck_assert_uint_eq(bytes, 40000);
	ck_assert_int_eq(udp_set_send_buffer(u, 30000), 0);
	ck_assert_int_eq(udp_get_send_buffer(u, &bytes), 0);
	ck_assert_uint_eq(bytes, 60000);
	ck_assert_int_eq(udp_set_recv_buffer(u, (size_t)INT_MAX + 1), -EINVAL);
	ck_assert_int_eq(udp_set_send_buffer(u, (size_t)INT_MAX + 1), -EINVAL);
	ck_assert_int_eq(udp_set_recv_buffer(u, INT_MAX), 0);
	ck_assert_int_eq(udp_get_recv_buffer(u, &bytes), 0);
	ck_assert_uint_ge(bytes, INT_MAX - 1);
}
END_TEST

START_TEST(buffer_limits_bind_only_the_unprivileged)
{
	union udp_address a = loopback(families[_i], 0);
	struct udp *u = bound_handle(&a, 0);
	size_t bytes = 0, most = limit("rmem_max");

	ck_assert_int_eq(udp_set_recv_buffer(u, 100 << 20), 0);
	ck_assert_int_eq(udp_get_recv_buffer(u, &bytes), 0);
	ck_assert_uint_eq(bytes, 200 << 20);
	/* Takes the effective capabilities away, too. */
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(udp_set_recv_buffer(u, 100 << 20), 0);
	ck_assert_int_eq(udp_set_send_buffer(u, 100 << 20), 0);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(udp_get_recv_buffer(u, &bytes), 0);
	ck_assert_uint_lt(bytes, 200 << 20);
	if (most > 0)
		ck_assert_uint_eq(bytes, most);
	most = limit("wmem_max");
	ck_assert_int_eq(udp_get_send_buffer(u, &bytes), 0);
	if (most > 0)
		ck_assert_uint_eq(bytes, most);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp options");
	TCase *c = fixture_case(s, "sending");

	tcase_add_test(c, options_need_a_socket);
	tcase_add_loop_test(c, ttl_is_1_to_255, 0, 2);
	tcase_add_loop_test(c, each_ttl_has_its_own_use, 0, 2);
	tcase_add_loop_test(c, loop_is_whether_this_host_hears, 0, 2);
	tcase_add_loop_test(c, interface_is_where_multicast_leaves, 0, 2);
	tcase_add_test(c, interface_names_the_source_of_ipv4);
	tcase_add_test(c, broadcast_needs_to_be_allowed);
	c = fixture_case(s, "buffers");
	tcase_add_loop_test(c, buffer_sizes_are_set_and_told, 0, 2);
	tcase_add_loop_test(c, buffer_limits_bind_only_the_unprivileged, 0, 2);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
