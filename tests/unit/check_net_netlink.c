/* What the kernel's messages mean, and those that mean nothing. */
#include "net_message.h"

#include <errno.h>

START_TEST(reads_every_field_of_a_link)
{
	const struct net_device *d;

	put_whole_link();
	apply_good();
	ck_assert(take_changed());
	d = device(5);
	ck_assert_ptr_nonnull(d);
	ck_assert_str_eq(d->name, "fifteen-letters");
	ck_assert_str_eq(d->kind, "veth");
	ck_assert_uint_eq(d->index, 5);
	ck_assert_uint_eq(d->mtu, 1500);
	ck_assert_uint_eq(d->master, 7);
	ck_assert_uint_eq(d->flags, IFF_UP | IFF_RUNNING);
	ck_assert(d->is_port);
	ck_assert_uint_eq(d->n_addresses, 0);
	ck_assert_uint_ne(d->incarnation4, 0);
	ck_assert_uint_ne(d->incarnation6, 0);
}
END_TEST

START_TEST(a_vrf_has_no_ports)
{
	static const struct {
		uint32_t master;
		const char *kind;
		bool is_port;
	} cases[] = {
		{ 0, "bridge", false },
		{ 7, "bridge", true },
		{ 7, "bond", true },
		{ 7, "team", true },
		{ 7, "vrf", false },
		{ 7, "bridges", false },
		{ 7, "", false },
		{ 7, NULL, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		(void)put_link(RTM_NEWLINK, 5);
		mnl_attr_put_strz(message, IFLA_IFNAME, "a");
		mnl_attr_put_u32(message, IFLA_MASTER, cases[i].master);
		put_kinds("veth", cases[i].kind);
		apply_good();
		ck_assert(device(5)->is_port == cases[i].is_port);
		ck_assert_uint_eq(device(5)->master, cases[i].master);
	}
}
END_TEST

START_TEST(a_long_kind_is_cut)
{
	(void)put_link(RTM_NEWLINK, 5);
	mnl_attr_put_strz(message, IFLA_IFNAME, "a");
	put_kinds("sixteen-letters-", NULL);
	apply_good();
	ck_assert_str_eq(device(5)->kind, "sixteen-letters");
}
END_TEST

START_TEST(other_families_say_nothing_of_a_link)
{
	static const uint8_t families[] = { AF_BRIDGE, AF_INET6, AF_INET };

	add_link(5, "a", 1500);
	(void)take_changed();
	for (size_t i = 0; i < sizeof(families); i++) {
		put_link(RTM_DELLINK, 5)->ifi_family = families[i];
		apply_good();
		put_link(RTM_NEWLINK, 5)->ifi_family = families[i];
		mnl_attr_put_strz(message, IFLA_IFNAME, "b");
		apply_good();
		put_link(RTM_NEWLINK, 6)->ifi_family = families[i];
		mnl_attr_put_strz(message, IFLA_IFNAME, "c");
		apply_good();
	}
	ck_assert(!take_changed());
	ck_assert_str_eq(device(5)->name, "a");
}
END_TEST

/* Those have a name and flags, no MTU, no master and no kind. */
START_TEST(wireless_events_take_nothing_away)
{
	put_whole_link();
	apply_good();
	(void)take_changed();
	(void)put_link(RTM_NEWLINK, 5);
	mnl_attr_put_strz(message, IFLA_IFNAME, "fifteen-letters");
	mnl_attr_put(message, IFLA_WIRELESS, 4, "\0\0\0\0");
	apply_good();
	ck_assert(!take_changed());
	ck_assert_uint_eq(device(5)->mtu, 1500);
}
END_TEST

START_TEST(hardware_addresses_of_any_size_are_taken)
{
	static const char filler[64] = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
	static const uint16_t sizes[] = { 0, 1, 20, 31, 32, 33, 64 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		put_whole_link();
		mnl_attr_put(message, IFLA_ADDRESS, sizes[i], filler);
		apply_good();
	}
}
END_TEST

START_TEST(finds_the_broadcast_address)
{
	static const struct {
		const char *local, *peer;
		uint8_t length;
		const char *given, *result;
	} cases[] = {
		{ "10.1.2.3", "10.1.2.3", 24, "10.1.2.255", "10.1.2.255" },
		{ "10.1.2.3", "10.1.2.3", 24, "10.1.2.7", "10.1.2.7" },
		{ "10.1.2.3", "10.1.2.3", 24, NULL, "10.1.2.255" },
		{ "10.1.2.3", "10.1.2.3", 24, "255.255.255.255", "10.1.2.255" },
		{ "10.1.2.3", NULL, 24, NULL, "10.1.2.255" },
		{ "10.1.2.3", "10.1.2.3", 0, NULL, "255.255.255.255" },
		{ "10.1.2.3", "10.1.2.3", 1, NULL, "127.255.255.255" },
		{ "10.1.2.3", "10.1.2.3", 30, NULL, "10.1.2.3" },
		{ "10.1.2.3", "10.1.2.3", 29, NULL, "10.1.2.7" },
		{ "10.1.2.3", "10.1.2.3", 31, NULL, "" },
		{ "10.1.2.3", "10.1.2.3", 31, "10.1.2.3", "" },
		{ "10.1.2.3", "10.1.2.3", 32, "10.1.2.3", "" },
		{ "10.1.2.3", "10.9.9.9", 24, NULL, "" },
		{ "10.1.2.3", "10.9.9.9", 24, "10.9.9.255", "" },
		{ "2001:db8::1", NULL, 24, NULL, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct net_address given;

		add_link(5, "a", 1500);
		(void)put_address(RTM_NEWADDR, 5, cases[i].local, cases[i].peer,
			cases[i].length);
		if (cases[i].given != NULL) {
			ck_assert_int_eq(
				net_address_parse(cases[i].given, &given), 0);
			mnl_attr_put(message, IFA_BROADCAST, 4, given.bytes);
		}
		apply_good();
		ck_assert_uint_eq(device(5)->n_addresses, 1);
		check_text(&device(5)->addresses[0].broadcast, cases[i].result);
		remove_link(5);
	}
}
END_TEST

START_TEST(a_point_to_point_device_has_no_broadcast)
{
	put_link(RTM_NEWLINK, 5)->ifi_flags = IFF_UP | IFF_POINTOPOINT;
	mnl_attr_put_strz(message, IFLA_IFNAME, "wg0");
	apply_good();
	add_address(5, "10.9.0.1", 24);
	ck_assert(!net_address_is_set(&device(5)->addresses[0].broadcast));
	check_text(&device(5)->addresses[0].on_link.address, "10.9.0.1");
}
END_TEST

START_TEST(the_peers_prefix_is_on_link)
{
	static const struct {
		const char *local, *peer, *on_link, *off_link;
		uint8_t length;
	} cases[] = {
		{ "10.1.2.3", "10.9.9.9", "10.9.9.1", "10.1.2.3", 24 },
		{ "10.1.2.3", "10.9.9.9", "10.9.9.9", "10.9.9.8", 32 },
		{ "10.1.2.3", NULL, "10.1.2.9", "10.9.9.9", 24 },
		{ "10.1.2.3", "10.1.2.3", "10.1.2.9", "10.1.3.1", 24 },
		{ "2001:db8::1", "2001:db8::2", "2001:db8::2", "2001:db8::1",
			128 },
		{ NULL, "2001:db8::1", "2001:db8::9", "2001:db9::", 64 },
		{ NULL, "fe80::1", "fe80::9%5", "fe80::9%6", 64 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct net_address on, off;

		add_link(5, "a", 1500);
		(void)put_address(RTM_NEWADDR, 5, cases[i].local, cases[i].peer,
			cases[i].length);
		apply_good();
		ck_assert_int_eq(net_address_parse(cases[i].on_link, &on), 0);
		ck_assert_int_eq(net_address_parse(cases[i].off_link, &off), 0);
		ck_assert(net_device_is_on_link(device(5), &on));
		ck_assert(!net_device_is_on_link(device(5), &off));
		remove_link(5);
	}
}
END_TEST

START_TEST(everybody_is_no_host)
{
	static const struct {
		const char *local, *address;
		uint8_t length;
		bool is;
	} cases[] = {
		{ "10.1.2.3", "10.1.2.255", 24, true },
		{ "10.1.2.3", "10.1.2.254", 24, false },
		{ "10.1.2.3", "10.1.2.0", 24, true },
		{ "10.1.2.3", "10.1.2.1", 24, false },
		{ "10.1.2.3", "10.1.3.0", 24, false },
		{ "10.1.2.5", "10.1.2.7", 30, true },
		{ "10.1.2.5", "10.1.2.4", 30, true },
		{ "10.1.2.5", "10.1.2.4", 31, false },
		{ "10.1.2.5", "10.1.2.5", 32, false },
		{ "2001:db8::5", "2001:db8::", 64, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct net_address a;

		add_link(5, "a", 1500);
		add_address(5, cases[i].local, cases[i].length);
		ck_assert_int_eq(net_address_parse(cases[i].address, &a), 0);
		ck_assert_int_eq(
			net_device_is_everybody(device(5), &a), cases[i].is);
		remove_link(5);
	}
}
END_TEST

START_TEST(usable_is_what_duplicate_detection_let_through)
{
	static const struct {
		uint32_t flags;
		bool usable, duplicate, deprecated;
	} cases[] = {
		{ 0, true, false, false },
		{ IFA_F_PERMANENT, true, false, false },
		{ IFA_F_TENTATIVE, false, false, false },
		{ IFA_F_TENTATIVE | IFA_F_OPTIMISTIC, true, false, false },
		{ IFA_F_DADFAILED, false, true, false },
		{ IFA_F_TENTATIVE | IFA_F_DADFAILED, false, true, false },
		{ IFA_F_OPTIMISTIC | IFA_F_DADFAILED, false, true, false },
		{ IFA_F_DEPRECATED, true, false, true },
	};

	add_link(5, "a", 1500);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct net_device_address *a;

		/* The byte in the header is too short, so it does not count. */
		put_address(RTM_NEWADDR, 5, NULL, "2001:db8::1", 64)
			->ifa_flags = IFA_F_TENTATIVE;
		mnl_attr_put_u32(message, IFA_FLAGS, cases[i].flags);
		apply_good();
		ck_assert_uint_eq(device(5)->n_addresses, 1);
		a = &device(5)->addresses[0];
		ck_assert(a->usable == cases[i].usable);
		ck_assert(a->duplicate == cases[i].duplicate);
		ck_assert(a->deprecated == cases[i].deprecated);
		/* Another host has it: what comes from there is not ours. */
		ck_assert(is_own("2001:db8::1") == !cases[i].duplicate);
	}
	put_address(RTM_NEWADDR, 5, NULL, "2001:db8::1", 64)->ifa_flags =
		IFA_F_TENTATIVE;
	apply_good();
	ck_assert(!device(5)->addresses[0].usable);
}
END_TEST

START_TEST(zero_and_foreign_families_are_no_addresses)
{
	add_link(5, "a", 1500);
	(void)put_address(RTM_NEWADDR, 5, NULL, NULL, 8);
	apply_good();
	put_address(RTM_NEWADDR, 5, "10.0.0.1", NULL, 24)->ifa_family = 12;
	apply_good();
	ck_assert_uint_eq(device(5)->n_addresses, 0);
}
END_TEST

START_TEST(refuses_attributes_of_a_wrong_size)
{
	static const struct {
		uint16_t message, type;
		uint16_t size;
	} cases[] = {
		{ RTM_NEWLINK, IFLA_IFNAME, 0 },
		{ RTM_NEWLINK, IFLA_IFNAME, 16 },
		{ RTM_NEWLINK, IFLA_IFNAME, 100 },
		{ RTM_NEWLINK, IFLA_MTU, 0 },
		{ RTM_NEWLINK, IFLA_MTU, 3 },
		{ RTM_NEWLINK, IFLA_MTU, 5 },
		{ RTM_NEWLINK, IFLA_MASTER, 2 },
		{ RTM_NEWLINK, IFLA_MASTER, 8 },
		{ RTM_NEWLINK, IFLA_LINK, 1 },
		{ RTM_NEWLINK, IFLA_CARRIER_CHANGES, 0 },
		{ RTM_NEWADDR, IFA_LOCAL, 0 },
		{ RTM_NEWADDR, IFA_LOCAL, 3 },
		{ RTM_NEWADDR, IFA_LOCAL, 16 },
		{ RTM_NEWADDR, IFA_ADDRESS, 5 },
		{ RTM_NEWADDR, IFA_ADDRESS, 16 },
		{ RTM_NEWADDR, IFA_BROADCAST, 0 },
		{ RTM_NEWADDR, IFA_BROADCAST, 16 },
		{ RTM_NEWADDR, IFA_FLAGS, 1 },
		{ RTM_NEWADDR, IFA_FLAGS, 8 },
		{ RTM_NEWADDR, IFA_CACHEINFO, 15 },
	};
	static const char filler[128] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

	put_whole_link();
	apply_good();
	(void)take_changed();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (cases[i].message == RTM_NEWLINK)
			put_whole_link();
		else
			put_whole_address("192.0.2.1");
		/* The last one of a type is the one that counts. */
		mnl_attr_put(message, cases[i].type, cases[i].size, filler);
		ck_assert_msg(apply() == -EBADMSG, "%zu", i);
		ck_assert(!take_changed());
	}
	(void)put_address(RTM_NEWADDR, 5, "192.0.2.1", NULL, 33);
	ck_assert_int_eq(apply(), -EBADMSG);
	(void)put_address(RTM_NEWADDR, 5, "2001:db8::1", NULL, 129);
	ck_assert_int_eq(apply(), -EBADMSG);
	(void)put_link(RTM_NEWLINK, 6);
	ck_assert_int_eq(apply(), -EBADMSG);
	put_whole_link();
	((struct ifinfomsg *)mnl_nlmsg_get_payload(message))->ifi_index = 0;
	ck_assert_int_eq(apply(), -EBADMSG);
	ck_assert(!take_changed());
}
END_TEST

START_TEST(refuses_headers_with_a_wrong_length)
{
	static const uint32_t lengths[] = { 0, 1, 15, 0x7fffffff, 0x80000000,
		0x80000010, 0xffffffff };
	uint32_t good;

	put_whole_link();
	good = message->nlmsg_len;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		message->nlmsg_len = lengths[i];
		ck_assert_int_eq(apply_cut(good), -EBADMSG);
	}
	message->nlmsg_len = good + 1;
	ck_assert_int_eq(apply_cut(good), -EBADMSG);
	ck_assert_int_eq(apply_cut(15), -EBADMSG);
	ck_assert_int_eq(apply_cut(1), -EBADMSG);
	ck_assert(!take_changed());
	message->nlmsg_len = good;
	ck_assert_int_eq(apply_cut(good + 1), -EBADMSG);
	ck_assert(take_changed());
	ck_assert_int_eq(apply_cut(0), 0);
}
END_TEST

/* Each length, said by the header too, so that the attributes are cut. */
START_TEST(reads_no_byte_beyond_a_message)
{
	for (int kind = 0; kind < 3; kind++) {
		uint32_t good;

		add_link(5, "a", 1500);
		if (kind == 0)
			put_whole_link();
		else
			put_whole_address(
				kind == 1 ? "192.0.2.1" : "2001:db8::1");
		good = message->nlmsg_len;
		for (uint32_t size = sizeof(*message); size <= good; size++) {
			int r;

			message->nlmsg_len = size;
			r = apply_cut(size);
			ck_assert(r == 0 || r == -EBADMSG);
			ck_assert(size > sizeof(*message) + 7 || r < 0);
		}
	}
}
END_TEST

/* A fixed sequence, so that a failure can be had again. */
static uint32_t roll(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

START_TEST(survives_damaged_messages)
{
	uint32_t state = 1;

	for (int i = 0; i < 20000; i++) {
		uint32_t damage = 1 + roll(&state) % 8;
		size_t size;

		if (i % 50 == 0)
			add_link(5, "a", 1500);
		if (roll(&state) % 2 == 0)
			put_whole_link();
		else
			put_whole_address(roll(&state) % 2 == 0 ? "192.0.2.1"
								: "fe80::1");
		size = message->nlmsg_len;
		while (damage-- > 0)
			room[roll(&state) % size] = (uint8_t)roll(&state);
		(void)apply_cut(size);
	}
}
END_TEST

static TCase *links(void)
{
	TCase *tc = tcase_create("links");

	tcase_add_checked_fixture(tc, table_set_up, table_tear_down);
	tcase_add_test(tc, reads_every_field_of_a_link);
	tcase_add_test(tc, a_vrf_has_no_ports);
	tcase_add_test(tc, a_long_kind_is_cut);
	tcase_add_test(tc, other_families_say_nothing_of_a_link);
	tcase_add_test(tc, wireless_events_take_nothing_away);
	tcase_add_test(tc, hardware_addresses_of_any_size_are_taken);
	return tc;
}

static TCase *addresses(void)
{
	TCase *tc = tcase_create("addresses");

	tcase_add_checked_fixture(tc, table_set_up, table_tear_down);
	tcase_add_test(tc, finds_the_broadcast_address);
	tcase_add_test(tc, a_point_to_point_device_has_no_broadcast);
	tcase_add_test(tc, the_peers_prefix_is_on_link);
	tcase_add_test(tc, everybody_is_no_host);
	tcase_add_test(tc, usable_is_what_duplicate_detection_let_through);
	tcase_add_test(tc, zero_and_foreign_families_are_no_addresses);
	return tc;
}

static TCase *hostile(void)
{
	TCase *tc = tcase_create("hostile");

	tcase_add_checked_fixture(tc, table_set_up, table_tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, refuses_attributes_of_a_wrong_size);
	tcase_add_test(tc, refuses_headers_with_a_wrong_length);
	tcase_add_test(tc, reads_no_byte_beyond_a_message);
	tcase_add_test(tc, survives_damaged_messages);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("net_netlink");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, links());
	suite_add_tcase(suite, addresses());
	suite_add_tcase(suite, hostile());

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
