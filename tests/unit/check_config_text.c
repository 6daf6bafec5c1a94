/*
 * What a file can be before anybody looks at its keys: missing, too large, a
 * bomb, ...
 */
#include "check_config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/check-config-XXXXXX";

static void make_directory(void)
{
	memcpy(strrchr(directory, '-'), "-XXXXXX", 8);
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	static const char *const names[] = { "a.yaml", "fifo", "payload",
		"large" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)snprintf(
			path, sizeof(path), "%s/%s", directory, names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(directory), 0);
}

static const char *path_of(const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t size)
{
	char path[128];
	FILE *file = fopen(path_of(name, path), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

/* The one error of a file, without the file's name. The caller frees it. */
static char *load_error(const char *path)
{
	struct config *c = NULL;
	struct config_errors errors;

	ck_assert_int_eq(config_load(path, &c, &errors), -EINVAL);
	ck_assert_ptr_null(c);
	ck_assert_uint_eq(errors.n, 1);
	return errors_text(&errors, "FILE");
}

static void assert_load_error(const char *path, const char *expected)
{
	char *text = load_error(path);

	ck_assert_str_eq(text, expected);
	free(text);
}

static void assert_error(const char *text, size_t size, const char *expected)
{
	/* In a buffer of exactly this size, for the sanitizer. */
	char *copy = malloc(size ? size : 1), *lines;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	lines = parse_errors(copy, size);
	ck_assert_str_eq(lines, expected);
	free(lines);
	free(copy);
}

START_TEST(a_file_that_cannot_be_read_is_invalid)
{
	char path[128];

	assert_load_error(path_of("none.yaml", path),
		"FILE: the file cannot be read: No such file or directory\n");
	assert_load_error(
		directory, "FILE: the file cannot be read: Is a directory\n");
	assert_load_error("",
		"FILE: the file cannot be read: No such file or directory\n");
	if (geteuid() == 0)
		return; /* who may read everything */
	write_file("a.yaml", "groups:", 7);
	ck_assert_int_eq(chmod(path_of("a.yaml", path), 0), 0);
	assert_load_error(
		path, "FILE: the file cannot be read: Permission denied\n");
}
END_TEST

START_TEST(an_empty_file_is_invalid)
{
	char path[128];

	assert_load_error("/dev/null",
		"FILE:1:1: the file is empty, needs at least groups\n");
	write_file("a.yaml", "", 0);
	assert_load_error(path_of("a.yaml", path),
		"FILE:1:1: the file is empty, needs at least groups\n");
	assert_error("", 0,
		"test.yaml:1:1: the file is empty, needs at least groups\n");
}
END_TEST

/* A reload must not wait for a writer that never comes. */
START_TEST(a_pipe_without_a_writer_is_an_empty_file)
{
	char path[128];

	ck_assert_int_eq(mkfifo(path_of("fifo", path), 0600), 0);
	assert_load_error(
		path, "FILE:1:1: the file is empty, needs at least groups\n");
}
END_TEST

START_TEST(a_pipe_with_a_writer_is_read_to_its_end)
{
	static const char text[] = GROUP " }\n";
	struct config_errors errors;
	struct config *c = NULL;
	char path[64];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(
		write(fds[1], text, sizeof(text) - 1), sizeof(text) - 1);
	ck_assert_int_eq(close(fds[1]), 0);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	ck_assert_int_eq(config_load(path, &c, &errors), 0);
	ck_assert_uint_eq(c->n_groups, 1);
	config_unref(c);
	ck_assert_int_eq(close(fds[0]), 0);
}
END_TEST

START_TEST(a_file_of_a_mebibyte_is_read_and_one_byte_more_is_not)
{
	static const char text[] = GROUP " }\n#";
	char *large = malloc(CONFIG_MAX_BYTES + 1), path[128];
	struct config_errors errors;
	struct config *c = NULL;

	ck_assert_ptr_nonnull(large);
	memset(large, '.', CONFIG_MAX_BYTES + 1);
	memcpy(large, text, sizeof(text) - 1);
	write_file("large", large, CONFIG_MAX_BYTES);
	ck_assert_int_eq(config_load(path_of("large", path), &c, &errors), 0);
	config_unref(c);
	write_file("large", large, CONFIG_MAX_BYTES + 1);
	assert_load_error(path, "FILE: the file is larger than 1 MiB\n");
	assert_load_error("/dev/zero", "FILE: the file is larger than 1 MiB\n");
	assert_error(large, CONFIG_MAX_BYTES + 1,
		"test.yaml: the file is larger than 1 MiB\n");
	free(large);
}
END_TEST

START_TEST(text_that_is_not_utf8_has_its_place)
{
	static const struct {
		const char *text;
		size_t size;
		const char *expected;
	} cases[] = {
		{ "\xff\xfeg\0", 4,
			"1:1: the file is in UTF-16, needs to be in UTF-8" },
		{ "\xfe\xff\0g", 4,
			"1:1: the file is in UTF-16, needs to be in UTF-8" },
		{ "g\0r\0", 4,
			"1:2: the character U+0000 cannot stand in YAML" },
		{ "a\0", 2, "1:2: the character U+0000 cannot stand in YAML" },
		{ "\x80", 1, "1:1: byte 0x80 is not UTF-8 here" },
		{ "\xc1\xbf", 2, "1:1: byte 0xc1 is not UTF-8 here" },
		{ "\xe0\x9f\xbf", 3, "1:1: byte 0xe0 is not UTF-8 here" },
		{ "\xf0\x8f\xbf\xbf", 4, "1:1: byte 0xf0 is not UTF-8 here" },
		{ "\xf4\x90\x80\x80", 4, "1:1: byte 0xf4 is not UTF-8 here" },
		{ "\xf5\x80\x80\x80", 4, "1:1: byte 0xf5 is not UTF-8 here" },
		{ "\xff", 1, "1:1: byte 0xff is not UTF-8 here" },
		/* Each cut short at the end of the buffer. */
		{ "\xc3", 1, "1:1: byte 0xc3 is not UTF-8 here" },
		{ "\xe2\x82", 2, "1:1: byte 0xe2 is not UTF-8 here" },
		{ "\xf0\x9f\x98", 3, "1:1: byte 0xf0 is not UTF-8 here" },
		{ "\xc3\xa9\xc3", 3, "1:2: byte 0xc3 is not UTF-8 here" },
		{ "# \xc3\xa9\n# \xe2\x82\xac \x1f", 12,
			"2:5: the character U+001F cannot stand in YAML" },
		{ "#\r#\r\n\x7f", 6,
			"3:1: the character U+007F cannot stand in YAML" },
		{ "\xc2\x84", 2,
			"1:1: the character U+0084 cannot stand in YAML" },
		{ "\xef\xbf\xbe", 3,
			"1:1: the character U+FFFE cannot stand in YAML" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char expected[128];

		(void)snprintf(expected, sizeof(expected), "test.yaml:%s\n",
			cases[i].expected);
		assert_error(cases[i].text, cases[i].size, expected);
	}
}
END_TEST

/* `n` lists of ten aliases each: 10 to the power of `n` words. */
START_TEST(an_alias_bomb_does_not_go_off)
{
	char text[8192], *lines;
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "x0: &x0 [a, a, a, a, a]\n");
	for (int i = 1; i < 30; i++) {
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "x%d: &x%d [", i, i);
		for (int j = 0; j < 10; j++)
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "*x%d, ", i - 1);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "]\n");
	}
	lines = parse_errors(text, n);
	ck_assert_ptr_nonnull(strstr(lines,
		"more than 10000 nodes once all aliases are expanded\n"));
	free(lines);
}
END_TEST

