/*
 * `repeat` of a group: what is live is said again, at an interval after it was
 * last heard or said; and to a segment that has come up all of it at once.
 */
#include "discovery/internal.h"

#include <stdlib.h>
#include <string.h>

/* What only answers a search is nothing to say to all. */
static bool is_answer(const struct relay_heard *h)
{
	if (h->flow || !h->view)
		return h->flow != 0;
	if (h->view->payload == PROTO_SSDP)
		return h->view->ssdp.method == SSDP_ANSWER;
	return h->view->payload == PROTO_WSD &&
	       h->view->wsd.action != WSD_HELLO;
}

/*
 * What announces. Where there is no decoder, no preset that says what its
 * protocol speaks, and nobody carries answers back, all does, from whatever
 * port it comes.
 */
static bool is_announcement(const struct relay_heard *h)
{
	const struct config_group *g = discovery_group(h->in);

	if (is_answer(h))
		return false;
	return h->kind == PROTO_ANNOUNCEMENT ||
	       (g->payload == CONFIG_PAYLOAD_NONE &&
		       g->speaks == CONFIG_SPEAKS_UNKNOWN &&
		       g->replies == CONFIG_REPLIES_NONE);
}

static bool is_repeated(const struct place *p, const struct relay_heard *h)
{
	return p->repeat_ms > 0 && is_announcement(h);
}

bool repeat_is_first(struct discovery *d, const struct place *p,
	const struct relay_heard *h, uint64_t until_ms)
{
	const struct relay_channel *c = relay_segment_channel(h->in);
	const struct siphash_key *key = &d->table.key;
	/* Of all segments of the group, but each family for itself. */
	uint64_t said[4];

	if (!is_repeated(p, h))
		return true;
	said[0] = siphash(key, p->group, strlen(p->group));
	said[1] = relay_channel_address(c)->family;
	said[2] = relay_channel_port(c);
	said[3] = siphash(key, h->data, h->size);
	return echo_is_first(&d->echo, siphash(key, said, sizeof(said)),
		p->lasting, &h->source, h->now_ms, until_ms);
}

/* ---- what is kept ---- */

static void append(struct place *p, struct kept *k)
{
	k->prev = p->last;
	k->next = NULL;
	*(p->last ? &p->last->next : &p->first) = k;
	p->last = k;
}

static void unlink_kept(struct place *p, struct kept *k)
{
	*(k->prev ? &k->prev->next : &p->first) = k->next;
	*(k->next ? &k->next->prev : &p->last) = k->prev;
}

void repeat_forget(struct discovery *d, struct discovery_entry *e)
{
	struct kept *k = e->kept;

	if (!k)
		return;
	unlink_kept(e->place, k);
	quota_remove(&d->kept, &k->item);
	e->kept = NULL;
	free(k);
}

static void make_room(struct discovery *d)
{
	struct quota_item *surplus;

	while ((surplus = quota_surplus(&d->kept))) {
		d->kept.evicted++;
		repeat_forget(d, ((struct kept *)(void *)surplus)->entry);
	}
}

/* Room for `size` bytes of `source`: the old one where it has as many. */
static struct kept *take(struct discovery *d, struct discovery_entry *e,
	const struct net_address *source, size_t size)
{
	struct kept *k = e->kept;

	if (k && k->size == size) {
		unlink_kept(e->place, k);
		quota_touch(&k->item);
		return k;
	}
	repeat_forget(d, e);
	make_room(d);
	k = calloc(1, sizeof(*k) + size);
	if (!k)
		return NULL;
	if (quota_add(&d->kept, &k->item, source) < 0) {
		free(k);
		return NULL;
	}
	k->entry = e;
	e->kept = k;
	return k;
}

void repeat_put(struct discovery *d, struct discovery_entry *e,
	const struct kept *like, const void *data)
{
	struct kept *k = take(d, e, &like->source, like->size);

	if (!k)
		return;
	k->due_ms = like->due_ms;
	k->segment = like->segment;
	k->channel = like->channel;
	k->channel_port = like->channel_port;
	k->source = like->source;
	k->destination = like->destination;
	k->port = like->port;
	k->ttl = like->ttl;
	k->size = like->size;
	memcpy(k->data, data, k->size);
	append(e->place, k);
}

void repeat_keep(struct discovery *d, struct discovery_entry *e,
	const struct relay_heard *h)
{
	const struct relay_channel *c;
	struct kept like;

	if (!is_repeated(e->place, h))
		return;
	if (h->size > DISCOVERY_KEPT_BYTES) {
		d->kept.refused++;
		repeat_forget(d, e);
		return;
	}
	c = relay_segment_channel(h->in);
	like = (struct kept){
		.due_ms = h->now_ms + e->place->repeat_ms,
		.segment = relay_segment_id(h->in),
		.channel = *relay_channel_address(c),
		.channel_port = relay_channel_port(c),
		.source = h->source,
		.destination = h->destination,
		.port = h->port,
		.ttl = h->ttl,
		.size = h->size,
	};
	repeat_put(d, e, &like, h->data);
}

