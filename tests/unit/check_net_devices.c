/* The kernel's own devices, as events tell of them. */
#include "net_message.h"
#include "net_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(is_complete_when_new_returns)
{
	ip("link set lo up");
	ip("link add d0 mtu 1400 type bridge");
	ip("addr add 192.0.2.1/24 dev d0");
	start(&w);
	ck_assert_ptr_nonnull(named("d0"));
	ck_assert_str_eq(named("d0")->kind, "bridge");
	ck_assert_uint_eq(named("d0")->mtu, 1400);
	ck_assert(!net_device_is_up(named("d0")));
	ck_assert(net_device_is_up(named("lo")));
	ck_assert_uint_eq(named("lo")->flags & IFF_LOOPBACK, IFF_LOOPBACK);
	ck_assert_uint_eq(named("d0")->index, if_nametoindex("d0"));
	ck_assert_ptr_eq(net_devices_by_index(w.devices, named("d0")->index),
		named("d0"));
	ck_assert_ptr_null(net_devices_by_index(w.devices, 4711));
	ck_assert_ptr_null(named("d1"));
	ck_assert(has_own("192.0.2.1"));
	settle();
	ck_assert_int_eq(w.n_changed, 0);
	ck_assert_int_eq(w.n_problems, 0);
}
END_TEST

START_TEST(a_device_appears_and_disappears)
{
	start(&w);
	ip("link add d0 type bridge");
	ip("addr add 192.0.2.1/24 dev d0");
	settle();
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_ptr_nonnull(named("d0"));
	ck_assert(has_own("192.0.2.1"));
	ip("link del d0");
	settle();
	ck_assert_int_eq(w.n_changed, 2);
	ck_assert_ptr_null(named("d0"));
	ck_assert(!has_own("192.0.2.1"));
}
END_TEST

START_TEST(lists_by_ascending_index)
{
	const struct net_device *d = NULL;
	unsigned last = 0;

	ip("link add d9 index 900 type bridge");
	start(&w);
	ip("link add d3 index 300 type bridge");
	ip("link add d5 index 500 type bridge");
	settle();
	while ((d = net_devices_next(w.devices, d)) != NULL) {
		ck_assert_uint_gt(d->index, last);
		last = d->index;
	}
	ck_assert_uint_eq(last, 900);
}
END_TEST

START_TEST(a_rename_is_the_same_device)
{
	uint64_t incarnation;

	ip("link add d0 type bridge");
	start(&w);
	incarnation = named("d0")->incarnation4;
	ip("link set d0 name d1");
	settle();
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_ptr_null(named("d0"));
	ck_assert_uint_eq(named("d1")->incarnation4, incarnation);
}
END_TEST

/* kernel-facts 0.K: the bridge says RTM_DELLINK when a port leaves it. */
START_TEST(leaving_a_bridge_is_not_the_end)
{
	uint64_t incarnation;

	ip("link add d0 type veth peer name d1");
	ip("link add br0 type bridge");
	start(&w);
	incarnation = named("d0")->incarnation4;
	ip("link set d0 master br0");
	settle();
	ck_assert(named("d0")->is_port);
	ck_assert_uint_eq(named("d0")->master, named("br0")->index);
	ck_assert(!named("br0")->is_port);
	ck_assert_str_eq(named("br0")->kind, "bridge");
	ip("link set d0 nomaster");
	settle();
	ck_assert_ptr_nonnull(named("d0"));
	ck_assert(!named("d0")->is_port);
	ck_assert_uint_eq(named("d0")->master, 0);
	ck_assert_uint_eq(named("d0")->incarnation4, incarnation);
}
END_TEST

START_TEST(a_macvlan_has_a_kind_and_no_master)
{
	ip("link add d0 type bridge");
	start(&w);
	ip("link add m0 link d0 type macvlan mode bridge");
	settle();
	ck_assert_str_eq(named("m0")->kind, "macvlan");
	ck_assert_uint_eq(named("m0")->master, 0);
	ck_assert(!named("m0")->is_port);
	ck_assert(!named("d0")->is_port);
}
END_TEST

