/*
 * The result of `discovered` for people: what each host announces, below a
 * heading of its own.
 *
 * A host is known by the name that mDNS gives it. What other protocols say of
 * an address that such a host has is the host's too; addresses without a name
 * are hosts of their own.
 */
#include "control/phrase.h"
#include "control/show.h"
#include "control/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ADDRESSES_SHOWN = 4 };

struct item {
	const char *host, *type, *name;
	const json_t *entry;
};

/* ---- whose an entry is ---- */

/* Remembers that `host` has `address`; one that several have is nobody's. */
static int claim(json_t *hosts, const char *address, const char *host)
{
	const json_t *before = json_object_get(hosts, address);

	if (!before)
		return json_object_set_new(hosts, address, json_string(host));
	if (json_is_null(before) ||
		!strcasecmp(json_string_value(before), host))
		return 0;
	return json_object_set_new(hosts, address, json_null());
}

static int claim_all(json_t *hosts, const json_t *entry)
{
	const char *host = phrase_word(entry, "host");
	json_t *address;
	size_t i;
	int r;

	/* The same addresses may be in use at another site. */
	if (!*host || *phrase_word(entry, "site"))
		return 0;
	r = claim(hosts, phrase_word(entry, "source"), host);
	json_array_foreach(json_object_get(entry, "addresses"), i,
		address) if (json_is_string(address)) r |=
		claim(hosts, json_string_value(address), host);
	return r;
}

/* An object: whose each address is. NULL: no memory. */
static json_t *find_hosts(const json_t *entries)
{
	json_t *hosts = json_object(), *entry;
	size_t i;
	int r = hosts ? 0 : -1;

	json_array_foreach(entries, i, entry) r |= claim_all(hosts, entry);
	if (r == 0)
		return hosts;
	json_decref(hosts);
	return NULL;
}

static const char *host_of(const json_t *hosts, const json_t *entry)
{
	const char *host = phrase_word(entry, "host");
	const char *source = phrase_word(entry, "source");
	const char *site = phrase_word(entry, "site");

	if (!*host && !*site)
		host = phrase_word(hosts, source);
	if (*host)
		return host;
	return *source ? source : site;
}

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int r = strcasecmp(x->host, y->host);

	if (r == 0)
		r = strcasecmp(x->type, y->type);
	return r ? r : strcmp(x->name, y->name);
}

static struct item *sort(const json_t *hosts, const json_t *entries)
{
	struct item *items = calloc(json_array_size(entries), sizeof(*items));
	json_t *entry;
	size_t i;

	if (!items)
		return NULL;
	json_array_foreach(entries, i, entry) items[i] = (struct item){
		.host = host_of(hosts, entry),
		.type = phrase_word(entry, "type"),
		.name = phrase_word(entry, "name"),
		.entry = entry,
	};
	qsort(items, json_array_size(entries), sizeof(*items), compare);
	return items;
}

/* ---- headings ---- */

static int add_address(json_t *set, const char *host, const char *address)
{
	if (!*address || !strcmp(host, address))
		return 0;
	return json_object_set_new(set, address, json_true());
}

static int add_addresses(json_t *set, const struct item *i)
{
	json_t *address;
	size_t n;
	int r = 0;

	json_array_foreach(json_object_get(i->entry, "addresses"), n,
		address) if (json_is_string(address)) r |=
		add_address(set, i->host, json_string_value(address));
	return r | add_address(set, i->host, phrase_word(i->entry, "source"));
}