/* A file of `n` nodes, of which `extra` stand in a list of aliases at the end.
 * The caller frees it. */
static char *nodes(size_t n)
{
	/* The root, "groups", its list and the anchor. */
	const size_t before = 4;
	char *text = malloc(64 + n * 8);
	size_t used;

	ck_assert_ptr_nonnull(text);
	used = (size_t)sprintf(text, "groups:\n- &a x\n");
	for (size_t i = before; i < n; i++)
		used += (size_t)sprintf(text + used, "- *a\n");
	return text;
}

START_TEST(aliases_reach_exactly_ten_thousand_nodes)
{
	char *text = nodes(10000), *lines = parse_errors(text, strlen(text));

	ck_assert_ptr_nonnull(strstr(lines, "groups: a list, needs"));
	free(text);
	free(lines);
	text = nodes(10001);
	lines = parse_errors(text, strlen(text));
	ck_assert_str_eq(lines,
		"test.yaml:9999:3: more than 10000 nodes once all aliases are "
		"expanded\n");
	free(text);
	free(lines);
}
END_TEST

/* The bound is for aliases: what stands in the file is bounded by its size. */
START_TEST(a_large_file_without_aliases_is_fine)
{
	char *text = malloc(512 * 1024);
	struct config *c;
	size_t used;

	ck_assert_ptr_nonnull(text);
	used = (size_t)sprintf(text, INTERFACES "groups:\n");
	for (int i = 0; i < 1024; i++)
		used += (size_t)sprintf(text + used,
			"  g%d: { preset: mdns, interfaces: [lan, iot], "
			"ttl: 4, loop: true }\n",
			i);
	c = parse(text);
	ck_assert_uint_eq(c->n_groups, 1024);
	config_unref(c);
	free(text);
}
END_TEST