START_TEST(up_follows_the_carrier)
{
	ip("link add v0 type veth peer name v1");
	start(&w);
	ip("link set v0 up");
	settle();
	ck_assert(!net_device_is_up(named("v0")));
	ip("link set v1 up");
	wait_until(
		net_device_is_up(named("v0")) && net_device_is_up(named("v1")));
	ip("link set v1 down");
	wait_until(!net_device_is_up(named("v0")));
	ck_assert((named("v0")->flags & IFF_UP) != 0);
	ck_assert((named("v1")->flags & IFF_UP) == 0);
}
END_TEST

START_TEST(ipv4_addresses_come_and_go)
{
	struct net_address peer = address("10.9.0.2");

	ip("link add d0 type bridge");
	start(&w);
	ip("addr add 10.1.0.1/24 brd + dev d0");
	ip("addr add 10.2.0.1/24 dev d0");
	ip("addr add 10.3.0.1/24 brd 10.3.0.77 dev d0");
	ip("addr add 10.4.0.0/31 dev d0");
	ip("addr add 10.5.0.1/32 dev d0");
	ip("addr add 10.6.0.1 peer 10.9.0.2/32 dev d0");
	settle();
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_uint_eq(named("d0")->n_addresses, 6);
	ck_assert_str_eq(broadcast_of("d0", "10.1.0.1"), "10.1.0.255");
	ck_assert_str_eq(broadcast_of("d0", "10.2.0.1"), "10.2.0.255");
	ck_assert_str_eq(broadcast_of("d0", "10.3.0.1"), "10.3.0.77");
	ck_assert_str_eq(broadcast_of("d0", "10.4.0.0"), "");
	ck_assert_str_eq(broadcast_of("d0", "10.5.0.1"), "");
	ck_assert_str_eq(broadcast_of("d0", "10.6.0.1"), "");
	ck_assert(has_own("10.6.0.1"));
	ck_assert(!has_own("10.9.0.2"));
	ck_assert(net_device_is_on_link(named("d0"), &peer));
	ip("addr del 10.6.0.1 peer 10.9.0.2/32 dev d0");
	ip("addr del 10.2.0.1/24 dev d0");
	settle();
	ck_assert_int_eq(w.n_changed, 2);
	ck_assert_uint_eq(named("d0")->n_addresses, 4);
	ck_assert(!has_own("10.6.0.1"));
	ck_assert(!has_own("10.2.0.1"));
	ck_assert(!net_device_is_on_link(named("d0"), &peer));
}
END_TEST

START_TEST(ipv6_is_usable_after_duplicate_detection)
{
	const struct net_device *d;

	ip("link add v0 type veth peer name v1");
	ip("link set v1 up");
	ip("link set v0 up");
	ip("addr add 2001:db8::1/64 dev v0");
	start(&w);
	d = named("v0");
	ck_assert_ptr_nonnull(having(d, "2001:db8::1"));
	ck_assert(!having(d, "2001:db8::1")->usable);
	ck_assert_ptr_null(net_device_source(d, AF_INET6, false));
	wait_until(net_device_source(d, AF_INET6, false) != NULL &&
		   net_device_source(d, AF_INET6, true) != NULL);
	ck_assert(net_address_is_link_local(
		&net_device_source(d, AF_INET6, true)->local.address));
	ck_assert_uint_eq(
		net_device_source(d, AF_INET6, true)->local.address.scope,
		d->index);
	ck_assert(has_own("2001:db8::1"));
	ip("link set v0 down");
	wait_until(net_device_source(d, AF_INET6, false) == NULL);
	ck_assert(!has_own("2001:db8::1"));
}
END_TEST

START_TEST(a_duplicate_address_is_not_ours)
{
	const struct net_device *d;

	ip("link add v0 type veth peer name v1");
	ip("link set v1 up");
	ip("link set v0 up");
	ip("addr add 2001:db8::1/64 dev v1 nodad");
	start(&w);
	d = named("v0");
	ip("addr add 2001:db8::1/64 dev v0");
	wait_until(having(d, "2001:db8::1") != NULL &&
		   having(d, "2001:db8::1")->duplicate);
	ck_assert(!having(d, "2001:db8::1")->usable);
	ck_assert(has_own("2001:db8::1"));
	ip("addr del 2001:db8::1/64 dev v1");
	settle();
	ck_assert(!has_own("2001:db8::1"));
}
END_TEST

