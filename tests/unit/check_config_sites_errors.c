/*
 * Each error that the configuration of crier-mqtt can have.
 */
#include "check_config_sites.h"

static void assert_errors(const char *text, const char *expected)
{
	char *lines = sites_errors(text, strlen(text));

	ck_assert_msg(strcmp(lines, expected) == 0, "%s\nis: %s\nnot: %s", text,
		lines, expected);
	free(lines);
}

/* Errors of the file as a whole and of its first level. */
START_TEST(each_error_of_the_top)
{
	static const char *const cases[][2] = {
		{ "", "test.yaml:1:1: the file is empty, needs at least "
		      "site, brokers and groups\n" },
		{ "# nothing\n",
			"test.yaml:1:1: the file is empty, needs at least "
			"site, brokers and groups\n" },
		{ "[]", "test.yaml:1:1: a list, needs a mapping of keys and "
			"values\n" },
		{ "hub: true",
			"test.yaml:1:1: brokers: missing, needs a broker, such "
			"as mqtts://broker.example\n"
			"test.yaml:1:1: groups: missing, needs at least one "
			"group\n"
			"test.yaml:1:1: site: missing, needs a name for this "
			"site, such as house-a\n" },
		{ "site: a\nbrokers: [",
			"test.yaml:3:1: did not find expected node content, "
			"while parsing a flow node that begins in line 3\n" },
		{ LEAST "---\na: 1\n",
			"test.yaml:4:1: a second document begins here, one is "
			"allowed\n" },
		{ LEAST "prefixx: a\n",
			"test.yaml:4:1: prefixx: unknown key \"prefixx\", did "
			"you mean \"prefix\"?\n" },
		{ "sites: a\n" BROKERS GROUPS,
			"test.yaml:1:1: sites: unknown key \"sites\", did you "
			"mean \"site\"?\n" },
		{ LEAST "hub: true\nhub: true\n",
			"test.yaml:5:1: hub: given twice, first in line 4\n" },
		{ "site: [a]\n" BROKERS GROUPS,
			"test.yaml:1:7: site: a list, needs a name, such as "
			"house-a\n" },
		{ "site: \"\"\n" BROKERS GROUPS,
			"test.yaml:1:7: site: \"\" names no site\n" },
		{ "site:\n" BROKERS GROUPS,
			"test.yaml:1:6: site: empty, needs a name, such as "
			"house-a\n" },
		{ "site: -a\n" BROKERS GROUPS,
			"test.yaml:1:7: site: \"-a\" begins with \"-\", needs "
			"a letter, a digit or \"_\"\n" },
		{ "site: a.b\n" BROKERS GROUPS,
			"test.yaml:1:7: site: \"a.b\" is not made of letters "
			"(A to Z, a to z), digits, \"_\" and \"-\"\n" },
		{ "site: \"a\\0b\"\n" BROKERS GROUPS,
			"test.yaml:1:7: site: a NUL character cannot stand "
			"here\n" },
		{ "site: h\xc3\xa4user\n" BROKERS GROUPS,
			"test.yaml:1:7: site: \"h\xc3\xa4user\" is not "
			"made of letters (A to Z, a to z), digits, \"_\" and "
			"\"-\"\n" },
		{ "site: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaa\n" BROKERS GROUPS,
			"test.yaml:1:7: site: "
			"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is longer than 63 characters\n" },
		{ LEAST "prefix: \"\"\n",
			"test.yaml:4:9: prefix: \"\" is empty\n" },
		{ LEAST "prefix: [a]\n",
			"test.yaml:4:9: prefix: a list, needs levels of a "
			"topic, such as crier\n" },
		{ LEAST "prefix: a/+/b\n",
			"test.yaml:4:9: prefix: \"a/+/b\" has a \"+\" or "
			"\"#\", which no topic has\n" },
		{ LEAST "prefix: \"#\"\n",
			"test.yaml:4:9: prefix: \"#\" has a \"+\" or \"#\", "
			"which no topic has\n" },
		{ LEAST "prefix: /a\n",
			"test.yaml:4:9: prefix: \"/a\" has an empty level: a "
			"slash at an end, or two in a row\n" },
		{ LEAST "prefix: a/\n",
			"test.yaml:4:9: prefix: \"a/\" has an empty level: a "
			"slash at an end, or two in a row\n" },
		{ LEAST "prefix: a//b\n",
			"test.yaml:4:9: prefix: \"a//b\" has an empty level: a "
			"slash at an end, or two in a row\n" },
		{ LEAST "prefix: $SYS/a\n",
			"test.yaml:4:9: prefix: \"$SYS/a\" begins with \"$\", "
			"which is for brokers themselves\n" },
		{ LEAST "prefix: \"a\\tb\"\n",
			"test.yaml:4:9: prefix: \"a\\x09b\" has a control "
			"character, which no topic has\n" },
		{ LEAST "prefix: \"a\\x85b\"\n",
			"test.yaml:4:9: prefix: \"a\\u0085b\" has a control "
			"character, which no topic has\n" },
		{ LEAST "prefix: \"\\ufdd0\"\n",
			"test.yaml:4:9: prefix: \"\xef\xb7\x90\" has a control "
			"character, which no topic has\n" },
		{ LEAST "prefix: \"\\U0001FFFE\"\n",
			"test.yaml:4:9: prefix: \"\xf0\x9f\xbf\xbe\" has a control "
			"character, which no topic has\n" },
		{ LEAST "prefix: \"a\\0b\"\n",
			"test.yaml:4:9: prefix: a NUL character cannot stand "
			"here\n" },
		{ LEAST "user: \"a\\nb\"\n",
			"test.yaml:4:7: user: a control character cannot stand "
			"here\n" },
		{ LEAST "user: \"\"\n",
			"test.yaml:4:7: user: a text of 0 bytes, needs 1 to "
			"65535\n" },
		{ LEAST "user: {}\n",
			"test.yaml:4:7: user: a mapping, needs a text\n" },
		{ LEAST "user: a\npassword: \"\"\n",
			"test.yaml:5:11: password: a text of 0 bytes, needs 1 "
			"to 65535\n" },
		{ LEAST "user: a\npassword: [secret]\n",
			"test.yaml:5:11: password: a list, needs a text\n" },
		{ LEAST "password: a\n",
			"test.yaml:4:1: password: needs a user as well\n" },
		{ LEAST "password-file: /a\n",
			"test.yaml:4:1: password-file: needs a user as well\n" },
		{ LEAST "user: a\npassword-file: a\n",
			"test.yaml:5:16: password-file: \"a\" is not an "
			"absolute path, such as "
			"/etc/crier/crier-mqtt.password\n" },
		{ LEAST "user: a\npassword: b\npassword-file: /a\n",
			"test.yaml:6:1: password-file: does not go with "
			"password, needs one of the two\n" },
		{ LEAST "hub: maybe\n",
			"test.yaml:4:6: hub: \"maybe\" is not true or false\n" },
		{ LEAST "control: /a\n",
			"test.yaml:4:10: control: \"/a\" is not a mapping of "
			"keys and values\n" },
		{ LEAST "control: { socket: a }\n",
			"test.yaml:4:20: control.socket: \"a\" is not an "
			"absolute path, such as /run/crier/control.sock\n" },
		{ LEAST "control: { mode: \"0660\" }\n",
			"test.yaml:4:12: control.mode: unknown key \"mode\", "
			"known: socket\n" },
		{ LEAST "limits: { known: 0 }\n",
			"test.yaml:4:18: limits.known: 0 is out of range, 1 to "
			"16777216\n" },
		{ LEAST "limits: { own: 16777217 }\n",
			"test.yaml:4:16: limits.own: 16777217 is out of range, "
			"1 to 16777216\n" },
		{ LEAST "limits: { searches: 65536 }\n",
			"test.yaml:4:21: limits.searches: 65536 is out of "
			"range, 1 to 65535\n" },
		{ LEAST "limits: { known: many }\n",
			"test.yaml:4:18: limits.known: \"many\" is not a whole "
			"number, 1 to 16777216\n" },
		{ LEAST "limits: { flows: 1 }\n",
			"test.yaml:4:11: limits.flows: unknown key \"flows\", "
			"known: known, own, searches\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_errors(cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(each_error_of_brokers_and_tls)
{
	static const char *const cases[][2] = {
		{ SITE GROUPS "brokers: []\n",
			"test.yaml:3:10: brokers: an empty list, needs a "
			"broker, such as mqtts://broker.example\n" },
		{ SITE GROUPS "brokers: {}\n",
			"test.yaml:3:10: brokers: a mapping, needs a broker, "
			"such as mqtts://broker.example\n" },
		{ SITE GROUPS "brokers:\n",
			"test.yaml:3:9: brokers: empty, needs a broker, such "
			"as mqtts://broker.example\n" },
		{ SITE GROUPS "brokers: [mqtts://a, {}]\n",
			"test.yaml:3:22: brokers[1]: a mapping, needs a "
			"broker, such as mqtts://broker.example\n" },
		{ SITE GROUPS "brokers: broker.example\n",
			"test.yaml:3:10: brokers: \"broker.example\" begins "
			"with neither mqtts:// nor mqtt://\n" },
		{ SITE GROUPS "brokers: https://a\n",
			"test.yaml:3:10: brokers: \"https://a\" begins with "
			"neither mqtts:// nor mqtt://\n" },
		{ SITE GROUPS "brokers: mqtts://\n",
			"test.yaml:3:10: brokers: \"mqtts://\" has no host\n" },
		{ SITE GROUPS "brokers: mqtts://:7\n",
			"test.yaml:3:10: brokers: \"mqtts://:7\" has no host\n" },
		{ SITE GROUPS "brokers: mqtts://a/b\n",
			"test.yaml:3:10: brokers: \"mqtts://a/b\" has more "
			"than a host and a port\n" },
		{ SITE GROUPS "brokers: mqtts://a?b\n",
			"test.yaml:3:10: brokers: \"mqtts://a?b\" has more "
			"than a host and a port\n" },
		{ SITE GROUPS "brokers: mqtts://me:secret@a\n",
			"test.yaml:3:10: brokers: a user does not stand here, "
			"needs the keys user and password-file\n" },
		{ SITE GROUPS "brokers: \"mqtts://a:\"\n",
			"test.yaml:3:10: brokers: \"mqtts://a:\" has a port "
			"that is not one of 1 to 65535\n" },
		{ SITE GROUPS "brokers: mqtts://a:0\n",
			"test.yaml:3:10: brokers: \"mqtts://a:0\" has a port "
			"that is not one of 1 to 65535\n" },
		{ SITE GROUPS "brokers: mqtts://a:07\n",
			"test.yaml:3:10: brokers: \"mqtts://a:07\" has a port "
			"that is not one of 1 to 65535\n" },
		{ SITE GROUPS "brokers: mqtts://a:65536\n",
			"test.yaml:3:10: brokers: \"mqtts://a:65536\" has a "
			"port that is not one of 1 to 65535\n" },
		{ SITE GROUPS "brokers: mqtts://a:999999\n",
			"test.yaml:3:10: brokers: \"mqtts://a:999999\" has a "
			"port that is not one of 1 to 65535\n" },
		{ SITE GROUPS "brokers: mqtts://a:7x\n",
			"test.yaml:3:10: brokers: \"mqtts://a:7x\" has a port "
			"that is not one of 1 to 65535\n" },
		{ SITE GROUPS "brokers: mqtts://2001:db8::1\n",
			"test.yaml:3:10: brokers: \"mqtts://2001:db8::1\" "
			"needs brackets around its IPv6 address\n" },
		{ SITE GROUPS "brokers: \"mqtts://[2001:db8::1\"\n",
			"test.yaml:3:10: brokers: \"mqtts://[2001:db8::1\" has "
			"a bracket that is not closed\n" },
		{ SITE GROUPS "brokers: \"mqtts://[::1]7\"\n",
			"test.yaml:3:10: brokers: \"mqtts://[::1]7\" has more "
			"than a host and a port\n" },
		{ SITE GROUPS "brokers: \"mqtts://[a]\"\n",
			"test.yaml:3:10: brokers: \"mqtts://[a]\" has "
			"brackets, which only an IPv6 address needs\n" },
		{ SITE GROUPS "brokers: \"mqtts://[1::2::3]\"\n",
			"test.yaml:3:10: brokers: \"mqtts://[1::2::3]\" has an "
			"IPv6 address that is none\n" },
		{ SITE GROUPS "brokers: \"mqtts://[fe80::1%2]\"\n",
			"test.yaml:3:10: brokers: \"mqtts://[fe80::1%2]\" has "
			"an address with %, which only this machine knows\n" },
		{ SITE GROUPS "brokers: \"mqtts://[ff02::1]\"\n",
			"test.yaml:3:10: brokers: \"mqtts://[ff02::1]\" has an "
			"address that is not one of a host\n" },
		{ SITE GROUPS "brokers: mqtts://0.0.0.0\n",
			"test.yaml:3:10: brokers: \"mqtts://0.0.0.0\" has an "
			"address that is not one of a host\n" },
		{ SITE GROUPS "brokers: mqtts://255.255.255.255\n",
			"test.yaml:3:10: brokers: \"mqtts://255.255.255.255\" "
			"has an address that is not one of a host\n" },
		{ SITE GROUPS "brokers: mqtts://192.0.2\n",
			"test.yaml:3:10: brokers: \"mqtts://192.0.2\" has an "
			"IPv4 address that is none\n" },
		{ SITE GROUPS "brokers: mqtts://a..b\n",
			"test.yaml:3:10: brokers: \"mqtts://a..b\" has a host "
			"that is neither a name nor an address\n" },
		{ SITE GROUPS "brokers: mqtts://-a\n",
			"test.yaml:3:10: brokers: \"mqtts://-a\" has a host "
			"that is neither a name nor an address\n" },
		{ SITE GROUPS "brokers: mqtts://a-\n",
			"test.yaml:3:10: brokers: \"mqtts://a-\" has a host "
			"that is neither a name nor an address\n" },
		{ SITE GROUPS "brokers: mqtts://a.\n",
			"test.yaml:3:10: brokers: \"mqtts://a.\" has a host "
			"that is neither a name nor an address\n" },
		{ SITE GROUPS "brokers: mqtts://a*\n",
			"test.yaml:3:10: brokers: \"mqtts://a*\" has a host "
			"that is neither a name nor an address\n" },
		{ SITE GROUPS "brokers: [mqtts://a, \"mqtts://A:8883\"]\n",
			"test.yaml:3:22: brokers[1]: given twice in this list\n" },
		{ SITE GROUPS "brokers: [mqtts://a, mqtt://b.lan]\n",
			"test.yaml:3:22: brokers[1]: mqtt:// sends everything "
			"in the clear, needs mqtts://, or b.lan among "
			"plain-text\n" },
		{ SITE GROUPS "brokers: mqtt://192.0.2.7\n",
			"test.yaml:3:10: brokers: mqtt:// sends everything in "
			"the clear, needs mqtts://, or 192.0.2.7 among "
			"plain-text\n" },
		{ SITE GROUPS "brokers: mqtt://localhost.example\n",
			"test.yaml:3:10: brokers: mqtt:// sends everything in "
			"the clear, needs mqtts://, or localhost.example among "
			"plain-text\n" },
		{ SITE GROUPS "brokers: \"mqtt://[2001:db8::1]\"\n",
			"test.yaml:3:10: brokers: mqtt:// sends everything in "
			"the clear, needs mqtts://, or 2001:db8::1 among "
			"plain-text\n" },
		{ SITE GROUPS "brokers: mqtt://a\nplain-text: [b]\n",
			"test.yaml:3:10: brokers: mqtt:// sends everything in "
			"the clear, needs mqtts://, or a among plain-text\n" },
		{ LEAST "plain-text: mqtt://a\n",
			"test.yaml:4:13: plain-text: \"mqtt://a\" is not a "
			"host alone, such as broker.lan or 2001:db8::1\n" },
		{ LEAST "plain-text: [\"\"]\n",
			"test.yaml:4:14: plain-text[0]: \"\" is not a host "
			"alone, such as broker.lan or 2001:db8::1\n" },
		{ LEAST "plain-text: \"[::1]\"\n",
			"test.yaml:4:13: plain-text: \"[::1]\" is not a host "
			"alone, such as broker.lan or 2001:db8::1\n" },
		{ LEAST "plain-text: {}\n",
			"test.yaml:4:13: plain-text: a mapping, needs a host "
			"alone, such as broker.lan or 2001:db8::1\n" },
		{ LEAST "plain-text: [a, A]\n",
			"test.yaml:4:17: plain-text[1]: given twice in this "
			"list\n" },
		{ LEAST "tls: true\n",
			"test.yaml:4:6: tls: \"true\" is not a mapping of keys "
			"and values\n" },
		{ LEAST "tls: { ca: certs }\n",
			"test.yaml:4:12: tls.ca: \"certs\" is not an absolute "
			"path, such as /etc/ssl/certs/ca-certificates.crt\n" },
		{ LEAST "tls: { verify: 1 }\n",
			"test.yaml:4:16: tls.verify: \"1\" is not true or "
			"false\n" },
		{ LEAST "tls: { certificate: /a }\n",
			"test.yaml:4:6: tls.key: missing, needs the file of "
			"the certificate's key\n" },
		{ LEAST "tls: { key: /a }\n",
			"test.yaml:4:6: tls.certificate: missing, needs the "
			"file that the key is for\n" },
		{ LEAST "tls: { key: /a, certificat: /b }\n",
			"test.yaml:4:17: tls.certificat: unknown key "
			"\"certificat\", did you mean \"certificate\"?\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_errors(cases[i][0], cases[i][1]);
}
END_TEST

#define G SITE BROKERS "groups:\n  g:\n    "

START_TEST(each_error_of_groups)
{
	static const char *const cases[][2] = {
		{ SITE BROKERS "groups: {}\n",
			"test.yaml:3:9: groups: empty, needs at least one "
			"group\n" },
		{ SITE BROKERS "groups: [mdns]\n",
			"test.yaml:3:9: groups: a list, needs a mapping of "
			"keys and values\n" },
		{ SITE BROKERS "groups: { -a: {} }\n",
			"test.yaml:3:11: groups.-a: a name begins with a "
			"letter (A to Z, a to z), a digit or \"_\"\n" },
		{ SITE BROKERS "groups: { g: true }\n",
			"test.yaml:3:14: groups.g: \"true\" is not a mapping "
			"of keys and values\n" },
		{ G "publish: false\n    take: false\n",
			"test.yaml:4:3: groups.g: neither publishes nor takes "
			"anything, needs one of them, or to be left out\n" },
		{ G "publish: maybe\n    take: false\n",
			"test.yaml:5:14: groups.g.publish: \"maybe\" is not "
			"true, false or a mapping of allow and deny\n" },
		{ G "publish:\n",
			"test.yaml:5:13: groups.g.publish: empty, needs true, "
			"false or a mapping of allow and deny\n" },
		{ G "publish: [a]\n",
			"test.yaml:5:14: groups.g.publish: a list, needs true, "
			"false or a mapping of allow and deny\n" },
		{ G "publish: { from: b }\n",
			"test.yaml:5:16: groups.g.publish.from: unknown key "
			"\"from\", known: allow, deny\n" },
		{ G "publish: { allow: { services: http } }\n",
			"test.yaml:5:35: groups.g.publish.allow.services: "
			"\"http\" is not a service type without domain, such "
			"as _hap._tcp\n" },
		{ G "publish: { deny: { ports: 1 } }\n",
			"test.yaml:5:24: groups.g.publish.deny.ports: unknown "
			"key \"ports\", known: sources, services, targets, "
			"sizes\n" },
		{ G "take: from\n",
			"test.yaml:5:11: groups.g.take: \"from\" is not true, "
			"false or a mapping of from, allow, deny and rate\n" },
		{ G "take: { form: b }\n",
			"test.yaml:5:13: groups.g.take.form: unknown key "
			"\"form\", did you mean \"from\"?\n" },
		{ G "take: { from: [] }\n",
			"test.yaml:5:19: groups.g.take.from: an empty list, "
			"needs a site, such as house-b or \"*\", or take: "
			"false\n" },
		{ G "take: { from: b.c }\n",
			"test.yaml:5:19: groups.g.take.from: \"b.c\" is not "
			"made of letters (A to Z, a to z), digits, \"_\" and "
			"\"-\"\n" },
		{ G "take: { from: \"!\" }\n",
			"test.yaml:5:19: groups.g.take.from: \"!\" names no "
			"site\n" },
		{ G "take: { from: \"b[\" }\n",
			"test.yaml:5:19: groups.g.take.from: \"b[\" has a "
			"bracket that is not closed\n" },
		{ G "take: { from: [b, b] }\n",
			"test.yaml:5:23: groups.g.take.from[1]: given twice in "
			"this list\n" },
		{ G "take: { from: [b, [c]] }\n",
			"test.yaml:5:23: groups.g.take.from[1]: a list, needs "
			"a site, such as house-b or \"*\"\n" },
		{ G "take: { from: [b, house-a] }\n",
			"test.yaml:5:23: groups.g.take.from[1]: this is the "
			"site itself, and what it has published is never taken "
			"back\n" },
		{ G "take: { from: house-a }\n",
			"test.yaml:5:19: groups.g.take.from: this is the site "
			"itself, and what it has published is never taken "
			"back\n" },
		{ G "take: { rate: 500 }\n",
			"test.yaml:5:19: groups.g.take.rate: \"500\" is not a "
			"rate such as 500/s, or off\n" },
		{ G "take: { rate: 0/s }\n",
			"test.yaml:5:19: groups.g.take.rate: 0/s is out of "
			"range, 1/s to 1000000/s, or off\n" },
		{ G "take: { rate: 1000001/s }\n",
			"test.yaml:5:19: groups.g.take.rate: 1000001/s is out "
			"of range, 1/s to 1000000/s, or off\n" },
		{ G "searches: 1\n",
			"test.yaml:5:15: groups.g.searches: \"1\" is not true "
			"or false\n" },
		{ G "serches: true\n",
			"test.yaml:5:5: groups.g.serches: unknown key "
			"\"serches\", did you mean \"searches\"?\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_errors(cases[i][0], cases[i][1]);
}
END_TEST

/* Of one file, and in its order. */
START_TEST(every_error_is_reported)
{
	assert_errors("hub: maybe\nprefix: /a\nbroker: mqtts://a\n"
		      "groups:\n  g: { take: { form: [b] } }\n  h: []\n",
		"test.yaml:1:1: site: missing, needs a name for this "
		"site, such as house-a\n"
		"test.yaml:1:6: hub: \"maybe\" is not true or false\n"
		"test.yaml:2:9: prefix: \"/a\" has an empty level: a "
		"slash at an end, or two in a row\n"
		"test.yaml:3:1: broker: unknown key \"broker\", did "
		"you mean \"brokers\"?\n"
		"test.yaml:5:16: groups.g.take.form: unknown key "
		"\"form\", did you mean \"from\"?\n"
		"test.yaml:6:6: groups.h: a list, needs a mapping of "
		"keys and values\n");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("errors of sites");

	tcase_add_test(t, each_error_of_the_top);
	tcase_add_test(t, each_error_of_brokers_and_tls);
	tcase_add_test(t, each_error_of_groups);
	tcase_add_test(t, every_error_is_reported);
	return run(t);
}
