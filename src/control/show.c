#include "control/show.h"

#include "control/phrase.h"
#include "control/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int show_line(FILE *out, char *text)
{
	int r = -ENOMEM;

	if (text)
		r = table_print_text(out, text, TABLE_PLAIN, false);
	(void)fputc('\n', out);
	free(text);
	return r;
}

/* ---- cells ---- */

static void table_state(struct table *t, const char *state)
{
	table_text(t, state, table_state_colour(state));
}

static void table_error(struct table *t, const json_t *object)
{
	const char *error = phrase_word(object, "error");

	if (*error)
		table_note(t, error, TABLE_BAD);
}

/* ---- status ---- */

/* The two greatest units, the second where it is not 0: "3 d 4 h", "1 min".
 * NULL: no memory. */
char *show_duration(json_int_t seconds)
{
	static const struct {
		const char *name;
		int seconds;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 },
		{ "s", 1 } };
	size_t i = 0;
	int more;

	while (units[i].seconds > 1 && seconds < units[i].seconds)
		i++;
	more = units[i].seconds > 1 ? (int)(seconds % units[i].seconds) /
					      units[i + 1].seconds
				    : 0;
	if (more == 0)
		return phrase_format("%" JSON_INTEGER_FORMAT " %s",
			seconds / units[i].seconds, units[i].name);
	return phrase_format("%" JSON_INTEGER_FORMAT " %s %d %s",
		seconds / units[i].seconds, units[i].name, more,
		units[i + 1].name);
}

static int print_head(FILE *out, const json_t *status)
{
	char *duration, *text = NULL;

	duration = show_duration(phrase_number(status, "uptime_seconds"));
	if (duration)
		text = phrase_format("crier %s, process %" JSON_INTEGER_FORMAT
				     ", up %s",
			phrase_word(status, "version"),
			phrase_number(status, "pid"), duration);
	free(duration);
	return show_line(out, text);
}

/* Takes over `text`, which may be NULL for no memory. */
static int print_labelled(FILE *out, const char *label, char *text)
{
	(void)fprintf(out, "  %-13s  ", label);
	return show_line(out, text);
}

static char *format_config(const json_t *config)
{
	return phrase_format("%s, generation %" JSON_INTEGER_FORMAT
			     ", loaded %s",
		phrase_word(config, "path"),
		phrase_number(config, "generation"),
		phrase_word(config, "loaded_at"));
}

static char *format_traffic(
	const json_t *totals, const char *datagrams, const char *bytes)
{
	return phrase_format("%" JSON_INTEGER_FORMAT
			     " datagrams, %" JSON_INTEGER_FORMAT " bytes",
		phrase_number(totals, datagrams), phrase_number(totals, bytes));
}

static char *format_dropped(const json_t *dropped)
{
	char *reasons = phrase_counts(dropped, true), *text;

	if (!reasons)
		return NULL;
	text = phrase_format("%" JSON_INTEGER_FORMAT "%s%s",
		phrase_sum(dropped), *reasons ? ": " : "", reasons);
	free(reasons);
	return text;
}

static int print_limits(FILE *out, const json_t *limits, bool coloured)
{
	static const char *const titles[] = { "LIMIT", "USED", "BOUND",
		"REFUSED", "EVICTED" };
	struct table t;
	const char *key;
	json_t *limit;

	table_begin(&t, titles, 5, 0x1e);
	json_object_foreach((json_t *)limits, key, limit)
	{
		table_row(&t);
		table_text(&t, key, TABLE_PLAIN);
		table_member(&t, limit, "used");
		table_member(&t, limit, "bound");
		table_member(&t, limit, "refused");
		table_member(&t, limit, "evicted");
	}
	return table_end(&t, out, 2, coloured);
}

/* Where nothing goes between sites, there is nothing to say. */
static int print_sites(FILE *out, const json_t *totals)
{
	json_int_t relayed = phrase_number(totals, "relayed");
	json_int_t carried = phrase_number(totals, "carried");
	json_int_t answered = phrase_number(totals, "answered");

	if (relayed + carried + answered == 0)
		return 0;
	return print_labelled(out, "other sites",
		phrase_format("%" JSON_INTEGER_FORMAT
			      " datagrams and %" JSON_INTEGER_FORMAT
			      " answers from there, %" JSON_INTEGER_FORMAT
			      " datagrams to there",
			relayed, answered, carried));
}