/* kernel-facts 5.2. */
START_TEST(an_mtu_below_1280_and_back_is_a_new_incarnation_of_ipv6)
{
	uint64_t old4, old6;

	ip("link add d0 type bridge");
	ip("link set d0 up");
	start(&w);
	old4 = named("d0")->incarnation4;
	old6 = named("d0")->incarnation6;
	ip("link set d0 mtu 1279");
	settle();
	ck_assert_uint_eq(named("d0")->incarnation6, old6);
	ip("link set d0 mtu 1280");
	settle();
	ck_assert_uint_ne(named("d0")->incarnation6, old6);
	ck_assert_uint_eq(named("d0")->incarnation4, old4);
	old6 = named("d0")->incarnation6;
	/* In one batch too. */
	ip("link set d0 mtu 1000");
	ip("link set d0 mtu 1500");
	settle();
	ck_assert_int_eq(w.n_changed, 3);
	ck_assert_uint_ne(named("d0")->incarnation6, old6);
	ck_assert_uint_eq(named("d0")->incarnation4, old4);
}
END_TEST

START_TEST(the_same_index_made_anew_in_one_batch_is_noticed)
{
	const struct net_device *before;
	uint64_t old4, old6;

	ip("link add d0 index 50 address 02:00:00:00:00:01 type bridge");
	start(&w);
	before = named("d0");
	old4 = before->incarnation4;
	old6 = before->incarnation6;
	ip("link del d0");
	ip("link add d0 index 50 address 02:00:00:00:00:01 type bridge");
	settle();
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_uint_eq(named("d0")->index, 50);
	ck_assert_uint_ne(named("d0")->incarnation4, old4);
	ck_assert_uint_ne(named("d0")->incarnation6, old6);
}
END_TEST

