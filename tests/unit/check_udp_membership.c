/* Who joins what, where, and what is heard of it then. */
#include "udp_fixture.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* By `_i`, a family: its group, the peers' sources on p0, and others. */
static const struct {
	const char *any, *group, *first, *second, *third, *no_group;
	int sources_max;
} with[2] = {
	{ "0.0.0.0", "239.1.1.1", "10.1.0.2", "10.1.0.3", "10.1.0.4",
		"10.1.0.1", 10 },
	{ "::", "ff05::77", "2001:db8:1::2", "2001:db8:1::3", "2001:db8:1::4",
		"fe80::1", 64 },
};

static union udp_address group, first, second, third;
static struct udp *u, *away;

static void setup(int i)
{
	union udp_address any = address(with[i].any, 7000);

	fixture_devices();
	fixture_go_away();
	sh("ip addr add 10.1.0.3/24 dev p0 && "
	   "ip addr add 10.1.0.4/24 dev p0 && "
	   "ip addr add 2001:db8:1::3/64 dev p0 nodad && "
	   "ip addr add 2001:db8:1::4/64 dev p0 nodad");
	away = bound_handle(&any, 0);
	fixture_go_home();
	u = hearing_handle(&any, UDP_OWN_GROUPS | UDP_IPV6ONLY * (unsigned)i);
	group = address(with[i].group, 0);
	first = address(with[i].first, 0);
	second = address(with[i].second, 0);
	third = address(with[i].third, 0);
}

static int join(unsigned device, const union udp_address *source)
{
	return udp_set_membership(u, &group, device, source, UDP_JOIN);
}

static int leave(unsigned device, const union udp_address *source)
{
	return udp_set_membership(u, &group, device, source, UDP_LEAVE);
}

/* A peer says it to the group on p`device`, from `source`. */
static void speak(
	const char *text, unsigned device, const union udp_address *source)
{
	union udp_address to = group;
	struct udp_out out = {
		.data = text,
		.size = strlen(text),
		.destination = &to,
		.source = source,
		.ttl = -1,
	};

	to.in.sin_port = htons(7000);
	fixture_go_away();
	out.device =
		if_nametoindex((const char *[]){ "p0", "p1", "p2" }[device]);
	fixture_go_home();
	ck_assert_uint_eq(udp_send_batch(away, &out, 1, NULL, NULL), 1);
}

/* What was said before on the same device has arrived when this has. */
static void speak_unicast(const char *text)
{
	union udp_address to = address(
		group.sa.sa_family == AF_INET ? "10.1.0.1" : "2001:db8:1::1",
		7000);

	say(away, text, &to);
	until(ear_of(u)->n > 0 && heard(u, ear_of(u)->n - 1, text));
}

START_TEST(hears_while_joined_and_on_that_device)
{
	setup(_i);
	speak("before", 0, NULL);
	ck_assert_int_eq(join(fx.r[0], NULL), 0);
	speak("joined", 0, NULL);
	ck_assert_int_eq(leave(fx.r[0], NULL), 0);
	speak("after", 0, NULL);
	speak_unicast("end");
	ck_assert_uint_eq(ear_of(u)->n, 2);
	ck_assert(heard(u, 0, "joined"));
	ck_assert_uint_eq(ear_of(u)->seen[0].told.device, fx.r[0]);
}
END_TEST

START_TEST(joins_a_device_without_ipv4_address)
{
	setup(_i);
	ck_assert_int_eq(join(fx.r[2], NULL), 0);
	speak("addressless", 2, NULL);
	until(heard(u, 0, "addressless"));
	ck_assert_uint_eq(ear_of(u)->seen[0].told.device, fx.r[2]);
	ck_assert_int_eq(leave(fx.r[2], NULL), 0);
	/* And with a source. */
	third = address(_i ? "2001:db8:3::2" : "10.3.0.2", 0);
	ck_assert_int_eq(join(fx.r[2], &third), 0);
	speak("by source", 2, &third);
	until(heard(u, 1, "by source"));
	ck_assert_int_eq(leave(fx.r[2], &third), 0);
}
END_TEST

