#include "control/nearest.h"

#include <stdbool.h>
#include <string.h>

/* Names are short; a word that is longer than this was not meant as one. */
enum { LONGEST = 48 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One cell of the table below: the cheapest way to it. */
static size_t cheapest(const size_t rows[3][LONGEST + 1], const char *a,
	const char *b, size_t i, size_t j)
{
	bool same = a[i - 1] == b[j - 1];
	size_t cost = rows[1][j - 1] + (same ? 0 : 1);

	cost = least(cost, rows[1][j] + 1);
	cost = least(cost, rows[2][j - 1] + 1);
	if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
		cost = least(cost, rows[0][j - 2] + 1);
	return cost;
}

/* How many letters were left out, added, changed or swapped with the next. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][LONGEST + 1] = { 0 }; /* two above, above, this one */

	for (size_t j = 0; j <= m; j++)
		rows[2][j] = j;
	for (size_t i = 1; i <= n; i++) {
		memmove(rows[0], rows[1], 2 * sizeof(rows[0]));
		rows[2][0] = i;
		for (size_t j = 1; j <= m; j++)
			rows[2][j] = cheapest(rows, a, b, i, j);
	}
	return rows[2][m];
}

void nearest_begin(struct nearest *n, const char *word)
{
	size_t size = strlen(word);

	n->word = word;
	n->best = NULL;
	/* An offer must come below this. */
	n->distance = size < 3 ? 2 : size / 3 + 1;
}

void nearest_offer(struct nearest *n, const char *name)
{
	size_t a = strlen(n->word), b = strlen(name), d;

	if (a > LONGEST || b > LONGEST)
		return;
	d = distance(n->word, a, name, b);
	/* As many changes as there are letters would find any short name. */
	if (d >= n->distance || d >= a)
		return;
	n->best = name;
	n->distance = d;
}

const char *nearest_found(const struct nearest *n)
{
	return n->best;
}
