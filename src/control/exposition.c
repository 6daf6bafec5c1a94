#include "control/exposition.h"

#include "proto/proto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

int exposition_begin(struct exposition *e)
{
	*e = (struct exposition){ 0 };
	e->stream = open_memstream(&e->text, &e->size);
	return e->stream ? 0 : -ENOMEM;
}

void exposition_family(struct exposition *e, const char *name, const char *type,
	const char *help)
{
	e->family = name;
	(void)fprintf(e->stream, "# HELP %s %s\n# TYPE %s %s\n", name, help,
		name, type);
}

/* Bytes at the beginning that mean themselves. */
static size_t plain(const char *value)
{
	size_t n = 0;

	while (value[n] >= ' ' && value[n] <= '~' && value[n] != '\\' &&
		value[n] != '"')
		n++;
	return n;
}

static void write_value(FILE *out, const char *value)
{
	uint32_t c;
	size_t n;

	for (; *value; value += n) {
		n = plain(value);
		if (n > 0) {
			(void)fwrite(value, 1, n, out);
			continue;
		}
		n = utf8_decode(value, &c);
		if (c == '\n')
			(void)fputs("\\n", out);
		else if (c == '\\' || c == '"')
			(void)fprintf(out, "\\%c", (char)c);
		else if (utf8_is_hostile(c))
			(void)fputs("\xef\xbf\xbd", out);
		else
			(void)fwrite(value, 1, n, out);
	}
}

void exposition_sample(struct exposition *e,
	const struct exposition_label labels[], size_t n_labels, uint64_t value)
{
	(void)fputs(e->family, e->stream);
	for (size_t i = 0; i < n_labels; i++) {
		(void)fprintf(
			e->stream, "%c%s=\"", i ? ',' : '{', labels[i].name);
		write_value(e->stream, labels[i].value);
		(void)fputc('"', e->stream);
	}
	(void)fprintf(
		e->stream, "%s %" PRIu64 "\n", n_labels ? "}" : "", value);
}

void exposition_single(struct exposition *e, const char *name, const char *type,
	const char *help, uint64_t value)
{
	exposition_family(e, name, type, help);
	exposition_sample(e, NULL, 0, value);
}

char *exposition_end(struct exposition *e, size_t *ret_size)
{
	bool failed = ferror(e->stream) != 0;

	failed = fclose(e->stream) != 0 || failed;
	if (failed) {
		free(e->text);
		return NULL;
	}
	*ret_size = e->size;
	return e->text;
}
