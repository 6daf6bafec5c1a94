/* What only IPv6 has: scopes, flow info, and IPv4 in disguise. */
#include "udp_fixture.h"

#include <errno.h>
#include <linux/in6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(scope_id_is_needed_and_told)
{
	union udp_address a, name;
	struct udp *u = new_handle();

	fixture_devices();
	a = address("fe80::1", 7000);
	ck_assert_int_eq(udp_bind(u, &a, 0), -EINVAL);
	a = address("fe80::1%r1", 7000);
	ck_assert_int_eq(udp_bind(u, &a, 0), 0);
	name = name_of(u);
	ck_assert(same_address(&name, &a));
	ck_assert_uint_eq(name.in6.sin6_scope_id, fx.r[1]);
	/* Another device's same address is another address. */
	a = address("fe80::1%r0", 7000);
	(void)bound_handle(&a, 0);
}
END_TEST

static unsigned tied_to(const struct udp *u)
{
	int index = -1;
	socklen_t size = sizeof(index);

	ck_assert_int_eq(getsockopt(udp_fileno(u), SOL_SOCKET, SO_BINDTOIFINDEX,
				 &index, &size),
		0);
	return (unsigned)index;
}

/* Joins r0 and r1, has both peers speak, and counts who was heard. */
static size_t heard_of_two(struct udp *u)
{
	union udp_address group = address("ff02::fb", 0);
	union udp_address any = address("::", 0);
	struct udp *peer;

	ck_assert_int_eq(
		udp_set_membership(u, &group, fx.r[0], NULL, UDP_JOIN), 0);
	ck_assert_int_eq(
		udp_set_membership(u, &group, fx.r[1], NULL, UDP_JOIN), 0);
	fixture_go_away();
	peer = bound_handle(&any, 0);
	group = address("ff02::fb%p1", 5353);
	say(peer, "r1", &group);
	group = address("ff02::fb%p0", 5353);
	say(peer, "r0", &group);
	fixture_go_home();
	until(ear_of(u)->n > 0 &&
		ear_of(u)->seen[ear_of(u)->n - 1].told.device == fx.r[0]);
	return ear_of(u)->n;
}

START_TEST(any_device_unties_a_link_scope_group)
{
	union udp_address a = address("ff02::fb", 5353), name;
	struct udp *u;
	unsigned flags = UDP_IPV6ONLY | UDP_OWN_GROUPS | UDP_ANY_DEVICE;

	fixture_devices();
	/* A scope that was given does not matter. */
	if (_i == 1)
		a.in6.sin6_scope_id = fx.r[2];
	u = hearing_handle(&a, flags);
	name = name_of(u);
	a.in6.sin6_scope_id = 0;
	ck_assert(same_address(&name, &a));
	ck_assert_uint_eq(tied_to(u), 0);
	ck_assert_uint_eq(heard_of_two(u), 2);
}
END_TEST

START_TEST(without_any_device_the_scope_is_respected)
{
	union udp_address a = address("ff02::fb", 5353), name;
	struct udp *u = new_handle();

	fixture_devices();
	ck_assert_int_eq(udp_bind(u, &a, UDP_IPV6ONLY), -EINVAL);
	a = address("ff02::fb%r0", 5353);
	u = hearing_handle(&a, UDP_IPV6ONLY | UDP_OWN_GROUPS);
	name = name_of(u);
	ck_assert(same_address(&name, &a));
	ck_assert_uint_eq(tied_to(u), fx.r[0]);
	ck_assert_uint_eq(heard_of_two(u), 1);
}
END_TEST

START_TEST(any_device_wants_a_port)
{
	union udp_address a = address("ff02::fb", 0), name;
	struct udp *u = new_handle();

	ck_assert_int_eq(udp_bind(u, &a, UDP_ANY_DEVICE), -EINVAL);
	/* Where nothing has to be untied it does nothing. */
	a = address("ff05::c", 0);
	ck_assert_int_eq(udp_bind(u, &a, UDP_ANY_DEVICE), 0);
	name = name_of(u);
	ck_assert_uint_ne(name.in6.sin6_port, 0);
}
END_TEST