void repeat_configure(struct discovery *d, struct place *p, uint64_t repeat_ms)
{
	uint64_t now = uv_now(d->loop);
	struct kept *k;

	if (p->repeat_ms == repeat_ms)
		return;
	p->repeat_ms = repeat_ms;
	while (!repeat_ms && p->first)
		repeat_forget(d, p->first->entry);
	for (k = p->first; k; k = k->next)
		k->due_ms = now + repeat_ms;
}

/* ---- saying it again ---- */

/* Where it was heard, among the segments of a channel; 0: nowhere any more. */
static uint64_t find_segment(
	const struct relay_channel *c, const struct place *p)
{
	const struct relay_segment *s = NULL;
	struct relay_segment_info i;

	while ((s = relay_segment_next(c, s))) {
		relay_segment_get(s, &i);
		if (strcmp(i.interface, p->interface) == 0 &&
			strcmp(i.device, p->device) == 0)
			return relay_segment_id(s);
	}
	return 0;
}

/* A reload that changes a group gives it other segments. */
static void follow_segment(struct discovery *d, struct kept *k)
{
	const struct place *p = k->entry->place;
	const struct relay_channel *c = NULL;
	const struct relay_group *g;

	if (relay_segment_by_id(d->relay, k->segment))
		return;
	g = relay_group_find(d->relay, p->group);
	while (g && (c = relay_channel_next(g, c)))
		if (relay_channel_port(c) == k->channel_port &&
			net_address_equal(
				relay_channel_address(c), &k->channel)) {
			k->segment = find_segment(c, p);
			return;
		}
}

static void say(
	struct discovery *d, struct kept *k, const struct relay_segment *to)
{
	struct relay_kept again;

	follow_segment(d, k);
	again = (struct relay_kept){
		.segment = k->segment,
		.source = k->source,
		.destination = k->destination,
		.port = k->port,
		.ttl = k->ttl,
		.data = k->data,
		.size = k->size,
	};
	(void)relay_repeat(d->relay, &again, to);
}

/* Returns how much of `most` is left. */
static size_t repeat_place(
	struct discovery *d, struct place *p, uint64_t now_ms, size_t most)
{
	struct kept *k;

	while (most > 0 && (k = p->first) && k->due_ms <= now_ms) {
		say(d, k, NULL);
		unlink_kept(p, k);
		k->due_ms = now_ms + p->repeat_ms;
		append(p, k);
		most--;
	}
	return most;
}

/* Goes on with one replay, by at most `*most` entries. False: it is done. */
static bool replay_on(struct discovery *d, struct replay *r, size_t *most)
{
	const struct relay_segment *to =
		relay_segment_by_id(d->relay, r->segment);
	struct discovery_entry *e;

	if (!to)
		return false;
	for (; *most > 0; (*most)--) {
		e = table_after(&d->table, r->after);
		if (!e)
			return false;
		r->after = e->roll.id;
		/* Those of other groups and channels go nowhere from it. */
		if (e->kept)
			say(d, e->kept, to);
	}
	return true;
}

static void run_replays(struct discovery *d, uint64_t now_ms)
{
	size_t i = 0, most = DISCOVERY_REPEATS;

	while (i < d->n_replays) {
		struct replay *r = &d->replays[i];

		if (r->due_ms > now_ms || replay_on(d, r, &most))
			i++;
		else
			*r = d->replays[--d->n_replays];
	}
}

void repeat_run(struct discovery *d, uint64_t now_ms)
{
	size_t most = DISCOVERY_REPEATS;
	struct place *p;

	for (p = d->places; p && most > 0; p = p->next)
		most = repeat_place(d, p, now_ms, most);
	run_replays(d, now_ms);
}

bool repeat_next(const struct discovery *d, uint64_t *ret_ms)
{
	const struct place *p;
	uint64_t next = UINT64_MAX;

	for (p = d->places; p; p = p->next)
		if (p->first && p->first->due_ms < next)
			next = p->first->due_ms;
	for (size_t i = 0; i < d->n_replays; i++)
		if (d->replays[i].due_ms < next)
			next = d->replays[i].due_ms;
	*ret_ms = next;
	return next != UINT64_MAX;
}

void discovery_ready(struct discovery *d, const struct relay_segment *s)
{
	uint64_t id = relay_segment_id(s);
	struct replay *r = d->replays;
	size_t i = 0;

	if (!discovery_group(s)->repeat_ms)
		return;
	while (i < d->n_replays && r[i].segment != id)
		i++;
	/* Whoever has no place hears it at the next interval. */
	if (i == DISCOVERY_REPLAYS)
		return;
	r[i] = (struct replay){
		.segment = id,
		.due_ms = uv_now(d->loop) + DISCOVERY_REPLAY_DELAY_MS,
	};
	if (i == d->n_replays)
		d->n_replays++;
	discovery_arm(d);
}
