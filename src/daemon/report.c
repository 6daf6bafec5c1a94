/*
 * What the owner is told: log lines and the service manager's status.
 */
#include "daemon/internal.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* ADDRESS:PORT of a channel, IPv6 in brackets. */
enum { CHANNEL_TEXT = NET_ADDRESS_TEXT + 8 };

static const char *channel_text(const struct relay_channel *c, char *buffer)
{
	const struct net_address *a = relay_channel_address(c);
	char text[NET_ADDRESS_TEXT];

	(void)snprintf(buffer, CHANNEL_TEXT,
		a->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		net_address_format(a, NULL, text), relay_channel_port(c));
	return buffer;
}

/* What a message about a segment is about, and how it begins. */
struct subject {
	struct relay_segment_info info;
	struct service_fields fields;
	char text[160];
};

static void subject_of(const struct relay_segment *s, struct subject *ret)
{
	const struct relay_channel *c = relay_segment_channel(s);
	const struct relay_group *g = relay_channel_group(c);
	char channel[CHANNEL_TEXT];

	relay_segment_get(s, &ret->info);
	ret->fields = (struct service_fields){
		.group = relay_group_config(g)->name,
		.interface = ret->info.interface,
		.device = ret->info.device,
	};
	(void)snprintf(ret->text, sizeof(ret->text), "%s: %s (%s) %s",
		ret->fields.group,
		relay_segment_is_outside(s) ? "other sites"
					    : ret->info.interface,
		ret->info.device[0] ? ret->info.device : "no device",
		channel_text(c, channel));
}

/* What works is no news at start; what does not is, at any time. */
static int priority_of(enum relay_state state, bool known)
{
	switch (state) {
	case RELAY_JOINED:
		return known ? LOG_INFO : LOG_DEBUG;
	case RELAY_FAILED:
		return LOG_WARNING;
	default:
		return LOG_NOTICE;
	}
}

static const char *kind_of(enum relay_state state)
{
	switch (state) {
	case RELAY_JOINED:
		return MESSAGE_JOINED;
	case RELAY_FAILED:
		return MESSAGE_FAILED;
	default:
		return MESSAGE_MISSING;
	}
}

static void segment_changed(void *data, const struct relay_segment *s,
	enum relay_state was, bool known)
{
	const struct daemon *d = data;
	struct subject about;
	int priority;

	control_tell_segment(d->control, s, was, known);
	subject_of(s, &about);
	if (about.info.state == RELAY_ABSENT)
		discovery_left(d->discovery, s);
	about.fields.message_id = kind_of(about.info.state);
	priority = priority_of(about.info.state, known);
	/* A state with an error beside it is a warning about it. */
	if (about.info.error[0])
		priority = LOG_WARNING;
	service_log(&d->log, priority, &about.fields, "%s: %s%s%s", about.text,
		relay_state_word(about.info.state),
		about.info.error[0] ? ": " : "", about.info.error);
}

static void segment_gone(void *data, const struct relay_segment *s)
{
	const struct daemon *d = data;
	struct subject about;

	control_tell_gone(d->control, s);
	discovery_left(d->discovery, s);
	subject_of(s, &about);
	about.fields.message_id = MESSAGE_MISSING;
	service_log(&d->log, LOG_INFO, &about.fields, "%s: gone", about.text);
}

static void segment_troubled(
	void *data, const struct relay_segment *s, int error, uint64_t times)
{
	const struct daemon *d = data;
	struct subject about;

	subject_of(s, &about);
	about.fields.message_id = MESSAGE_TROUBLE;
	service_log(&d->log, LOG_WARNING, &about.fields,
		"%s: cannot send: %s (%llu since the last such line)",
		about.text, strerror(-error), (unsigned long long)times);
}

static void storm(void *data, const struct relay_segment *s,
	const struct net_address *source, enum relay_verdict why,
	uint64_t times)
{
	const struct daemon *d = data;
	char text[NET_ADDRESS_TEXT] = "somebody";
	struct subject about;

	control_tell_storm(d->control, s, source, why, times);
	subject_of(s, &about);
	if (net_address_is_set(source))
		about.fields.source =
			net_address_format(source, about.info.device, text);
	about.fields.message_id =
		why == RELAY_RATE ? MESSAGE_RATE : MESSAGE_STORM;
	service_log(&d->log, LOG_WARNING, &about.fields,
		"%s: %s %s: held back (%llu times since the last such line)",
		about.text, text,
		why == RELAY_RATE
			? "says more than the rate allows"
			: "repeats one payload without end, as in a loop",
		(unsigned long long)times);
}

/* For those alone who have subscribed: the log would drown in it. */
static void fate(void *data, const struct relay_fate *f)
{
	const struct daemon *d = data;

	control_tell_fate(d->control, f);
}

static void heard(void *data, const struct relay_heard *h)
{
	const struct daemon *d = data;

	discovery_heard(d->discovery, h);
	/* Names are a matter of hosts here. */
	if (!h->site)
		announce_heard(d->announce, h);
	if (h->flow)
		control_tell_answer(d->control, h);
}

static bool carries(void *data, const char *group)
{
	const struct daemon *d = data;

	return control_carries(d->control, group);
}