START_TEST(kernel_chooses_the_device_where_none_is_given)
{
	setup(_i);
	sh("ip route add 239.0.0.0/8 dev r0 && "
	   "ip -6 route add ff05::/16 dev r0 table local metric 1");
	ck_assert_int_eq(join(0, NULL), 0);
	ck_assert_int_eq(join(0, NULL), -EADDRINUSE);
	ck_assert_int_eq(join(0, &first), -EADDRINUSE);
	ck_assert_int_eq(leave(0, &first), -EADDRNOTAVAIL);
	speak("chosen", 0, NULL);
	until(heard(u, 0, "chosen"));
	ck_assert_int_eq(leave(0, NULL), 0);
	ck_assert_int_eq(join(0, &first), 0);
	ck_assert_int_eq(join(0, &first), -EADDRINUSE);
	ck_assert_int_eq(join(0, NULL), -EADDRINUSE);
	speak("no", 0, &second);
	speak("yes", 0, &first);
	until(heard(u, 1, "yes"));
	ck_assert_int_eq(leave(0, &first), 0);
	ck_assert_int_eq(leave(0, &first), -EADDRNOTAVAIL);
}
END_TEST

START_TEST(joining_twice_is_in_use)
{
	setup(_i);
	ck_assert_int_eq(join(fx.r[0], NULL), 0);
	ck_assert_int_eq(join(fx.r[0], NULL), -EADDRINUSE);
	/* Elsewhere it is another membership. */
	ck_assert_int_eq(join(fx.r[1], NULL), 0);
	ck_assert_int_eq(leave(fx.r[0], NULL), 0);
	ck_assert_int_eq(join(fx.r[0], NULL), 0);
}
END_TEST

START_TEST(leaving_what_is_not_joined_is_not_available)
{
	setup(_i);
	ck_assert_int_eq(leave(fx.r[0], NULL), -EADDRNOTAVAIL);
	ck_assert_int_eq(leave(fx.r[0], &first), -EADDRNOTAVAIL);
	ck_assert_int_eq(join(fx.r[1], NULL), 0);
	ck_assert_int_eq(leave(fx.r[0], NULL), -EADDRNOTAVAIL);
	ck_assert_int_eq(leave(fx.r[0], &first), -EADDRNOTAVAIL);
	ck_assert_int_eq(leave(fx.r[1], NULL), 0);
	ck_assert_int_eq(leave(fx.r[1], NULL), -EADDRNOTAVAIL);
}
END_TEST

START_TEST(refuses_what_makes_no_sense)
{
	struct udp *none = new_handle();

	setup(_i);
	ck_assert_int_eq(
		udp_set_membership(none, &group, fx.r[0], NULL, UDP_JOIN),
		-EBADF);
	ck_assert_int_eq(join(4711, NULL), -ENODEV);
	ck_assert_int_eq(join(4711, &first), -ENODEV);
	third = address(with[1 - _i].first, 0);
	ck_assert_int_eq(join(fx.r[0], &third), -EINVAL);
	ck_assert_int_eq(leave(fx.r[0], &third), -EINVAL);
	group = address(with[_i].no_group, 0);
	ck_assert_int_eq(join(fx.r[0], NULL), -EINVAL);
	ck_assert_int_eq(join(fx.r[0], &first), -EINVAL);
	ck_assert_int_eq(leave(fx.r[0], NULL), -EINVAL);
	group.sa.sa_family = AF_UNIX;
	ck_assert_int_eq(join(fx.r[0], NULL), -EINVAL);
}
END_TEST

START_TEST(source_is_heard_and_no_other)
{
	setup(_i);
	ck_assert_int_eq(join(fx.r[0], &first), 0);
	ck_assert_int_eq(join(fx.r[0], &second), 0);
	speak("third", 0, &third);
	speak("second", 0, &second);
	speak("first", 0, &first);
	speak_unicast("end");
	ck_assert_uint_eq(ear_of(u)->n, 3);
	ck_assert(heard(u, 0, "second"));
	ck_assert(heard(u, 1, "first"));
	ck_assert_int_eq(leave(fx.r[0], &second), 0);
	speak("second", 0, &second);
	speak("first", 0, &first);
	speak_unicast("end again");
	ck_assert_uint_eq(ear_of(u)->n, 5);
	ck_assert(heard(u, 3, "first"));
}
END_TEST

