#include "check_config.h"

/* Whether the groups "g" of two texts are equal, either way round. */
static bool is_equal(const char *a, const char *b)
{
	struct config *ca = parse(a), *cb = parse(b);
	bool equal = config_group_equal(ca, &ca->groups[0], cb, &cb->groups[0]);

	ck_assert(equal ==
		  config_group_equal(cb, &cb->groups[0], ca, &ca->groups[0]));
	ck_assert(config_group_equal(ca, &ca->groups[0], ca, &ca->groups[0]));
	config_unref(ca);
	config_unref(cb);
	return equal;
}

/* A group with one key more. */
static char *with_key(const char *key)
{
	char *text;

	ck_assert_int_gt(
		asprintf(&text, GROUP "%s%s }\n", *key ? ", " : "", key), 0);
	return text;
}

START_TEST(every_key_of_a_group_makes_a_difference)
{
	static const char *const keys[] = { "", "broadcast: true",
		"sources: 192.0.2.1", "sources: 192.0.2.2", "ttl: 4", "ttl: 5",
		"ttl: keep", "loop: true", "source: own-port",
		"source: preserve", "send: frame", "payload: mdns",
		"payload: mdns, strip: link-local",
		"payload: mdns, strip: multi-homed", "payload: ssdp",
		"payload: wsd", "replies: proxy", "reply-timeout: 9s",
		"allow: { sources: 192.0.2.0/24 }",
		"allow: { sources: 192.0.2.0/25 }",
		"allow: { sources: 192.0.3.0/24 }",
		"deny: { sources: 192.0.2.0/24 }", "allow: { sizes: 1-5 }",
		"allow: { sizes: 1-6 }", "allow: { sizes: 2-6 }",
		"deny: { sizes: 1-5 }",
		"payload: mdns, allow: { services: _a._tcp }",
		"payload: mdns, allow: { services: _b._tcp }",
		"payload: ssdp, deny: { targets: a }",
		"payload: ssdp, deny: { targets: [a, b] }", "rate: 1/s",
		"dedup: off", "dedup: 1s", "hold: 119s", "repeat: 1h",
		"standby: true", "interfaces: lan", "from: lan, to: iot",
		"from: iot, to: lan", "from: [lan, iot], to: iot",
		"searchers: lan, devices: iot", "searchers: iot, devices: lan",
		"interfaces: [lan, { name: iot, ttl: 7 }]",
		"interfaces: [lan, { name: iot, target: 10.0.0.1 }]",
		"interfaces: [lan, { name: iot, target: 10.0.0.2 }]",
		"interfaces: [lan, { name: iot, allow: { sizes: 1 } }]",
		"interfaces: [lan, { name: iot, deny: { sizes: 1 } }]" };
	const size_t n = sizeof(keys) / sizeof(*keys);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j <= i; j++) {
			char *a = with_key(keys[i]), *b = with_key(keys[j]);

			ck_assert_msg(is_equal(a, b) == (i == j), "%s / %s",
				keys[i], keys[j]);
			free(a);
			free(b);
		}
	}
}
END_TEST

START_TEST(addresses_and_ports_make_a_difference)
{
	static const char *const groups[] = {
		"address: 239.1.2.3, port: 7",
		"address: 239.1.2.4, port: 7",
		"address: [239.1.2.3, \"ff02::1\"], port: 7",
		"address: 239.1.2.3, port: 8",
		"address: 239.1.2.3, port: [7, 8]",
		"preset: ssdp",
		"preset: wsd",
		/* The same, but the preset is another: it may change. */
		"preset: ssdp, payload: wsd, port: 3702",
	};
	const size_t n = sizeof(groups) / sizeof(*groups);
	char a[256], b[256];

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j <= i; j++) {
			(void)snprintf(a, sizeof(a),
				INTERFACES "groups: { g: { %s } }\n",
				groups[i]);
			(void)snprintf(b, sizeof(b),
				INTERFACES "groups: { g: { %s } }\n",
				groups[j]);
			ck_assert_msg(is_equal(a, b) == (i == j), "%s / %s",
				groups[i], groups[j]);
		}
	}
}
END_TEST

START_TEST(what_is_written_otherwise_is_equal)
{
	ck_assert(is_equal(GROUP " }\n",
		INTERFACES "# moved down\n\ngroups:\n  g:\n    port: [7]\n"
			   "    address: [239.1.2.3]\n    hold: 2m\n"
			   "    interfaces: [iot, lan]\n"));
	/* Other interfaces and groups do not matter, nor does their order. */
	ck_assert(is_equal(GROUP ", interfaces: [lan, iot] }\n",
		"interfaces:\n"
		"  new: { device: eth7 }\n"
		"  iot: { device: eth1 }\n"
		"  lan: { device: [eth0] }\n"
		"groups:\n"
		"  g: { address: 239.1.2.3, port: 7, interfaces: [lan, iot] }\n"
		"  h: { preset: mdns }\n"));
}
END_TEST

START_TEST(a_used_interface_makes_a_difference_as_far_as_it_counts)
{
	static const char group[] =
		"groups: { g: { address: 239.1.2.3, port: 7 } }\n";
	static const char with_ttl[] =
		"groups: { g: { address: 239.1.2.3, port: 7, ttl: 4 } }\n";
	static const char *const interfaces[] = { "lan: { device: eth0 }",
		"lan: { device: eth1 }", "lan: { device: [eth0, eth1] }",
		"iot: { device: eth0 }", "lan: { device: eth0, ttl: 2 }",
		"lan: { device: eth0, peers: 10.9.0.2 }",
		"lan: { device: eth0, peers: 10.9.0.3 }" };
	const size_t n = sizeof(interfaces) / sizeof(*interfaces);
	char a[256], b[256];

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j <= i; j++) {
			(void)snprintf(a, sizeof(a), "interfaces: { %s }\n%s",
				interfaces[i], group);
			(void)snprintf(b, sizeof(b), "interfaces: { %s }\n%s",
				interfaces[j], group);
			ck_assert_msg(is_equal(a, b) == (i == j), "%s / %s",
				interfaces[i], interfaces[j]);
		}
	}
	/* Its TTL does not count where the group has its own. */
	(void)snprintf(a, sizeof(a), "interfaces: { %s }\n%s", interfaces[0],
		with_ttl);
	(void)snprintf(b, sizeof(b), "interfaces: { %s }\n%s", interfaces[4],
		with_ttl);
	ck_assert(is_equal(a, b));
}
END_TEST

/* The good files are dumped and read back by check_config_files.c. */
START_TEST(a_dump_that_cannot_be_written_is_an_error)
{
	struct config *c = parse(GROUP " }\n");
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(config_dump(c, full), -EIO);
	(void)fclose(full);
	config_unref(c);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("equal");

	tcase_add_test(t, every_key_of_a_group_makes_a_difference);
	tcase_add_test(t, addresses_and_ports_make_a_difference);
	tcase_add_test(t, what_is_written_otherwise_is_equal);
	tcase_add_test(
		t, a_used_interface_makes_a_difference_as_far_as_it_counts);
	tcase_add_test(t, a_dump_that_cannot_be_written_is_an_error);
	return run(t);
}
