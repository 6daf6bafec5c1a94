#include "control/table.h"

#include "control/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const colours[] = {
	[TABLE_PLAIN] = "",
	[TABLE_GOOD] = "\x1b[32m",
	[TABLE_WARN] = "\x1b[33m",
	[TABLE_BAD] = "\x1b[31m",
};
static const char bold[] = "\x1b[1m";
static const char normal[] = "\x1b[0m";

enum { GAP = 2, NOTE_INDENT = 2 };

enum table_colour table_state_colour(const char *state)
{
	if (!strcmp(state, "joined") || !strcmp(state, "up") ||
		!strcmp(state, "sent"))
		return TABLE_GOOD;
	return strcmp(state, "failed") ? TABLE_WARN : TABLE_BAD;
}

void table_init(
	struct table *t, const char *const titles[], size_t n, unsigned right)
{
	*t = (struct table){ .titles = titles, .n_columns = n, .right = right };
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		for (size_t j = 0; j < t->n_columns; j++)
			free(t->rows[i].cells[j].text);
		free(t->rows[i].note);
	}
	free(t->rows);
	*t = (struct table){ 0 };
}

void table_row(struct table *t)
{
	size_t room = t->room ? 2 * t->room : 16;
	struct table_row *rows;

	t->column = 0;
	if (t->n_rows == t->room) {
		rows = realloc(t->rows, room * sizeof(*rows));
		if (!rows) {
			t->failed = true;
			return;
		}
		t->rows = rows;
		t->room = room;
	}
	t->rows[t->n_rows++] = (struct table_row){ 0 };
}

void table_text(struct table *t, const char *text, enum table_colour colour)
{
	char *escaped;

	if (t->failed || t->column == t->n_columns)
		return;
	escaped = text_escape(text);
	t->failed = !escaped;
	t->rows[t->n_rows - 1].cells[t->column++] =
		(struct table_cell){ .text = escaped, .colour = colour };
}

void table_json(struct table *t, const json_t *value)
{
	const char *text = "-";
	char number[32];

	if (json_is_integer(value)) {
		(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			json_integer_value(value));
		text = number;
	} else if (json_is_boolean(value)) {
		text = json_is_true(value) ? "yes" : "no";
	} else if (json_string_length(value) > 0) {
		text = json_string_value(value);
	}
	table_text(t, text, TABLE_PLAIN);
}

void table_note(struct table *t, const char *text, enum table_colour colour)
{
	struct table_row *row;

	table_row(t);
	if (t->failed)
		return;
	row = &t->rows[t->n_rows - 1];
	row->note = text_escape(text);
	row->cells[0].colour = colour;
	t->failed = !row->note;
}

void table_take(struct table *t, char *text)
{
	if (text)
		table_text(t, text, TABLE_PLAIN);
	else
		t->failed = true;
	free(text);
}

void table_member(struct table *t, const json_t *object, const char *key)
{
	table_json(t, json_object_get(object, key));
}

/* ---- printing ---- */

static void measure(const struct table *t, size_t widths[TABLE_COLUMNS])
{
	const struct table_cell *cell;
	size_t width;

	for (size_t j = 0; j < t->n_columns; j++)
		widths[j] = text_width(t->titles[j]);
	for (size_t i = 0; i < t->n_rows; i++)
		for (size_t j = 0; j < t->n_columns; j++) {
			cell = &t->rows[i].cells[j];
			width = cell->text ? text_width(cell->text) : 0;
			if (width > widths[j])
				widths[j] = width;
		}
}

static void print_coloured(
	FILE *out, const char *text, const char *colour, bool coloured)
{
	bool use = coloured && *colour && *text;

	(void)fprintf(
		out, "%s%s%s", use ? colour : "", text, use ? normal : "");
}

static void print_gap(FILE *out, size_t n)
{
	(void)fprintf(out, "%*s", (int)n, "");
}

/* One line of cells. What is blank is only printed before what is not, so
 * that no line ends with blanks. */
static void print_cells(const struct table *t, FILE *out, size_t indent,
	const size_t widths[], const char *const texts[],
	const char *const tints[], bool coloured)
{
	size_t blank = indent, pad;

	for (size_t j = 0; j < t->n_columns; j++) {
		pad = widths[j] - text_width(texts[j]);
		if (t->right & 1U << j)
			blank += pad;
		if (*texts[j]) {
			print_gap(out, blank);
			print_coloured(out, texts[j], tints[j], coloured);
			blank = 0;
		}
		blank += GAP + (t->right & 1U << j ? 0 : pad);
	}
	(void)fputc('\n', out);
}

static void print_row(const struct table *t, FILE *out, size_t indent,
	const size_t widths[], const struct table_row *row, bool coloured)
{
	const char *texts[TABLE_COLUMNS], *tints[TABLE_COLUMNS];

	if (row->note) {
		print_gap(out, indent + NOTE_INDENT);
		print_coloured(out, row->note, colours[row->cells[0].colour],
			coloured);
		(void)fputc('\n', out);
		return;
	}
	for (size_t j = 0; j < t->n_columns; j++) {
		texts[j] = row->cells[j].text ? row->cells[j].text : "";
		tints[j] = colours[row->cells[j].colour];
	}
	print_cells(t, out, indent, widths, texts, tints, coloured);
}

int table_print(
	const struct table *t, FILE *out, unsigned indent, bool coloured)
{
	size_t widths[TABLE_COLUMNS] = { 0 };
	const char *tints[TABLE_COLUMNS];

	if (t->failed)
		return -ENOMEM;
	measure(t, widths);
	for (size_t j = 0; j < t->n_columns; j++)
		tints[j] = bold;
	print_cells(t, out, indent, widths, t->titles, tints, coloured);
	for (size_t i = 0; i < t->n_rows; i++)
		print_row(t, out, indent, widths, &t->rows[i], coloured);
	return 0;
}

int table_print_text(
	FILE *out, const char *text, enum table_colour colour, bool coloured)
{
	char *escaped = text_escape(text);

	if (!escaped)
		return -ENOMEM;
	print_coloured(out, escaped, colours[colour], coloured);
	free(escaped);
	return 0;
}
