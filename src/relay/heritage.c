/*
 * From one process to the next: what a relay writes down, and takes up again.
 *
 * Times are uv_now(), which is the machine's and goes on. What the loop guard
 * remembers is known by a secret key, which is handed on with it.
 */
#include "relay/outside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { SLOTS_MAX = 4096 };

/* ---- sockets ---- */

static struct heir *heir_read(struct stash_reader *in)
{
	const char *name = stash_get_text(in);
	uint32_t drops = (uint32_t)stash_get_number(in);
	uint64_t n = stash_get_number(in);
	struct heir *h;

	if (!stash_is_sound(in) || n > UINT16_MAX)
		return NULL;
	h = calloc(1, sizeof(*h) + (size_t)n * sizeof(h->devices[0]));
	if (!h)
		return NULL;
	h->drops = drops;
	h->name = strdup(name);
	for (; h->n_devices < n; h->n_devices++) {
		struct heir_device *d = &h->devices[h->n_devices];

		d->index = (unsigned)stash_get_number(in);
		(void)strncpy(d->name, stash_get_text(in), IF_NAMESIZE - 1);
	}
	if (h->name && stash_is_sound(in))
		return h;
	free(h->name);
	free(h);
	return NULL;
}

const struct heir *heritage_find(const struct relay *r, const char *name)
{
	const struct heir *h;

	for (h = r->heirs; h; h = h->next)
		if (strcmp(h->name, name) == 0)
			return h;
	return NULL;
}

void heritage_end(struct relay *r)
{
	struct heir *h;

	while ((h = r->heirs)) {
		r->heirs = h->next;
		free(h->name);
		free(h);
	}
}

/* ---- counters ---- */

static void put_counters(struct stash_writer *w, const struct relay_counters *c)
{
	stash_put_number(w, c->received);
	stash_put_number(w, c->sent);
	stash_put_number(w, c->received_bytes);
	stash_put_number(w, c->sent_bytes);
	for (size_t i = 0; i < RELAY_VERDICTS; i++)
		stash_put_number(w, c->dropped[i]);
}

static struct relay_counters get_counters(struct stash_reader *in)
{
	struct relay_counters c;

	c.received = stash_get_number(in);
	c.sent = stash_get_number(in);
	c.received_bytes = stash_get_number(in);
	c.sent_bytes = stash_get_number(in);
	for (size_t i = 0; i < RELAY_VERDICTS; i++)
		c.dropped[i] = stash_get_number(in);
	return c;
}

static void put_quota(struct stash_writer *w, const struct quota *q)
{
	stash_put_number(w, q->refused);
	stash_put_number(w, q->evicted);
}

static void get_quota(struct stash_reader *in, struct quota *q)
{
	q->refused = stash_get_number(in);
	q->evicted = stash_get_number(in);
}

/* ---- writing ---- */

void relay_save_switch(const struct relay *r, struct stash_writer *out)
{
	stash_record(out, STASH_RELAY);
	stash_put_number(out, r->key.k0);
	stash_put_number(out, r->key.k1);
	stash_put_number(out, r->standby);
	stash_put_number(out, r->next_flow);
	put_quota(out, &r->remembered);
	put_quota(out, &r->flow_quota);
	put_counters(out, &r->retired);
	stash_put_number(out, r->sites.relayed);
	stash_put_number(out, r->sites.carried);
	stash_put_number(out, r->sites.answered);
}

static void save_segment(const struct relay_segment *s, struct stash_writer *w)
{
	stash_record(w, STASH_SEGMENT);
	stash_put_text(w, segment_interface(s)->name);
	stash_put_text(w, s->device);
	stash_put_number(w, s->slot);
	stash_put_number(w, s->id);
	put_counters(w, &s->counters);
}

static void save_channel(const struct relay_channel *c, struct stash_writer *w)
{
	const struct relay_segment *s;

	stash_record(w, STASH_CHANNEL);
	stash_put_text(w, c->group->c->name);
	stash_put_address(w, &c->address);
	stash_put_number(w, c->port);
	DL_FOREACH(c->segments, s)
	save_segment(s, w);
	if (c->outside.slot != GUARD_NO_SLOT)
		save_segment(&c->outside, w);
	guard_save(&c->guard, uv_now(c->group->relay->loop), w);
}

void relay_save(const struct relay *r, struct stash_writer *out)
{
	const struct relay_channel *c;
	const struct relay_group *g;

	relay_save_switch(r, out);
	DL_FOREACH(r->groups, g)
	DL_FOREACH(g->channels, c)
	save_channel(c, out);
	/* Behind the segments that they are on. */
	hosts_save(&r->hosts, uv_now(r->loop), out);
}

