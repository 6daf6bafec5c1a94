/*
 * The configuration of crier-mqtt: what it comes to, and that its dump reads
 * back.
 */
#include "check_config_sites.h"

#include <unistd.h>

static char *dump_sites(const struct config_sites *c)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(config_sites_dump(c, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(what_is_left_out_has_its_default)
{
	struct config_sites *c = parse_sites(LEAST);
	const struct config_site_group *g = c->groups;

	ck_assert_str_eq(c->path, "test.yaml");
	ck_assert_str_eq(c->site, "house-a");
	ck_assert_str_eq(c->prefix, "crier");
	ck_assert_str_eq(c->socket, "/run/crier/control.sock");
	ck_assert(!c->hub);
	ck_assert_ptr_null(c->tls.ca);
	ck_assert_ptr_null(c->tls.certificate);
	ck_assert_ptr_null(c->tls.key);
	ck_assert(c->tls.verify);
	ck_assert_uint_eq(c->plain_text.n, 0);
	ck_assert_ptr_null(c->user);
	ck_assert_ptr_null(c->password);
	ck_assert_ptr_null(c->password_file);
	ck_assert_uint_eq(c->limits.known, 65536);
	ck_assert_uint_eq(c->limits.own, 16384);
	ck_assert_uint_eq(c->limits.searches, 1024);
	ck_assert_uint_eq(c->n_groups, 1);
	ck_assert_str_eq(g->name, "mdns");
	ck_assert(g->publishes && g->takes && g->searches);
	ck_assert_uint_eq(g->from.n, 1);
	ck_assert_str_eq(g->from.at[0], "*");
	ck_assert_uint_eq(g->rate, 500);
	ck_assert_int_eq(g->line, 3);
	config_sites_free(c);
	config_sites_free(NULL);
}
END_TEST

START_TEST(brokers_are_taken_apart)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
		bool tls;
	} cases[] = {
		{ "mqtts://broker.example", "broker.example", 8883, true },
		{ "MQTTS://Broker_2.example:1", "Broker_2.example", 1, true },
		{ "mqtts://192.0.2.7:65535", "192.0.2.7", 65535, true },
		{ "mqtts://[2001:db8::1]", "2001:db8::1", 8883, true },
		{ "mqtts://[2001:db8::1]:8884", "2001:db8::1", 8884, true },
		{ "mqtt://localhost", "localhost", 1883, false },
		{ "mqtt://LocalHost:7", "LocalHost", 7, false },
		{ "mqtt://127.0.0.1", "127.0.0.1", 1883, false },
		{ "mqtt://127.255.255.254", "127.255.255.254", 1883, false },
		{ "mqtt://[::1]", "::1", 1883, false },
		{ "mqtt://broker.lan", "broker.lan", 1883, false },
		{ "mqtt://BROKER.lan:7", "BROKER.lan", 7, false },
		{ "mqtt://192.0.2.1", "192.0.2.1", 1883, false },
		{ "mqtt://[2001:DB8:0::2]", "2001:DB8:0::2", 1883, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_sites *c;
		char text[512];

		(void)snprintf(text, sizeof(text),
			SITE GROUPS "brokers: [\"%s\"]\nplain-text: "
				    "[broker.lan, 192.0.2.1, \"2001:db8::2\"]"
				    "\n",
			cases[i].url);
		c = parse_sites(text);
		ck_assert_uint_eq(c->n_brokers, 1);
		ck_assert_str_eq(c->brokers[0].url, cases[i].url);
		ck_assert_str_eq(c->brokers[0].host, cases[i].host);
		ck_assert_uint_eq(c->brokers[0].port, cases[i].port);
		ck_assert_int_eq(c->brokers[0].tls, cases[i].tls);
		config_sites_free(c);
	}
}
END_TEST

START_TEST(brokers_keep_their_order)
{
	struct config_sites *c = parse_sites(SITE GROUPS
		"brokers: [mqtts://b, mqtts://a, \"mqtts://b:7\"]\n");

	ck_assert_uint_eq(c->n_brokers, 3);
	ck_assert_str_eq(c->brokers[0].host, "b");
	ck_assert_str_eq(c->brokers[1].host, "a");
	ck_assert_uint_eq(c->brokers[2].port, 7);
	config_sites_free(c);
}
END_TEST

/* At both ends of what a name, a host and a prefix may be. */
START_TEST(the_longest_texts_pass_and_one_more_does_not)
{
	static const struct {
		const char *before, *after;
		int longest;
	} cases[] = {
		{ "site: ", "\n" BROKERS GROUPS, CONFIG_SITE_NAME },
		{ LEAST "prefix: ", "\n", 128 },
		{ SITE GROUPS "brokers: mqtts://", "\n", 63 },
		{ SITE BROKERS "groups: { ", ": {} }\n", 63 },
		{ SITE BROKERS "groups: { g: { take: { from: ", "} } }\n",
			CONFIG_SITE_NAME },
		{ SITE BROKERS "groups: { g: { take: { from: \"!", "\" } } }\n",
			CONFIG_SITE_NAME },
		{ LEAST "control: { socket: /", " }\n", 106 },
		{ LEAST "tls: { ca: /", " }\n", 4094 },
	};
	char many[5000], text[6000];

	memset(many, 'a', sizeof(many));
	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(text, sizeof(text), "%s%.*s%s", cases[i].before,
			cases[i].longest, many, cases[i].after);
		config_sites_free(parse_sites(text));
		(void)snprintf(text, sizeof(text), "%s%.*s%s", cases[i].before,
			cases[i].longest + 1, many, cases[i].after);
		free(sites_errors(text, strlen(text)));
	}
}
END_TEST

