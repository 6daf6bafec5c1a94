#include "control/monitor.h"

#include "control/base64.h"
#include "control/excerpt.h"
#include "control/phrase.h"
#include "control/table.h"
#include "control/text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

struct monitor {
	const struct monitor_options *o;
	struct excerpt excerpt;
	json_int_t shown; /* events */
};

/* ---- one line ---- */

static int print(
	const struct monitor *m, const char *text, enum table_colour colour)
{
	return table_print_text(m->o->out, text, colour, m->o->coloured);
}

/* Prints a text and takes it over; NULL: no memory. */
static int print_taken(
	const struct monitor *m, char *text, enum table_colour colour)
{
	int r = text ? print(m, text, colour) : -ENOMEM;

	free(text);
	return r;
}

/* The time of day, where the reader lives. */
static int print_time(const struct monitor *m, const json_t *event)
{
	const char *time = phrase_word(event, "time"), *rest;
	char text[sizeof("00:00:00")];
	struct tm tm = { 0 }, local;
	time_t t;

	rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &tm);
	t = timegm(&tm);
	if (!rest || !localtime_r(&t, &local))
		return print(m, time, TABLE_PLAIN);
	(void)strftime(text, sizeof(text), "%H:%M:%S", &local);
	return print_taken(m,
		phrase_format("%s%.*s", text, (int)strcspn(rest, "Z"), rest),
		TABLE_PLAIN);
}

static char *place(const json_t *at)
{
	const char *device = phrase_word(at, "device");
	const char *interface = phrase_word(at, "interface");
	const char *site = phrase_word(at, "site");

	if (*site)
		return phrase_format("@%s", site);
	if (json_is_null(json_object_get(at, "interface")))
		return strdup("other sites");
	return phrase_format(
		"%s (%s)", interface, *device ? device : "no device");
}

/* " GROUP INTERFACE (DEVICE) " and what stands behind. */
static int print_place(
	const struct monitor *m, const json_t *event, char *behind)
{
	char *at = place(event), *text = NULL;

	if (at && behind)
		text = phrase_format(
			" %s %s %s", phrase_word(event, "group"), at, behind);
	free(at);
	free(behind);
	return print_taken(m, text, TABLE_PLAIN);
}

static char *endpoint(const char *address, json_int_t port)
{
	return phrase_format(strchr(address, ':') ? "[%s]:%" JSON_INTEGER_FORMAT
						  : "%s:%" JSON_INTEGER_FORMAT,
		address, port);
}

/* ---- datagrams ---- */

/* Another site need not say who it was. */
static char *sender(const json_t *event)
{
	const char *source = phrase_word(event, "source");

	return *source ? endpoint(source, phrase_number(event, "port"))
		       : strdup("somebody");
}

static int print_to(const struct monitor *m, const json_t *to)
{
	char *at, *text;

	if (!json_is_object(to))
		return print(m, ": ", TABLE_PLAIN);
	at = place(to);
	text = at ? phrase_format(" -> %s: ", at) : NULL;
	free(at);
	return print_taken(m, text, TABLE_PLAIN);
}

static int print_payload(struct monitor *m, const json_t *event)
{
	const json_t *payload = json_object_get(event, "payload");
	size_t length = json_string_length(payload), size;
	char *text = NULL;
	uint8_t *bytes;
	int r;

	if (!payload)
		return 0;
	bytes = malloc(length + 1);
	if (!bytes)
		return -ENOMEM;
	r = base64_decode(json_string_value(payload), length, bytes, &size);
	if (r == 0)
		text = excerpt_text(&m->excerpt, phrase_word(event, "protocol"),
			bytes, size);
	free(bytes);
	if (r < 0)
		return 0; /* the next daemon's encoding, perhaps */
	(void)fputs("    ", m->o->out);
	r = print_taken(m, text, TABLE_PLAIN);
	(void)fputc('\n', m->o->out);
	return r;
}

/* An answer by unicast is an announcement to whoever decides about it. */
static const char *kind_of(const json_t *event)
{
	const char *kind = phrase_word(event, "kind");

	return json_is_integer(json_object_get(event, "flow")) &&
			       strcmp(kind, "announcement") == 0
		       ? "answer"
		       : kind;
}

static int print_datagram(struct monitor *m, const json_t *event, bool dropped)
{
	const char *verdict = phrase_word(event, "verdict");
	const char *rule = phrase_word(event, "rule");
	int r;

	r = print_place(m, event, sender(event));
	r |= print_to(m, json_object_get(event, "to"));
	r |= print(m, verdict, table_state_colour(verdict));
	r |= print_taken(m,
		phrase_format(", %s, %" JSON_INTEGER_FORMAT " bytes%s%s",
			kind_of(event), phrase_number(event, "size"),
			dropped && *rule ? ": " : "", dropped ? rule : ""),
		TABLE_PLAIN);
	(void)fputc('\n', m->o->out);
	return r | print_payload(m, event);
}

