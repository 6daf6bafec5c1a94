/*
 * Announcements that do not stand in the file, and which of them are equal.
 */
#include "check_config.h"

#define GROUPS                                                                 \
	INTERFACES "groups:\n"                                                 \
		   "  g: { address: 239.1.2.3, port: 7 }\n"                    \
		   "  h: { address: 239.1.2.4, port: 7 }\n"                    \
		   "  m: { preset: mdns }\n"                                   \
		   "  ears: { address: 239.1.2.5, port: 7, from: lan }\n"

/* The announcement "a" that `text` is. */
static struct config_announcement *single(
	const struct config *c, const char *text)
{
	struct config_announcement *a = NULL;
	struct config_errors errors;
	int r;

	r = config_parse_announcement(c, "a", text, strlen(text), &a, &errors);
	if (r < 0) {
		char *lines = errors_text(&errors, "-");

		ck_abort_msg("%s: %s", text, lines);
	}
	ck_assert_uint_eq(errors.n, 0);
	return a;
}

START_TEST(every_key_is_read_as_in_the_file)
{
	struct config *c = parse(GROUPS);
	struct config_announcement *a;

	a = single(c, "{\"group\": \"h\", \"payload\": {\"text\": \"x\"}, "
		      "\"interval\": \"5s\", \"burst\": 3, "
		      "\"goodbye\": {\"hex\": \"00ff\"}}");
	ck_assert_str_eq(a->name, "a");
	ck_assert_uint_eq(a->group, 1);
	ck_assert_int_eq(a->payload.kind, CONFIG_DATA_TEXT);
	ck_assert_str_eq((const char *)a->payload.bytes, "x");
	ck_assert_uint_eq(a->interval_ms, 5000);
	ck_assert_uint_eq(a->burst, 3);
	ck_assert_uint_eq(a->goodbye.size, 2);
	config_announcement_free(a);
	a = single(c, "group: m\nservice: { name: N, type: _x._tcp, port: 1, "
		      "txt: [a=b] }\n");
	ck_assert_str_eq(a->service->name, "N");
	ck_assert_uint_eq(a->interval_ms, 60000);
	ck_assert_uint_eq(a->burst, 1);
	config_announcement_free(a);
	config_announcement_free(NULL);
	config_unref(c);
}
END_TEST

static const struct wrong {
	const char *name, *text, *errors;
} wrongs[] = {
	{ "a", "", "-:1:1: empty, needs at least group and payload\n" },
	{ "a", " # x\n", "-:1:1: empty, needs at least group and payload\n" },
	{ "a", "{", NULL },
	{ "a", "[]", "-:1:1: a list, needs a mapping of keys and values\n" },
	{ "a", "{ payload: { text: x } }",
		"-:1:1: group: missing, needs the name of a group\n" },
	{ "a", "{ group: g }",
		"-:1:1: payload: missing, needs one of text, hex, base64 and "
		"file, unless there is a service\n" },
	{ "a", "{ group: k, payload: { text: x } }",
		"-:1:10: group: no group \"k\", known: g, h, m, ears\n" },
	{ "a", "{ group: ears, payload: { text: x } }",
		"-:1:10: group: the group ears only listens, needs one that "
		"sends\n" },
	{ "a", "{ group: g, service: { name: N, type: _x._tcp, port: 1 } }",
		"-:1:10: group: a service needs a group with payload: mdns, g "
		"has payload: none\n" },
	{ "a", "{ group: g, payload: { text: x }, interval: 1d }", NULL },
	{ "a", "{ group: g, payload: { text: x }, interval: 99ms }", NULL },
	{ "a", "{ group: g, payload: { text: \"%{user}\" } }", NULL },
	{ "a", "{ group: g, payload: { file: /dev/null } }",
		"-:1:24: payload.file: only the configuration may name files, "
		"needs one of text, hex and base64\n" },
	{ "a", "{ group: g, payload: { text: x }, goodbye: { file: y } }",
		"-:1:46: goodbye.file: only the configuration may name files, "
		"needs one of text, hex and base64\n" },
	{ "", "{ group: g, payload: { text: x } }",
		"-:1:1: a name of 0 characters, needs 1 to 63\n" },
	{ "-v", "{ group: g, payload: { text: x } }", NULL },
	{ "a", "{ group: g, payload: { text: x }, payload: { text: x } }",
		NULL },
	{ "a", "&a { group: g, payload: *a }", NULL },
};

