/*
 * From one process to the next: what the table writes down, and takes up again.
 *
 * Times are uv_now(), which is the machine's and goes on, and those since 1970.
 * Entries are known by digests under a secret key, which is handed on too; and
 * by numbers, which stay, so that a reader's cursor goes on.
 */
#include "discovery/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static void save_place(const struct place *p, struct stash_writer *w)
{
	stash_record(w, STASH_PLACE);
	stash_put_number(w, p->id);
	stash_put_text(w, p->group);
	stash_put_text(w, p->interface);
	stash_put_text(w, p->device);
	stash_put_number(w, p->protocol);
	stash_put_number(w, p->index);
	stash_put_number(w, p->repeat_ms);
	stash_put_text(w, p->site ? p->site : "");
}

static void save_kept(const struct kept *k, struct stash_writer *w)
{
	stash_record(w, STASH_KEPT);
	stash_put_number(w, k->entry->digest);
	stash_put_number(w, k->due_ms);
	stash_put_address(w, &k->channel);
	stash_put_number(w, k->channel_port);
	stash_put_address(w, &k->source);
	stash_put_address(w, &k->destination);
	stash_put_number(w, k->port);
	stash_put_number(w, (uint64_t)(int64_t)k->ttl);
	stash_put_bytes(w, k->data, k->size);
}

static void save_entry(const struct discovery_entry *e, struct stash_writer *w)
{
	stash_record(w, STASH_ENTRY);
	stash_put_number(w, e->roll.id);
	stash_put_number(w, e->place->id);
	stash_put_number(w, e->digest);
	stash_put_number(w, e->until_ms);
	stash_put_number(w, (uint64_t)e->first_seen_ms);
	stash_put_number(w, (uint64_t)e->last_seen_ms);
	stash_put_address(w, &e->source);
	stash_put_number(w, e->port);
	stash_put_number(w, e->has_pointer);
	stash_put_number(w, e->is_bye);
	stash_put_number(w, e->count);
	for (enum word i = 0; i < WORDS; i++)
		stash_put_text(w, words_get(e->words, i));
	stash_put_number(w, book_digest(e->host));
	stash_put_text(w, book_name(e->host));
}

void discovery_save(const struct discovery *d, struct stash_writer *out)
{
	const struct table *t = &d->table;
	const struct discovery_entry *e;
	const struct place *p;
	const struct kept *k;
	uint64_t id = 0;

	stash_record(out, STASH_TABLE);
	stash_put_number(out, t->key.k0);
	stash_put_number(out, t->key.k1);
	stash_put_number(out, d->last_place);
	stash_put_number(out, t->roll.last);
	stash_put_number(out, t->quota.refused);
	stash_put_number(out, t->quota.evicted);
	for (p = d->places; p; p = p->next)
		save_place(p, out);
	for (; (e = table_after(t, id)); id = e->roll.id)
		if (!e->place->is_leaving)
			save_entry(e, out);
	/* In the order in which they are due. */
	for (p = d->places; p; p = p->next)
		for (k = p->first; k; k = k->next)
			save_kept(k, out);
	book_save(&t->book, out);
}

/* ---- reading ---- */

/* Returns the last number that was given out. */
static uint64_t restore_table(struct discovery *d, struct stash_reader *in)
{
	struct table *t = &d->table;
	uint64_t last;

	t->key.k0 = stash_get_number(in);
	t->key.k1 = stash_get_number(in);
	d->last_speaker = (struct speaker){ 0 };
	d->last_place = stash_get_number(in);
	last = stash_get_number(in);
	t->quota.refused = stash_get_number(in);
	t->quota.evicted = stash_get_number(in);
	return last;
}

