/* The table of devices, without a kernel. */
#include "net_message.h"

START_TEST(says_changed_only_if_something_did)
{
	put_whole_link();
	apply_good();
	put_whole_address("192.0.2.1");
	apply_good();
	ck_assert(take_changed());
	put_whole_link();
	apply_good();
	put_whole_address("192.0.2.1");
	apply_good();
	remove_address(5, "192.0.2.2", 24);
	remove_link(6);
	(void)put_link(RTM_NEWNEIGH, 6);
	apply_good();
	ck_assert(!take_changed());
	put_whole_address("192.0.2.1");
	mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_DEPRECATED);
	apply_good();
	ck_assert(take_changed());
}
END_TEST

START_TEST(a_device_made_anew_has_new_incarnations)
{
	uint64_t old4, old6;

	add_link(5, "a", 1500);
	add_address(5, "192.0.2.1", 24);
	old4 = device(5)->incarnation4;
	old6 = device(5)->incarnation6;
	remove_link(5);
	add_link(5, "a", 1500);
	ck_assert_uint_ne(device(5)->incarnation4, old4);
	ck_assert_uint_ne(device(5)->incarnation6, old6);
	ck_assert_uint_eq(device(5)->n_addresses, 0);
	ck_assert(!is_own("192.0.2.1"));
}
END_TEST

START_TEST(only_crossing_1280_upward_loses_ipv6_memberships)
{
	static const struct {
		uint32_t mtu;
		bool lost;
	} steps[] = {
		{ 1280, false },
		{ 1279, false },
		{ 1000, false },
		{ 1279, false },
		{ 1280, true },
		{ 9000, false },
		{ 1279, false },
		{ 1500, true },
	};

	add_link(5, "a", 1500);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct net_device old = *device(5);

		add_link(5, "a", steps[i].mtu);
		ck_assert_uint_eq(device(5)->incarnation4, old.incarnation4);
		ck_assert((device(5)->incarnation6 != old.incarnation6) ==
			  steps[i].lost);
	}
}
END_TEST

START_TEST(a_rename_keeps_everything)
{
	struct net_device old;

	add_link(5, "a", 1500);
	add_address(5, "192.0.2.1", 24);
	old = *device(5);
	add_link(5, "b", 1500);
	ck_assert_str_eq(device(5)->name, "b");
	ck_assert_uint_eq(device(5)->incarnation4, old.incarnation4);
	ck_assert_uint_eq(device(5)->n_addresses, 1);
}
END_TEST

START_TEST(lists_by_ascending_index)
{
	static const int indexes[] = { 9, 2, 700, 5, 1, 2147483647, 6 };
	unsigned last = 0, n = 0;
	struct net_entry *e, *next;

	for (size_t i = 0; i < sizeof(indexes) / sizeof(*indexes); i++)
		add_link(indexes[i], "a", 1500);
	HASH_ITER(hh, t.entries, e, next)
	{
		ck_assert_uint_gt(e->device.index, last);
		last = e->device.index;
		n++;
	}
	ck_assert_uint_eq(n, sizeof(indexes) / sizeof(*indexes));
}
END_TEST

START_TEST(what_is_gone_stays_readable_until_buried)
{
	const struct net_device *d;

	add_link(5, "a", 1500);
	d = device(5);
	remove_link(5);
	ck_assert_ptr_null(device(5));
	ck_assert_str_eq(d->name, "a");
	net_table_bury(&t);
	ck_assert_ptr_null(t.gone);
}
END_TEST

START_TEST(up_takes_both_flags)
{
	struct net_device d = { .flags = IFF_UP };

	ck_assert(!net_device_is_up(&d));
	d.flags = IFF_RUNNING;
	ck_assert(!net_device_is_up(&d));
	d.flags = IFF_RUNNING | IFF_UP;
	ck_assert(net_device_is_up(&d));
}
END_TEST

START_TEST(a_duplicate_goes_without_a_trace)
{
	add_link(5, "a", 1500);
	add_link(6, "b", 1500);
	add_address(6, "2001:db8::1", 64);
	put_address(RTM_NEWADDR, 5, NULL, "2001:db8::1", 64)->ifa_flags =
		IFA_F_DADFAILED;
	apply_good();
	remove_address(5, "2001:db8::1", 64);
	ck_assert_uint_eq(device(5)->n_addresses, 0);
	ck_assert(is_own("2001:db8::1"));
}
END_TEST