/* ---- what is discovered ---- */

/* Where it is, or how it is reached: "host:port", a location, its source. */
static char *whereabouts(const json_t *entry)
{
	const char *location = phrase_word(entry, "location");
	const char *host = phrase_word(entry, "host");
	json_int_t port = phrase_number(entry, "port");

	if (*location)
		return strdup(location);
	if (!*host)
		host = phrase_word(entry, "source");
	return port ? endpoint(host, port) : strdup(host);
}

static char *entry_text(const json_t *entry)
{
	const char *type = phrase_word(entry, "type");
	const char *why = phrase_word(entry, "why");
	char *where = whereabouts(entry), *at = place(entry), *text = NULL;

	if (where && at)
		text = phrase_format(" %s%s%s at %s: %s %s%s%s",
			phrase_word(entry, "name"), *type ? " " : "", type,
			where, phrase_word(entry, "group"), at,
			*why ? ", " : "", why);
	free(where);
	free(at);
	return text;
}

static int print_entry(const struct monitor *m, const json_t *entry)
{
	bool gone = !strcmp(phrase_word(entry, "event"), "expired");
	bool changed = !strcmp(phrase_word(entry, "change"), "changed");
	int r;

	r = gone      ? print(m, " -", TABLE_WARN)
	    : changed ? print(m, " ~", TABLE_PLAIN)
		      : print(m, " +", TABLE_GOOD);
	r |= print_taken(m, entry_text(entry), TABLE_PLAIN);
	(void)fputc('\n', m->o->out);
	return r;
}

/* ---- crier's own announcements ---- */

static char *sent_text(const json_t *event)
{
	char *at = place(event), *text = NULL;
	bool bye = !strcmp(phrase_word(event, "what"), "goodbye");

	if (at)
		text = phrase_format(
			"%s to %s", bye ? "goodbye" : "announced", at);
	free(at);
	return text;
}

static char *state_text(const json_t *event)
{
	const char *error = phrase_word(event, "error");

	return phrase_format("%s%s%s", phrase_word(event, "state"),
		*error ? ": " : "", error);
}

static int print_announcement(const struct monitor *m, const json_t *event)
{
	const char *what = phrase_word(event, "what");
	char *text;
	int r;

	r = print_taken(m,
		phrase_format(" %s %s: ", phrase_word(event, "group"),
			phrase_word(event, "name")),
		TABLE_PLAIN);
	if (!strcmp(what, "sent") || !strcmp(what, "goodbye"))
		text = sent_text(event);
	else if (!strcmp(what, "removed"))
		text = strdup("announced no more");
	else
		text = state_text(event);
	r |= print_taken(m, text, TABLE_PLAIN);
	(void)fputc('\n', m->o->out);
	return r;
}

/* ---- other events ---- */

static int print_segment(const struct monitor *m, const json_t *event)
{
	const char *state = phrase_word(event, "state");
	const char *was = phrase_word(event, "was");
	const char *error = phrase_word(event, "error");
	int r;

	r = print_place(m, event,
		endpoint(phrase_word(event, "address"),
			phrase_number(event, "port")));
	r |= print(m, ": ", TABLE_PLAIN);
	r |= print(m, state, table_state_colour(state));
	r |= print_taken(m,
		phrase_format("%s%s%s%s", *was ? ", was " : "", was,
			*error ? ": " : "", error),
		TABLE_PLAIN);
	(void)fputc('\n', m->o->out);
	return r;
}

static int print_storm(const struct monitor *m, const json_t *event)
{
	bool rate = !strcmp(phrase_word(event, "why"), "rate");
	json_int_t times = phrase_number(event, "times");
	int r;

	r = print_place(m, event, strdup(phrase_word(event, "source")));
	r |= print(m, ": ", TABLE_PLAIN);
	r |= print(m, "storm", TABLE_BAD);
	r |= print_taken(m,
		phrase_format(": %s, held back %" JSON_INTEGER_FORMAT " time%s",
			rate ? "says more than the rate allows"
			     : "repeats one payload without end",
			times, times == 1 ? "" : "s"),
		TABLE_PLAIN);
	(void)fputc('\n', m->o->out);
	return r;
}

static int print_config(const struct monitor *m, const json_t *event)
{
	int r = print_taken(m,
		phrase_format(" configuration %" JSON_INTEGER_FORMAT
			      " is in use",
			phrase_number(event, "generation")),
		TABLE_PLAIN);

	(void)fputc('\n', m->o->out);
	return r;
}