START_TEST(a_host_name_may_have_253_characters)
{
	char text[600], label[64] = { 0 };

	memset(label, 'a', 63);
	(void)snprintf(text, sizeof(text),
		SITE GROUPS "brokers: mqtts://%s.%s.%s.%.61s\n", label, label,
		label, label);
	config_sites_free(parse_sites(text));
	(void)snprintf(text, sizeof(text),
		SITE GROUPS "brokers: mqtts://%s.%s.%s.%.62s\n", label, label,
		label, label);
	free(sites_errors(text, strlen(text)));
}
END_TEST

START_TEST(everything_can_be_said)
{
	struct config_sites *c = parse_sites(SITE BROKERS
		"prefix: a/b c\nuser: u\npassword: \"p\\x01\"\nhub: true\n"
		"tls: { ca: /c, certificate: /d, key: /e, verify: false }\n"
		"control: { socket: /s }\n"
		"limits: { known: 1, own: 16777216, searches: 65535 }\n"
		"groups:\n"
		"  a: { publish: false, searches: false }\n"
		"  b: { take: false }\n"
		"  c:\n"
		"    publish: { allow: { services: _HAP._tcp } }\n"
		"    take:\n"
		"      { from: [x, \"!y*\"], rate: 7/s, allow: { sizes: 9 },\n"
		"        deny: { sources: 192.0.2.0/24 } }\n"
		"  d: { publish: {}, take: { rate: off } }\n");
	const struct config_site_group *g = c->groups;

	ck_assert_str_eq(c->prefix, "a/b c");
	ck_assert_str_eq(c->user, "u");
	ck_assert_str_eq(c->password, "p\x01");
	ck_assert(c->hub);
	ck_assert_str_eq(c->tls.ca, "/c");
	ck_assert_str_eq(c->tls.certificate, "/d");
	ck_assert_str_eq(c->tls.key, "/e");
	ck_assert(!c->tls.verify);
	ck_assert_str_eq(c->socket, "/s");
	ck_assert_uint_eq(c->limits.known, 1);
	ck_assert_uint_eq(c->limits.own, 16777216);
	ck_assert_uint_eq(c->limits.searches, 65535);
	ck_assert_uint_eq(c->n_groups, 4);
	ck_assert(!g[0].publishes && g[0].takes && !g[0].searches);
	ck_assert(g[1].publishes && !g[1].takes && g[1].searches);
	ck_assert(g[2].publishes && g[2].takes);
	ck_assert_str_eq(g[2].publish_allow.services.at[0], "_hap._tcp");
	ck_assert_uint_eq(g[2].publish_deny.n_sources, 0);
	ck_assert_uint_eq(g[2].from.n, 2);
	ck_assert_uint_eq(g[2].rate, 7);
	ck_assert_uint_eq(g[2].take_allow.n_sizes, 1);
	ck_assert_uint_eq(g[2].take_deny.n_sources, 1);
	ck_assert(g[3].publishes && g[3].takes);
	ck_assert_uint_eq(g[3].rate, 0);
	ck_assert_str_eq(g[3].from.at[0], "*");
	config_sites_free(c);
}
END_TEST

