/*
 * The method `metrics`: everything that is counted, for Prometheus.
 *
 * Names and units by its conventions. Counters of segments go with their
 * segments; what they sum up to is there besides, for the whole process.
 */
#include "control/exposition.h"
#include "control/methods.h"
#include "control/render.h"
#include "control/report_metrics.h"

#include <errno.h>
#include <stdlib.h>

#define LABELS(l) l, sizeof(l) / sizeof((l)[0])

static const char counter[] = "counter", gauge[] = "gauge";

/* ---- the process ---- */

static void write_process(struct exposition *e, const struct methods_context *m)
{
	const struct control_running now = methods_running(m);
	const struct exposition_label build[] = {
		{ "version", m->handles->version },
	};

	exposition_family(e, "crier_build_info", gauge,
		"A constant 1, with the version of the daemon.");
	exposition_sample(e, LABELS(build), 1);
	exposition_single(e, "crier_start_time_seconds", gauge,
		"When the daemon started, in seconds since 1970.",
		(uint64_t)m->started_at);
	exposition_single(e, "crier_config_generation", gauge,
		"Configurations that were taken over since the start.",
		now.generation);
	exposition_single(e, "crier_config_last_reload_timestamp_seconds",
		gauge,
		"When the configuration in use was read, in seconds since "
		"1970.",
		(uint64_t)now.loaded_at);
	exposition_single(e, "crier_standby", gauge,
		"1 while groups with a standby send nothing.",
		relay_is_standby(m->handles->relay));
}

/* ---- totals ---- */

/* One of the counters, for a family of its own. */
struct traffic {
	const char *total, *of_segment, *help;
	uint64_t (*get)(const struct relay_counters *c);
};

static uint64_t received(const struct relay_counters *c)
{
	return c->received;
}

static uint64_t received_bytes(const struct relay_counters *c)
{
	return c->received_bytes;
}

static uint64_t sent(const struct relay_counters *c)
{
	return c->sent;
}

static uint64_t sent_bytes(const struct relay_counters *c)
{
	return c->sent_bytes;
}

static const struct traffic traffic[] = {
	{ "crier_received_datagrams_total",
		"crier_segment_received_datagrams_total",
		"Datagrams that were heard.", received },
	{ "crier_received_bytes_total", "crier_segment_received_bytes_total",
		"Bytes of payload that were heard.", received_bytes },
	{ "crier_sent_datagrams_total", "crier_segment_sent_datagrams_total",
		"Datagrams that were sent.", sent },
	{ "crier_sent_bytes_total", "crier_segment_sent_bytes_total",
		"Bytes of payload that were sent.", sent_bytes },
};

enum { TRAFFIC = sizeof(traffic) / sizeof(traffic[0]) };

static const char dropped_help[] =
	"Datagrams that were not relayed, by the reason.";

static void write_totals(struct exposition *e, const struct relay *relay)
{
	struct exposition_label label = { .name = "reason" };
	struct relay_counters c;

	relay_totals(relay, &c);
	for (size_t i = 0; i < TRAFFIC; i++)
		exposition_single(e, traffic[i].total, counter, traffic[i].help,
			traffic[i].get(&c));
	exposition_family(
		e, "crier_dropped_datagrams_total", counter, dropped_help);
	for (enum relay_verdict v = RELAY_OWN; v < RELAY_VERDICTS; v++) {
		label.value = relay_verdict_word(v);
		exposition_sample(e, &label, 1, c.dropped[v]);
	}
}

static void write_sites(struct exposition *e, const struct relay *relay)
{
	struct relay_site_counts n;

	relay_site_counts(relay, &n);
	exposition_single(e, "crier_sites_relayed_datagrams_total", counter,
		"Datagrams that were brought from other sites.", n.relayed);
	exposition_single(e, "crier_sites_carried_datagrams_total", counter,
		"Datagrams that were handed out for other sites.", n.carried);
	exposition_single(e, "crier_sites_answers_total", counter,
		"Answers that were brought from other sites.", n.answered);
}

/* ---- segments ---- */

/* The labels of a segment; the last one is free, for a reason. */
enum { SEGMENT_LABELS = 5 };

struct segment_labels {
	struct relay_segment_info info;
	struct exposition_label at[SEGMENT_LABELS + 1];
	char address[NET_ADDRESS_TEXT], port[8];
};

