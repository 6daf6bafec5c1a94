/*
 * The table on a loop: places, the timer, and what it shows.
 */
#include "discovery/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

const char *discovery_reason_word(enum discovery_reason r)
{
	static const char *const words[DISCOVERY_REASONS] = {
		[DISCOVERY_STAYS] = "",
		[DISCOVERY_EXPIRED] = "expired",
		[DISCOVERY_GOODBYE] = "goodbye",
		[DISCOVERY_EVICTED] = "evicted",
		[DISCOVERY_LEFT] = "left",
	};

	return words[r];
}

/* ---- telling ---- */

void discovery_tell(struct discovery *d, struct discovery_entry *e)
{
	enum discovery_change change =
		e->is_new ? DISCOVERY_NEW : DISCOVERY_CHANGED;
	bool is_news = e->is_new || e->is_changed;

	e->is_new = e->is_changed = false;
	if (is_news && d->callbacks.changed)
		d->callbacks.changed(
			d->callbacks.data, e, change, DISCOVERY_STAYS);
}

static void entry_gone(
	void *data, struct discovery_entry *e, enum discovery_reason why)
{
	struct discovery *d = data;

	apply_forget(d, e);
	/* Nobody was told that it had come. */
	if (!e->is_new && d->callbacks.changed)
		d->callbacks.changed(d->callbacks.data, e, DISCOVERY_GONE, why);
	repeat_forget(d, e);
}

/* ---- places ---- */

static void place_free(struct place *p)
{
	if (!p)
		return;
	free(p->group);
	free(p->interface);
	free(p->device);
	free(p);
}

static struct place *find_place(const struct discovery *d, const char *group,
	const struct relay_segment_info *i)
{
	struct place *p;

	for (p = d->places; p; p = p->next)
		if (strcmp(p->device, i->device) == 0 &&
			strcmp(p->group, group) == 0 &&
			strcmp(p->interface, i->interface) == 0)
			return p;
	return NULL;
}

static struct place *place_new(struct discovery *d,
	const struct config_group *g, const struct relay_segment_info *i)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->group = strdup(g->name);
	p->interface = strdup(i->interface);
	p->device = strdup(i->device);
	if (!p->group || !p->interface || !p->device) {
		place_free(p);
		return NULL;
	}
	p->id = ++d->last_place;
	p->protocol = g->payload;
	p->repeat_ms = g->repeat_ms;
	p->next = d->places;
	d->places = p;
	return p;
}

const struct config_group *discovery_group(const struct relay_segment *s)
{
	return relay_group_config(
		relay_channel_group(relay_segment_channel(s)));
}

struct place *discovery_place(
	struct discovery *d, const struct relay_segment *s)
{
	const struct config_group *g = discovery_group(s);
	struct relay_segment_info i;
	struct place *p;

	relay_segment_get(s, &i);
	if (!i.device[0])
		return NULL;
	p = find_place(d, g->name, &i);
	return p ? p : place_new(d, g, &i);
}

/* Removes `n` entries of places that are not marked. */
static void remove_unmarked(struct discovery *d, size_t n)
{
	struct discovery_entry *e;
	uint64_t id = 0;

	while (n > 0 && (e = table_after(&d->table, id))) {
		id = e->roll.id;
		if (e->place->is_marked)
			continue;
		table_remove(&d->table, e, DISCOVERY_LEFT);
		n--;
	}
}

/* Removes places that are not marked: by one walk over all entries, however
 * many go. */
static void sweep(struct discovery *d)
{
	struct place **at = &d->places, *p;
	size_t n = 0;

	for (p = d->places; p; p = p->next)
		if (!p->is_marked)
			n += p->entries;
	remove_unmarked(d, n);
	while ((p = *at)) {
		if (p->is_marked) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		place_free(p);
	}
}

static void mark_all(struct discovery *d, bool is_marked)
{
	struct place *p;

	for (p = d->places; p; p = p->next)
		p->is_marked = is_marked;
}

void discovery_left(struct discovery *d, const struct relay_segment *s)
{
	struct relay_segment_info i;
	struct place *p;

	relay_segment_get(s, &i);
	p = find_place(d, discovery_group(s)->name, &i);
	if (!p)
		return;
	mark_all(d, true);
	p->is_marked = false;
	sweep(d);
	discovery_arm(d);
}

static void mark_group(struct discovery *d, const struct relay_group *g)
{
	const struct config_group *c = relay_group_config(g);
	const struct relay_channel *channel = NULL;
	const struct relay_segment *s;
	struct relay_segment_info i;
	struct place *p;

	while ((channel = relay_channel_next(g, channel)))
		for (s = NULL; (s = relay_segment_next(channel, s));) {
			relay_segment_get(s, &i);
			p = find_place(d, c->name, &i);
			if (!p || p->protocol != c->payload)
				continue;
			p->is_marked = true;
			repeat_configure(d, p, c->repeat_ms);
		}
}

