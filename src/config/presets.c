#include "config/done.h"
#include "config/groups.h"
#include "config/presets_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES_MAX = 4096 };

static void read_refused(const struct spot *s, void *base, const struct key *k)
{
	(void)base;
	spot_key_error(
		s, "a preset cannot say %s, a group that uses it can", k->name);
}

static const struct key of_presets_alone[] = {
	{ .name = "speaks",
		.read = read_word,
		MEMBER(struct config_group, speaks),
		.words = words_speaks },
	{ .name = "notes",
		.read = read_string,
		MEMBER(struct config_group, notes),
		.low = 1,
		.high = NOTES_MAX },
	{ .name = "preset", .read = read_refused },
	{ .name = "interfaces", .read = read_refused },
	{ .name = "from", .read = read_refused },
	{ .name = "to", .read = read_refused },
	{ .name = "searchers", .read = read_refused },
	{ .name = "devices", .read = read_refused },
};

static struct config_preset *find_preset(
	const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_presets; i++) {
		if (strcmp(c->presets[i].name, name) == 0)
			return &c->presets[i];
	}
	return NULL;
}

static void read_preset(const struct spot *s, struct config_preset *p)
{
	struct config_group *g = &p->group;

	group_set_defaults(g);
	set_string(s, &p->name, s->key);
	g->line = s->key_node->line;
	if (!read_map(s, g, group_shared_keys, KEYS(of_presets_alone)))
		return;
	group_check(s, g);
	if (g->notes != NULL)
		set_string(s, &p->notes, g->notes);
}

/* Makes room for `n` more presets. */
static int reserve(struct reader *r, size_t n)
{
	size_t size = r->config->n_presets + n + 1;
	struct config_preset *presets;
	struct node **nodes;

	presets = reallocarray(r->config->presets, size, sizeof(*presets));
	if (presets == NULL)
		return -ENOMEM;
	r->config->presets = presets;
	nodes = reallocarray(r->presets, size, sizeof(struct node *));
	if (nodes == NULL)
		return -ENOMEM;
	r->presets = nodes;
	return 0;
}

static void add_preset(const struct spot *s)
{
	struct config *c = s->reader->config;
	const struct config_preset *known = find_preset(c, s->key);

	if (!check_name(s))
		return;
	if (known != NULL) {
		spot_key_error(s,
			"the preset %s is built in, needs another name",
			known->name);
		return;
	}
	c->presets[c->n_presets] = (struct config_preset){ 0 };
	s->reader->presets[c->n_presets] = s->node;
	read_preset(s, &c->presets[c->n_presets]);
	/* Without a name there is nothing to find it by. */
	if (c->presets[c->n_presets].name != NULL)
		c->n_presets++;
	else
		preset_done(&c->presets[c->n_presets]);
}

void read_presets(const struct spot *s, void *base, const struct key *k)
{
	struct spot pair;

	(void)base;
	(void)k;
	if (!check_names(s, "presets"))
		return;
	if (reserve(s->reader, spot_pairs(s)) < 0) {
		spot_no_memory(s);
		return;
	}
	for (size_t i = 0; i < spot_pairs(s); i++) {
		spot_pair(s, i, &pair);
		add_preset(&pair);
	}
}

static const struct key built_in_keys[] = {
	{ .name = "presets", .read = read_presets, .missing = "presets" },
};

int read_built_in_presets(struct reader *r, struct tree *tree)
{
	struct spot root = { .reader = r };
	int error;

	error = tree_parse(tree, (const char *)presets_data,
		sizeof(presets_data), &r->report);
	if (error < 0)
		return error;
	root.node = tree->root;
	spot_check(&root);
	(void)read_map(&root, r->config, KEYS(built_in_keys), NO_KEYS);
	for (size_t i = 0; i < r->config->n_presets; i++)
		r->config->presets[i].built_in = true;
	return 0;
}

void preset_apply(const struct spot *s, struct config_group *g)
{
	struct reader *r = s->reader;
	const struct config_preset *preset;
	struct spot at = { .reader = r };

	if (!spot_get(s, "preset", &at) || at.node->kind != NODE_SCALAR)
		return;
	preset = find_preset(r->config, at.node->text);
	if (preset == NULL)
		return;
	/* What is wrong with the preset was said where it stands. */
	at.node = r->presets[preset - r->config->presets];
	r->quiet = true;
	(void)read_map(&at, g, group_shared_keys, KEYS(of_presets_alone));
	r->quiet = false;
}

static const char *preset_name(const struct config *c, size_t i)
{
	return i < c->n_presets ? c->presets[i].name : NULL;
}

void read_preset_name(const struct spot *s, void *base, const struct key *k)
{
	struct config_group *g = base;
	size_t i;

	(void)k;
	if (read_reference(s, "preset", preset_name, &i))
		set_string(s, &g->preset, s->node->text);
}
