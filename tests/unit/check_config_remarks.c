/*
 * What --check says about a configuration that is valid.
 */
#include "check_config.h"

struct remarks {
	char text[4096];
	size_t n;
};

static void keep_remark(void *data, const char *path, const char *text)
{
	struct remarks *r = data;
	size_t used = strlen(r->text);

	(void)snprintf(
		r->text + used, sizeof(r->text) - used, "%s: %s\n", path, text);
	r->n++;
}

static void remarks_of(const char *text, struct remarks *r)
{
	struct config *c = parse(text);

	*r = (struct remarks){ 0 };
	config_remarks(c, keep_remark, r);
	config_unref(c);
}

/* A group that every host has. */
#define ROOT "control: { group: root }\n"

START_TEST(a_plain_group_is_not_worth_a_remark)
{
	struct remarks r;

	remarks_of(
		ROOT GROUP ", ttl: keep, payload: wsd, standby: true }\n", &r);
	ck_assert_str_eq(r.text, "");
}
END_TEST

START_TEST(a_control_group_that_does_not_exist_is_a_remark)
{
	struct remarks r;

	remarks_of("control: { group: no-such-group-here }\n" GROUP " }\n", &r);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_ptr_nonnull(
		strstr(r.text, "control.group: there is no such group"));
}
END_TEST

START_TEST(notes_are_said_for_presets_in_use)
{
	struct remarks r;

	remarks_of(ROOT INTERFACES
		"presets:\n"
		"  p: { address: 239.1.2.3, port: 7, notes: open a port }\n"
		"  q: { notes: never said }\n"
		"groups: { g: { preset: p } }\n",
		&r);
	ck_assert_str_eq(r.text, "groups.g: open a port\n");
}
END_TEST

START_TEST(a_group_that_sends_nowhere_is_a_remark)
{
	struct remarks r;

	remarks_of(ROOT GROUP ", from: lan }\n", &r);
	ck_assert_str_eq(r.text, "groups.g: only listens, sends nowhere\n");
}
END_TEST

START_TEST(what_is_built_is_not_worth_a_remark)
{
	static const char *const keys[] = { "sources: 192.0.2.1",
		"interfaces: { name: lan, target: 192.0.2.1 }",
		"searchers: lan, devices: iot", "source: own-port",
		"send: frame", "payload: mdns, strip: link-local", "rate: 7/s",
		"repeat: 7s", "allow: { sizes: 1 }",
		"deny: { sources: 192.0.2.1 }",
		"interfaces: { name: lan, allow: { sizes: 1 } }",
		"interfaces: { name: lan, deny: { sizes: 1 } }" };
	struct remarks r;
	char text[512];

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		(void)snprintf(
			text, sizeof(text), ROOT GROUP ", %s }\n", keys[i]);
		remarks_of(text, &r);
		ck_assert_msg(r.n == 0, "%s: %s", keys[i], r.text);
	}
	remarks_of(ROOT
		"flow-ports: 32000-32001\n"
		"interfaces: { w: { device: wg0, peers: 10.9.0.2 } }\n"
		"groups: { g: { address: 239.1.2.3, port: 7, replies: proxy } "
		"}\n"
		"announcements:\n"
		"  a: { group: g, payload: { text: x } }\n",
		&r);
	ck_assert_str_eq(r.text, "");
}
END_TEST

/* What `channels` of a group have for a remark: its first words, or NULL. */
struct hazard_case {
	const char *channels, *remark;
};

static void check_hazard(const struct hazard_case *h)
{
	char text[512], expected[128];
	struct remarks r;

	(void)snprintf(text, sizeof(text),
		ROOT INTERFACES "groups: { g: { %s } }\n", h->channels);
	remarks_of(text, &r);
	ck_assert_msg(
		r.n == (h->remark != NULL), "%s: %s", h->channels, r.text);
	if (h->remark == NULL)
		return;
	(void)snprintf(expected, sizeof(expected), "groups.g: %s", h->remark);
	ck_assert_msg(strncmp(r.text, expected, strlen(expected)) == 0,
		"%s: %s", h->channels, r.text);
}

