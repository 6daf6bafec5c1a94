/*
 * What an announcement says, and when it says it next.
 */
#include "announce/internal.h"
#include "announce/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	ADDRESSES_MAX = 64,
	HOSTNAME_TEXT = 256,
	TIME_TEXT = sizeof("2026-01-01T00:00:00Z"),
};

/* ---- what ---- */

/* This host's name without its domain. */
static void read_hostname(char name[HOSTNAME_TEXT])
{
	if (gethostname(name, HOSTNAME_TEXT) < 0)
		name[0] = '\0';
	name[HOSTNAME_TEXT - 1] = '\0';
	name[strcspn(name, ".")] = '\0';
	if (!name[0])
		(void)snprintf(name, HOSTNAME_TEXT, "localhost");
}

static void write_time(char text[TIME_TEXT])
{
	time_t now = time(NULL);
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&now, &tm))
		(void)strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static int write_text(const struct announce *a, const struct config_data *d,
	const struct relay_segment *s)
{
	char hostname[HOSTNAME_TEXT], address[NET_ADDRESS_TEXT], now[TIME_TEXT];
	struct relay_segment_info i = { .interface = "" };
	struct text_values v = { hostname, address, "", now };

	if (s)
		relay_segment_get(s, &i);
	/* A zone means nothing on another host (RFC 4007, 11.2). */
	i.source.scope = 0;
	read_hostname(hostname);
	write_time(now);
	address[0] = '\0';
	if (net_address_is_set(&i.source))
		(void)net_address_format(&i.source, NULL, address);
	v.interface = i.interface;
	return text_fill((const char *)d->bytes, d->size, &v, a->buffer,
		CONFIG_MAX_PAYLOAD);
}

static int write_data(const struct announce *a, const struct config_data *d,
	const struct relay_segment *s)
{
	if (d->kind == CONFIG_DATA_TEXT)
		return write_text(a, d, s);
	if (d->size > CONFIG_MAX_PAYLOAD)
		return -EMSGSIZE;
	memcpy(a->buffer, d->bytes, d->size);
	return (int)d->size;
}

/* Whether an address is for others to use: not a deprecated one where the
 * family has another. */
static bool is_offered(
	const struct net_device *d, const struct net_device_address *a)
{
	if (!a->usable)
		return false;
	if (!a->deprecated)
		return true;
	for (size_t i = 0; i < d->n_addresses; i++) {
		const struct net_device_address *b = &d->addresses[i];

		if (b->usable && !b->deprecated &&
			b->local.address.family == a->local.address.family)
			return false;
	}
	return true;
}

static size_t list_addresses(const struct announce *a,
	const struct relay_segment *s, struct net_address ret[ADDRESSES_MAX])
{
	const struct net_device *d;
	struct relay_segment_info i;
	size_t n = 0;

	relay_segment_get(s, &i);
	d = net_devices_by_index(a->devices, i.index);
	for (size_t k = 0; d && k < d->n_addresses && n < ADDRESSES_MAX; k++)
		if (is_offered(d, &d->addresses[k]))
			ret[n++] = d->addresses[k].local.address;
	return n;
}

/* The host may have been given another name meanwhile. */
int speak_names(struct announce_entry *e)
{
	char hostname[HOSTNAME_TEXT];
	struct dnssd names;

	read_hostname(hostname);
	if (dnssd_names(e->c->service, hostname, &names) < 0)
		return -EMSGSIZE;
	if (e->service->names.host.size &&
		mdns_name_equal(&names.host, &e->service->names.host))
		return 0;
	e->service->names = names;
	e->service->foreign_ms = 0;
	e->announce->names_stale = true;
	return 0;
}

static int write_service(
	struct announce_entry *e, const struct relay_segment *s)
{
	struct net_address addresses[ADDRESSES_MAX];
	struct announce *a = e->announce;
	size_t n = 0;
	int err;

	err = speak_names(e);
	if (err < 0)
		return err;
	/* Ours would flush those of the host that has the name. */
	if (s && e->service->foreign_ms <= uv_now(a->loop))
		n = list_addresses(a, s, addresses);
	return dnssd_announce(&e->service->names, e->c->service, addresses, n,
		a->buffer, DNSSD_ROOM);
}

/* `s` NULL: where nothing is known yet. */
static int write_message(
	struct announce_entry *e, const struct relay_segment *s)
{
	return e->service ? write_service(e, s)
			  : write_data(e->announce, &e->c->payload, s);
}

int speak_ask(struct announce_entry *e, const struct relay_segment *s)
{
	struct announce *a = e->announce;
	int n = dnssd_ask(&e->service->names, a->buffer, DNSSD_ROOM);

	return n < 0 ? n : relay_send(s, a->buffer, (size_t)n);
}

/* ---- when ---- */

/* The interval, with a tenth of jitter either way. */
static uint64_t next_interval(struct announce_entry *e)
{
	uint64_t tenth = e->c->interval_ms / 10;

	return e->c->interval_ms - tenth +
	       announce_random(e->announce, 2 * tenth + 1);
}

