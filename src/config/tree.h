/*
 * tree: a YAML document as nodes with their places in the file.
 *
 * Life cycle:
 *   1. tree_parse() reads a text: one document, UTF-8, nested to a bound and
 *      expanded to a bound. What YAML allows and crier does not (tags, merge
 *      keys, duplicate keys) is still in it.
 *   2. spot_check() of config/spot.h reports these and takes them out.
 *   3. tree_done() frees every node at once. An alias is the same node in
 *      several places, so no node is owned by its parent.
 */
#ifndef CRIER_CONFIG_TREE_H
#define CRIER_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report;

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	int line, column; /* from 1 */
	bool open;        /* being read: an alias to it would be a cycle */
	bool checked;
	bool plain; /* a scalar without quotes */
	char *tag;  /* or NULL */
	/* A scalar; ends with a NUL that `size` leaves out. */
	char *text;
	size_t size;
	/* A list's items; a mapping's keys and values in turn. */
	struct node **at;
	size_t n;
	size_t weight; /* nodes after expansion, itself included */
};

struct tree {
	struct node **all; /* owned */
	size_t n;
	struct node *root; /* NULL after a failure, or of no document */
};

/* How deep a document may be nested. */
enum { TREE_DEPTH_MAX = 32 };
/* How many nodes a document with aliases may have, once they are expanded. */
enum { TREE_EXPANDED_MAX = 10000 };

/*
 * Reads `text`. Whatever is wrong goes to `r`.
 * Returns 0; -EINVAL (see `r`) or -ENOMEM, and `t` is empty.
 */
int tree_parse(struct tree *t, const char *text, size_t size, struct report *r);
void tree_done(struct tree *t);
/* True where nothing was said, or nothing but comments. */
bool tree_is_empty(const struct tree *t);

/* `key:` with nothing behind it. */
bool node_is_empty(const struct node *n);

/* The code point at the start of `text` and its size in bytes; 0: not UTF-8
 * (RFC 3629: no surrogates, nothing overlong). */
size_t encoding_decode(const unsigned char *text, size_t size, uint32_t *ret);

/*
 * True if `text` is what YAML allows as UTF-8; else the first place where it is
 * not goes to `r`.
 */
bool encoding_check(const char *text, size_t size, struct report *r);

#endif
