#include "config/spot.h"
#include "config/suggest.h"
#include "proto/proto.h"

#include <stdio.h>
#include <string.h>

/* Paths have 32 parts at most, of which a quoted one takes up to 80 bytes. */
enum { PATH_TEXT = 4096 };

const char *quote(const char *text, char *buffer)
{
	char *out = buffer;
	uint32_t c;
	size_t size;

	for (; *text != '\0'; text += size) {
		/* Room for one more, and for what says that it was cut. */
		if (out - buffer >= QUOTE_TEXT - 16) {
			memcpy(out, "...", 4);
			return buffer;
		}
		size = utf8_decode(text, &c);
		if (utf8_is_hostile(c))
			out = utf8_escape(out, text, c);
		else
			out = mempcpy(out, text, size);
	}
	*out = '\0';
	return buffer;
}

static size_t write_path(const struct spot *s, char *buffer)
{
	char name[QUOTE_TEXT];
	size_t n;

	if (s->up == NULL) {
		buffer[0] = '\0';
		return 0;
	}
	n = write_path(s->up, buffer);
	if (s->key == NULL)
		return n + (size_t)snprintf(buffer + n, PATH_TEXT - n, "[%zu]",
				   s->index);
	return n + (size_t)snprintf(buffer + n, PATH_TEXT - n, "%s%s",
			   n ? "." : "", quote(s->key, name));
}

bool spot_is_reporting(const struct spot *s)
{
	return !s->reader->quiet && s->reader->report.errors->n < REPORT_MAX;
}

__attribute__((format(printf, 3, 0))) static void report_at(
	const struct spot *s, const struct node *at, const char *format,
	va_list arguments)
{
	char path[PATH_TEXT];

	if (s->reader->quiet)
		return;
	(void)write_path(s, path);
	report_add_va(&s->reader->report, at->line, at->column, path, format,
		arguments);
}

void spot_error(const struct spot *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_at(s, s->node, format, arguments);
	va_end(arguments);
}

void spot_key_error(const struct spot *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_at(s, s->key_node != NULL ? s->key_node : s->node, format,
		arguments);
	va_end(arguments);
}

/* True if a key of `s` is what is near to `key`, so that naming the one as
 * unknown says it all. */
static bool is_misspelt(const struct spot *s, const char *key)
{
	struct suggest suggest;

	suggest_init(&suggest, key);
	for (size_t i = 0; i < spot_pairs(s); i++)
		suggest_offer(&suggest, s->node->at[2 * i]->text);
	return suggest_found(&suggest);
}

void spot_missing(const struct spot *s, const char *key, const char *want)
{
	struct spot child = *s;

	if (is_misspelt(s, key))
		return;
	child.up = s;
	child.key = key;
	spot_error(&child, "missing, needs %s", want);
}

void spot_wrong(const struct spot *s, const char *want)
{
	char text[QUOTE_TEXT];

	if (s->node->kind == NODE_LIST)
		spot_error(s, "a list, needs %s", want);
	else if (s->node->kind == NODE_MAP)
		spot_error(s, "a mapping, needs %s", want);
	else if (node_is_empty(s->node))
		spot_error(s, "empty, needs %s", want);
	else
		spot_error(s, "\"%s\" is not %s", quote(s->node->text, text),
			want);
}

void spot_no_memory(const struct spot *s)
{
	s->reader->report.no_memory = true;
}

static void go_to(const struct spot *s, struct node *node, struct spot *ret)
{
	*ret = (struct spot){ .reader = s->reader, .up = s, .node = node };
}

size_t spot_pairs(const struct spot *s)
{
	return s->node->kind == NODE_MAP ? s->node->n / 2 : 0;
}

void spot_pair(const struct spot *s, size_t i, struct spot *ret)
{
	go_to(s, s->node->at[2 * i + 1], ret);
	ret->key_node = s->node->at[2 * i];
	ret->key = ret->key_node->text;
}

bool spot_get(const struct spot *s, const char *key, struct spot *ret)
{
	for (size_t i = 0; i < spot_pairs(s); i++) {
		if (strcmp(s->node->at[2 * i]->text, key) != 0)
			continue;
		spot_pair(s, i, ret);
		return true;
	}
	return false;
}

bool spot_has(const struct spot *s, const char *key)
{
	struct spot child;

	return spot_get(s, key, &child);
}

size_t spot_items(const struct spot *s)
{
	if (s->node->kind != NODE_LIST)
		return 1;
	if (s->node->n <= SPOT_ITEMS_MAX)
		return s->node->n;
	spot_error(s, "%zu items are too many, at most %d", s->node->n,
		SPOT_ITEMS_MAX);
	return 0;
}

void spot_item(const struct spot *s, size_t i, struct spot *ret)
{
	if (s->node->kind != NODE_LIST) {
		*ret = *s;
		return;
	}
	go_to(s, s->node->at[i], ret);
	ret->index = i;
}

bool spot_is_map(const struct spot *s)
{
	if (s->node->kind == NODE_MAP || node_is_empty(s->node))
		return true;
	spot_wrong(s, "a mapping of keys and values");
	return false;
}

const char *spot_text(const struct spot *s, const char *want)
{
	if (s->node->kind == NODE_SCALAR && !node_is_empty(s->node))
		return s->node->text;
	spot_wrong(s, want);
	return NULL;
}