static void answered(void *data, const struct relay_heard *h)
{
	const struct daemon *d = data;

	control_tell_answered(d->control, h);
}

static void ready(void *data, const struct relay_segment *s)
{
	const struct daemon *d = data;

	discovery_ready(d->discovery, s);
	announce_ready(d->announce, s);
}

static void retain(void *data, const char *name, int fd)
{
	(void)data;
	service_store(name, fd);
}

static void release(void *data, const char *name)
{
	(void)data;
	service_unstore(name);
}

static void sockets_changed(void *data)
{
	keep_mark(data);
}

static void buffer_is_small(void *data, size_t bytes)
{
	const struct daemon *d = data;

	/* What it counts is twice what was asked for. */
	service_log(&d->log, LOG_NOTICE, SERVICE_KIND(MESSAGE_BUFFER),
		"receive buffers: %zu KiB each instead of %d KiB, so that "
		"bursts are lost sooner: set net.core.rmem_max to %d",
		bytes / 2 / 1024, RELAY_RECV_BUFFER / 1024, RELAY_RECV_BUFFER);
}

struct relay_callbacks report_callbacks(struct daemon *d)
{
	return (struct relay_callbacks){
		.adopt = d->keeps ? keep_adopt : NULL,
		.retain = d->keeps ? retain : NULL,
		.release = d->keeps ? release : NULL,
		.sockets = d->keeps ? sockets_changed : NULL,
		.segment = segment_changed,
		.gone = segment_gone,
		.trouble = segment_troubled,
		.storm = storm,
		.fate = fate,
		.heard = heard,
		.carries = carries,
		.answered = answered,
		.ready = ready,
		.buffer = buffer_is_small,
		.data = d,
	};
}

static void entry_changed(void *data, const struct discovery_entry *e,
	enum discovery_change change, enum discovery_reason why)
{
	struct daemon *d = data;

	control_tell_entry(d->control, e, change, why);
	if (change != DISCOVERY_CHANGED)
		status_mark(d);
}

struct discovery_callbacks report_discovery_callbacks(struct daemon *d)
{
	return (struct discovery_callbacks){ .changed = entry_changed,
		.data = d };
}

/* One that falls silent is for its owner to know of; the rest is for those
 * who have subscribed. */
static void announced(void *data, const struct announce_event *e)
{
	const struct daemon *d = data;
	struct service_fields about = { .message_id = MESSAGE_ANNOUNCEMENT };
	struct announce_info i;

	control_tell_announcement(d->control, e);
	if (e->what != ANNOUNCE_STATE && e->what != ANNOUNCE_REMOVED)
		return;
	announce_get(d->announce, e->entry, &i);
	about.group = i.group;
	about.announcement = i.name;
	if (e->what == ANNOUNCE_REMOVED) {
		service_log(&d->log, LOG_NOTICE, &about,
			"announcement %s: removed", i.name);
		return;
	}
	service_log(&d->log,
		i.state == ANNOUNCE_ACTIVE ? LOG_NOTICE : LOG_WARNING, &about,
		"announcement %s: %s%s%s", i.name, announce_state_word(i.state),
		i.error[0] ? ": " : "", i.error);
}

struct announce_callbacks report_announce_callbacks(struct daemon *d)
{
	return (struct announce_callbacks){ .told = announced, .data = d };
}

void report_devices_problem(const struct daemon *d, int error)
{
	service_log(&d->log, LOG_WARNING, SERVICE_KIND(MESSAGE_DEVICES),
		"devices: news from the kernel was lost, reading them anew: %s",
		strerror(-error));
}

static void report_config_error(
	const struct daemon *d, const struct config_error *e)
{
	const struct service_fields about = {
		.path = e->path[0] ? e->path : NULL,
		.line = e->line,
		.message_id = MESSAGE_INVALID,
	};
	char *line = NULL;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	if (!f)
		return;
	config_error_print(e, d->path, f);
	if (fclose(f) == 0)
		service_log(&d->log, LOG_ERR, &about, "%s", line);
	free(line);
}

void report_config_errors(
	const struct daemon *d, const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		report_config_error(d, &errors->at[i]);
}

static void remark(void *data, const char *path, const char *text)
{
	const struct service_fields about = { .path = path };
	const struct daemon *d = data;

	service_log(&d->log, LOG_NOTICE, &about, "%s: %s", path, text);
}

void report_remarks(const struct daemon *d)
{
	config_remarks(d->config, remark, (void *)d);
}

void report_client(void *data, const char *method, pid_t pid, uid_t uid)
{
	struct daemon *d = data;

	/* What it changes may be something that outlives the process. */
	keep_mark(d);
	service_log(&d->log, LOG_INFO, NULL,
		"control: %s, asked for by process %ld of user %lu", method,
		(long)pid, (unsigned long)uid);
}

void report_control_trouble(void *data, int error, uint64_t times)
{
	const struct daemon *d = data;

	service_log(&d->log, LOG_WARNING, SERVICE_KIND(MESSAGE_CONTROL),
		"control: cannot accept a client: %s (%llu times)",
		strerror(-error), (unsigned long long)times);
}
