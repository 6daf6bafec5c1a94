/*
 * What `metrics` tells of the sites that clients report on.
 */
#include "control/report_metrics.h"

static const char counter[] = "counter", gauge[] = "gauge";

/* ---- brokers ---- */

static uint64_t is_connected(const struct report *r)
{
	return r->state == REPORT_CONNECTED;
}

static uint64_t own(const struct report *r)
{
	return r->own;
}

static uint64_t queued(const struct report *r)
{
	return r->queued;
}

static uint64_t published(const struct report *r)
{
	return r->published;
}

static uint64_t taken(const struct report *r)
{
	return r->taken;
}

static uint64_t lost(const struct report *r)
{
	return r->lost;
}

static const struct {
	const char *name, *type, *help;
	uint64_t (*get)(const struct report *r);
} of_broker[] = {
	{ "crier_broker_connected", gauge,
		"1 while a site is connected to its broker.", is_connected },
	{ "crier_broker_own_entries", gauge,
		"Announcements of a site that its broker is to have.", own },
	{ "crier_broker_queued", gauge, "Messages that wait for the broker.",
		queued },
	{ "crier_broker_published_total", counter,
		"Messages that the broker was given.", published },
	{ "crier_broker_taken_total", counter,
		"Messages that were taken from the broker.", taken },
	{ "crier_broker_lost_total", counter,
		"Messages for the broker that found no place in the queue.",
		lost },
};

static void write_brokers(struct exposition *e, const struct reports *r)
{
	const struct report *one;

	for (size_t i = 0; i < sizeof(of_broker) / sizeof(of_broker[0]); i++) {
		exposition_family(e, of_broker[i].name, of_broker[i].type,
			of_broker[i].help);
		for (one = r->all; one; one = one->next) {
			const struct exposition_label labels[] = {
				{ "broker", one->broker },
				{ "site", one->site },
			};

			exposition_sample(e, labels, 2, of_broker[i].get(one));
		}
	}
}

/* ---- sites ---- */

static uint64_t is_online(const struct report_site *s)
{
	return s->online;
}

static uint64_t entries(const struct report_site *s)
{
	return s->entries;
}

static uint64_t taken_from(const struct report_site *s)
{
	return s->taken;
}

static uint64_t dropped(const struct report_site *s)
{
	return s->dropped;
}

static const struct {
	const char *name, *type, *help;
	uint64_t (*get)(const struct report_site *s);
} of_site[] = {
	{ "crier_site_online", gauge, "1 while another site is there.",
		is_online },
	{ "crier_site_entries", gauge,
		"Announcements of another site that are alive.", entries },
	{ "crier_site_taken_total", counter,
		"Messages of another site that were taken.", taken_from },
	{ "crier_site_dropped_total", counter,
		"Messages of another site that were not.", dropped },
};

/* The same site may be seen by several, and through several brokers. */
static void write_sites_of(
	struct exposition *e, const struct report *r, size_t metric)
{
	struct exposition_label labels[] = {
		{ .name = "site" },
		{ "seen_by", r->site },
		{ "broker", r->broker },
	};

	for (size_t i = 0; i < r->n_sites; i++) {
		labels[0].value = r->sites[i].name;
		exposition_sample(
			e, labels, 3, of_site[metric].get(&r->sites[i]));
	}
}

static void write_sites(struct exposition *e, const struct reports *r)
{
	const struct report *one;

	for (size_t i = 0; i < sizeof(of_site) / sizeof(of_site[0]); i++) {
		exposition_family(
			e, of_site[i].name, of_site[i].type, of_site[i].help);
		for (one = r->all; one; one = one->next)
			write_sites_of(e, one, i);
	}
}

void report_metrics_write(struct exposition *e, const struct reports *r)
{
	if (!r->all)
		return;
	write_brokers(e, r);
	write_sites(e, r);
}
