#include "control/table.h"

#include "control/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const colours[] = {
	[TABLE_PLAIN] = "",
	[TABLE_GOOD] = "\x1b[32m",
	[TABLE_WARN] = "\x1b[33m",
	[TABLE_BAD] = "\x1b[31m",
};
static const char bold[] = "\x1b[1m";
static const char normal[] = "\x1b[0m";

static const char ellipsis[] = "\u2026";

enum {
	GAP = 2,
	NOTE_INDENT = 2,
	/* What a column that is cut keeps, as long as others can be left out,
	 * and then. */
	WIDTH_FAIR = 8,
	WIDTH_MIN = 4,
	COLUMNS_MAX = 10000,
};

enum table_colour table_state_colour(const char *state)
{
	if (!strcmp(state, "joined") || !strcmp(state, "up") ||
		!strcmp(state, "sent") || !strcmp(state, "active"))
		return TABLE_GOOD;
	return strcmp(state, "failed") ? TABLE_WARN : TABLE_BAD;
}

void table_begin(
	struct table *t, const char *const titles[], size_t n, unsigned right)
{
	*t = (struct table){ .titles = titles, .n_columns = n, .right = right };
}

void table_discard(struct table *t)
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

void table_heading(struct table *t, const char *text)
{
	table_note(t, text, TABLE_PLAIN);
	if (!t->failed)
		t->rows[t->n_rows - 1].heading = true;
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

/* ---- widths ---- */

static size_t columns_of(FILE *out)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	long columns;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	columns = text ? strtol(text, NULL, 10) : 0;
	if (columns > 0 && columns <= COLUMNS_MAX)
		return (size_t)columns;
	return isatty(fileno(out)) ? 80 : 0;
}

void table_fit(struct table *t, FILE *out)
{
	t->limit = columns_of(out);
}

void table_spare(struct table *t, unsigned columns)
{
	t->spare = columns;
}

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

/* How a table is laid out on its page. */
struct layout {
	size_t widths[TABLE_COLUMNS];
	unsigned hidden; /* bit i: column i is left out */
	size_t indent;
	size_t limit; /* 0: none */
	bool coloured;
};

static bool is_hidden(const struct layout *l, size_t column)
{
	return l->hidden & 1U << column;
}

static size_t line_width(const struct table *t, const struct layout *l)
{
	size_t width = l->indent, n = 0;

	for (size_t j = 0; j < t->n_columns; j++)
		if (!is_hidden(l, j)) {
			width += l->widths[j];
			n++;
		}
	return width + (n ? (n - 1) * GAP : 0);
}

/* Narrows columns of text, the widest first, to no less than `least`. True
 * where the line fits. */
static bool narrow(const struct table *t, struct layout *l, size_t least)
{
	size_t widest;

	while (line_width(t, l) > l->limit) {
		widest = t->n_columns;
		for (size_t j = 0; j < t->n_columns; j++)
			if (!is_hidden(l, j) && !(t->right & 1U << j) &&
				(widest == t->n_columns ||
					l->widths[j] > l->widths[widest]))
				widest = j;
		if (widest == t->n_columns || l->widths[widest] <= least)
			return false;
		l->widths[widest]--;
	}
	return true;
}

/* Leaves out the column on the right that is to spare. False: there is none. */
static bool hide_one(const struct table *t, struct layout *l)
{
	for (size_t j = t->n_columns; j-- > 0;)
		if (t->spare & 1U << j && !is_hidden(l, j)) {
			l->hidden |= 1U << j;
			return true;
		}
	return false;
}

static void fit(const struct table *t, struct layout *l)
{
	size_t natural[TABLE_COLUMNS];

	memcpy(natural, l->widths, sizeof(natural));
	while (!narrow(t, l, WIDTH_FAIR)) {
		memcpy(l->widths, natural, sizeof(natural));
		if (hide_one(t, l))
			continue;
		(void)narrow(t, l, WIDTH_MIN);
		return;
	}
}

