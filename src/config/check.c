/*
 * What YAML allows and crier does not.
 */
#include "config/spot.h"

#include <stdlib.h>
#include <string.h>

static void check_scalar(const struct spot *s)
{
	if (strlen(s->node->text) != s->node->size)
		spot_error(s, "a NUL character cannot stand here");
}

static void check_tag(const struct spot *s)
{
	static const char prefix[] = "tag:yaml.org,2002:"; /* of "!!" */
	const char *tag = s->node->tag;
	char text[QUOTE_TEXT];
	bool is_short;

	if (tag == NULL)
		return;
	is_short = strncmp(tag, prefix, strlen(prefix)) == 0;
	spot_error(s,
		"the tag %s%s has no meaning here, and a text that begins "
		"with ! needs quotes",
		is_short ? "!!" : "",
		quote(tag + (is_short ? strlen(prefix) : 0), text));
}

/* True if the key of a pair can be read. */
static bool check_key(const struct spot *map, const struct spot *pair)
{
	struct spot key = *map;

	key.node = pair->key_node;
	if (key.node->kind != NODE_SCALAR) {
		spot_error(&key, "a key needs to be a word, is a %s",
			key.node->kind == NODE_LIST ? "list" : "mapping");
		return false;
	}
	check_tag(&key);
	check_scalar(&key);
	if (!key.node->plain || strcmp(key.node->text, "<<") != 0)
		return true;
	spot_key_error(pair,
		"merge keys have no meaning here, but an alias can stand for "
		"a whole value");
	return false;
}

/* Takes out the pairs whose key is NULL. */
static void compact(struct node *map)
{
	size_t n = 0;

	for (size_t i = 0; i < map->n; i += 2) {
		if (map->at[i] == NULL)
			continue;
		map->at[n++] = map->at[i];
		map->at[n++] = map->at[i + 1];
	}
	map->n = n;
}

struct entry {
	const struct node *key;
	size_t index;
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->key->text, y->key->text);

	return r != 0 ? r : x->index < y->index ? -1 : 1;
}

static void report_duplicates(
	const struct spot *s, const struct entry *sorted, size_t n)
{
	struct spot pair;
	size_t first = 0;

	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[first].key->text, sorted[i].key->text) != 0) {
			first = i;
			continue;
		}
		spot_pair(s, sorted[i].index, &pair);
		spot_key_error(&pair, "given twice, first in line %d",
			sorted[first].key->line);
		s->node->at[2 * sorted[i].index] = NULL;
	}
}

/* Sorted, so that a file of nothing but keys takes no time either. */
static void check_duplicates(const struct spot *s)
{
	size_t n = s->node->n / 2;
	struct entry *sorted;

	if (n < 2)
		return;
	sorted = calloc(n, sizeof(*sorted));
	if (sorted == NULL) {
		spot_no_memory(s);
		return;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct entry){ s->node->at[2 * i], i };
	qsort(sorted, n, sizeof(*sorted), compare);
	report_duplicates(s, sorted, n);
	free(sorted);
	compact(s->node);
}

static void check_keys(const struct spot *s)
{
	struct spot pair;

	for (size_t i = 0; i < s->node->n / 2; i++) {
		spot_pair(s, i, &pair);
		if (!check_key(s, &pair))
			s->node->at[2 * i] = NULL;
	}
	compact(s->node);
	check_duplicates(s);
}

static void check_list(const struct spot *s)
{
	struct spot item = { .reader = s->reader, .up = s };

	for (size_t i = 0; i < s->node->n; i++) {
		item.node = s->node->at[i];
		item.index = i;
		spot_check(&item);
	}
}

static void check_map(const struct spot *s)
{
	struct spot pair;

	check_keys(s);
	for (size_t i = 0; i < spot_pairs(s); i++) {
		spot_pair(s, i, &pair);
		spot_check(&pair);
	}
}

void spot_check(const struct spot *s)
{
	/* What several aliases share is checked once. */
	if (s->node->checked)
		return;
	s->node->checked = true;
	check_tag(s);
	if (s->node->kind == NODE_SCALAR)
		check_scalar(s);
	else if (s->node->kind == NODE_LIST)
		check_list(s);
	else
		check_map(s);
}