START_TEST(ipv4_addresses_differ_by_prefix_and_peer)
{
	add_link(5, "a", 1500);
	add_address(5, "192.0.2.1", 24);
	add_address(5, "192.0.2.1", 32);
	(void)put_address(RTM_NEWADDR, 5, "192.0.2.1", "192.0.2.9", 32);
	apply_good();
	ck_assert_uint_eq(device(5)->n_addresses, 3);
	remove_address(5, "192.0.2.1", 24);
	remove_address(5, "192.0.2.1", 32);
	ck_assert_uint_eq(device(5)->n_addresses, 1);
	ck_assert(is_own("192.0.2.1"));
	(void)put_address(RTM_DELADDR, 5, "192.0.2.1", "192.0.2.9", 32);
	apply_good();
	ck_assert(!is_own("192.0.2.1"));
}
END_TEST

/* inet6_addr_modify() changes the peer without deleting the address. */
START_TEST(ipv6_addresses_keep_one_entry_whatever_the_peer)
{
	add_link(5, "a", 1500);
	(void)put_address(RTM_NEWADDR, 5, "2001:db8::1", "2001:db8::2", 128);
	apply_good();
	(void)take_changed();
	(void)put_address(RTM_NEWADDR, 5, "2001:db8::1", "2001:db8::3", 128);
	apply_good();
	ck_assert(take_changed());
	ck_assert_uint_eq(device(5)->n_addresses, 1);
	check_text(&device(5)->addresses[0].on_link.address, "2001:db8::3");
}
END_TEST

START_TEST(addresses_keep_their_order)
{
	const struct net_device *d;

	add_link(5, "a", 1500);
	add_address(5, "10.0.0.3", 24);
	add_address(5, "10.0.0.1", 24);
	add_address(5, "10.0.0.2", 24);
	remove_address(5, "10.0.0.1", 24);
	add_address(5, "10.0.0.0", 24);
	d = device(5);
	ck_assert_uint_eq(d->n_addresses, 3);
	check_text(&d->addresses[0].local.address, "10.0.0.3");
	check_text(&d->addresses[1].local.address, "10.0.0.2");
	check_text(&d->addresses[2].local.address, "10.0.0.0");
}
END_TEST

START_TEST(addresses_without_a_device_are_passed_over)
{
	add_address(5, "10.0.0.3", 24);
	ck_assert(!take_changed());
	ck_assert(!is_own("10.0.0.3"));
}
END_TEST

START_TEST(own_counts_the_devices_that_have_it)
{
	add_link(5, "a", 1500);
	add_link(6, "b", 1500);
	add_address(5, "10.0.0.1", 24);
	add_address(6, "10.0.0.1", 24);
	ck_assert(is_own("10.0.0.1"));
	ck_assert(!is_own("10.0.0.2"));
	remove_address(5, "10.0.0.1", 24);
	ck_assert(is_own("10.0.0.1"));
	remove_link(6);
	ck_assert(!is_own("10.0.0.1"));
}
END_TEST

START_TEST(own_link_local_addresses_are_told_apart_by_device)
{
	add_link(5, "a", 1500);
	add_link(6, "b", 1500);
	add_address(5, "fe80::1", 64);
	ck_assert(is_own("fe80::1"));
	ck_assert(is_own("fe80::1%5"));
	ck_assert(!is_own("fe80::1%6"));
	add_address(6, "fe80::1", 64);
	remove_address(5, "fe80::1", 64);
	ck_assert(is_own("fe80::1"));
	ck_assert(!is_own("fe80::1%5"));
	ck_assert(is_own("fe80::1%6"));
	remove_address(6, "fe80::1", 64);
	ck_assert(!is_own("fe80::1"));
}
END_TEST

START_TEST(loopback_is_always_own_and_nothing_else_is)
{
	struct net_address none;

	memset(&none, 0, sizeof(none));
	ck_assert(is_own("127.0.0.1"));
	ck_assert(is_own("127.255.0.9"));
	ck_assert(is_own("::1"));
	ck_assert(!is_own("0.0.0.0"));
	ck_assert(!is_own("::"));
	ck_assert(!is_own("128.0.0.1"));
	ck_assert(!is_own("::7f00:1"));
	ck_assert(!net_own_has(t.own, &none));
}
END_TEST