START_TEST(a_document_is_nested_to_its_bound)
{
	char text[128] = "groups: ", *lines;
	const size_t bound = 32 - 1; /* the root is one */

	memset(text + 8, '[', bound);
	memset(text + 8 + bound, ']', bound);
	lines = parse_errors(text, 8 + 2 * bound);
	ck_assert_ptr_nonnull(strstr(lines, "groups: a list, needs"));
	free(lines);
	memset(text + 8, '[', bound + 1);
	memset(text + 9 + bound, ']', bound + 1);
	assert_error(text, 10 + 2 * bound,
		"test.yaml:1:40: nested more than 32 deep\n");
}
END_TEST

START_TEST(errors_beyond_the_thousandth_are_counted)
{
	struct config_errors errors;
	struct config *c = NULL;
	char *text = malloc(32 * 1024);
	size_t used;

	ck_assert_ptr_nonnull(text);
	for (size_t n = 1000; n <= 1002; n++) {
		used = (size_t)sprintf(text, GROUP " }\n");
		for (size_t i = 0; i < n; i++)
			used += (size_t)sprintf(text + used, "k%zu: 1\n", i);
		ck_assert_int_eq(
			config_parse("a", text, used, &c, &errors), -EINVAL);
		ck_assert_uint_eq(errors.n, 1000);
		ck_assert_int_eq(errors.at[998].line, 1004);
		if (n == 1000)
			ck_assert_int_eq(errors.at[999].line, 1005);
		else if (n == 1001)
			ck_assert_str_eq(errors.at[999].message,
				"2 more errors are not shown");
		else
			ck_assert_str_eq(errors.at[999].message,
				"3 more errors are not shown");
		config_errors_done(&errors);
	}
	free(text);
}
END_TEST

START_TEST(errors_come_in_the_order_of_the_file)
{
	struct config_errors errors;
	struct config *c = NULL;
	static const char text[] = "groups: { g: { port: 0, ttl: 0 } }\n"
				   "interfaces: { a: { device: [] } }\n"
				   "control: { mode: x }\n"
				   "limits: { flows: 0 }\n";

	ck_assert_int_eq(
		config_parse("a", text, strlen(text), &c, &errors), -EINVAL);
	ck_assert_uint_ge(errors.n, 5);
	for (size_t i = 1; i < errors.n; i++) {
		const struct config_error *a = &errors.at[i - 1];
		const struct config_error *b = &errors.at[i];

		ck_assert(a->line < b->line ||
			  (a->line == b->line && a->column <= b->column));
	}
	config_errors_done(&errors);
	/* Idempotent: it leaves nothing behind. */
	config_errors_done(&errors);
}
END_TEST

/* A configuration with one announcement. The caller frees it. */
static char *announcing(const char *payload)
{
	char *text;

	ck_assert_int_gt(asprintf(&text,
				 GROUP " }\nannouncements:\n"
				       "  a:\n    group: g\n"
				       "    payload: { %s }\n",
				 payload),
		0);
	return text;
}