/* "HOST (ADDRESS, ADDRESS, and 2 more)". NULL: no memory. */
static char *heading(const char *host, const json_t *set)
{
	size_t n = json_object_size(set), size, shown = 0;
	const char *address;
	char *text = NULL;
	json_t *value;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	(void)fputs(host, out);
	json_object_foreach((json_t *)set, address,
		value) if (shown < ADDRESSES_SHOWN)(void)
		fprintf(out, "%s%s", shown++ ? ", " : " (", address);
	if (n > shown)
		(void)fprintf(out, ", and %zu more", n - shown);
	if (n > 0)
		(void)fputc(')', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* Of the host that `items` begin with. 0, or -ENOMEM. */
static int add_heading(struct table *t, const struct item *items, size_t n)
{
	const char *host = items->host;
	json_t *set = json_object();
	char *text = NULL;
	int r = set ? 0 : -1;

	for (size_t i = 0; i < n && !strcasecmp(items[i].host, host); i++)
		r |= add_addresses(set, &items[i]);
	if (r == 0)
		text = heading(host, set);
	if (text)
		table_heading(t, text);
	free(text);
	json_decref(set);
	return text ? 0 : -ENOMEM;
}

/* ---- cells ---- */

static char *segment(const json_t *entry)
{
	const char *site = phrase_word(entry, "site");

	if (*site)
		return phrase_format(
			"%s, @%s", phrase_word(entry, "group"), site);
	return phrase_format("%s, %s", phrase_word(entry, "group"),
		phrase_word(entry, "interface"));
}

static char *place(const json_t *entry)
{
	const json_t *first =
		json_array_get(json_object_get(entry, "addresses"), 0);
	const char *address = json_string_value(first);
	const char *location = phrase_word(entry, "location");
	json_int_t port = phrase_number(entry, "port");

	if (*location)
		return strdup(location);
	if (!address)
		address = phrase_word(entry, "source");
	if (port == 0 || !*address)
		return strdup(*address ? address : "-");
	return phrase_format(strchr(address, ':') ? "[%s]:%" JSON_INTEGER_FORMAT
						  : "%s:%" JSON_INTEGER_FORMAT,
		address, port);
}

/* In the greatest unit: "3 min". NULL: no memory. */
static char *span(json_int_t seconds)
{
	if (seconds >= 86400)
		return phrase_format(
			"%" JSON_INTEGER_FORMAT " d", seconds / 86400);
	if (seconds >= 3600)
		return phrase_format(
			"%" JSON_INTEGER_FORMAT " h", seconds / 3600);
	if (seconds >= 60)
		return phrase_format(
			"%" JSON_INTEGER_FORMAT " min", seconds / 60);
	return phrase_format(
		"%" JSON_INTEGER_FORMAT " s", seconds > 0 ? seconds : 0);
}

static char *age(const json_t *entry, time_t now)
{
	struct tm tm = { 0 };

	if (!strptime(
		    phrase_word(entry, "first_seen"), "%Y-%m-%dT%H:%M:%S", &tm))
		return strdup("-");
	return span((json_int_t)(now - timegm(&tm)));
}

static void add_row(struct table *t, const json_t *entry, time_t now)
{
	table_row(t);
	table_member(t, entry, "name");
	table_member(t, entry, "type");
	table_take(t, segment(entry));
	table_take(t, place(entry));
	table_take(t, age(entry, now));
	table_take(t, span(phrase_number(entry, "expires_in")));
}

/* ---- all of it ---- */

static int add_rows(struct table *t, const struct item *items, size_t n)
{
	time_t now = time(NULL);
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcasecmp(items[i].host, items[i - 1].host) != 0)
			r |= add_heading(t, items + i, n - i);
		add_row(t, items[i].entry, now);
	}
	return r;
}

static int show_entries(const json_t *entries, FILE *out, bool coloured)
{
	static const char *const titles[] = { "NAME", "TYPE", "SEGMENT",
		"ADDRESS", "AGE", "EXPIRES" };
	json_t *hosts = find_hosts(entries);
	struct item *items = hosts ? sort(hosts, entries) : NULL;
	struct table t;
	int r = -ENOMEM;

	table_begin(&t, titles, 6, 0x30);
	table_fit(&t, out);
	table_spare(&t, 0x34);
	if (items)
		r = add_rows(&t, items, json_array_size(entries));
	if (r == 0)
		r = table_print(&t, out, 2, coloured);
	table_discard(&t);
	free(items);
	json_decref(hosts);
	return r;
}

int show_discovered(const json_t *result, FILE *out, bool coloured)
{
	const json_t *entries = json_object_get(result, "entries");

	if (json_array_size(entries) > 0)
		return show_entries(entries, out, coloured);
	(void)fputs("Nothing discovered yet, or nothing that --group, "
		    "--interface and --type ask for.\n\"crierctl groups\" "
		    "tells whether segments are joined, \"crierctl monitor\"\n"
		    "whether anybody says anything.\n",
		out);
	return 0;
}
