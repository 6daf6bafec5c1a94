/*
 * spot: a node of the document together with how one got there, so that
 * whatever is wrong with it can be reported with its place and its path.
 *
 * Spots live on the stack and point up to their parents.
 */
#ifndef CRIER_CONFIG_SPOT_H
#define CRIER_CONFIG_SPOT_H

#include "config/report.h"
#include "config/tree.h"

#include <stdint.h>

/* What is being read, for every reader. */
struct reader {
	/* As far as it is read; NULL while the file is not crierd's. */
	struct config *config;
	struct report report;
	/* Of the file: payload files are found from there. NULL: none are read.
	 */
	const char *path;
	/* Those of config->presets; the file's and the built-in tree own them.
	 */
	struct node **presets;
	size_t n_uses;         /* of all groups */
	bool uses_wrong;       /* of the group that is read: reported already */
	bool interfaces_wrong; /* some are missing, and that was reported */
	bool quiet;            /* what is wrong has been reported already */
};

struct spot {
	struct reader *reader;
	struct node *node;
	struct node *key_node; /* NULL: an item of a list, or the root */
	const struct spot *up; /* NULL: the root */
	const char *key;       /* NULL: an item of a list */
	size_t index;          /* of an item */
};

/* The most items that a list may have. */
enum { SPOT_ITEMS_MAX = 1024 };

/* Moves to the value of `key` of a mapping; false if it is not given. */
bool spot_get(const struct spot *s, const char *key, struct spot *ret);
bool spot_has(const struct spot *s, const char *key);
/* The same for the number `i` of the pairs; an empty value has none. */
size_t spot_pairs(const struct spot *s);
void spot_pair(const struct spot *s, size_t i, struct spot *ret);
/*
 * The items of a list; anything but a list is its own only item. A list that
 * is too long is reported, and has none.
 */
size_t spot_items(const struct spot *s);
void spot_item(const struct spot *s, size_t i, struct spot *ret);

/* True for a mapping, also an empty one; else reports that it is none. */
bool spot_is_map(const struct spot *s);
/* The text of a scalar, or NULL, and that it is not `want` is reported. */
const char *spot_text(const struct spot *s, const char *want);

/* False where another error would only be counted: not worth a long search for
 * what was meant. */
bool spot_is_reporting(const struct spot *s);

/* Reports what is wrong with the value, ... */
__attribute__((format(printf, 2, 3))) void spot_error(
	const struct spot *s, const char *format, ...);
/* ... with its key, ... */
__attribute__((format(printf, 2, 3))) void spot_key_error(
	const struct spot *s, const char *format, ...);
/* ... or with a mapping that lacks `key`, unless there is a misspelt one;
 * `want` says what it would hold. */
void spot_missing(const struct spot *s, const char *key, const char *want);
/* Reports that the value is not what the key wants: "a duration such as ...".
 */
void spot_wrong(const struct spot *s, const char *want);
void spot_no_memory(const struct spot *s);

/* Reports and takes out tags, NUL characters, keys that are no words, merge
 * keys and duplicate keys, below `s` too. */
void spot_check(const struct spot *s);

/* A value for a message: clipped, without control characters. */
enum { QUOTE_TEXT = 80 };
const char *quote(const char *text, char *buffer);

#endif