START_TEST(same_source_twice_is_in_use)
{
	setup(_i);
	ck_assert_int_eq(join(fx.r[0], &first), 0);
	ck_assert_int_eq(join(fx.r[0], &first), -EADDRINUSE);
	ck_assert_int_eq(join(fx.r[0], NULL), -EADDRINUSE);
	ck_assert_int_eq(leave(fx.r[0], &second), -EADDRNOTAVAIL);
	ck_assert_int_eq(leave(fx.r[0], &first), 0);
	ck_assert_int_eq(leave(fx.r[0], &first), -EADDRNOTAVAIL);
	/* With the last source the group has gone, too. */
	ck_assert_int_eq(leave(fx.r[0], NULL), -EADDRNOTAVAIL);
	ck_assert_int_eq(join(fx.r[0], NULL), 0);
}
END_TEST

/* The kernel narrows it to one source, or to none at all, without a word. */
START_TEST(membership_for_any_source_stays_one)
{
	setup(_i);
	ck_assert_int_eq(join(fx.r[0], NULL), 0);
	ck_assert_int_eq(join(fx.r[0], &first), -EADDRINUSE);
	speak("joined", 0, &second);
	until(heard(u, 0, "joined"));
	ck_assert_int_eq(leave(fx.r[0], &first), -EADDRNOTAVAIL);
	speak("left", 0, &first);
	until(heard(u, 1, "left"));
	ck_assert_int_eq(leave(fx.r[0], NULL), 0);
}
END_TEST

START_TEST(leaving_without_a_source_leaves_all)
{
	setup(_i);
	ck_assert_int_eq(join(fx.r[0], &first), 0);
	ck_assert_int_eq(join(fx.r[0], &second), 0);
	ck_assert_int_eq(leave(fx.r[0], NULL), 0);
	ck_assert_int_eq(leave(fx.r[0], &first), -EADDRNOTAVAIL);
	ck_assert_int_eq(join(fx.r[0], &first), 0);
}
END_TEST

START_TEST(sources_have_a_bound)
{
	union udp_address source;
	char text[64];

	setup(_i);
	for (int i = 0; i <= with[_i].sources_max; i++) {
		(void)snprintf(text, sizeof(text),
			_i ? "2001:db8:9::%d" : "10.9.0.%d", i + 1);
		source = address(text, 0);
		ck_assert_int_eq(join(fx.r[0], &source),
			i < with[_i].sources_max ? 0 : -ENOBUFS);
	}
	/* What was refused is not joined; the others are. */
	ck_assert_int_eq(leave(fx.r[0], &source), -EADDRNOTAVAIL);
	source = address(_i ? "2001:db8:9::1" : "10.9.0.1", 0);
	ck_assert_int_eq(leave(fx.r[0], &source), 0);
	ck_assert_int_eq(join(fx.r[0], &first), 0);
}
END_TEST

START_TEST(twenty_first_ipv4_membership_is_refused)
{
	char text[64];

	setup(0);
	for (unsigned i = 0; i <= 20; i++) {
		(void)snprintf(text, sizeof(text), "239.2.2.%u", i);
		group = address(text, 0);
		ck_assert_int_eq(
			join(fx.r[i % 3], NULL), i < 20 ? 0 : -ENOBUFS);
	}
	group = address("239.2.2.0", 0);
	ck_assert_int_eq(leave(fx.r[0], NULL), 0);
	group = address("239.2.2.20", 0);
	ck_assert_int_eq(join(fx.r[0], NULL), 0);
}
END_TEST