static uint64_t burst_gap(const struct announce_entry *e)
{
	uint64_t gap = e->service ? SERVICE_GAP_MS : BURST_GAP_MS;

	return gap < e->c->interval_ms ? gap : e->c->interval_ms;
}

static void was_sent(struct announce_entry *e, struct leg *l,
	const struct relay_segment *s, uint64_t now_ms)
{
	e->sent++;
	e->error[0] = '\0';
	l->said_ms = now_ms;
	l->is_known = true;
	if (l->due_ms <= now_ms) {
		if (l->burst > 0)
			l->burst--;
		l->due_ms = now_ms +
			    (l->burst > 0 ? burst_gap(e) : next_interval(e));
	}
	announce_tell(e, ANNOUNCE_SENT, s);
}

static void was_not_sent(
	struct announce_entry *e, struct leg *l, int error, uint64_t now_ms)
{
	/* Who hears there has not heard it lately: as if it came up. */
	if (error == -ECANCELED || error == -ENETDOWN)
		entry_begin(e, l, NEVER);
	if (error == -EMSGSIZE)
		(void)snprintf(e->error, sizeof(e->error),
			"it takes more than the %d bytes that a datagram "
			"carries",
			e->service ? (int)DNSSD_ROOM : (int)CONFIG_MAX_PAYLOAD);
	l->due_ms = now_ms + next_interval(e);
}

/* Whoever took a name that another host has would make that one, which probes,
 * give way: so it is asked for, and announced unless somebody answers. */
static int ask_first(
	struct announce_entry *e, struct leg *l, const struct relay_segment *s)
{
	struct announce *a = e->announce;
	int n = speak_ask(e, s);

	if (n < 0)
		return n;
	l->is_asking = false;
	l->due_ms = uv_now(a->loop) + LISTEN_MS;
	return 0;
}

static int say(struct announce_entry *e, const struct relay_segment *s)
{
	int n = write_message(e, s);

	return n < 0 ? n : relay_send(s, e->announce->buffer, (size_t)n);
}

static bool can_send(const struct relay_segment *s)
{
	struct relay_segment_info i;

	relay_segment_get(s, &i);
	return net_address_is_set(&i.source);
}

/* True where a service was said less than a second ago, and waits. */
static bool is_too_soon(
	const struct announce_entry *e, struct leg *l, uint64_t now_ms)
{
	if (!e->service || !l->said_ms || l->answer_ms <= now_ms ||
		now_ms >= l->said_ms + SERVICE_GAP_MS)
		return false;
	l->due_ms = l->said_ms + SERVICE_GAP_MS;
	return true;
}

bool speak_due(struct announce_entry *e, struct leg *l, uint64_t now_ms)
{
	struct announce *a = e->announce;
	const struct relay_segment *s =
		relay_segment_by_id(a->relay, l->segment);
	bool is_question;
	int err;

	if (!s || !can_send(s)) {
		/* announce_ready() tells when it can. */
		entry_begin(e, l, NEVER);
		if (!s)
			a->is_stale = true;
		return false;
	}
	if (is_too_soon(e, l, now_ms))
		return false;
	l->answer_ms = NEVER;
	is_question = l->is_asking;
	err = is_question ? ask_first(e, l, s) : say(e, s);
	if (err < 0)
		was_not_sent(e, l, err, now_ms);
	else if (!is_question)
		was_sent(e, l, s, now_ms);
	return true;
}

/* ---- goodbye ---- */

/* Returns the size of what is said, 0 for nothing; or -EMSGSIZE. */
static int write_goodbye(
	const struct announce_entry *e, const struct relay_segment *s)
{
	const struct announce *a = e->announce;

	if (e->service)
		return dnssd_goodbye(&e->service->names, e->c->service,
			a->buffer, DNSSD_ROOM);
	if (e->c->goodbye.kind == CONFIG_DATA_NONE)
		return 0;
	return write_data(a, &e->c->goodbye, s);
}

int speak_check(struct announce_entry *e, const struct relay_segment *s)
{
	int n = write_message(e, s);

	if (n >= 0)
		n = write_goodbye(e, s);
	return n < 0 ? n : 0;
}

static void say_goodbye(struct announce_entry *e, const struct relay_segment *s)
{
	int n = write_goodbye(e, s);

	if (n > 0 && relay_send(s, e->announce->buffer, (size_t)n) == 0)
		announce_tell(e, ANNOUNCE_GOODBYE, s);
}

void entry_goodbye(struct announce_entry *e)
{
	const struct relay_segment *s;

	/* The name is a rival's. */
	if (e->state == ANNOUNCE_SILENT)
		return;
	for (size_t i = 0; i < e->n_legs; i++) {
		struct leg *l = &e->legs[i];

		if (!l->is_known)
			continue;
		l->is_known = false;
		s = relay_segment_by_id(e->announce->relay, l->segment);
		if (s)
			say_goodbye(e, s);
	}
}