int show_status(const json_t *result, FILE *out, bool coloured)
{
	const json_t *totals = json_object_get(result, "totals");
	const json_t *segments = json_object_get(result, "segments");
	bool standby = json_is_true(json_object_get(result, "standby"));
	int r;

	r = print_head(out, result);
	r |= print_labelled(out, "configuration",
		format_config(json_object_get(result, "config")));
	r |= print_labelled(out, "standby",
		strdup(standby ? "on, for groups that have it" : "off"));
	r |= print_labelled(out, "groups",
		phrase_format("%" JSON_INTEGER_FORMAT,
			phrase_number(result, "groups")));
	r |= print_labelled(out, "announcements",
		phrase_format("%" JSON_INTEGER_FORMAT,
			phrase_number(result, "announcements")));
	r |= print_labelled(out, "segments",
		phrase_sum(segments) ? phrase_counts(segments, false)
				     : strdup("none"));
	r |= print_labelled(out, "received",
		format_traffic(totals, "received", "received_bytes"));
	r |= print_labelled(
		out, "sent", format_traffic(totals, "sent", "sent_bytes"));
	r |= print_labelled(out, "dropped",
		format_dropped(json_object_get(totals, "dropped")));
	r |= print_sites(out, totals);
	(void)fputc('\n', out);
	r |= print_limits(out, json_object_get(result, "limits"), coloured);
	r |= show_sites(json_object_get(result, "sites"), out, coloured);
	return r ? -ENOMEM : 0;
}

/* ---- interfaces ---- */

/* The first address stands in the interface's row, the others below it. */
static void add_addresses(struct table *t, const json_t *addresses)
{
	json_t *address;
	size_t i;

	if (json_array_size(addresses) == 0)
		table_text(t, "-", TABLE_PLAIN);
	json_array_foreach(addresses, i, address)
	{
		if (i > 0) {
			table_row(t);
			t->column = 5;
		}
		table_json(t, address);
	}
}

int show_interfaces(const json_t *result, FILE *out, bool coloured)
{
	static const char *const titles[] = { "INTERFACE", "DEVICE", "INDEX",
		"STATE", "MTU", "ADDRESSES" };
	struct table t;
	json_t *interface;
	size_t i;

	table_begin(&t, titles, 6, 0x14);
	table_fit(&t, out);
	json_array_foreach(result, i, interface)
	{
		table_row(&t);
		table_member(&t, interface, "name");
		table_member(&t, interface, "device");
		table_member(&t, interface, "index");
		table_state(&t, phrase_word(interface, "state"));
		table_member(&t, interface, "mtu");
		add_addresses(&t, json_object_get(interface, "addresses"));
		table_error(&t, interface);
	}
	return table_end(&t, out, 0, coloured);
}

/* ---- groups ---- */

static void add_segment(struct table *t, const json_t *segment)
{
	const json_t *dropped = json_object_get(segment, "dropped");

	table_row(t);
	table_member(t, segment, "interface");
	table_member(t, segment, "device");
	table_state(t, phrase_word(segment, "state"));
	table_member(t, segment, "direction");
	table_member(t, segment, "ttl");
	table_member(t, segment, "received");
	table_member(t, segment, "sent");
	table_take(
		t, phrase_format("%" JSON_INTEGER_FORMAT, phrase_sum(dropped)));
	table_take(t, phrase_counts(dropped, true));
	table_error(t, segment);
}

static int show_channel(const json_t *channel, FILE *out, bool coloured)
{
	static const char *const titles[] = { "INTERFACE", "DEVICE", "STATE",
		"DIRECTION", "TTL", "RECEIVED", "SENT", "DROPPED", "REASONS" };
	const char *address = phrase_word(channel, "address");
	bool v6 = strchr(address, ':');
	struct table t;
	json_t *segment;
	size_t i;
	int r;

	(void)fputs("  ", out);
	r = show_line(out, phrase_format("%s%s%s:%" JSON_INTEGER_FORMAT,
				   v6 ? "[" : "", address, v6 ? "]" : "",
				   phrase_number(channel, "port")));
	table_begin(&t, titles, 9, 0xf0);
	table_fit(&t, out);
	table_spare(&t, 0x108);
	json_array_foreach(json_object_get(channel, "segments"), i, segment)
		add_segment(&t, segment);
	return (table_end(&t, out, 4, coloured) | r) != 0 ? -ENOMEM : 0;
}

static int show_group(const json_t *group, FILE *out, bool coloured)
{
	const char *preset = phrase_word(group, "preset");
	json_t *channel;
	size_t i;
	int r;

	r = show_line(
		out, *preset ? phrase_format("%s (preset %s)",
				       phrase_word(group, "name"), preset)
			     : phrase_format("%s", phrase_word(group, "name")));
	json_array_foreach(json_object_get(group, "channels"), i, channel) r |=
		show_channel(channel, out, coloured);
	return r ? -ENOMEM : 0;
}