/* ---- printing ---- */

/* What of a text is shown in `width` columns; `*ret_cut` where it is not all
 * of it, and an ellipsis stands behind. Returns the columns that both take. */
static size_t clip(
	const char *text, size_t width, size_t *ret_size, bool *ret_cut)
{
	size_t whole = text_width(text);

	*ret_size = strlen(text);
	*ret_cut = whole > width;
	if (!*ret_cut)
		return whole;
	*ret_size = text_cut(text, width ? width - 1 : 0);
	return text_width(text) - text_width(text + *ret_size) + 1;
}

static void print_clipped(FILE *out, const char *text, size_t size, bool cut,
	const char *colour, bool coloured)
{
	bool use = coloured && *colour && *text;

	(void)fprintf(out, "%s%.*s%s%s", use ? colour : "", (int)size, text,
		cut ? ellipsis : "", use ? normal : "");
}

static void print_coloured(
	FILE *out, const char *text, const char *colour, bool coloured)
{
	print_clipped(out, text, strlen(text), false, colour, coloured);
}

static void print_gap(FILE *out, size_t n)
{
	(void)fprintf(out, "%*s", (int)n, "");
}

/* One line of cells. What is blank is only printed before what is not, so
 * that no line ends with blanks. */
static void print_cells(const struct table *t, FILE *out,
	const struct layout *l, const char *const texts[],
	const char *const tints[])
{
	size_t blank = l->indent, pad, size;
	bool right, cut;

	for (size_t j = 0; j < t->n_columns; j++) {
		if (is_hidden(l, j))
			continue;
		right = t->right & 1U << j;
		pad = l->widths[j] - clip(texts[j], l->widths[j], &size, &cut);
		if (right)
			blank += pad;
		if (*texts[j]) {
			print_gap(out, blank);
			print_clipped(out, texts[j], size, cut, tints[j],
				l->coloured);
			blank = 0;
		}
		blank += GAP + (right ? 0 : pad);
	}
	(void)fputc('\n', out);
}

static void print_note(
	FILE *out, const struct layout *l, const struct table_row *row)
{
	size_t size = strlen(row->note);
	bool cut = false;

	if (row->heading && l->limit)
		(void)clip(row->note, l->limit, &size, &cut);
	/* Headings stand left of their rows, notes right of them. */
	if (!row->heading)
		print_gap(out, l->indent + NOTE_INDENT);
	print_clipped(out, row->note, size, cut,
		row->heading ? bold : colours[row->cells[0].colour],
		l->coloured);
	(void)fputc('\n', out);
}

static void print_row(const struct table *t, FILE *out, const struct layout *l,
	const struct table_row *row)
{
	const char *texts[TABLE_COLUMNS], *tints[TABLE_COLUMNS];

	if (row->note) {
		print_note(out, l, row);
		return;
	}
	for (size_t j = 0; j < t->n_columns; j++) {
		texts[j] = row->cells[j].text ? row->cells[j].text : "";
		tints[j] = colours[row->cells[j].colour];
	}
	print_cells(t, out, l, texts, tints);
}

int table_print(
	const struct table *t, FILE *out, unsigned indent, bool coloured)
{
	struct layout l = {
		.indent = indent,
		.limit = t->limit,
		.coloured = coloured,
	};
	const char *tints[TABLE_COLUMNS];

	if (t->failed)
		return -ENOMEM;
	measure(t, l.widths);
	if (l.limit)
		fit(t, &l);
	for (size_t j = 0; j < t->n_columns; j++)
		tints[j] = bold;
	print_cells(t, out, &l, t->titles, tints);
	for (size_t i = 0; i < t->n_rows; i++)
		print_row(t, out, &l, &t->rows[i]);
	return 0;
}

int table_end(struct table *t, FILE *out, unsigned indent, bool coloured)
{
	int r = table_print(t, out, indent, coloured);

	table_discard(t);
	return r;
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
