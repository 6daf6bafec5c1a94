#include "control/phrase.h"
#include "control/show.h"
#include "control/table.h"

#include <errno.h>
#include <string.h>

/* How each client that joins sites is with its broker. */
static int print_brokers(const json_t *reports, FILE *out, bool coloured)
{
	static const char *const titles[] = { "SITE", "BROKER", "STATE",
		"SINCE", "OWN", "QUEUED", "LOST", "PUBLISHED", "TAKEN" };
	const char *state, *error;
	struct table t;
	json_t *one;
	size_t i;

	table_begin(&t, titles, 9, 0x1f0);
	table_fit(&t, out);
	json_array_foreach((json_t *)reports, i, one)
	{
		state = phrase_word(one, "state");
		error = phrase_word(one, "error");
		table_row(&t);
		table_member(&t, one, "site");
		table_member(&t, one, "broker");
		table_text(&t, state,
			strcmp(state, "connected") ? TABLE_WARN : TABLE_GOOD);
		table_member(&t, one, "since");
		table_member(&t, one, "own");
		table_member(&t, one, "queued");
		table_member(&t, one, "lost");
		table_member(&t, one, "published");
		table_member(&t, one, "taken");
		if (*error)
			table_note(&t, error, TABLE_BAD);
	}
	return table_end(&t, out, 2, coloured);
}

static void add_site(struct table *t, const json_t *report, const json_t *site)
{
	bool online = json_is_true(json_object_get(site, "online"));

	table_row(t);
	table_member(t, site, "site");
	table_text(t, online ? "online" : "offline",
		online ? TABLE_GOOD : TABLE_WARN);
	table_member(t, site, "entries");
	table_member(t, site, "taken");
	table_member(t, site, "dropped");
	table_member(t, site, "last_seen");
	table_member(t, report, "site");
}

/* The other sites. */
static int print_sites(const json_t *reports, FILE *out, bool coloured)
{
	static const char *const titles[] = { "OTHER SITE", "STATE", "ENTRIES",
		"TAKEN", "DROPPED", "LAST SEEN", "SEEN BY" };
	json_t *report, *site;
	struct table t;
	size_t i, j;

	table_begin(&t, titles, 7, 0x1c);
	table_fit(&t, out);
	json_array_foreach((json_t *)reports, i, report)
		json_array_foreach(json_object_get(report, "sites"), j, site)
			add_site(&t, report, site);
	return table_end(&t, out, 2, coloured);
}

int show_sites(const json_t *reports, FILE *out, bool coloured)
{
	const json_t *report;
	size_t n = 0;
	int r;

	if (json_array_size(reports) == 0)
		return 0;
	for (size_t i = 0; i < json_array_size(reports); i++) {
		report = json_array_get(reports, i);
		n += json_array_size(json_object_get(report, "sites"));
	}
	(void)fputc('\n', out);
	r = print_brokers(reports, out, coloured);
	if (n == 0)
		return r;
	(void)fputc('\n', out);
	r |= print_sites(reports, out, coloured);
	return r ? -ENOMEM : 0;
}