/* What was read, dumped, read and dumped again is the same text. */
static char *dump_twice(const char *text)
{
	struct config_sites *c = parse_sites(text);
	char *first = dump_sites(c), *second;

	config_sites_free(c);
	c = parse_sites(first);
	second = dump_sites(c);
	config_sites_free(c);
	ck_assert_str_eq(second, first);
	free(second);
	return first;
}

START_TEST(a_dump_says_all_and_reads_back)
{
	static const struct {
		const char *text, *dump;
	} cases[] = {
		{ LEAST, "site: house-a\n"
			 "brokers: ['mqtts://broker.example']\n"
			 "prefix: crier\n"
			 "tls:\n"
			 "  verify: true\n"
			 "plain-text: []\n"
			 "hub: false\n"
			 "control:\n"
			 "  socket: /run/crier/control.sock\n"
			 "limits:\n"
			 "  known: 65536\n"
			 "  own: 16384\n"
			 "  searches: 1024\n"
			 "groups:\n"
			 "  mdns:\n"
			 "    publish: true\n"
			 "    take:\n"
			 "      from: ['*']\n"
			 "      rate: 500/s\n"
			 "    searches: true\n" },
		{ SITE "brokers: [\"mqtt://[::1]\", \"mqtts://a:7\"]\n"
		       "prefix: \"a: b\"\nuser: \"1\"\n"
		       "password-file: /f\nhub: true\n"
		       "tls: { ca: /c, certificate: /d, key: /e, verify: false }"
		       "\nplain-text: [a, \"::2\"]\n"
		       "control: { socket: /s }\n"
		       "limits: { known: 1, own: 2, searches: 3 }\n"
		       "groups:\n"
		       "  a: { publish: false, searches: false }\n"
		       "  b: { take: false }\n"
		       "  c:\n"
		       "    publish: { allow: { services: _hap._tcp },\n"
		       "      deny: { targets: \"upnp:*\" } }\n"
		       "    take: { from: [x, \"!y*\"], rate: off,\n"
		       "      allow: { sizes: 9 }, deny: { sources: 2001:db8::/32 } }\n",
			"site: house-a\n"
			"brokers: ['mqtt://[::1]', 'mqtts://a:7']\n"
			"prefix: 'a: b'\n"
			"user: \"1\"\n"
			"password-file: /f\n"
			"tls:\n"
			"  ca: /c\n"
			"  certificate: /d\n"
			"  key: /e\n"
			"  verify: false\n"
			"plain-text: [a, '::2']\n"
			"hub: true\n"
			"control:\n"
			"  socket: /s\n"
			"limits:\n"
			"  known: 1\n"
			"  own: 2\n"
			"  searches: 3\n"
			"groups:\n"
			"  a:\n"
			"    publish: false\n"
			"    take:\n"
			"      from: ['*']\n"
			"      rate: 500/s\n"
			"    searches: false\n"
			"  b:\n"
			"    publish: true\n"
			"    take: false\n"
			"    searches: true\n"
			"  c:\n"
			"    publish:\n"
			"      allow: {services: [_hap._tcp]}\n"
			"      deny: {targets: ['upnp:*']}\n"
			"    take:\n"
			"      from: [x, '!y*']\n"
			"      allow: {sizes: [9-9]}\n"
			"      deny: {sources: ['2001:db8::/32']}\n"
			"      rate: off\n"
			"    searches: true\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = dump_twice(cases[i].text);

		ck_assert_str_eq(text, cases[i].dump);
		free(text);
	}
}
END_TEST

START_TEST(a_password_is_in_no_dump)
{
	struct config_sites *c =
		parse_sites(LEAST "user: u\npassword: s3cret\n");
	char *text = dump_sites(c), *without;

	ck_assert_ptr_null(strstr(text, "s3cret"));
	ck_assert_int_eq(text[0], '#');
	config_sites_free(c);
	/* What is left out is that line alone. */
	without = dump_twice(LEAST "user: u\n");
	ck_assert_str_eq(strchr(text, '\n') + 1, without);
	free(without);
	free(text);
}
END_TEST

START_TEST(a_dump_that_cannot_be_written_fails)
{
	struct config_sites *c = parse_sites(LEAST);
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(config_sites_dump(c, full), -EIO);
	(void)fclose(full);
	config_sites_free(c);
}
END_TEST

START_TEST(sites_match_by_name_by_glob_and_never_an_exclude)
{
	static const struct {
		char *from[3];
		const char *site;
		bool matches;
	} cases[] = {
		{ { "*" }, "house-a", true },
		{ { "house-a" }, "house-a", true },
		{ { "house-a" }, "house-ab", false },
		{ { "house-a" }, "House-a", false },
		{ { "house-?" }, "house-b", true },
		{ { "house-?" }, "house", false },
		{ { "x", "house-[a-c]" }, "house-b", true },
		{ { "house-*", "!house-b" }, "house-b", false },
		{ { "!house-b", "house-b" }, "house-b", false },
		{ { "house-*", "!house-b" }, "house-c", true },
		{ { "house-*", "!house-b" }, "cabin", false },
		{ { "!house-b" }, "house-b", false },
		{ { "!house-b" }, "cabin", true },
		{ { "!house-*", "!cabin" }, "house-c", false },
		{ { "!house-*", "!cabin" }, "cabin", false },
		{ { "!house-*", "!cabin" }, "farm", true },
		{ { NULL }, "farm", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_strings from = { (char **)cases[i].from, 0 };

		while (from.n < 3 && from.at[from.n] != NULL)
			from.n++;
		ck_assert_msg(config_site_matches(&from, cases[i].site) ==
				      cases[i].matches,
			"%zu", i);
	}
}
END_TEST

START_TEST(a_file_is_read_and_one_that_cannot_be_is_invalid)
{
	char path[] = "/tmp/check-config-sites-XXXXXX", *lines;
	struct config_sites *c = NULL;
	struct config_errors errors;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
		write(fd, LEAST, strlen(LEAST)), (ssize_t)strlen(LEAST));
	ck_assert_int_eq(config_sites_load(path, &c, &errors), 0);
	ck_assert_str_eq(c->path, path);
	config_sites_free(c);
	c = NULL;
	ck_assert_int_eq(ftruncate(fd, CONFIG_MAX_BYTES + 1), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(config_sites_load(path, &c, &errors), -EINVAL);
	lines = errors_text(&errors, "test.yaml");
	ck_assert_str_eq(lines, "test.yaml: the file is larger than 1 MiB\n");
	free(lines);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(config_sites_load(path, &c, &errors), -EINVAL);
	lines = errors_text(&errors, "test.yaml");
	ck_assert_str_eq(lines,
		"test.yaml: the file cannot be read: No such file or directory\n");
	free(lines);
	ck_assert_ptr_null(c);
}
END_TEST

/* What of it is commented out is for tests/docs/example. */
START_TEST(the_example_is_valid_as_it_stands)
{
	struct config_sites *c = NULL;
	struct config_errors errors;
	char path[4096];

	(void)snprintf(
		path, sizeof(path), "%s/conf/crier-mqtt.yaml", top_srcdir());
	if (config_sites_load(path, &c, &errors) < 0)
		ck_abort_msg("%s", errors_text(&errors, path));
	ck_assert_uint_eq(c->n_groups, 2);
	config_sites_free(c);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("sites");

	tcase_add_test(t, what_is_left_out_has_its_default);
	tcase_add_test(t, brokers_are_taken_apart);
	tcase_add_test(t, brokers_keep_their_order);
	tcase_add_test(t, the_longest_texts_pass_and_one_more_does_not);
	tcase_add_test(t, a_host_name_may_have_253_characters);
	tcase_add_test(t, everything_can_be_said);
	tcase_add_test(t, a_dump_says_all_and_reads_back);
	tcase_add_test(t, a_password_is_in_no_dump);
	tcase_add_test(t, a_dump_that_cannot_be_written_fails);
	tcase_add_test(t, sites_match_by_name_by_glob_and_never_an_exclude);
	tcase_add_test(t, a_file_is_read_and_one_that_cannot_be_is_invalid);
	tcase_add_test(t, the_example_is_valid_as_it_stands);
	return run(t);
}