void discovery_configure(struct discovery *d, const struct config *c)
{
	const struct relay_group *g = NULL;

	quota_set_bound(&d->table.quota, c->limits.discovered);
	mark_all(d, false);
	while ((g = relay_group_next(d->relay, g)))
		mark_group(d, g);
	sweep(d);
	discovery_arm(d);
}

/* ---- the timer ---- */

static void run(uv_timer_t *t)
{
	struct discovery *d = t->data;
	uint64_t now = uv_now(d->loop);

	d->armed_ms = 0;
	(void)table_expire(&d->table, now, DISCOVERY_TURN);
	repeat_run(d, now);
	discovery_arm(d);
}

void discovery_arm(struct discovery *d)
{
	uint64_t now = uv_now(d->loop), next = UINT64_MAX, other;

	if (table_next(&d->table, &next) && next <= now)
		next = now + 1;
	if (repeat_next(d, &other) && other < next)
		next = other <= now ? now + 1 : other;
	if (next == d->armed_ms)
		return;
	if (next == UINT64_MAX) {
		d->armed_ms = 0;
		(void)uv_timer_stop(&d->timer);
		return;
	}
	d->armed_ms = next;
	(void)uv_timer_start(&d->timer, run, next - now, 0);
}

void discovery_heard(struct discovery *d, const struct relay_heard *h)
{
	struct place *p;

	if (h->copy)
		return;
	p = discovery_place(d, h->in);
	if (!p)
		return;
	apply_heard(d, p, h);
	discovery_arm(d);
}

/* ---- beginning and end ---- */

int discovery_new(struct discovery **ret, uv_loop_t *loop, struct relay *relay,
	size_t bound, const struct discovery_callbacks *callbacks)
{
	struct discovery *d = calloc(1, sizeof(*d));
	struct siphash_key key;
	int err = -ENOMEM;

	if (!d)
		return -ENOMEM;
	if (getrandom(&key, sizeof(key), 0) != sizeof(key)) {
		err = -errno;
		goto fail;
	}
	err = echo_init(&d->echo, &key);
	if (err < 0)
		goto fail;
	d->loop = loop;
	d->relay = relay;
	d->callbacks = *callbacks;
	d->touched_end = &d->touched;
	table_init(&d->table, bound, &key, uv_now(loop));
	d->table.gone = entry_gone;
	d->table.data = d;
	quota_init(&d->kept, DISCOVERY_KEPT, &key);
	(void)uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	*ret = d;
	return 0;
fail:
	free(d);
	return err;
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

void discovery_close(struct discovery *d)
{
	struct place *p;

	if (!d)
		return;
	d->callbacks = (struct discovery_callbacks){ 0 };
	for (p = d->places; p; p = p->next)
		while (p->first)
			repeat_forget(d, p->first->entry);
	table_done(&d->table);
	quota_done(&d->kept);
	echo_done(&d->echo);
	while (d->places) {
		p = d->places;
		d->places = p->next;
		place_free(p);
	}
	uv_close((uv_handle_t *)&d->timer, timer_closed);
}

/* ---- readers ---- */

void discovery_get(const struct discovery *d, const struct discovery_entry *e,
	struct discovery_info *ret)
{
	uint64_t now = uv_now(d->loop);

	*ret = (struct discovery_info){
		.id = e->roll.id,
		.group = e->place->group,
		.interface = e->place->interface,
		.device = e->place->device,
		.protocol = e->place->protocol,
		.source = e->source,
		.name = words_get(e->words, WORD_NAME),
		.type = words_get(e->words, WORD_TYPE),
		.host = book_name(e->host),
		.port = e->port,
		.location = words_get(e->words, WORD_LOCATION),
		.detail = words_get(e->words, WORD_DETAIL),
		.first_seen_ms = e->first_seen_ms,
		.last_seen_ms = e->last_seen_ms,
		.expires_in_ms = e->until_ms > now ? e->until_ms - now : 0,
		.count = e->count,
	};
	ret->n_addresses = book_addresses(
		e->host, now, ret->addresses, DISCOVERY_ADDRESSES);
}

const struct discovery_entry *discovery_after(
	const struct discovery *d, uint64_t id)
{
	return table_after(&d->table, id);
}

void discovery_each_count(const struct discovery *d,
	void (*each)(void *data, const struct discovery_count *c), void *data)
{
	const struct place *p;

	for (p = d->places; p; p = p->next) {
		const struct discovery_count c = { p->group, p->interface,
			p->device, p->entries };

		each(data, &c);
	}
}

void discovery_limit(const struct discovery *d, struct relay_limit *ret)
{
	const struct quota *q = &d->table.quota;

	*ret = (struct relay_limit){
		.used = q->used,
		.bound = q->bound,
		.refused = q->refused,
		.evicted = q->evicted,
	};
}
