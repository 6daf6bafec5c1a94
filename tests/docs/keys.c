/*
 * keys: prints every key that the parser would have taken where it read a
 * configuration: "TABLE PATH KEY", a line for each. Tables are numbered as they
 * are met, items of a list are written as "[]", the root as ".".
 *
 * usage: tests/docs/keys FILE
 *
 * The documents are checked against this, so it must come from the parser
 * itself: the linker hands each call of read_map() to us.
 */
#include "config/config.h"
#include "config/read.h"

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
static bool is_built_in;

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
	if (!is_built_in && !s->reader->quiet) {
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

int main(int argc, char *argv[])
{
	struct config_errors errors;
	struct config *c = NULL;
	int r;

	if (argc != 2) {
		(void)fputs("usage: tests/docs/keys FILE\n", stderr);
		return 2;
	}
	r = config_load(argv[1], &c, &errors);
	if (r < 0) {
		(void)fprintf(stderr, "keys: %s: %s\n", argv[1], strerror(-r));
		for (size_t i = 0; i < errors.n; i++)
			config_error_print(&errors.at[i], argv[1], stderr);
		return 1;
	}
	config_unref(c);
	return 0;
}