START_TEST(the_source_is_the_first_that_may_be_used)
{
	const struct net_device *d;

	add_link(5, "a", 1500);
	d = device(5);
	ck_assert_ptr_null(net_device_source(d, AF_INET, false));
	put_address(RTM_NEWADDR, 5, NULL, "2001:db8::1", 64)->ifa_flags =
		IFA_F_TENTATIVE;
	apply_good();
	ck_assert_ptr_null(net_device_source(d, AF_INET6, false));
	put_address(RTM_NEWADDR, 5, NULL, "2001:db8::2", 64)->ifa_flags =
		IFA_F_DEPRECATED;
	apply_good();
	check_text(&net_device_source(d, AF_INET6, false)->local.address,
		"2001:db8::2");
	ck_assert_ptr_null(net_device_source(d, AF_INET6, true));
	add_address(5, "fe80::1", 64);
	add_address(5, "fd00::3", 64);
	add_address(5, "fd00::4", 64);
	add_address(5, "169.254.0.1", 16);
	add_address(5, "10.0.0.1", 24);
	check_text(&net_device_source(d, AF_INET6, false)->local.address,
		"fd00::3");
	check_text(&net_device_source(d, AF_INET6, true)->local.address,
		"fe80::1%5");
	check_text(&net_device_source(d, AF_INET, true)->local.address,
		"169.254.0.1");
	check_text(&net_device_source(d, AF_INET, false)->local.address,
		"169.254.0.1");
}
END_TEST

START_TEST(a_dump_sweeps_what_it_did_not_have)
{
	struct net_device old;

	add_link(5, "a", 1500);
	add_link(6, "b", 1500);
	add_address(5, "10.0.0.1", 24);
	add_address(5, "10.0.0.2", 24);
	add_address(6, "10.0.0.3", 24);
	old = *device(5);
	net_table_begin_dump(&t);
	add_link(5, "a", 1500);
	add_address(5, "10.0.0.2", 24);
	net_table_end_dump(&t, true);
	ck_assert_ptr_null(device(6));
	ck_assert_uint_eq(device(5)->n_addresses, 1);
	ck_assert(!is_own("10.0.0.1"));
	ck_assert(is_own("10.0.0.2"));
	ck_assert(!is_own("10.0.0.3"));
	ck_assert_uint_eq(device(5)->incarnation4, old.incarnation4);
	ck_assert_uint_eq(device(5)->incarnation6, old.incarnation6);
}
END_TEST

START_TEST(a_dump_that_broke_off_takes_nothing_away)
{
	add_link(5, "a", 1500);
	add_address(5, "10.0.0.1", 24);
	add_link(6, "b", 1500);
	(void)take_changed();
	net_table_begin_dump(&t);
	add_link(6, "b", 1500);
	net_table_end_dump(&t, false);
	ck_assert(!take_changed());
	ck_assert_ptr_nonnull(device(5));
	ck_assert(is_own("10.0.0.1"));
}
END_TEST

/* Puts a link whose identity differs from put_whole_link() in one thing. */
static void put_other_link(int what)
{
	put_link(RTM_NEWLINK, 5)->ifi_type =
		what == 1 ? ARPHRD_NONE : ARPHRD_ETHER;
	mnl_attr_put_strz(message, IFLA_IFNAME,
		what == 6 ? "renamed" : "fifteen-letters");
	mnl_attr_put_u32(message, IFLA_MTU, 1500);
	mnl_attr_put_u32(message, IFLA_MASTER, 7);
	mnl_attr_put_u32(message, IFLA_LINK, what == 2 ? 9 : 6);
	mnl_attr_put_u32(message, IFLA_CARRIER_CHANGES, what == 3 ? 1 : 3);
	mnl_attr_put(message, IFLA_ADDRESS, what == 7 ? 5 : 6,
		what == 4 ? "\2\0\0\0\0\2" : "\2\0\0\0\0\1");
	put_kinds(what == 5 ? "dummy" : "veth", "bridge");
}