/* Whatever was joined there goes, and no longer counts toward the 20. */
START_TEST(leaves_a_device_that_is_gone)
{
	bool by_source = _i / 2;
	unsigned rounds = families[_i % 2] == AF_INET ? 22 : 3;

	setup(_i % 2);
	for (unsigned i = 0; i < rounds; i++) {
		unsigned index = 1000 + i % 2;

		sh("ip link add x0 index %u type veth peer name x1 && "
		   "ip link set x0 up",
			index);
		ck_assert_int_eq(join(index, by_source ? &first : NULL), 0);
		if (by_source)
			ck_assert_int_eq(join(index, &second), 0);
		sh("ip link del x0");
		ck_assert_int_eq(leave(index, by_source ? &first : NULL), 0);
		ck_assert_int_eq(leave(index, by_source ? &second : NULL),
			-EADDRNOTAVAIL);
	}
}
END_TEST

/* The same index comes back before anyone has left. */
START_TEST(device_made_again_is_left_and_joined)
{
	bool by_source = _i / 2;
	const union udp_address *source = by_source ? &first : NULL;

	setup(_i % 2);
	sh("ip link add x0 index 1000 type veth peer name x1 && ip link set x0 up");
	ck_assert_int_eq(join(1000, source), 0);
	sh("ip link del x0 && "
	   "ip link add x0 index 1000 type veth peer name x1 && ip link set x0 up");
	ck_assert_int_eq(join(1000, source), -EADDRINUSE);
	ck_assert_int_eq(leave(1000, source), 0);
	ck_assert_int_eq(join(1000, source), 0);
	ck_assert_int_eq(join(1000, source), -EADDRINUSE);
}
END_TEST

START_TEST(own_groups_are_the_handles_own)
{
	union udp_address any = address(with[_i].any, 7000);
	struct udp *member, *all;
	unsigned flags = UDP_SHARE | UDP_IPV6ONLY * (unsigned)_i;

	setup(_i);
	udp_close(u, NULL);
	all = hearing_handle(&any, flags);
	u = hearing_handle(&any, flags | UDP_OWN_GROUPS);
	member = hearing_handle(&any, flags | UDP_OWN_GROUPS);
	ck_assert_int_eq(
		udp_set_membership(member, &group, fx.r[0], NULL, UDP_JOIN), 0);
	speak("x", 0, NULL);
	until(ear_of(member)->n == 1 && ear_of(all)->n == 1);
	ck_assert_uint_eq(ear_of(u)->n, 0);
	ck_assert_int_eq(join(fx.r[0], NULL), 0);
	speak("y", 0, NULL);
	until(heard(u, 0, "y"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("udp memberships");
	TCase *c = fixture_case(s, "any source");

	tcase_add_loop_test(c, hears_while_joined_and_on_that_device, 0, 2);
	tcase_add_loop_test(c, joins_a_device_without_ipv4_address, 0, 2);
	tcase_add_loop_test(
		c, kernel_chooses_the_device_where_none_is_given, 0, 2);
	tcase_add_loop_test(c, joining_twice_is_in_use, 0, 2);
	tcase_add_loop_test(
		c, leaving_what_is_not_joined_is_not_available, 0, 2);
	tcase_add_loop_test(c, refuses_what_makes_no_sense, 0, 2);
	tcase_add_test(c, twenty_first_ipv4_membership_is_refused);
	tcase_add_loop_test(c, own_groups_are_the_handles_own, 0, 2);
	c = fixture_case(s, "given sources");
	tcase_add_loop_test(c, source_is_heard_and_no_other, 0, 2);
	tcase_add_loop_test(c, same_source_twice_is_in_use, 0, 2);
	tcase_add_loop_test(c, membership_for_any_source_stays_one, 0, 2);
	tcase_add_loop_test(c, leaving_without_a_source_leaves_all, 0, 2);
	tcase_add_loop_test(c, sources_have_a_bound, 0, 2);
	c = fixture_case(s, "device gone");
	tcase_add_loop_test(c, leaves_a_device_that_is_gone, 0, 4);
	tcase_add_loop_test(c, device_made_again_is_left_and_joined, 0, 4);
	return s;
}

int main(void)
{
	return fixture_main(make_suite());
}
