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

/* ---- the timer ---- */

static void run(uv_timer_t *t)
{
	struct discovery *d = t->data;
	uint64_t now = uv_now(d->loop);

	d->armed_ms = 0;
	(void)table_expire(&d->table, now, DISCOVERY_TURN);
	table_trim(&d->table, DISCOVERY_TURN);
	place_drain(d);
	repeat_run(d, now);
	discovery_arm(d);
}

void discovery_arm(struct discovery *d)
{
	uint64_t now = uv_now(d->loop), next = UINT64_MAX, other;

	(void)table_next(&d->table, &next);
	if (repeat_next(d, &other) && other < next)
		next = other;
	if (d->leaving || table_is_over(&d->table))
		next = now;
	if (next == UINT64_MAX) {
		d->armed_ms = 0;
		(void)uv_timer_stop(&d->timer);
		return;
	}
	/* One that runs before looks again; but it is never put off by what is
	 * heard meanwhile. */
	if (d->armed_ms && d->armed_ms <= next)
		return;
	d->armed_ms = next > now ? next : now + 1;
	(void)uv_timer_start(&d->timer, run, d->armed_ms - now, 0);
}

void discovery_heard(struct discovery *d, const struct relay_heard *h)
{
	struct place *p;

	if (h->copy)
		return;
	p = h->site ? discovery_site(d, h) : discovery_place(d, h->in);
	if (!p)
		return;
	d->message = h;
	apply_heard(d, p, h);
	d->message = NULL;
	discovery_arm(d);
}

const struct relay_heard *discovery_message(const struct discovery *d)
{
	return d->message;
}

/* ---- beginning and end ---- */

int discovery_new(struct discovery **ret, uv_loop_t *loop, struct relay *relay,
	size_t bound, const struct discovery_callbacks *callbacks)
{
	struct discovery *d = calloc(1, sizeof(*d));
	struct siphash_key key;
	int err;

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
	place_free_all(d);
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
		.site = e->place->site,
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
			p->device, p->site, p->entries };

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