static void describe(const struct relay_segment *s, struct segment_labels *ret)
{
	const struct relay_channel *c = relay_segment_channel(s);
	const struct relay_group *g = relay_channel_group(c);

	relay_segment_get(s, &ret->info);
	(void)net_address_format(relay_channel_address(c), NULL, ret->address);
	(void)snprintf(
		ret->port, sizeof(ret->port), "%u", relay_channel_port(c));
	ret->at[0] = (struct exposition_label){ "group",
		relay_group_config(g)->name };
	ret->at[1] =
		(struct exposition_label){ "interface", ret->info.interface };
	ret->at[2] = (struct exposition_label){ "device", ret->info.device };
	ret->at[3] = (struct exposition_label){ "address", ret->address };
	ret->at[4] = (struct exposition_label){ "port", ret->port };
}

/* Calls `each` for all segments. */
static void each_segment(const struct relay *relay,
	void (*each)(void *data, struct segment_labels *s), void *data)
{
	const struct relay_group *g = NULL;
	const struct relay_channel *c;
	const struct relay_segment *s;
	struct segment_labels labels;

	while ((g = relay_group_next(relay, g)))
		for (c = NULL; (c = relay_channel_next(g, c));)
			for (s = NULL; (s = relay_segment_next(c, s));) {
				describe(s, &labels);
				each(data, &labels);
			}
}

struct writer {
	struct exposition *e;
	const struct traffic *traffic;
	uint64_t states[RELAY_STATES];
};

static void write_traffic(void *data, struct segment_labels *s)
{
	struct writer *w = data;

	exposition_sample(
		w->e, s->at, SEGMENT_LABELS, w->traffic->get(s->info.counters));
}

static void write_dropped(void *data, struct segment_labels *s)
{
	struct writer *w = data;

	s->at[SEGMENT_LABELS].name = "reason";
	for (enum relay_verdict v = RELAY_OWN; v < RELAY_VERDICTS; v++) {
		s->at[SEGMENT_LABELS].value = relay_verdict_word(v);
		exposition_sample(w->e, s->at, SEGMENT_LABELS + 1,
			s->info.counters->dropped[v]);
	}
}

static void count_state(void *data, struct segment_labels *s)
{
	struct writer *w = data;

	w->states[s->info.state]++;
}

static void write_states(struct writer *w, const struct relay *relay)
{
	struct exposition_label label = { .name = "state" };

	each_segment(relay, count_state, w);
	exposition_family(w->e, "crier_segments", gauge,
		"Devices that take part in groups, by their state.");
	for (enum relay_state s = 0; s < RELAY_STATES; s++) {
		label.value = relay_state_word(s);
		exposition_sample(w->e, &label, 1, w->states[s]);
	}
}

static void write_segments(struct exposition *e, const struct relay *relay)
{
	struct writer w = { .e = e };

	write_states(&w, relay);
	for (size_t i = 0; i < TRAFFIC; i++) {
		w.traffic = &traffic[i];
		exposition_family(
			e, traffic[i].of_segment, counter, traffic[i].help);
		each_segment(relay, write_traffic, &w);
	}
	exposition_family(e, "crier_segment_dropped_datagrams_total", counter,
		dropped_help);
	each_segment(relay, write_dropped, &w);
}

/* ---- bounds ---- */

enum { LIMITS_MAX = 5 };

struct limits {
	struct exposition_label labels[LIMITS_MAX];
	struct relay_limit at[LIMITS_MAX];
	size_t n;
};

static struct relay_limit *add_limit(struct limits *l, const char *name)
{
	l->labels[l->n] = (struct exposition_label){ "limit", name };
	return &l->at[l->n++];
}

static struct limits gather_limits(const struct methods_context *m)
{
	const struct control_handles *h = m->handles;
	struct limits l = { .n = 0 };

	if (h->discovery)
		discovery_limit(h->discovery, add_limit(&l, "discovered"));
	relay_flows(h->relay, add_limit(&l, "flows"));
	*add_limit(&l, "clients") = m->clients;
	relay_remembered(h->relay, add_limit(&l, "remembered"));
	if (h->announce)
		announce_limit(h->announce, add_limit(&l, "announcements"));
	return l;
}

