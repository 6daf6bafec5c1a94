#include "config/document.h"
#include "config/input.h"

#include <errno.h>
#include <string.h>

static void report_too_large(struct report *r)
{
	report_add(r, 0, 0, "", "the file is larger than 1 MiB");
}

int document_load(const char *path, char **ret_text, size_t *ret_size,
	struct config_errors *errors)
{
	struct report report = { .errors = errors };
	int r;

	*errors = (struct config_errors){ 0 };
	r = input_read(path, false, CONFIG_MAX_BYTES, ret_text, ret_size);
	if (r == 0 || r == -ENOMEM)
		return r;
	if (r == -EFBIG)
		report_too_large(&report);
	else
		report_add(&report, 0, 0, "", "the file cannot be read: %s",
			strerror(-r));
	return report_end(&report);
}

/* Returns 0, whatever is wrong with the values, or what kept it from reading
 * them. */
static int read_root(struct reader *r, const char *text, size_t size,
	void (*read)(const struct spot *root, void *base), void *base,
	const char *needs)
{
	struct spot root = { .reader = r };
	struct tree tree;
	int error;

	error = tree_parse(&tree, text, size, &r->report);
	if (error == 0 && tree_is_empty(&tree)) {
		report_add(&r->report, 1, 1, "",
			"the file is empty, needs at least %s", needs);
	} else if (error == 0) {
		root.node = tree.root;
		spot_check(&root);
		read(&root, base);
	}
	tree_done(&tree);
	return error;
}

int document_read(struct reader *r, const char *text, size_t size,
	void (*read)(const struct spot *root, void *base), void *base,
	const char *needs)
{
	if (size > CONFIG_MAX_BYTES)
		report_too_large(&r->report);
	else if (read_root(r, text, size, read, base, needs) == -ENOMEM)
		r->report.no_memory = true;
	return report_end(&r->report);
}
