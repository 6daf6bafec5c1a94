#include "config/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Longer names are compared with nothing: the cost is the product of both. */
enum { LENGTH_MAX = 63 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * How many letters must be changed, added, left out or swapped with their
 * neighbour (optimal string alignment). Upper and lower case are the same.
 */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[3][LENGTH_MAX + 1];
	size_t *before = row[0], *above = row[1], *here = row[2], *spare;
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		above[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		here[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			here[j + 1] = least(above[j] + !is_same(a[i], b[j]),
				least(above[j + 1], here[j]) + 1);
			if (i > 0 && j > 0 && is_same(a[i], b[j - 1]) &&
				is_same(a[i - 1], b[j]))
				here[j + 1] =
					least(here[j + 1], before[j - 1] + 1);
		}
		spare = before;
		before = above;
		above = here;
		here = spare;
	}
	return above[n];
}

void config_nearest_init(struct config_nearest *n, const char *wrong)
{
	size_t length = strlen(wrong);

	n->wrong = length <= LENGTH_MAX ? wrong : NULL;
	n->best = NULL;
	/* A third of the letters may be wrong, but one always. */
	n->distance = (length < 3 ? 1 : length / 3) + 1;
}

void config_nearest_offer(struct config_nearest *n, const char *right)
{
	size_t distance;

	if (n->wrong == NULL || strlen(right) > LENGTH_MAX)
		return;
	distance = edit_distance(n->wrong, right);
	/* Everything wrong is no likeness, however short the name. */
	if (distance >= n->distance || distance >= strlen(right))
		return;
	n->distance = distance;
	n->best = right;
}

void suggest_init(struct suggest *s, const char *wrong)
{
	config_nearest_init(&s->nearest, wrong);
	s->used = s->left_out = 0;
	s->known[0] = '\0';
}

static void note_known(struct suggest *s, const char *right)
{
	size_t length = strlen(right);

	if (s->left_out > 0 || s->used + length + 3 > sizeof(s->known)) {
		s->left_out++;
		return;
	}
	s->used += (size_t)snprintf(s->known + s->used,
		sizeof(s->known) - s->used, "%s%s", s->used ? ", " : "", right);
}

void suggest_offer(struct suggest *s, const char *right)
{
	note_known(s, right);
	config_nearest_offer(&s->nearest, right);
}

bool suggest_found(const struct suggest *s)
{
	return s->nearest.best != NULL;
}

const char *suggest_text(const struct suggest *s, char *buffer)
{
	if (s->nearest.best != NULL)
		(void)snprintf(buffer, SUGGEST_TEXT, ", did you mean \"%s\"?",
			s->nearest.best);
	else if (s->left_out > 0)
		(void)snprintf(buffer, SUGGEST_TEXT, ", known: %s and %zu more",
			s->known, s->left_out);
	else if (s->used > 0)
		(void)snprintf(buffer, SUGGEST_TEXT, ", known: %s", s->known);
	else
		buffer[0] = '\0';
	return buffer;
}
