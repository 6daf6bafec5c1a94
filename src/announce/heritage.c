/*
 * From one process to the next: what was announced at run time goes on.
 *
 * Each is written as the configuration would declare it, and read by the same
 * parser again.
 */
#include "announce/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* The declaration, for free(); "" for one of the file. NULL: no memory, or its
 * group is no more. */
static char *declaration(const struct announce_entry *e)
{
	const struct config *c = e->announce->config;
	char *text = NULL;
	size_t size;
	FILE *f;
	int err;

	if (!e->runtime)
		return strdup("");
	if (e->c->group >= c->n_groups ||
		strcmp(c->groups[e->c->group].name, e->group) != 0)
		return NULL;
	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	err = config_dump_announcement(c, e->c, f);
	if (fclose(f) == 0 && err == 0)
		return text;
	free(text);
	return NULL;
}

void announce_save(const struct announce *a, struct stash_writer *out)
{
	const struct announce_entry *e;

	DL_FOREACH(a->entries, e)
	{
		char *text = declaration(e);

		if (!text)
			continue;
		stash_record(out, STASH_ANNOUNCEMENT);
		stash_put_text(out, e->c->name);
		stash_put_text(out, text);
		stash_put_number(out, e->sent);
		free(text);
	}
}

static int add(struct announce *a, const char *name, const char *text)
{
	struct config_errors errors = { 0 };
	struct config_announcement *c;
	int err;

	err = config_parse_announcement(
		a->config, name, text, strlen(text), &c, &errors);
	config_errors_done(&errors);
	if (err < 0)
		return err;
	err = announce_add(a, c);
	if (err < 0)
		config_announcement_free(c);
	return err;
}

void announce_restore(struct announce *a, struct stash_reader *in,
	void (*lost)(void *data, const char *name, int error), void *data)
{
	enum stash_tag tag;

	stash_rewind(in);
	while (stash_next(in, &tag)) {
		struct announce_entry *e;
		const char *name, *text;
		uint64_t sent;
		int err = 0;

		if (tag != STASH_ANNOUNCEMENT)
			continue;
		name = stash_get_text(in);
		text = stash_get_text(in);
		sent = stash_get_number(in);
		if (!stash_is_sound(in))
			continue;
		if (*text)
			err = add(a, name, text);
		if (err < 0 && lost)
			lost(data, name, err);
		e = err == 0 ? announce_find(a, name) : NULL;
		if (e)
			e->sent += sent;
	}
}
