/*
 * The status in words: for systemctl status, the log, and SIGUSR1.
 *
 * The service manager is told when something changes, at most once in a while,
 * and only what it has not been told: no timer runs while nothing changes.
 */
#include "daemon/internal.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum {
	TELL_AGAIN_MS = 2000,
	MISSING_MAX = 4, /* that are named */
};

struct tally {
	size_t groups, joined;
	struct {
		const char *group;
		struct relay_segment_info info;
	} missing[MISSING_MAX];
	size_t n_missing;
};

static void count_segment(struct tally *t, const struct relay_segment *s)
{
	struct relay_segment_info i;
	size_t at = t->n_missing;

	relay_segment_get(s, &i);
	if (i.state == RELAY_JOINED) {
		t->joined++;
		return;
	}
	t->n_missing++;
	/* What failed comes before what is merely away. */
	if (at >= MISSING_MAX && i.state == RELAY_FAILED)
		for (at = 0; at < MISSING_MAX &&
			     t->missing[at].info.state == RELAY_FAILED;)
			at++;
	if (at >= MISSING_MAX)
		return;
	t->missing[at].group = relay_group_config(
		relay_channel_group(relay_segment_channel(s)))
				       ->name;
	t->missing[at].info = i;
}

static struct tally count(const struct daemon *d)
{
	const struct relay_group *g = NULL;
	struct tally t = { 0 };

	while ((g = relay_group_next(d->relay, g))) {
		const struct relay_channel *c = NULL;

		t.groups++;
		while ((c = relay_channel_next(g, c))) {
			const struct relay_segment *s = NULL;

			while ((s = relay_segment_next(c, s)))
				count_segment(&t, s);
		}
	}
	return t;
}

/* ---- in words ---- */

static void put_missing(const struct tally *t, FILE *f)
{
	size_t n = t->n_missing;

	if (n > MISSING_MAX)
		n = MISSING_MAX;
	for (size_t i = 0; i < n; i++) {
		const struct relay_segment_info *m = &t->missing[i].info;

		(void)fprintf(f, "%s%s %s", i == 0 ? " (" : "; ",
			t->missing[i].group, m->interface);
		if (m->device[0] && strcmp(m->device, m->interface) != 0)
			(void)fprintf(f, " %s", m->device);
		(void)fprintf(f, " %s", relay_state_word(m->state));
		if (m->error[0])
			(void)fprintf(f, ": %s", m->error);
	}
	if (t->n_missing > n)
		(void)fprintf(f, "; and %zu more", t->n_missing - n);
	if (n > 0)
		(void)fputc(')', f);
}

/* "2 groups, 3 segments joined, 1 missing (mdns iot absent), 5 discovered". */
static void describe(const struct daemon *d, char text[STATUS_TEXT])
{
	struct tally t = count(d);
	struct relay_limit discovered;
	FILE *f = fmemopen(text, STATUS_TEXT, "w");

	text[0] = '\0';
	if (!f)
		return;
	discovery_limit(d->discovery, &discovered);
	(void)fprintf(f, "%zu %s, %zu %s joined", t.groups,
		t.groups == 1 ? "group" : "groups", t.joined,
		t.joined == 1 ? "segment" : "segments");
	if (t.n_missing > 0)
		(void)fprintf(f, ", %zu missing", t.n_missing);
	put_missing(&t, f);
	(void)fprintf(
		f, ", %llu discovered", (unsigned long long)discovered.used);
	if (d->refused[0])
		(void)fprintf(f, "; the file is not in use: %s", d->refused);
	(void)fclose(f);
	text[STATUS_TEXT - 1] = '\0';
}

/* ---- telling ---- */

void report_status(struct daemon *d)
{
	char text[STATUS_TEXT];

	describe(d, text);
	if (strcmp(text, d->status) == 0)
		return;
	memcpy(d->status, text, sizeof(d->status));
	service_notify_status("%s", text);
}

static size_t count_announcements(const struct daemon *d)
{
	const struct announce_entry *e = NULL;
	size_t n = 0;

	while ((e = announce_next(d->announce, e)))
		n++;
	return n;
}

/* "stopping: 2 groups and 1 announcement end, 5 discovered entries are kept for
 * a restart". */
void status_stopping(const struct daemon *d)
{
	size_t groups = count(d).groups, announced = count_announcements(d);
	struct relay_limit discovered;
	char kept[80] = "";

	discovery_limit(d->discovery, &discovered);
	if (d->keeps)
		(void)snprintf(kept, sizeof(kept),
			", %llu discovered %s kept for a restart",
			(unsigned long long)discovered.used,
			discovered.used == 1 ? "entry is" : "entries are");
	service_notify_stopping("stopping: %zu %s and %zu %s end%s", groups,
		groups == 1 ? "group" : "groups", announced,
		announced == 1 ? "announcement" : "announcements", kept);
}

static void on_timer(uv_timer_t *t)
{
	report_status(t->data);
}

void status_mark(struct daemon *d)
{
	uv_handle_t *h = (uv_handle_t *)&d->status_timer;

	if (d->status_timer.data && !d->closing && !uv_is_active(h))
		(void)uv_timer_start(
			&d->status_timer, on_timer, TELL_AGAIN_MS, 0);
}

void status_start(struct daemon *d)
{
	(void)uv_timer_init(d->loop, &d->status_timer);
	d->status_timer.data = d;
	d->open_handles++;
}

void status_refused(struct daemon *d, const struct config_errors *errors)
{
	FILE *f = fmemopen(d->refused, sizeof(d->refused), "w");

	d->refused[0] = '\0';
	if (!f)
		return;
	if (errors->n > 0)
		config_error_print(&errors->at[0], d->path, f);
	else
		(void)fputs("see the log", f);
	(void)fclose(f);
	d->refused[sizeof(d->refused) - 1] = '\0';
}

static void log_status(const struct daemon *d, const struct service_fields *f)
{
	struct relay_counters c;
	char text[STATUS_TEXT];
	uint64_t dropped = 0;
	size_t i;

	describe(d, text);
	relay_totals(d->relay, &c);
	for (i = 0; i < RELAY_VERDICTS; i++)
		dropped += c.dropped[i];
	service_log(&d->log, LOG_NOTICE, f,
		"status: %s; received %llu, sent %llu, dropped %llu", text,
		(unsigned long long)c.received, (unsigned long long)c.sent,
		(unsigned long long)dropped);
}

void daemon_log_status(const struct daemon *d)
{
	log_status(d, NULL);
}

void report_started(const struct daemon *d)
{
	log_status(d, SERVICE_KIND(MESSAGE_STARTED));
}
