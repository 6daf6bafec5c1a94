/*
 * What the tests of config share: a configuration from a text, its errors and
 * its dump as text, and a main().
 */
#ifndef CRIER_CHECK_CONFIG_H
#define CRIER_CHECK_CONFIG_H

#include "config/config.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A file that a test adds its groups to. */
#define INTERFACES                                                             \
	"interfaces:\n"                                                        \
	"  lan: { device: eth0 }\n"                                            \
	"  iot: { device: eth1 }\n"
#define GROUP INTERFACES "groups:\n  g: { address: 239.1.2.3, port: 7"

/* All errors, a line each, and frees them. The caller frees the text. */
static inline char *errors_text(struct config_errors *errors, const char *file)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	for (size_t i = 0; i < errors->n; i++) {
		config_error_print(&errors->at[i], file, out);
		(void)fputc('\n', out);
	}
	ck_assert_int_eq(fclose(out), 0);
	config_errors_done(errors);
	return text;
}

/* The configuration that `text` is; whatever is wrong with it fails the test.
 */
static inline struct config *parse(const char *text)
{
	struct config *c = NULL;
	struct config_errors errors;
	int r = config_parse("test.yaml", text, strlen(text), &c, &errors);

	if (r < 0) {
		char *lines = errors_text(&errors, "test.yaml");

		ck_abort_msg("%s", lines);
	}
	ck_assert_uint_eq(errors.n, 0);
	return c;
}

/* What is wrong with `text`. The caller frees it. */
static inline char *parse_errors(const char *text, size_t size)
{
	struct config *c = NULL;
	struct config_errors errors;

	ck_assert_int_eq(
		config_parse("test.yaml", text, size, &c, &errors), -EINVAL);
	ck_assert_ptr_null(c);
	ck_assert_uint_gt(errors.n, 0);
	return errors_text(&errors, "test.yaml");
}

static inline char *dump(const struct config *c)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(config_dump(c, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* The directory of the sources. */
static inline const char *top_srcdir(void)
{
	const char *dir = getenv("top_srcdir");

	if (dir == NULL)
		dir = getenv("srcdir");
	return dir != NULL ? dir : ".";
}

static inline int run(TCase *t)
{
	Suite *suite = suite_create("config");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 60);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

#endif