START_TEST(what_is_wrong_is_said_and_nothing_is_given)
{
	const struct wrong *w = &wrongs[_i];
	struct config *c = parse(GROUPS);
	struct config_announcement *a = NULL;
	struct config_errors errors;
	char *lines;

	ck_assert_int_eq(config_parse_announcement(c, w->name, w->text,
				 strlen(w->text), &a, &errors),
		-EINVAL);
	ck_assert_ptr_null(a);
	ck_assert_uint_gt(errors.n, 0);
	lines = errors_text(&errors, "-");
	if (w->errors != NULL)
		ck_assert_str_eq(lines, w->errors);
	free(lines);
	config_unref(c);
}
END_TEST

START_TEST(every_key_of_an_announcement_makes_a_difference)
{
#define SERVICE "group: m, service: { name: N, type: _x._tcp, port: 1"
	static const char *const texts[] = {
		"group: g, payload: { text: aa }",
		"group: h, payload: { text: aa }",
		"group: g, payload: { text: ab }",
		"group: g, payload: { text: aaa }",
		"group: g, payload: { hex: \"6161\" }",
		"group: g, payload: { text: aa }, interval: 59s",
		"group: g, payload: { text: aa }, burst: 2",
		"group: g, payload: { text: aa }, goodbye: { text: aa }",
		"group: g, payload: { text: aa }, goodbye: { text: ab }",
		SERVICE " }",
		"group: m, service: { name: O, type: _x._tcp, port: 1 }",
		"group: m, service: { name: N, type: _y._tcp, port: 1 }",
		"group: m, service: { name: N, type: _x._tcp, port: 2 }",
		SERVICE ", host: h }",
		SERVICE ", txt: [a=b] }",
		SERVICE ", txt: [a=c] }",
	};
	const size_t n = sizeof(texts) / sizeof(*texts);
	struct config *c = parse(GROUPS);
	char text[128];

	for (size_t i = 0; i < n * n; i++) {
		struct config_announcement *a, *b;

		(void)snprintf(text, sizeof(text), "{ %s }", texts[i / n]);
		a = single(c, text);
		(void)snprintf(text, sizeof(text), "{ %s }", texts[i % n]);
		b = single(c, text);
		ck_assert_msg(config_announcement_equal(c, a, c, b) ==
				      (i / n == i % n),
			"%s / %s", texts[i / n], texts[i % n]);
		config_announcement_free(a);
		config_announcement_free(b);
	}
	config_unref(c);
}
END_TEST

START_TEST(what_is_written_otherwise_is_equal)
{
	struct config *ca = parse(GROUPS "announcements:\n"
					 "  a: { group: h, interval: 60s, "
					 "payload: { base64: YWE= } }\n");
	struct config *cb = parse(
		INTERFACES "groups: { h: { address: 239.1.2.4, port: 7 } }\n"
			   "announcements:\n"
			   "  b: { group: h, payload: { text: x } }\n"
			   "  a: { group: h, payload: { hex: \"6161\" }, "
			   "interval: 1m }\n");

	ck_assert(config_announcement_equal(
		ca, &ca->announcements[0], cb, &cb->announcements[1]));
	ck_assert(!config_announcement_equal(
		ca, &ca->announcements[0], cb, &cb->announcements[0]));
	config_unref(ca);
	config_unref(cb);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("announcements");

	tcase_add_test(t, every_key_is_read_as_in_the_file);
	tcase_add_loop_test(t, what_is_wrong_is_said_and_nothing_is_given, 0,
		(int)(sizeof(wrongs) / sizeof(*wrongs)));
	tcase_add_test(t, every_key_of_an_announcement_makes_a_difference);
	tcase_add_test(t, what_is_written_otherwise_is_equal);
	return run(t);
}
