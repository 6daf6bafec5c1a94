/*
 * Whatever a file says: it is read or every error has its place and a text;
 * what was read is written as a file that reads as the same.
 */
#include "errors.h"

static char *dump(const struct config *c, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	MUST(out != NULL);
	MUST(config_dump(c, out) == 0);
	MUST(fclose(out) == 0);
	return text;
}

static void check_same(const struct config *a, const struct config *b)
{
	MUST(a->n_groups == b->n_groups);
	for (size_t i = 0; i < a->n_groups; i++)
		MUST(config_group_equal(a, &a->groups[i], b, &b->groups[i]));
	MUST(a->n_announcements == b->n_announcements);
	for (size_t i = 0; i < a->n_announcements; i++)
		MUST(config_announcement_equal(
			a, &a->announcements[i], b, &b->announcements[i]));
}

static void check_dump(const struct config *c)
{
	struct config_errors errors;
	struct config *again = NULL;
	size_t size, again_size;
	char *text = dump(c, &size), *second;
	int r = config_parse("fuzz.yaml", text, size, &again, &errors);

	if (r < 0 && errors.n > 0)
		config_error_print(&errors.at[0], text, stderr);
	MUST(r == 0);
	config_errors_done(&errors);
	check_same(c, again);
	second = dump(again, &again_size);
	MUST(size == again_size && memcmp(text, second, size) == 0);
	free(second);
	free(text);
	config_unref(again);
}

static void say(void *data, const char *path, const char *text)
{
	(void)data;
	MUST(path != NULL);
	MUST(text != NULL && text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = data != NULL ? (const char *)data : "";
	struct config_errors errors;
	struct config *c = NULL;
	int r = config_parse("fuzz.yaml", text, size, &c, &errors);

	MUST(r == 0 || r == -EINVAL);
	if (r < 0) {
		MUST(c == NULL);
		check_errors(&errors);
	} else {
		MUST(errors.n == 0);
		config_remarks(c, say, NULL);
		check_dump(c);
		config_unref(c);
	}
	config_errors_done(&errors);
	return 0;
}