START_TEST(a_dump_sees_that_a_device_was_made_anew)
{
	static const bool anew[] = { false, true, true, true, true, true, false,
		true };

	for (int what = 0; what < 8; what++)
		for (int dumping = 0; dumping < 2; dumping++) {
			struct net_device old;
			bool renewed = dumping && anew[what];

			put_whole_link();
			apply_good();
			old = *device(5);
			(void)take_changed();
			if (dumping)
				net_table_begin_dump(&t);
			put_other_link(what);
			apply_good();
			if (dumping)
				net_table_end_dump(&t, true);
			ck_assert((device(5)->incarnation4 !=
					  old.incarnation4) == renewed);
			ck_assert((device(5)->incarnation6 !=
					  old.incarnation6) == renewed);
			ck_assert(!renewed || take_changed());
			remove_link(5);
		}
}
END_TEST

START_TEST(a_dump_sees_that_ipv6_was_made_anew)
{
	static const struct {
		const char *address;
		uint32_t created;
		bool is_there, renewed;
	} cases[] = {
		{ "fe80::1", 77, true, false },
		{ "fe80::1", 78, true, true },
		{ "fe80::1", 0, false, true },
		{ "2001:db8::1", 78, true, false },
		{ "2001:db8::1", 0, false, false },
		{ "169.254.0.1", 78, true, false },
		{ "169.254.0.1", 0, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ifa_cacheinfo times = { .cstamp = cases[i].created };
		uint64_t old;

		add_link(5, "a", 1500);
		put_whole_address(cases[i].address);
		apply_good();
		old = device(5)->incarnation6;
		net_table_begin_dump(&t);
		add_link(5, "a", 1500);
		if (cases[i].is_there) {
			put_whole_address(cases[i].address);
			mnl_attr_put(
				message, IFA_CACHEINFO, sizeof(times), &times);
			apply_good();
		}
		net_table_end_dump(&t, true);
		ck_assert_msg(
			(device(5)->incarnation6 != old) == cases[i].renewed,
			"%zu", i);
		remove_link(5);
	}
}
END_TEST

static TCase *devices(void)
{
	TCase *tc = tcase_create("devices");

	tcase_add_checked_fixture(tc, table_set_up, table_tear_down);
	tcase_add_test(tc, says_changed_only_if_something_did);
	tcase_add_test(tc, a_device_made_anew_has_new_incarnations);
	tcase_add_test(tc, only_crossing_1280_upward_loses_ipv6_memberships);
	tcase_add_test(tc, a_rename_keeps_everything);
	tcase_add_test(tc, lists_by_ascending_index);
	tcase_add_test(tc, what_is_gone_stays_readable_until_buried);
	tcase_add_test(tc, up_takes_both_flags);
	return tc;
}

static TCase *addresses(void)
{
	TCase *tc = tcase_create("addresses");

	tcase_add_checked_fixture(tc, table_set_up, table_tear_down);
	tcase_add_test(tc, a_duplicate_goes_without_a_trace);
	tcase_add_test(tc, ipv4_addresses_differ_by_prefix_and_peer);
	tcase_add_test(tc, ipv6_addresses_keep_one_entry_whatever_the_peer);
	tcase_add_test(tc, addresses_keep_their_order);
	tcase_add_test(tc, addresses_without_a_device_are_passed_over);
	tcase_add_test(tc, own_counts_the_devices_that_have_it);
	tcase_add_test(tc, own_link_local_addresses_are_told_apart_by_device);
	tcase_add_test(tc, loopback_is_always_own_and_nothing_else_is);
	tcase_add_test(tc, the_source_is_the_first_that_may_be_used);
	return tc;
}

static TCase *dumps(void)
{
	TCase *tc = tcase_create("dumps");

	tcase_add_checked_fixture(tc, table_set_up, table_tear_down);
	tcase_add_test(tc, a_dump_sweeps_what_it_did_not_have);
	tcase_add_test(tc, a_dump_that_broke_off_takes_nothing_away);
	tcase_add_test(tc, a_dump_sees_that_a_device_was_made_anew);
	tcase_add_test(tc, a_dump_sees_that_ipv6_was_made_anew);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("net_table");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, devices());
	suite_add_tcase(suite, addresses());
	suite_add_tcase(suite, dumps());

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
