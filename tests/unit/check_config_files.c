/*
 * Every file of tests/config/bad gives exactly the errors beside it, every one
 * of tests/config/good the dump beside it, and that dump reads back as itself.
 */
#include "check_config.h"

#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <unistd.h>

/* Of each kind, so that an empty directory is no success. */
enum { BAD_FILES_MIN = 200, GOOD_FILES_MIN = 15 };

/* The caller frees it. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t size = 2 * CONFIG_MAX_BYTES, n;
	char *text = malloc(size);

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_ptr_nonnull(text);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	ck_assert_int_eq(fclose(file), 0);
	return text;
}

/* What stands beside a NAME.yaml. */
static char *read_expected(const char *yaml)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%.*s.expected",
		(int)(strlen(yaml) - strlen(".yaml")), yaml);
	return read_file(path);
}

static void check_bad(const char *yaml)
{
	struct config *c = NULL;
	struct config_errors errors;
	char *lines, *expected = read_expected(yaml);

	ck_assert_msg(config_load(yaml, &c, &errors) == -EINVAL, "%s", yaml);
	ck_assert_ptr_null(c);
	lines = errors_text(&errors, yaml);
	ck_assert_str_eq(lines, expected);
	free(lines);
	free(expected);
}

static struct config *load(const char *yaml)
{
	struct config *c = NULL;
	struct config_errors errors;

	if (config_load(yaml, &c, &errors) < 0)
		ck_abort_msg("%s", errors_text(&errors, yaml));
	ck_assert_uint_eq(errors.n, 0);
	return c;
}

/* Dumps `c`, reads that back and compares all there is to compare. Frees the
 * configuration and returns its dump. */
static char *check_round_trip(struct config *c)
{
	char *first = dump(c), *second;
	struct config *again = parse(first);

	second = dump(again);
	ck_assert_str_eq(first, second);
	ck_assert_uint_eq(c->n_groups, again->n_groups);
	for (size_t i = 0; i < c->n_groups; i++)
		ck_assert_msg(config_group_equal(c, &c->groups[i], again,
				      &again->groups[i]),
			"%s", c->groups[i].name);
	free(second);
	config_unref(again);
	config_unref(c);
	return first;
}

static void check_good(const char *yaml)
{
	char *text = check_round_trip(load(yaml));
	char *expected = read_expected(yaml);

	ck_assert_str_eq(text, expected);
	free(text);
	free(expected);
}

/* Runs `check` for each NAME.yaml, from within its directory: file names in
 * errors are as they were given. */
static size_t for_each(const char *directory, void (*check)(const char *yaml))
{
	char path[4096];
	glob_t found;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/tests/config/%s", top_srcdir(),
		directory);
	ck_assert_msg(chdir(path) == 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(glob("*.yaml", 0, NULL, &found), 0);
	n = found.gl_pathc;
	for (size_t i = 0; i < n; i++)
		check(found.gl_pathv[i]);
	globfree(&found);
	return n;
}

/* Without CK_FORK the tests share a directory, which top_srcdir() may be
 * relative to. */
static int home = -1;

static void come_home(void)
{
	ck_assert_int_eq(fchdir(home), 0);
}

START_TEST(each_bad_file_has_exactly_its_errors)
{
	ck_assert_uint_ge(for_each("bad", check_bad), BAD_FILES_MIN);
}
END_TEST

START_TEST(each_good_file_has_its_dump_which_reads_back)
{
	ck_assert_uint_ge(for_each("good", check_good), GOOD_FILES_MIN);
}
END_TEST

static char *read_example(void)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/conf/crierd.yaml", top_srcdir());
	return read_file(path);
}

/* What of it is commented out is for tests/docs/example. */
START_TEST(the_example_is_valid_as_it_stands)
{
	char *text = read_example();
	struct config *c = parse(text);

	ck_assert_uint_eq(c->n_interfaces, 2);
	ck_assert_uint_eq(c->n_groups, 2);
	free(check_round_trip(c));
	free(text);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("files");
	int r;

	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home < 0)
		return 99;
	tcase_add_checked_fixture(t, NULL, come_home);
	tcase_add_test(t, each_bad_file_has_exactly_its_errors);
	tcase_add_test(t, each_good_file_has_its_dump_which_reads_back);
	tcase_add_test(t, the_example_is_valid_as_it_stands);
	r = run(t);
	(void)close(home);
	return r;
}