START_TEST(ports_that_must_not_be_relayed_are_a_remark)
{
	static const struct hazard_case cases[] = {
		{ "address: 224.0.1.128, port: 318", NULL },
		{ "address: 224.0.1.129, port: 319", "ports 319 and 320" },
		{ "address: 224.0.1.132, port: [7, 320]", "ports 319 and" },
		{ "address: 224.0.0.107, port: 319", "ports 319 and 320" },
		{ "address: \"ff02::6b\", port: 320", "ports 319 and 320" },
		{ "address: 224.0.1.129, port: 321", NULL },
		{ "address: 224.0.23.12, port: 3671", "224.0.23.12 carries" },
		{ "address: 224.0.23.11, port: 3671", NULL },
		{ "address: 224.0.23.12, port: 3672", NULL },
		{ "broadcast: true, port: 3671", NULL },
		{ "broadcast: true, port: 6454", "port 6454 is Art-Net" },
		{ "address: 239.2.3.4, port: 6454", "port 6454 is Art-Net" },
		{ "address: 239.255.0.1, port: 5568", "port 5568 is sACN" },
		{ "address: 239.255.250.213, port: 5568", "port 5568 is" },
		{ "address: 239.255.250.214, port: 5568", NULL },
		{ "address: [239.255.250.214, 239.255.0.1], port: 5568",
			"port 5568 is sACN" },
		{ "address: 239.254.0.1, port: 5568", NULL },
		{ "address: 239.255.0.1, port: 5569", NULL },
		{ "address: 239.69.1.2, port: 4321", "port 4321 in" },
		{ "address: 239.69.1.2, port: 5004", "port 5004 in" },
		{ "address: 224.0.0.50, port: 4321", NULL },
		{ "address: \"ff15::5\", port: 5004", NULL },
		{ "address: 224.0.1.129, port: 319, from: lan, to: iot",
			"ports 319 and 320" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_hazard(&cases[i]);
}
END_TEST

START_TEST(who_only_listens_relays_nothing_harmful)
{
	struct remarks r;

	remarks_of(ROOT INTERFACES "groups: { g: { address: 224.0.1.129, "
				   "port: 319, from: lan } }\n",
		&r);
	ck_assert_str_eq(r.text, "groups.g: only listens, sends nowhere\n");
}
END_TEST

START_TEST(a_knx_group_that_lets_only_searches_pass_is_fine)
{
#define KNX "address: 224.0.23.12, port: 3671, allow: "
	static const struct hazard_case cases[] = {
		{ KNX "{ sizes: 14 }", NULL },
		{ KNX "{ sizes: [0-10, 14] }", NULL },
		{ KNX "{ sizes: 14-15 }", "224.0.23.12 carries" },
		{ KNX "{ sizes: [14, 17] }", "224.0.23.12 carries" },
		{ KNX "{ sources: 192.0.2.0/24 }", "224.0.23.12 carries" },
		/* Small or large, the others are harmful. */
		{ "broadcast: true, port: 6454, allow: { sizes: 14 }",
			"port 6454 is Art-Net" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_hazard(&cases[i]);
}
END_TEST

START_TEST(flow_ports_that_are_not_set_are_one_remark_for_the_file)
{
	static const char groups[] =
		"groups:\n"
		"  a: { address: 239.1.2.3, port: 7, replies: proxy }\n"
		"  b: { address: 239.1.2.3, port: 8, replies: proxy }\n";
	struct remarks r;
	char text[512];

	(void)snprintf(text, sizeof(text), ROOT INTERFACES "%s", groups);
	remarks_of(text, &r);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_ptr_eq(strstr(r.text, "flow-ports: not set:"), r.text);
	(void)snprintf(text, sizeof(text),
		ROOT INTERFACES "flow-ports: 32000-32009\n%s", groups);
	remarks_of(text, &r);
	ck_assert_str_eq(r.text, "");
}
END_TEST

START_TEST(preserve_is_a_remark_about_what_it_needs)
{
	struct remarks r;

	remarks_of(ROOT GROUP ", source: preserve }\n", &r);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_ptr_eq(
		strstr(r.text, "groups.g: source: preserve needs CAP_NET_RAW"),
		r.text);
	ck_assert_ptr_nonnull(strstr(r.text, "rp_filter"));
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("remarks");

	tcase_add_test(t, a_plain_group_is_not_worth_a_remark);
	tcase_add_test(t, a_control_group_that_does_not_exist_is_a_remark);
	tcase_add_test(t, notes_are_said_for_presets_in_use);
	tcase_add_test(t, a_group_that_sends_nowhere_is_a_remark);
	tcase_add_test(t, what_is_built_is_not_worth_a_remark);
	tcase_add_test(t, ports_that_must_not_be_relayed_are_a_remark);
	tcase_add_test(t, who_only_listens_relays_nothing_harmful);
	tcase_add_test(t, a_knx_group_that_lets_only_searches_pass_is_fine);
	tcase_add_test(
		t, flow_ports_that_are_not_set_are_one_remark_for_the_file);
	tcase_add_test(t, preserve_is_a_remark_about_what_it_needs);
	return run(t);
}
