/* A network as text. */
#include "model.h"

#include "config/config.h"

#include <stdio.h>

static void show_ttl(int ttl)
{
	if (ttl == CONFIG_TTL_KEEP)
		printf(" ttl keep");
	else if (ttl == CONFIG_TTL_DECREMENT)
		printf(" ttl decrement");
	else
		printf(" ttl %d", ttl);
}

static void show_legs(const struct model_relay *r)
{
	for (size_t i = 0; i < r->n_legs; i++) {
		unsigned role = r->legs[i].role;

		printf(" %s%u",
			!(role & CONFIG_HEARS)     ? "to:"
			: !(role & CONFIG_SENT_TO) ? "from:"
						   : "",
			r->legs[i].segment);
	}
}

static void show_relay(const struct model *m, unsigned i)
{
	const struct model_relay *r = &m->relays[i];

	if (r->n_legs < 2)
		return;
	printf("  relay %u: %s, segments", i, r->crier ? "crier" : "foreign");
	show_legs(r);
	printf(", source %s,", r->keeps_source
				       ? (r->crier ? "preserve" : "kept")
				       : (r->crier ? "own" : "rewritten"));
	show_ttl(r->ttl);
	if (r->rate)
		printf(", rate %u/s", r->rate);
	if (!r->crier)
		printf(", after %s%llu ms", r->steady ? "" : "up to ",
			(unsigned long long)r->delay_ms);
	printf("%s\n", r->knows_itself ? ", knows itself" : "");
}

/* Series of one payload are written as one line. */
static void show_sayings(const struct model *m, unsigned host)
{
	const struct model_saying *s = m->sayings;

	for (unsigned p = 0; p < m->n_payloads; p++) {
		unsigned n = 0;

		for (unsigned i = 0; i < m->n_sayings; i++) {
			if (s[i].host != host || s[i].payload != p)
				continue;
			if (n++ == 0)
				printf("    says %u at", p);
			printf(" %llu", (unsigned long long)s[i].at_ms);
		}
		if (n)
			printf(" ms\n");
	}
}

void show(const struct model *m)
{
	unsigned i, j;

	printf("  dedup %llu ms, all again after %llu ms\n",
		(unsigned long long)m->window_ms,
		(unsigned long long)m->again_ms);
	for (i = 0; i < m->n_relays; i++)
		show_relay(m, i);
	for (i = 0; i < m->n_hosts; i++) {
		for (j = 0; j < m->n_sayings && m->sayings[j].host != i;)
			j++;
		if (j == m->n_sayings)
			continue;
		printf("  host %u: segment %u, ttl %d\n", i,
			m->hosts[i].segment, m->hosts[i].ttl);
		show_sayings(m, i);
	}
}