START_TEST(connect_anew_goes_to_another_device)
{
	union udp_address a = address("ff02::fb", 5353), peer;
	struct udp *u, *away[2];

	fixture_devices();
	fixture_go_away();
	for (int i = 0; i < 2; i++) {
		peer = address(i == 0 ? "ff02::fb%p0" : "ff02::fb%p1", 5353);
		away[i] = hearing_handle(&peer, 0);
		ck_assert_int_eq(
			udp_set_membership(away[i], &peer,
				peer.in6.sin6_scope_id, NULL, UDP_JOIN),
			0);
	}
	fixture_go_home();
	u = bound_handle(&a, UDP_SHARE | UDP_ANY_DEVICE);
	for (int i = 0; i < 2; i++) {
		peer = address(i == 0 ? "ff02::fb%r0" : "ff02::fb%r1", 5353);
		ck_assert_int_eq(udp_connect(u, NULL), 0);
		ck_assert_int_eq(udp_connect(u, &peer), 0);
		say(u, i == 0 ? "zero" : "one", NULL);
	}
	until(ear_of(away[0])->n == 1 && ear_of(away[1])->n == 1);
	ck_assert(heard(away[0], 0, "zero"));
	ck_assert(heard(away[1], 0, "one"));
}
END_TEST

START_TEST(flow_info_of_the_bind_is_told_and_sent)
{
	union udp_address a = loopback(AF_INET6, 0), name, to;
	struct udp *u, *ear;
	struct seen *seen;

	set_sysctl("ipv6/auto_flowlabels", "0");
	ear = hearing_handle(&a, 0);
	seen = ear_of(ear)->seen;
	to = name_of(ear);
	a.in6.sin6_flowinfo = htonl(0x12345);
	u = bound_handle(&a, 0);
	name = name_of(u);
	ck_assert_uint_eq(name.in6.sin6_flowinfo, htonl(0x12345));
	say(u, "bound", &to);
	/* The destination's own comes first. */
	to.in6.sin6_flowinfo = htonl(0xabcde);
	say(u, "own", &to);
	ck_assert_uint_eq(udp_send_batch(u,
				  &(struct udp_out){
					  .data = "batch",
					  .size = 5,
					  .destination = &to,
					  .ttl = -1,
				  },
				  1, NULL, NULL),
		1);
	to.in6.sin6_flowinfo = 0;
	ck_assert_int_eq(udp_connect(u, &to), 0);
	say(u, "connected", NULL);
	until(ear_of(ear)->n == 4);
	ck_assert_uint_eq(
		seen[0].told.source.in6.sin6_flowinfo, htonl(0x12345));
	ck_assert_uint_eq(
		seen[1].told.source.in6.sin6_flowinfo, htonl(0xabcde));
	ck_assert_uint_eq(
		seen[2].told.source.in6.sin6_flowinfo, htonl(0xabcde));
	ck_assert_uint_eq(
		seen[3].told.source.in6.sin6_flowinfo, htonl(0x12345));
}
END_TEST

START_TEST(flow_info_of_a_destination_is_sent)
{
	union udp_address a = loopback(AF_INET6, 0), to;
	struct udp *u = new_handle(), *ear;
	struct seen *seen;

	set_sysctl("ipv6/auto_flowlabels", "0");
	ear = hearing_handle(&a, 0);
	seen = ear_of(ear)->seen;
	to = name_of(ear);
	say(u, "none", &to);
	to.in6.sin6_flowinfo = htonl(0x00001);
	say(u, "lowest", &to);
	to.in6.sin6_flowinfo = htonl(0xfffff);
	say(u, "highest", &to);
	to.in6.sin6_flowinfo = 0;
	say(u, "none again", &to);
	until(ear_of(ear)->n == 4);
	ck_assert_uint_eq(seen[0].told.source.in6.sin6_flowinfo, 0);
	ck_assert_uint_eq(seen[1].told.source.in6.sin6_flowinfo, htonl(1));
	ck_assert_uint_eq(
		seen[2].told.source.in6.sin6_flowinfo, htonl(0xfffff));
	ck_assert_uint_eq(seen[3].told.source.in6.sin6_flowinfo, 0);
	ck_assert_uint_eq(name_of(u).in6.sin6_flowinfo, 0);
}
END_TEST

