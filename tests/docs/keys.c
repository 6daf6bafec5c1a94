/*
 * keys: prints every key that the parser would have taken where it read a
 * configuration: "TABLE PATH KEY", a line for each. Tables are numbered as they
 * are met, items of a list are written as "[]", the root as ".".
 *
 * usage: tests/docs/keys [--sites | --dump-sites] FILE
 *
 * The first option reads it as crier-mqtt's. With the second, such a file is
 * dumped instead: this is there also where crier-mqtt is not built.
 *
 * The documents are checked against this, so it must come from the parser
 * itself: the linker hands each call of read_map() to us.
 */
#include "config/config.h"
#include "config/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool __real_read_map(
	const struct spot *s, void *base, struct keys keys, struct keys more);
bool __wrap_read_map(
	const struct spot *s, void *base, struct keys keys, struct keys more);
int __real_read_built_in_presets(struct reader *r, struct tree *tree);
int __wrap_read_built_in_presets(struct reader *r, struct tree *tree);

enum { TABLES_MAX = 64 };

/* The parser has no argument to carry this by. */
static struct {
	const struct key *at[TABLES_MAX];
	size_t n;
} tables;
static bool is_built_in, is_silent;

static size_t number_of(const struct key *table)
{
	size_t i = 0;

	while (i < tables.n && tables.at[i] != table)
		i++;
	if (i == TABLES_MAX) {
		(void)fputs(
			"keys: more tables than it knows room for\n", stderr);
		exit(99);
	}
	if (i == tables.n)
		tables.at[tables.n++] = table;
	return i;
}

static void print_path(const struct spot *s)
{
	if (s->up == NULL)
		return;
	print_path(s->up);
	if (s->up->up != NULL && s->key != NULL)
		(void)putchar('.');
	(void)fputs(s->key != NULL ? s->key : "[]", stdout);
}

static void print_table(const struct spot *s, struct keys keys)
{
	for (size_t i = 0; i < keys.n; i++) {
		(void)printf("%zu ", number_of(keys.at));
		if (s->up == NULL)
			(void)putchar('.');
		print_path(s);
		(void)printf(" %s\n", keys.at[i].name);
	}
}

bool __wrap_read_map(
	const struct spot *s, void *base, struct keys keys, struct keys more)
{
	/* Not what is compiled in, nor what a preset fills in. */
	if (!is_silent && !is_built_in && !s->reader->quiet) {
		print_table(s, keys);
		print_table(s, more);
	}
	return __real_read_map(s, base, keys, more);
}

int __wrap_read_built_in_presets(struct reader *r, struct tree *tree)
{
	int error;

	is_built_in = true;
	error = __real_read_built_in_presets(r, tree);
	is_built_in = false;
	return error;
}

static int of_crierd(const char *path, struct config_errors *errors)
{
	struct config *c = NULL;
	int r = config_load(path, &c, errors);

	config_unref(c);
	return r;
}

static int of_sites(
	const char *path, bool is_dump, struct config_errors *errors)
{
	struct config_sites *c = NULL;
	int r;

	/* The keys are not what is asked for. */
	is_silent = is_dump;
	r = config_sites_load(path, &c, errors);
	if (r == 0 && is_dump)
		r = config_sites_dump(c, stdout);
	config_sites_free(c);
	return r;
}

int main(int argc, char *argv[])
{
	struct config_errors errors;
	const char *path = argv[argc - 1];
	const char *option = argc == 3 ? argv[1] : "";
	bool is_dump = strcmp(option, "--dump-sites") == 0;
	int r;

	if (argc == 2) {
		r = of_crierd(path, &errors);
	} else if (is_dump || strcmp(option, "--sites") == 0) {
		r = of_sites(path, is_dump, &errors);
	} else {
		(void)fputs("usage: tests/docs/keys [--sites | --dump-sites] "
			    "FILE\n",
			stderr);
		return 2;
	}
	for (size_t i = 0; i < errors.n; i++) {
		config_error_print(&errors.at[i], path, stderr);
		(void)fputc('\n', stderr);
	}
	config_errors_done(&errors);
	/* As the programs themselves. */
	return r == -EINVAL ? 78 : r < 0 ? 1 : 0;
}