/* ---- before the first configuration ---- */

static void get_relay(struct relay *r, struct stash_reader *in)
{
	r->key.k0 = stash_get_number(in);
	r->key.k1 = stash_get_number(in);
	r->hosts.key = r->key;
	r->standby = stash_get_number(in) != 0;
	r->next_flow = stash_get_number(in);
	get_quota(in, &r->remembered);
	get_quota(in, &r->flow_quota);
	r->retired = get_counters(in);
	r->sites.relayed = stash_get_number(in);
	r->sites.carried = stash_get_number(in);
	r->sites.answered = stash_get_number(in);
}

void relay_inherit(struct relay *r, struct stash_reader *in)
{
	enum stash_tag tag;
	struct heir *h;

	stash_rewind(in);
	while (stash_next(in, &tag)) {
		if (tag == STASH_RELAY)
			get_relay(r, in);
		if (tag != STASH_SOCKET)
			continue;
		h = heir_read(in);
		if (h)
			LL_PREPEND(r->heirs, h);
	}
}

/* ---- after it ---- */

/* The ids and slots that segments had, and those that they have. */
struct renumbering {
	struct {
		uint64_t then, now;
	} ids[SLOTS_MAX];
	size_t n_ids; /* of all channels */
	uint32_t slots[SLOTS_MAX];
	size_t n_slots; /* of the channel of now */
};

static void renumber(struct renumbering *n, uint64_t id, uint64_t slot,
	const struct relay_segment *s)
{
	if (s && n->n_ids < SLOTS_MAX) {
		n->ids[n->n_ids].then = id;
		n->ids[n->n_ids++].now = s->id;
	}
	if (slot >= SLOTS_MAX)
		return;
	while (n->n_slots <= slot)
		n->slots[n->n_slots++] = GUARD_NO_SLOT;
	if (s)
		n->slots[slot] = s->slot;
}

static void resume_host(
	struct relay *r, struct stash_reader *in, const struct renumbering *n)
{
	uint64_t then = stash_get_number(in);

	for (size_t i = 0; i < n->n_ids; i++)
		if (n->ids[i].then == then) {
			hosts_resume(
				&r->hosts, n->ids[i].now, uv_now(r->loop), in);
			return;
		}
}

static struct relay_channel *find_channel(
	const struct relay *r, struct stash_reader *in)
{
	const char *group = stash_get_text(in);
	struct net_address address = stash_get_address(in);
	uint64_t port = stash_get_number(in);
	struct relay_channel *c;
	struct relay_group *g;

	DL_FOREACH(r->groups, g)
	DL_FOREACH(g->channels, c)
	if (strcmp(g->c->name, group) == 0 && c->port == port &&
		net_address_equal(&c->address, &address))
		return c;
	return NULL;
}

/* NULL too where the channel is no more. */
static struct relay_segment *find_segment(
	struct relay_channel *c, const char *interface, const char *device)
{
	struct relay_segment *s = c ? c->segments : NULL;

	/* No interface is called that: other sites. */
	if (c && !*interface)
		return outside_open(c) == 0 ? &c->outside : NULL;
	while (s && (strcmp(segment_interface(s)->name, interface) != 0 ||
			    strcmp(s->device, device) != 0))
		s = s->next;
	return s;
}

static void resume_segment(struct relay *r, struct relay_channel *c,
	struct stash_reader *in, struct renumbering *n)
{
	const char *interface = stash_get_text(in);
	const char *device = stash_get_text(in);
	struct relay_segment *s = find_segment(c, interface, device);
	uint64_t slot = stash_get_number(in), id = stash_get_number(in);
	struct relay_counters counters = get_counters(in);

	if (!stash_is_sound(in))
		return;
	counters_add(s ? &s->counters : &r->retired, &counters);
	renumber(n, id, slot, s);
}

void relay_resume(struct relay *r, struct stash_reader *in)
{
	struct renumbering *n = calloc(1, sizeof(*n));
	struct relay_channel *c = NULL;
	enum stash_tag tag;

	if (!n)
		return;
	stash_rewind(in);
	while (stash_next(in, &tag)) {
		if (tag == STASH_CHANNEL) {
			c = find_channel(r, in);
			n->n_slots = 0;
		} else if (tag == STASH_SEGMENT) {
			resume_segment(r, c, in, n);
		} else if (tag == STASH_REMEMBERED && c) {
			guard_resume(&c->guard, uv_now(r->loop), in, n->slots,
				n->n_slots);
		} else if (tag == STASH_NEIGHBOUR) {
			resume_host(r, in, n);
		}
	}
	free(n);
}
