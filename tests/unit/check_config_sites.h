/*
 * What the tests of crier-mqtt's configuration share.
 */
#ifndef CRIER_CHECK_CONFIG_SITES_H
#define CRIER_CHECK_CONFIG_SITES_H

#include "check_config.h"

/* The least that a file of crier-mqtt has. */
#define SITE    "site: house-a\n"
#define BROKERS "brokers: mqtts://broker.example\n"
#define GROUPS  "groups: { mdns: {} }\n"
#define LEAST   SITE BROKERS GROUPS

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* The configuration that `text` is; whatever is wrong with it fails the test.
 */
static inline struct config_sites *parse_sites(const char *text)
{
	struct config_sites *c = NULL;
	struct config_errors errors;

	if (config_sites_parse("test.yaml", text, strlen(text), &c, &errors) <
		0)
		ck_abort_msg("%s%s", text, errors_text(&errors, "test.yaml"));
	ck_assert_uint_eq(errors.n, 0);
	return c;
}

/* What is wrong with `text`. The caller frees it. */
static inline char *sites_errors(const char *text, size_t size)
{
	struct config_sites *c = NULL;
	struct config_errors errors;
	/* In a buffer of exactly this size, for the sanitizer. */
	char *copy = malloc(size ? size : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	ck_assert_msg(config_sites_parse(
			      "test.yaml", copy, size, &c, &errors) == -EINVAL,
		"accepted: %s", text);
	ck_assert_ptr_null(c);
	free(copy);
	return errors_text(&errors, "test.yaml");
}

#endif