START_TEST(a_text_reaches_exactly_the_largest_datagram)
{
	char *payload = malloc(CONFIG_MAX_PAYLOAD + 32), *text, *lines;
	struct config *c;

	ck_assert_ptr_nonnull(payload);
	memset(payload, 'x', CONFIG_MAX_PAYLOAD + 32);
	memcpy(payload, "text: ", 6);
	payload[6 + CONFIG_MAX_PAYLOAD] = '\0';
	text = announcing(payload);
	c = parse(text);
	ck_assert_uint_eq(c->announcements[0].payload.size, CONFIG_MAX_PAYLOAD);
	free(dump(c));
	config_unref(c);
	free(text);
	payload[6 + CONFIG_MAX_PAYLOAD] = 'x';
	payload[7 + CONFIG_MAX_PAYLOAD] = '\0';
	text = announcing(payload);
	lines = parse_errors(text, strlen(text));
	ck_assert_str_eq(lines,
		"test.yaml:9:22: announcements.a.payload.text: a payload of "
		"65508 bytes, needs 1 to 65507\n");
	free(lines);
	free(text);
	free(payload);
}
END_TEST

START_TEST(a_payload_file_is_found_beside_the_configuration)
{
	char bytes[CONFIG_MAX_PAYLOAD + 1] = "\0\xff", path[128], other[128];
	char *text, *first;
	struct config_errors errors;
	struct config *c = NULL, *again;
	char *lines;

	text = announcing("file: payload");
	write_file("a.yaml", text, strlen(text));
	write_file("payload", bytes, CONFIG_MAX_PAYLOAD);
	ck_assert_int_eq(config_load(path_of("a.yaml", path), &c, &errors), 0);
	ck_assert_int_eq(c->announcements[0].payload.kind, CONFIG_DATA_BYTES);
	ck_assert_uint_eq(c->announcements[0].payload.size, CONFIG_MAX_PAYLOAD);
	ck_assert_mem_eq(
		c->announcements[0].payload.bytes, bytes, CONFIG_MAX_PAYLOAD);
	/* The dump can be read from anywhere. */
	first = dump(c);
	again = parse(first);
	ck_assert_uint_eq(
		again->announcements[0].payload.size, CONFIG_MAX_PAYLOAD);
	config_unref(again);
	config_unref(c);
	free(first);
	write_file("payload", bytes, CONFIG_MAX_PAYLOAD + 1);
	lines = load_error(path);
	ck_assert_ptr_nonnull(strstr(lines, "is larger than 65507 bytes"));
	free(lines);
	write_file("payload", bytes, 0);
	lines = load_error(path);
	ck_assert_ptr_nonnull(strstr(lines, "a payload of 0 bytes"));
	free(lines);
	ck_assert_int_eq(unlink(path_of("payload", other)), 0);
	lines = load_error(path);
	ck_assert_ptr_nonnull(strstr(lines, "No such file or directory"));
	free(lines);
	free(text);
}
END_TEST

START_TEST(a_payload_file_that_is_a_pipe_is_not_waited_for)
{
	char path[128], *text = announcing("file: fifo"), *lines;

	write_file("a.yaml", text, strlen(text));
	ck_assert_int_eq(mkfifo(path_of("fifo", path), 0600), 0);
	lines = load_error(path_of("a.yaml", path));
	ck_assert_ptr_nonnull(strstr(lines, "is no regular file"));
	free(lines);
	free(text);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("text");

	tcase_add_checked_fixture(t, make_directory, remove_directory);
	tcase_add_test(t, a_file_that_cannot_be_read_is_invalid);
	tcase_add_test(t, an_empty_file_is_invalid);
	tcase_add_test(t, a_pipe_without_a_writer_is_an_empty_file);
	tcase_add_test(t, a_pipe_with_a_writer_is_read_to_its_end);
	tcase_add_test(
		t, a_file_of_a_mebibyte_is_read_and_one_byte_more_is_not);
	tcase_add_test(t, text_that_is_not_utf8_has_its_place);
	tcase_add_test(t, an_alias_bomb_does_not_go_off);
	tcase_add_test(t, aliases_reach_exactly_ten_thousand_nodes);
	tcase_add_test(t, a_large_file_without_aliases_is_fine);
	tcase_add_test(t, a_document_is_nested_to_its_bound);
	tcase_add_test(t, errors_beyond_the_thousandth_are_counted);
	tcase_add_test(t, errors_come_in_the_order_of_the_file);
	tcase_add_test(t, a_text_reaches_exactly_the_largest_datagram);
	tcase_add_test(t, a_payload_file_is_found_beside_the_configuration);
	tcase_add_test(t, a_payload_file_that_is_a_pipe_is_not_waited_for);
	return run(t);
}
