/*
 * table: columns of text for people. Pure, but for the memory and the print.
 *
 * Columns are as wide as what they hold, numbers stand to the right, and what
 * is not for showing is escaped (text.h). A table remembers that memory ran
 * out; table_print() then says so.
 */
#ifndef CRIER_CONTROL_TABLE_H
#define CRIER_CONTROL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS = 10 };

enum table_colour { TABLE_PLAIN, TABLE_GOOD, TABLE_WARN, TABLE_BAD };

/* Of a segment's or interface's state, or of a verdict. */
enum table_colour table_state_colour(const char *state);

struct table_cell {
	char *text;
	enum table_colour colour;
};

struct table_row {
	struct table_cell cells[TABLE_COLUMNS];
	char *note;   /* instead of cells: a line of its own */
	bool heading; /* the note is one, of the rows below it */
};

struct table {
	/* Private. */
	const char *const *titles;
	size_t n_columns;
	unsigned right; /* bit i: column i stands to the right */
	size_t limit;   /* columns of the terminal; 0: none */
	unsigned spare; /* bit i: column i may be left out */
	struct table_row *rows;
	size_t n_rows, room;
	size_t column; /* of the next cell */
	bool failed;
};

/*
 * Begins a table with `n` columns (up to TABLE_COLUMNS) under `titles`, which
 * must outlive it. `right` has bit i set where column i holds numbers.
 */
void table_begin(
	struct table *t, const char *const titles[], size_t n, unsigned right);
void table_discard(struct table *t);

/*
 * Makes the lines fit the width of `out`: of the terminal that it is, else
 * $COLUMNS, else 80 on a terminal, else there is no limit. Columns of text are
 * cut, the widest first and with an ellipsis; numbers never are.
 */
void table_fit(struct table *t, FILE *out);
/* Where that is not enough, columns i with bit i set are left out, those on the
 * right first. */
void table_spare(struct table *t, unsigned columns);

/* Begins a row. Cells that are not filled stay empty. */
void table_row(struct table *t);
/* The next cell. */
void table_text(struct table *t, const char *text, enum table_colour colour);
/* The same from JSON: a string, a number, true, false; "-" for anything else
 * and for "". */
void table_json(struct table *t, const json_t *value);
/* The same, of a member of an object. */
void table_member(struct table *t, const json_t *object, const char *key);
/* A plain cell that takes over `text`; NULL where memory ran out. */
void table_take(struct table *t, char *text);
/* A line of its own below the row, to say more of it. */
void table_note(struct table *t, const char *text, enum table_colour colour);

/* A line of its own above rows, that is cut like a column. */
void table_heading(struct table *t, const char *text);

/*
 * Prints the titles and the rows, `indent` columns in from the left.
 * Returns 0, or -ENOMEM where something is missing; `out` keeps its own errors.
 */
int table_print(
	const struct table *t, FILE *out, unsigned indent, bool coloured);

/* Prints it as above, and is its end. */
int table_end(struct table *t, FILE *out, unsigned indent, bool coloured);

/* Prints a text in a colour, escaped. 0, or -ENOMEM. */
int table_print_text(
	FILE *out, const char *text, enum table_colour colour, bool coloured);

#endif
