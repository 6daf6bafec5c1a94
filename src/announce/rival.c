/*
 * Others who announce a name of ours. There is no probing, so whoever is heard
 * with it has it.
 */
#include "announce/internal.h"

#include <stdio.h>

enum {
	/* A record with TTL 0 lives for a second more (RFC 6762, 10.1). */
	GOODBYE_MS = 1000,
	/* Before its end, the record is asked for. */
	ASK_BEFORE_MS = 1000,
	/* Two that fell silent for each other must not begin together. */
	BEGIN_MAX_MS = 250,
	HOST_SHOWN = 64,
};

static uint64_t lifetime_ms(const struct mdns_item *i)
{
	uint32_t ttl = i->ttl < FOREIGN_TTL_MAX ? i->ttl : FOREIGN_TTL_MAX;

	return ttl * UINT64_C(1000);
}

static bool is_of(const struct rival *r, const struct mdns_item *i)
{
	return dnssd_srv_port(i) == r->port && i->n_targets == 1 &&
	       mdns_name_equal(&i->targets[0], &r->host);
}

static void explain(struct announce_entry *e, const struct relay_heard *h,
	const struct rival *r)
{
	char source[NET_ADDRESS_TEXT], host[MDNS_NAME_TEXT] = "";
	struct relay_segment_info s;

	relay_segment_get(h->in, &s);
	if (r->host.size)
		mdns_name_to_text(&r->host, host);
	(void)snprintf(e->error, sizeof(e->error),
		"%s announces this name (port %u of %.*s)",
		net_address_format(&h->source, s.device, source), r->port,
		HOST_SHOWN, host);
}

/* Without a goodbye, which would delete the rival's records: that is still owed
 * once the rival is gone. */
static void fall_silent(struct announce_entry *e)
{
	for (size_t i = 0; i < e->n_legs; i++) {
		e->legs[i].due_ms = NEVER;
		e->legs[i].answer_ms = NEVER;
	}
	entry_set_state(e, ANNOUNCE_SILENT);
}

static void note_rival(struct announce_entry *e, const struct relay_heard *h,
	const struct mdns_item *i)
{
	struct rival *r = &e->service->rival;
	uint64_t until = h->now_ms + lifetime_ms(i);

	/* Of several rivals, the last one must be gone. */
	if (e->state != ANNOUNCE_SILENT || is_of(r, i) || until > r->until_ms)
		r->until_ms = until;
	r->port = dnssd_srv_port(i);
	r->host = i->n_targets == 1 ? i->targets[0] : (struct mdns_name){ 0 };
	r->segment = relay_segment_id(h->in);
	r->ask_ms = r->until_ms - ASK_BEFORE_MS;
	/* One second apart, however short a hostile lifetime is. */
	if (r->asked_ms && r->ask_ms < r->asked_ms + ASK_BEFORE_MS)
		r->ask_ms = r->asked_ms + ASK_BEFORE_MS;
	explain(e, h, r);
}

void rival_heard(struct announce_entry *e, const struct relay_heard *h,
	const struct mdns_item *i)
{
	struct rival *r = &e->service->rival;

	if (i->ttl == 0) {
		if (e->state != ANNOUNCE_SILENT || !is_of(r, i))
			return;
		if (r->until_ms > h->now_ms + GOODBYE_MS)
			r->until_ms = h->now_ms + GOODBYE_MS;
		r->ask_ms = NEVER;
	} else {
		/* Another relay may bring our own record back. */
		if (dnssd_is_same_srv(&e->service->names, e->c->service, i))
			return;
		note_rival(e, h, i);
		fall_silent(e);
	}
	clock_wake(e, rival_next(e));
}

void rival_host_heard(struct announce_entry *e, const struct relay_heard *h,
	const struct mdns_item *i)
{
	uint64_t until = h->now_ms + lifetime_ms(i);
	struct net_address a;

	/* Goodbye to one address is none of a host that may have others. */
	if (i->ttl == 0 || !dnssd_address(i, &a) ||
		net_devices_is_own(e->announce->devices, &a))
		return;
	if (e->service->foreign_ms < until)
		e->service->foreign_ms = until;
}

uint64_t rival_next(const struct announce_entry *e)
{
	const struct rival *r;

	if (e->state != ANNOUNCE_SILENT)
		return NEVER;
	r = &e->service->rival;
	return r->ask_ms < r->until_ms ? r->ask_ms : r->until_ms;
}

static void ask(struct announce_entry *e)
{
	const struct relay_segment *s = relay_segment_by_id(
		e->announce->relay, e->service->rival.segment);

	/* Where it cannot be asked, its lifetime decides alone. */
	if (s)
		(void)speak_ask(e, s);
}

void rival_due(struct announce_entry *e, uint64_t now_ms)
{
	struct rival *r = &e->service->rival;
	uint64_t when = now_ms + announce_random(e->announce, BEGIN_MAX_MS);

	if (now_ms < r->until_ms) {
		r->ask_ms = NEVER;
		r->asked_ms = now_ms;
		ask(e);
		return;
	}
	*r = (struct rival){ .asked_ms = r->asked_ms };
	entry_set_state(e, ANNOUNCE_ACTIVE);
	for (size_t i = 0; i < e->n_legs; i++)
		entry_begin(e, &e->legs[i], when);
}
