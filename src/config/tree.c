#include "config/tree.h"
#include "config/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Anchors are looked up one by one. */
enum { ANCHORS_MAX = 1024 };

struct builder {
	struct tree *tree;
	struct report *report;
	struct node *stack[TREE_DEPTH_MAX]; /* lists and mappings being read */
	size_t depth;
	struct {
		char *name;
		struct node *node;
	} anchors[ANCHORS_MAX];
	size_t n_anchors;
	size_t expanded; /* nodes so far, those of aliases included */
	bool has_aliases;
	bool is_complete; /* the document has ended */
};

bool node_is_empty(const struct node *n)
{
	return n->kind == NODE_SCALAR && n->plain && n->size == 0;
}

bool tree_is_empty(const struct tree *t)
{
	return t->root == NULL || node_is_empty(t->root);
}

static void node_free(struct node *n)
{
	free(n->tag);
	free(n->text);
	free(n->at);
	free(n);
}

void tree_done(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		node_free(t->all[i]);
	free(t->all);
	*t = (struct tree){ 0 };
}

/* Grows by doubling: there is room for more unless `n` is a power of two. */
static int append(struct node ***at, size_t *n, struct node *node)
{
	struct node **grown;

	if ((*n & (*n - 1)) == 0) {
		grown = reallocarray(*at, *n ? *n * 2 : 1, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		*at = grown;
	}
	(*at)[(*n)++] = node;
	return 0;
}

static int refuse(struct builder *b, const yaml_mark_t *mark, const char *why)
{
	report_add(b->report, (int)mark->line + 1, (int)mark->column + 1, "",
		"%s", why);
	return -EINVAL;
}

static int node_new(struct builder *b, enum node_kind kind,
	const yaml_event_t *e, struct node **ret)
{
	struct node *n = calloc(1, sizeof(*n));
	int r;

	if (n == NULL)
		return -ENOMEM;
	n->kind = kind;
	n->line = (int)e->start_mark.line + 1;
	n->column = (int)e->start_mark.column + 1;
	n->weight = 1;
	r = append(&b->tree->all, &b->tree->n, n);
	if (r < 0) {
		node_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

/* Puts a node where the document stands. */
static int place(struct builder *b, struct node *n, const yaml_mark_t *mark)
{
	struct node *parent;

	b->expanded += n->weight;
	if (b->has_aliases && b->expanded > TREE_EXPANDED_MAX)
		return refuse(b, mark,
			"more than 10000 nodes once all aliases are expanded");
	if (b->depth == 0) {
		b->tree->root = n;
		return 0;
	}
	parent = b->stack[b->depth - 1];
	return append(&parent->at, &parent->n, n);
}

static int set_anchor(struct builder *b, const yaml_char_t *name,
	struct node *n, const yaml_mark_t *mark)
{
	char *copy;

	if (name == NULL)
		return 0;
	if (b->n_anchors == ANCHORS_MAX)
		return refuse(b, mark, "more than 1024 anchors");
	copy = strdup((const char *)name);
	if (copy == NULL)
		return -ENOMEM;
	b->anchors[b->n_anchors].name = copy;
	b->anchors[b->n_anchors++].node = n;
	return 0;
}

static int set_tag(struct node *n, const yaml_char_t *tag)
{
	if (tag == NULL)
		return 0;
	n->tag = strdup((const char *)tag);
	return n->tag == NULL ? -ENOMEM : 0;
}

static int take_alias(struct builder *b, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;

	/* Backwards: an anchor may be set anew, and then the last counts. */
	for (size_t i = b->n_anchors; i-- > 0;) {
		if (strcmp(b->anchors[i].name, name) != 0)
			continue;
		if (b->anchors[i].node->open)
			return refuse(b, &e->start_mark,
				"an alias to what it stands in has no end");
		b->has_aliases = true;
		return place(b, b->anchors[i].node, &e->start_mark);
	}
	return refuse(b, &e->start_mark,
		"an alias to an anchor that is not set above");
}

static int take_scalar(struct builder *b, const yaml_event_t *e)
{
	struct node *n;
	int r;

	r = node_new(b, NODE_SCALAR, e, &n);
	if (r < 0)
		return r;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->size = e->data.scalar.length;
	n->text = malloc(n->size + 1);
	if (n->text == NULL)
		return -ENOMEM;
	memcpy(n->text, e->data.scalar.value, n->size + 1);
	r = set_tag(n, e->data.scalar.tag);
	if (r < 0)
		return r;
	r = set_anchor(b, e->data.scalar.anchor, n, &e->start_mark);
	return r < 0 ? r : place(b, n, &e->start_mark);
}

static int take_start(struct builder *b, const yaml_event_t *e,
	enum node_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct node *n;
	int r;

	if (b->depth == TREE_DEPTH_MAX)
		return refuse(b, &e->start_mark, "nested more than 32 deep");
	r = node_new(b, kind, e, &n);
	if (r < 0)
		return r;
	n->open = true;
	r = set_tag(n, tag);
	if (r < 0)
		return r;
	r = set_anchor(b, anchor, n, &e->start_mark);
	if (r < 0)
		return r;
	r = place(b, n, &e->start_mark);
	if (r < 0)
		return r;
	b->stack[b->depth++] = n;
	return 0;
}

static void take_end(struct builder *b)
{
	struct node *n;

	/* libyaml ends only what it began; memory does not depend on it. */
	if (b->depth == 0)
		return;
	n = b->stack[--b->depth];
	n->open = false;
	for (size_t i = 0; i < n->n; i++)
		n->weight += n->at[i]->weight;
}

static int take_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->is_complete ? refuse(b, &e->start_mark,
						"a second document begins "
						"here, one is allowed")
				      : 0;
	case YAML_DOCUMENT_END_EVENT:
		b->is_complete = true;
		return 0;
	case YAML_ALIAS_EVENT:
		return take_alias(b, e);
	case YAML_SCALAR_EVENT:
		return take_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return take_start(b, e, NODE_LIST,
			e->data.sequence_start.anchor,
			e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return take_start(b, e, NODE_MAP, e->data.mapping_start.anchor,
			e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		take_end(b);
		return 0;
	default:
		return 0;
	}
}

/* What a newcomer to YAML is most often caught by. */
static const char *syntax_hint(const yaml_parser_t *p)
{
	if (strstr(p->problem, "cannot start any token") != NULL)
		return " (YAML is indented with spaces, never tabs, and a "
		       "text that begins with @ or ` needs quotes)";
	if (p->context != NULL && strstr(p->context, "a tag") != NULL)
		return " (a text that begins with ! needs quotes)";
	return "";
}

static int syntax_error(struct builder *b, const yaml_parser_t *p)
{
	int line = (int)p->problem_mark.line + 1;
	int column = (int)p->problem_mark.column + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (p->context == NULL || strstr(p->context, "next token") != NULL)
		report_add(b->report, line, column, "", "%s%s", p->problem,
			syntax_hint(p));
	else
		report_add(b->report, line, column, "",
			"%s, %s that begins in line %zu%s", p->problem,
			p->context, p->context_mark.line + 1, syntax_hint(p));
	return -EINVAL;
}

static int build(struct builder *b, yaml_parser_t *p)
{
	yaml_event_t e;
	bool is_last;
	int r;

	do {
		if (!yaml_parser_parse(p, &e))
			return syntax_error(b, p);
		is_last = e.type == YAML_STREAM_END_EVENT;
		r = take_event(b, &e);
		yaml_event_delete(&e);
	} while (r == 0 && !is_last);
	return r;
}

static int parse_text(struct builder *b, const char *text, size_t size)
{
	yaml_parser_t parser;
	int r;

	if (!encoding_check(text, size, b->report))
		return -EINVAL;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(
		&parser, (const unsigned char *)text, size);
	r = build(b, &parser);
	yaml_parser_delete(&parser);
	return r;
}

int tree_parse(struct tree *t, const char *text, size_t size, struct report *r)
{
	struct tree tree = { 0 };
	struct builder *b = calloc(1, sizeof(*b));
	int error;

	*t = tree;
	if (b == NULL)
		return -ENOMEM;
	b->tree = &tree;
	b->report = r;
	error = parse_text(b, text, size);
	for (size_t i = 0; i < b->n_anchors; i++)
		free(b->anchors[i].name);
	free(b);
	if (error < 0)
		tree_done(&tree);
	*t = tree;
	return error;
}
