#include "config/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void report_add_va(struct report *r, int line, int column, const char *path,
	const char *format, va_list arguments)
{
	struct config_errors *e = r->errors;
	struct config_error error = { .line = line, .column = column };
	struct config_error *at;

	if (e->n == REPORT_MAX) {
		r->left_out++;
		return;
	}
	at = reallocarray(e->at, e->n + 1, sizeof(*at));
	if (at == NULL)
		goto fail;
	e->at = at;
	error.path = strdup(path);
	if (error.path == NULL)
		goto fail;
	if (vasprintf(&error.message, format, arguments) < 0) {
		error.message = NULL;
		goto fail;
	}
	e->at[e->n++] = error;
	return;
fail:
	free(error.path);
	r->no_memory = true;
}

void report_add(struct report *r, int line, int column, const char *path,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_add_va(r, line, column, path, format, arguments);
	va_end(arguments);
}

static int compare(const void *a, const void *b)
{
	const struct config_error *x = a, *y = b;
	int r;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	r = strcmp(x->path, y->path);
	return r != 0 ? r : strcmp(x->message, y->message);
}

static void drop_last(struct config_errors *e)
{
	e->n--;
	free(e->at[e->n].path);
	free(e->at[e->n].message);
}

int report_end(struct report *r)
{
	struct config_errors *e = r->errors;
	size_t left_out = r->left_out;

	if (e->n > 1)
		qsort(e->at, e->n, sizeof(*e->at), compare);
	if (left_out > 0) {
		drop_last(e);
		report_add(r, 0, 0, "", "%zu more errors are not shown",
			left_out + 1);
	}
	if (r->no_memory)
		return -ENOMEM;
	return e->n > 0 ? -EINVAL : 0;
}

void config_errors_done(struct config_errors *errors)
{
	while (errors->n > 0)
		drop_last(errors);
	free(errors->at);
	*errors = (struct config_errors){ 0 };
}

void config_error_print(
	const struct config_error *e, const char *file, FILE *out)
{
	(void)fputs(file, out);
	if (e->line > 0)
		(void)fprintf(out, ":%d:%d", e->line, e->column);
	if (e->path[0] != '\0')
		(void)fprintf(out, ": %s", e->path);
	(void)fprintf(out, ": %s", e->message);
}

void config_errors_print(
	const struct config_errors *errors, const char *file, FILE *out)
{
	for (size_t i = 0; i < errors->n; i++) {
		config_error_print(&errors->at[i], file, out);
		(void)fputc('\n', out);
	}
}