static int print_lost(const struct monitor *m, const json_t *event)
{
	json_int_t lost = phrase_number(event, "lost");
	int r;

	if (lost == 0)
		return 0;
	r = print_time(m, event);
	r |= print_taken(m,
		phrase_format(" %" JSON_INTEGER_FORMAT
			      " event%s lost, since they are read too slowly",
			lost, lost == 1 ? " was" : "s were"),
		TABLE_BAD);
	(void)fputc('\n', m->o->out);
	return r;
}

static int print_event(struct monitor *m, const json_t *event)
{
	const char *kind = phrase_word(event, "event");
	int r;

	r = print_lost(m, event);
	r |= print_time(m, event);
	if (!strcmp(kind, "datagram"))
		r |= print_datagram(m, event, false);
	else if (!strcmp(kind, "drop"))
		r |= print_datagram(m, event, true);
	else if (!strcmp(kind, "discovered") || !strcmp(kind, "expired"))
		r |= print_entry(m, event);
	else if (!strcmp(kind, "announcement"))
		r |= print_announcement(m, event);
	else if (!strcmp(kind, "segment"))
		r |= print_segment(m, event);
	else if (!strcmp(kind, "storm"))
		r |= print_storm(m, event);
	else
		r |= print_config(m, event);
	return r ? -ENOMEM : 0;
}

/* ---- the stream ---- */

/* Whether `at` is on the interface or device of that name. */
static bool is_at(const json_t *at, const char *name)
{
	return !strcmp(phrase_word(at, "interface"), name) ||
	       !strcmp(phrase_word(at, "device"), name);
}

static bool is_wanted(const struct monitor *m, const json_t *event)
{
	const char *interface = phrase_word(m->o->params, "interface");
	const char *type = phrase_word(m->o->params, "type");

	if (*type && strcasecmp(type, phrase_word(event, "type")) != 0)
		return false;
	return !*interface || is_at(event, interface) ||
	       is_at(json_object_get(event, "to"), interface);
}

static int print_json(const struct monitor *m, const json_t *notification)
{
	char *text = text_escape_json(json_dumps(notification, JSON_COMPACT));

	if (!text)
		return -ENOMEM;
	(void)fprintf(m->o->out, "%s\n", text);
	free(text);
	return 0;
}

static int show(struct monitor *m, const json_t *notification)
{
	const json_t *event = json_object_get(notification, "params");
	int r;

	if (!is_wanted(m, event))
		return 0;
	r = m->o->json ? print_json(m, notification) : print_event(m, event);
	m->shown++;
	/* At once, also into a pipe. */
	(void)fflush(m->o->out);
	return r;
}

static bool is_enough(const struct monitor *m)
{
	json_int_t count = phrase_number(m->o->params, "count");

	return (count && m->shown >= count) || ferror(m->o->out);
}

static int follow(struct monitor *m, struct client *c, int stop)
{
	json_t *notification;
	int r;

	while (!is_enough(m)) {
		r = client_next(c, stop, &notification);
		if (r <= 0)
			return r;
		r = show(m, notification);
		json_decref(notification);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the subscription ---- */

/* What is asked for, where anything is. */
static json_t *kinds(const json_t *params)
{
	if (json_is_true(json_object_get(params, "drops")))
		return json_pack("[s]", "drop");
	if (json_object_get(params, "type"))
		return json_pack("[ss]", "discovered", "expired");
	return json_pack("[sssssss]", "discovered", "expired", "segment",
		"config", "announcement", "datagram", "storm");
}

static json_t *subscription(const json_t *params)
{
	return json_pack("{s:o, s:O*, s:O*}", "events", kinds(params),
		"payload", json_object_get(params, "payload"), "groups",
		json_object_get(params, "groups"));
}

static int subscribe(struct client *c, const json_t *params, json_t **ret)
{
	json_t *wanted = subscription(params);
	int r;

	if (!wanted)
		return -ENOMEM;
	r = client_call(c, "subscribe", wanted, ret);
	json_decref(wanted);
	return r;
}

static int subscribe_and_follow(
	struct monitor *m, struct client *c, int stop, json_t **ret)
{
	json_t *answer;
	int r;

	r = subscribe(c, m->o->params, &answer);
	if (r < 0)
		return r;
	if (!json_object_get(answer, "result")) {
		*ret = answer;
		return 0;
	}
	json_decref(answer);
	r = follow(m, c, stop);
	excerpt_done(&m->excerpt);
	return r;
}

int monitor_run(struct client *c, const struct monitor_options *o, json_t **ret)
{
	struct monitor m = { .o = o };
	struct signalfd_siginfo waste;
	sigset_t signals, before;
	int stop, r;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	stop = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (stop < 0)
		return -errno;
	(void)pthread_sigmask(SIG_BLOCK, &signals, &before);
	r = subscribe_and_follow(&m, c, stop, ret);
	/* What ended it is taken off, or it would end the process now. */
	while (read(stop, &waste, sizeof(waste)) > 0)
		;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(stop);
	return r;
}
