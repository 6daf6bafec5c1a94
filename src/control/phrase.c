#include "control/phrase.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *phrase_word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t phrase_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

char *phrase_format(const char *how, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, how);
	n = vasprintf(&text, how, ap);
	va_end(ap);
	return n < 0 ? NULL : text;
}

/* A text that grows as it is written. */
struct words {
	FILE *stream;
	char *text;
	size_t size;
};

static int words_begin(struct words *w)
{
	w->text = NULL;
	w->stream = open_memstream(&w->text, &w->size);
	return w->stream ? 0 : -ENOMEM;
}

/* What was written, for the caller to free; NULL: no memory. */
static char *words_end(struct words *w)
{
	bool failed = ferror(w->stream) != 0;

	failed = fclose(w->stream) != 0 || failed;
	if (!failed)
		return w->text;
	free(w->text);
	return NULL;
}

char *phrase_counts(const json_t *object, bool name_first)
{
	const char *key, *comma = "";
	json_int_t n;
	json_t *value;
	struct words w;

	if (words_begin(&w) < 0)
		return NULL;
	json_object_foreach((json_t *)object, key, value)
	{
		n = json_integer_value(value);
		if (n == 0)
			continue;
		if (name_first)
			(void)fprintf(w.stream, "%s%s %" JSON_INTEGER_FORMAT,
				comma, key, n);
		else
			(void)fprintf(w.stream, "%s%" JSON_INTEGER_FORMAT " %s",
				comma, n, key);
		comma = ", ";
	}
	return words_end(&w);
}

char *phrase_elements(const json_t *array)
{
	const char *comma = "";
	struct words w;
	json_t *value;
	size_t i;

	if (words_begin(&w) < 0)
		return NULL;
	json_array_foreach(array, i, value)
	{
		(void)fputs(comma, w.stream);
		if (json_is_string(value))
			(void)fputs(json_string_value(value), w.stream);
		else
			(void)json_dumpf(value, w.stream, JSON_ENCODE_ANY);
		comma = ", ";
	}
	return words_end(&w);
}

json_int_t phrase_sum(const json_t *object)
{
	json_int_t total = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) total +=
		json_integer_value(value);
	return total;
}