static void write_limits(struct exposition *e, const struct limits *l)
{
	exposition_family(e, "crier_limit_used", gauge,
		"How much there is of what a bound holds down.");
	for (size_t i = 0; i < l->n; i++)
		exposition_sample(e, &l->labels[i], 1, l->at[i].used);
	exposition_family(
		e, "crier_limit_bound", gauge, "How much of it there may be.");
	for (size_t i = 0; i < l->n; i++)
		exposition_sample(e, &l->labels[i], 1, l->at[i].bound);
	exposition_family(e, "crier_limit_refused_total", counter,
		"What found no place at the bound.");
	for (size_t i = 0; i < l->n; i++)
		exposition_sample(e, &l->labels[i], 1, l->at[i].refused);
	exposition_family(e, "crier_limit_evicted_total", counter,
		"What gave up its place at the bound.");
	for (size_t i = 0; i < l->n; i++)
		exposition_sample(e, &l->labels[i], 1, l->at[i].evicted);
}

static void write_flows(struct exposition *e, const struct relay *relay)
{
	struct relay_limit flows;

	relay_flows(relay, &flows);
	exposition_single(e, "crier_flows", gauge,
		"Searches that wait for unicast answers.", flows.used);
}

/* ---- what is discovered ---- */

static void write_count(void *data, const struct discovery_count *c)
{
	const struct exposition_label labels[] = {
		{ "group", c->group },
		{ "interface", c->interface },
		{ "device", c->device },
		{ "site", c->site },
	};
	size_t n = sizeof(labels) / sizeof(labels[0]);

	exposition_sample(data, labels, c->site ? n : n - 1, c->entries);
}

static void write_discovered(struct exposition *e, const struct discovery *d)
{
	exposition_family(e, "crier_discovered_entries", gauge,
		"Entries of what was discovered, by where it was heard.");
	discovery_each_count(d, write_count, e);
}

/* ---- announcements ---- */

static void write_announcement_states(
	struct exposition *e, const struct announce *a)
{
	uint64_t states[ANNOUNCE_NO_GROUP + 1] = { 0 };
	struct exposition_label label = { .name = "state" };
	const struct announce_entry *entry = NULL;
	struct announce_info i;

	while ((entry = announce_next(a, entry))) {
		announce_get(a, entry, &i);
		states[i.state]++;
	}
	exposition_family(e, "crier_announcements", gauge,
		"Announcements of crier's own, by their state.");
	for (enum announce_state s = 0; s <= ANNOUNCE_NO_GROUP; s++) {
		label.value = announce_state_word(s);
		exposition_sample(e, &label, 1, states[s]);
	}
}

static void write_announcements(struct exposition *e, const struct announce *a)
{
	const struct announce_entry *entry = NULL;
	struct exposition_label labels[2];
	struct announce_info i;

	write_announcement_states(e, a);
	exposition_family(e, "crier_announcement_sent_total", counter,
		"Datagrams that an announcement of crier's own was sent in, "
		"goodbyes apart.");
	while ((entry = announce_next(a, entry))) {
		announce_get(a, entry, &i);
		labels[0] = (struct exposition_label){ "name", i.name };
		labels[1] = (struct exposition_label){ "group", i.group };
		exposition_sample(e, LABELS(labels), i.sent);
	}
}

/* ---- all of it ---- */

static json_t *take_text(struct exposition *e)
{
	json_t *value = NULL;
	size_t size;
	char *text;

	text = exposition_end(e, &size);
	if (text)
		value = json_stringn(text, size);
	free(text);
	return value;
}

int methods_metrics(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct control_handles *h = m->handles;
	const struct limits limits = gather_limits(m);
	struct exposition e;

	(void)params;
	(void)error;
	if (exposition_begin(&e) < 0)
		return -ENOMEM;
	write_process(&e, m);
	write_totals(&e, h->relay);
	write_sites(&e, h->relay);
	write_segments(&e, h->relay);
	write_flows(&e, h->relay);
	write_limits(&e, &limits);
	if (h->discovery)
		write_discovered(&e, h->discovery);
	if (h->announce)
		write_announcements(&e, h->announce);
	report_metrics_write(&e, m->reports);
	return methods_give(take_text(&e), ret);
}