int show_groups(const json_t *result, FILE *out, bool coloured)
{
	json_t *group;
	size_t i;
	int r = 0;

	json_array_foreach(result, i, group)
	{
		if (i > 0)
			(void)fputc('\n', out);
		r |= show_group(group, out, coloured);
	}
	return r ? -ENOMEM : 0;
}

/* ---- explain and presets ---- */

int show_explain(const json_t *result, FILE *out, bool coloured)
{
	static const char *const titles[] = { "INTERFACE", "DEVICE", "VERDICT",
		"RULE" };
	struct table t;
	json_t *answer;
	size_t i;

	if (json_array_size(result) == 0)
		return show_line(out,
			strdup("The group has no segment that this goes to."));
	table_begin(&t, titles, 4, 0);
	json_array_foreach(result, i, answer)
	{
		table_row(&t);
		table_member(&t, answer, "interface");
		table_member(&t, answer, "device");
		table_state(&t, phrase_word(answer, "verdict"));
		table_member(&t, answer, "rule");
	}
	return table_end(&t, out, 0, coloured);
}

int show_presets(const json_t *result, FILE *out, bool coloured)
{
	static const char *const titles[] = { "PRESET", "BUILT-IN", "ADDRESSES",
		"PORTS", "TTL", "REPLIES" };
	struct table t;
	json_t *preset;
	size_t i;

	table_begin(&t, titles, 6, 0x10);
	table_fit(&t, out);
	json_array_foreach(result, i, preset)
	{
		table_row(&t);
		table_member(&t, preset, "name");
		table_member(&t, preset, "built_in");
		table_take(&t,
			phrase_elements(json_object_get(preset, "addresses")));
		table_take(
			&t, phrase_elements(json_object_get(preset, "ports")));
		table_member(&t, preset, "ttl");
		table_member(&t, preset, "replies");
		if (*phrase_word(preset, "notes"))
			table_note(
				&t, phrase_word(preset, "notes"), TABLE_PLAIN);
	}
	return table_end(&t, out, 0, coloured);
}

/* ---- announcements and metrics ---- */

/* "30 s"; "0.5 s" of what is no whole number. */
static char *format_interval(const json_t *interval)
{
	if (json_is_integer(interval))
		return show_duration(json_integer_value(interval));
	return phrase_format("%.3g s", json_number_value(interval));
}

static char *format_next(const json_t *next)
{
	if (!json_is_integer(next))
		return strdup("-");
	return show_duration(json_integer_value(next));
}

int show_announcements(const json_t *result, FILE *out, bool coloured)
{
	static const char *const titles[] = { "NAME", "GROUP", "ORIGIN",
		"STATE", "INTERVAL", "SENT", "NEXT" };
	struct table t;
	json_t *one;
	size_t i;

	if (json_array_size(result) == 0)
		return show_line(out, strdup("Nothing is announced."));
	table_begin(&t, titles, 7, 0x70);
	table_fit(&t, out);
	json_array_foreach(result, i, one)
	{
		table_row(&t);
		table_member(&t, one, "name");
		table_member(&t, one, "group");
		table_member(&t, one, "origin");
		table_state(&t, phrase_word(one, "state"));
		table_take(
			&t, format_interval(json_object_get(one, "interval")));
		table_member(&t, one, "sent");
		table_take(&t, format_next(json_object_get(one, "next_in")));
		table_error(&t, one);
	}
	return table_end(&t, out, 0, coloured);
}

/* As it is: the daemon has taken out what a terminal must not be shown. */
int show_metrics(const json_t *result, FILE *out, bool coloured)
{
	const char *text = json_string_value(result);

	(void)coloured;
	(void)fputs(text ? text : "", out);
	return 0;
}

/* ---- what changes the daemon ---- */

int show_reload(const json_t *result, FILE *out, bool coloured)
{
	(void)coloured;
	return show_line(
		out, phrase_format("Configuration %" JSON_INTEGER_FORMAT
				   " is in use.",
			     phrase_number(result, "generation")));
}

int show_announce(const json_t *result, FILE *out, bool coloured)
{
	(void)coloured;
	return show_line(out,
		phrase_format("%s is announced.", phrase_word(result, "name")));
}

int show_withdraw(const json_t *result, FILE *out, bool coloured)
{
	(void)coloured;
	return show_line(out,
		phrase_format("%s is withdrawn.", phrase_word(result, "name")));
}

int show_standby(const json_t *result, FILE *out, bool coloured)
{
	bool on = json_is_true(json_object_get(result, "enabled"));

	(void)coloured;
	return show_line(
		out, phrase_format("Standby is %s.", on ? "on" : "off"));
}

int show_log_level(const json_t *result, FILE *out, bool coloured)
{
	(void)coloured;
	return show_line(out, phrase_format("The log level is %s.",
				      phrase_word(result, "level")));
}