START_TEST(a_move_to_another_namespace_is_the_end)
{
	int channel[2];
	char byte;
	pid_t child;

	ip("link add d0 type veth peer name d1");
	start(&w);
	ck_assert_int_eq(pipe2(channel, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNET) == 0 && write(channel[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(read(channel[0], &byte, 1), 1);
	ip("link set d0 netns %d", (int)child);
	wait_until(named("d0") == NULL);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	(void)close(channel[0]);
	(void)close(channel[1]);
}
END_TEST

START_TEST(a_batch_is_told_once)
{
	ip("link add d0 type bridge");
	start(&w);
	flood("d0", 60);
	settle();
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_int_eq(w.n_problems, 0);
	ck_assert_uint_eq(named("d0")->n_addresses, 60);
}
END_TEST

START_TEST(what_changes_nothing_is_not_told)
{
	ip("link add d0 type bridge");
	ip("addr add 192.0.2.1/24 dev d0");
	start(&w);
	ip("link set d0 txqueuelen 77");
	ip("link set d0 alias nothing");
	ip("addr change 192.0.2.1/24 dev d0 metric 7");
	/* Something to read there was. */
	ck_assert_int_gt(recv(net_devices_fileno(w.devices), NULL, 0,
				 MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT),
		0);
	settle();
	ck_assert_int_eq(recv(net_devices_fileno(w.devices), NULL, 0,
				 MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT),
		-1);
	ck_assert_int_eq(w.n_changed, 0);
}
END_TEST

START_TEST(a_long_queue_takes_more_than_one_wake_up)
{
	ip("link add d0 type bridge");
	start(&w);
	set_buffer(8 << 20);
	flood("d0", 2000);
	settle();
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_uint_lt(named("d0")->n_addresses, 2000);
	wait_until(named("d0")->n_addresses == 2000);
	ck_assert_int_eq(w.n_changed, 2);
	ck_assert_int_eq(w.n_problems, 0);
}
END_TEST

START_TEST(only_the_kernel_is_believed)
{
	struct sockaddr_nl to;
	socklen_t size = sizeof(to);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	start(&w);
	ck_assert_int_eq(getsockname(net_devices_fileno(w.devices),
				 (struct sockaddr *)&to, &size),
		0);
	to.nl_groups = 0;
	put_whole_link();
	ck_assert_int_eq(sendto(fd, message, message->nlmsg_len, 0,
				 (struct sockaddr *)&to, sizeof(to)),
		(int)message->nlmsg_len);
	settle();
	ck_assert_ptr_null(net_devices_by_index(w.devices, 5));
	ck_assert_int_eq(w.n_changed, 0);
	ck_assert_int_eq(w.n_problems, 0);
	(void)close(fd);
}
END_TEST

START_TEST(nothing_runs_at_rest)
{
	start(&w);
	ip("link add d0 type bridge");
	settle();
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_int_eq(uv_backend_timeout(&loop), -1);
}
END_TEST

START_TEST(two_tables_live_in_one_process)
{
	struct watch other;

	start(&w);
	start(&other);
	ip("link add d0 type bridge");
	wait_until(w.n_changed > 0 && other.n_changed > 0);
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_int_eq(other.n_changed, 1);
	ck_assert_ptr_ne(named("d0"), net_devices_by_name(other.devices, "d0"));
	net_devices_close(other.devices);
	ip("link del d0");
	wait_until(named("d0") == NULL);
	ck_assert_int_eq(other.n_changed, 1);
}
END_TEST

START_TEST(close_from_inside_changed_is_safe)
{
	start(&w);
	w.closes = true;
	ip("link add d0 type bridge");
	ip("link del d0");
	wait_until(w.n_changed > 0);
	w.devices = NULL;
	ip("link add d1 type bridge");
	settle();
	ck_assert_int_eq(w.n_changed, 1);
}
END_TEST

START_TEST(close_tells_nothing_more)
{
	start(&w);
	ip("link add d0 type bridge");
	ck_assert_int_eq(net_devices_refresh(w.devices), 0);
	net_devices_close(w.devices);
	net_devices_close(w.devices);
	net_devices_close(NULL);
	w.devices = NULL;
	settle();
	ck_assert_int_eq(w.n_changed, 0);
}
END_TEST

static TCase *following(void)
{
	TCase *tc = tcase_create("following");

	tcase_add_checked_fixture(tc, watch_set_up, watch_tear_down);
	tcase_set_timeout(tc, 2 * DEADLINE_MS / 1000);
	tcase_add_test(tc, is_complete_when_new_returns);
	tcase_add_test(tc, a_device_appears_and_disappears);
	tcase_add_test(tc, lists_by_ascending_index);
	tcase_add_test(tc, a_rename_is_the_same_device);
	tcase_add_test(tc, leaving_a_bridge_is_not_the_end);
	tcase_add_test(tc, a_macvlan_has_a_kind_and_no_master);
	tcase_add_test(tc, up_follows_the_carrier);
	tcase_add_test(tc, ipv4_addresses_come_and_go);
	tcase_add_test(tc, ipv6_is_usable_after_duplicate_detection);
	tcase_add_test(tc, a_duplicate_address_is_not_ours);
	tcase_add_test(
		tc, an_mtu_below_1280_and_back_is_a_new_incarnation_of_ipv6);
	tcase_add_test(tc, the_same_index_made_anew_in_one_batch_is_noticed);
	tcase_add_test(tc, a_move_to_another_namespace_is_the_end);
	return tc;
}

static TCase *telling(void)
{
	TCase *tc = tcase_create("telling");

	tcase_add_checked_fixture(tc, watch_set_up, watch_tear_down);
	tcase_set_timeout(tc, 2 * DEADLINE_MS / 1000);
	tcase_add_test(tc, a_batch_is_told_once);
	tcase_add_test(tc, what_changes_nothing_is_not_told);
	tcase_add_test(tc, a_long_queue_takes_more_than_one_wake_up);
	tcase_add_test(tc, only_the_kernel_is_believed);
	tcase_add_test(tc, nothing_runs_at_rest);
	tcase_add_test(tc, two_tables_live_in_one_process);
	tcase_add_test(tc, close_from_inside_changed_is_safe);
	tcase_add_test(tc, close_tells_nothing_more);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("net_devices");

	suite_add_tcase(suite, following());
	suite_add_tcase(suite, telling());
	return run(suite);
}