START_TEST(exclusive_label_of_another_forbids_unleased_ones)
{
	union udp_address to = loopback(AF_INET6, 9);
	struct udp *u = new_handle();
	uv_buf_t buf = uv_buf_init("x", 1);
	struct in6_flowlabel_req req = {
		.flr_dst = IN6ADDR_LOOPBACK_INIT,
		.flr_label = htonl(0x42),
		.flr_action = IPV6_FL_A_GET,
		.flr_share = IPV6_FL_S_EXCL,
		.flr_flags = IPV6_FL_F_CREATE,
	};
	int fd = plain_socket(AF_INET6, NULL);

	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &req,
				 sizeof(req)),
		0);
	to.in6.sin6_flowinfo = htonl(0x43);
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), -EINVAL);
	to.in6.sin6_flowinfo = 0;
	ck_assert_int_eq(udp_try_send(u, &buf, 1, &to), 1);
	(void)close(fd);
}
END_TEST

START_TEST(ipv6_only_leaves_the_port_to_ipv4)
{
	union udp_address six = address("::", 7000);
	union udp_address four = address("0.0.0.0", 7000);
	struct udp *u = bound_handle(&six, UDP_IPV6ONLY), *v = new_handle();

	ck_assert_int_eq(udp_bind(v, &four, 0), 0);
	udp_close(u, NULL);
	udp_close(v, NULL);
	/* Without the flag IPv4 belongs to it, whatever bindv6only says. */
	set_sysctl("ipv6/bindv6only", "1");
	(void)bound_handle(&six, 0);
	v = new_handle();
	ck_assert_int_eq(udp_bind(v, &four, 0), -EADDRINUSE);
}
END_TEST

START_TEST(ipv4_is_heard_and_answered_through_ipv6)
{
	union udp_address six = address("::", 7000), four, to;
	union udp_address local = address("127.0.0.1", 0);
	struct udp *u = hearing_handle(&six, 0);
	struct udp *peer = hearing_handle(&local, 0);
	struct udp_datagram *d = &ear_of(u)->seen[0].told;
	struct udp_out out = { .data = "four", .size = 4, .ttl = 7 };

	four = address("127.0.0.1", 7000);
	ck_assert_int_eq(udp_set_ttl(peer, 5), 0);
	say(peer, "mapped", &four);
	until(heard(u, 0, "mapped"));
	to = address("::ffff:127.0.0.1", 0);
	ck_assert(same_host(&d->source, &to));
	ck_assert(same_host(&d->destination, &to));
	ck_assert_uint_eq(d->device, 1);
	ck_assert_int_eq(d->ttl, 5);

	/* The source that it came with, and both sorts of destination. */
	say(u, "mapped", &d->source);
	local = address("127.0.0.2", 0);
	to = name_of(peer);
	out.source = &local;
	out.destination = &to;
	ck_assert_uint_eq(udp_send_batch(u, &out, 1, NULL, NULL), 1);
	out.destination = &d->source;
	ck_assert_uint_eq(udp_send_batch(u, &out, 1, NULL, NULL), 1);
	until(ear_of(peer)->n == 3);
	ck_assert(heard(peer, 0, "mapped"));
	for (int i = 1; i < 3; i++) {
		d = &ear_of(peer)->seen[i].told;
		ck_assert(same_host(&d->source, &local));
		ck_assert_int_eq(d->ttl, 7);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp over IPv6");
	TCase *c = fixture_case(s, "scope");

	tcase_add_test(c, scope_id_is_needed_and_told);
	tcase_add_loop_test(c, any_device_unties_a_link_scope_group, 0, 2);
	tcase_add_test(c, without_any_device_the_scope_is_respected);
	tcase_add_test(c, any_device_wants_a_port);
	tcase_add_test(c, connect_anew_goes_to_another_device);
	c = fixture_case(s, "flow info");
	tcase_add_test(c, flow_info_of_the_bind_is_told_and_sent);
	tcase_add_test(c, flow_info_of_a_destination_is_sent);
	tcase_add_test(c, exclusive_label_of_another_forbids_unleased_ones);
	c = fixture_case(s, "IPv4");
	tcase_add_test(c, ipv6_only_leaves_the_port_to_ipv4);
	tcase_add_test(c, ipv4_is_heard_and_answered_through_ipv6);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