static void restore_place(struct discovery *d, struct stash_reader *in)
{
	struct place *p = calloc(1, sizeof(*p));
	const char *site;

	if (!p)
		return;
	p->id = stash_get_number(in);
	p->group = strdup(stash_get_text(in));
	p->interface = strdup(stash_get_text(in));
	p->device = strdup(stash_get_text(in));
	p->protocol = (enum config_payload)stash_get_number(in);
	p->index = (unsigned)stash_get_number(in);
	p->repeat_ms = stash_get_number(in);
	if (!stash_is_sound(in) || !p->group || !p->interface || !p->device) {
		place_free(p);
		return;
	}
	/* Without memory its entries are forgotten. */
	site = stash_get_text(in);
	p->site = *site ? strdup(site) : NULL;
	if (*site && !p->site) {
		place_free(p);
		return;
	}
	place_add(d, p);
}

static struct place *find(const struct discovery *d, uint64_t id)
{
	struct place *p = d->places;

	while (p && p->id != id)
		p = p->next;
	return p;
}

static void restore_words(struct discovery_entry *e, struct stash_reader *in)
{
	struct words_change c;

	for (enum word i = 0; i < WORDS; i++) {
		const char *text = stash_get_text(in);

		c.piece[i] = (struct proto_piece){ text, strlen(text) };
	}
	(void)words_set(&e->words, &c);
}

static void restore_host(
	struct discovery *d, struct discovery_entry *e, struct stash_reader *in)
{
	uint64_t digest = stash_get_number(in);
	const char *name = stash_get_text(in);

	if (*name)
		e->host = book_hold(&d->table.book, digest, name);
}

static void restore_kept(struct discovery *d, struct stash_reader *in)
{
	uint64_t digest = stash_get_number(in);
	struct discovery_entry *e = table_find(&d->table, digest);
	/* Its segment of now is found when it is due. */
	struct kept k = { .due_ms = stash_get_number(in) };
	const void *data;

	k.channel = stash_get_address(in);
	k.channel_port = (uint16_t)stash_get_number(in);
	k.source = stash_get_address(in);
	k.destination = stash_get_address(in);
	k.port = (uint16_t)stash_get_number(in);
	k.ttl = (int)(int64_t)stash_get_number(in);
	data = stash_get_bytes(in, &k.size);
	if (stash_is_sound(in) && e && e->place->repeat_ms > 0 &&
		k.size <= DISCOVERY_KEPT_BYTES)
		repeat_put(d, e, &k, data);
}

static void restore_entry(struct discovery *d, struct stash_reader *in)
{
	struct table *t = &d->table;
	uint64_t id = stash_get_number(in);
	struct place *p = find(d, stash_get_number(in));
	uint64_t digest = stash_get_number(in);
	uint64_t until_ms = stash_get_number(in);
	int64_t first_ms = (int64_t)stash_get_number(in);
	int64_t last_ms = (int64_t)stash_get_number(in);
	struct net_address source = stash_get_address(in);
	struct discovery_entry *e;

	if (!stash_is_sound(in) || !p || id <= t->roll.last ||
		table_find(t, digest))
		return;
	t->roll.last = id - 1;
	e = table_add(t, p, digest, &source, uv_now(d->loop));
	if (!e)
		return;
	/* Whoever listened has been told of it. */
	e->is_new = false;
	e->first_seen_ms = first_ms;
	e->last_seen_ms = last_ms;
	e->port = (uint16_t)stash_get_number(in);
	e->has_pointer = stash_get_number(in) != 0;
	e->is_bye = stash_get_number(in) != 0;
	e->count = (uint32_t)stash_get_number(in);
	restore_words(e, in);
	restore_host(d, e, in);
	table_set_until(t, e, until_ms);
}

void discovery_restore(struct discovery *d, struct stash_reader *in)
{
	uint64_t last = 0;
	enum stash_tag tag;

	stash_rewind(in);
	while (stash_next(in, &tag)) {
		if (tag == STASH_TABLE)
			last = restore_table(d, in);
		else if (tag == STASH_PLACE)
			restore_place(d, in);
		else if (tag == STASH_ENTRY)
			restore_entry(d, in);
		else if (tag == STASH_KEPT)
			restore_kept(d, in);
		else if (tag == STASH_HOST)
			book_restore(&d->table.book, uv_now(d->loop), in);
	}
	/* Numbers that were given out and are free again stay so. */
	if (last > d->table.roll.last)
		d->table.roll.last = last;
	discovery_arm(d);
}
