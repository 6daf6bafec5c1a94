/*
 * What messages say, into entries.
 *
 * A message of mDNS is read twice: its instances and services first, then what
 * it says of them and their hosts, so that the order of its records does not
 * matter. Whoever watches is told once of each entry.
 */
#include "discovery/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	GOODBYE_MS = 1000,  /* RFC 6762, 10.1 */
	LEGACY_SECONDS = 10 /* RFC 6762, 6.7: an answer to a legacy search */
};

/* One datagram on its way into the table. */
struct application {
	struct discovery *d;
	struct place *place;
	const struct relay_heard *heard;
	uint64_t hold_ms;
	int64_t seen_ms; /* since 1970 */
};

/* ---- who is told of what ---- */

static void tell_touched(struct discovery *d)
{
	struct discovery_entry *e;

	while ((e = d->touched)) {
		d->touched = e->touched;
		e->is_touched = false;
		discovery_tell(d, e);
	}
	d->touched_end = &d->touched;
}

void apply_forget(struct discovery *d, struct discovery_entry *e)
{
	struct discovery_entry **at = &d->touched;

	if (!e->is_touched)
		return;
	while (*at != e)
		at = &(*at)->touched;
	*at = e->touched;
	if (!*at)
		d->touched_end = at;
}

/* Counts a message once for each entry that it tells of. */
static void touch(const struct application *a, struct discovery_entry *e)
{
	struct discovery *d = a->d;

	if (e->is_touched)
		return;
	e->is_touched = true;
	e->touched = NULL;
	*d->touched_end = e;
	d->touched_end = &e->touched;
	table_touch(e, a->seen_ms);
}

static void set_words(struct discovery_entry *e, const struct words_change *c)
{
	if (words_set(&e->words, c) > 0)
		e->is_changed = true;
}

/* A host that says the same over both families is shown by its IPv4 address;
 * one that comes from another address by the newest. */
static bool set_source(struct discovery_entry *e, const struct relay_heard *h)
{
	if (e->source.family == AF_INET && h->source.family == AF_INET6)
		return false;
	e->source = h->source;
	return true;
}

static struct discovery_entry *find_or_add(
	const struct application *a, uint64_t digest)
{
	struct table *t = &a->d->table;
	struct discovery_entry *e = table_find(t, digest);

	struct net_address source = a->heard->source;

	if (e)
		return e;
	/* One who gives no address is its site. */
	if (!net_address_is_set(&source)) {
		source.family = AF_INET6;
		memcpy(source.bytes, &a->place->id, sizeof(a->place->id));
	}
	return table_add(t, a->place, digest, &source, a->heard->now_ms);
}

static uint64_t lifetime_ms(uint64_t seconds)
{
	if (seconds > DISCOVERY_LIFETIME_MAX)
		seconds = DISCOVERY_LIFETIME_MAX;
	return seconds * 1000;
}

/* ---- mDNS ---- */

static uint64_t name_digest(
	const struct application *a, const struct mdns_name *name)
{
	struct mdns_name folded = *name;

	mdns_name_fold(&folded);
	return table_digest(&a->d->table, a->place, folded.wire, folded.size);
}

static void name_instance(
	struct discovery_entry *e, const struct mdns_telling *t)
{
	char type[MDNS_SERVICE_TEXT];
	struct words_change c = { 0 };

	if (!mdns_name_instance(t->subject, &c.piece[WORD_NAME], type))
		return;
	c.piece[WORD_TYPE] = (struct proto_piece){ type, strlen(type) };
	set_words(e, &c);
}

/*
 * PTR alone says whether an instance is there. Where none was heard, as in an
 * answer to somebody who knew it (RFC 6762, 7.1), the longest of its other
 * records does.
 */
static void set_mdns_lifetime(const struct application *a,
	struct discovery_entry *e, const struct mdns_telling *t)
{
	struct table *table = &a->d->table;
	uint64_t now = a->heard->now_ms, until = now + lifetime_ms(t->ttl);

	if (t->what == MDNS_TELLS_INSTANCE)
		e->has_pointer = true;
	else if (e->has_pointer)
		return;
	if (t->ttl == 0) {
		until = now + GOODBYE_MS;
		if (!e->is_bye || until < e->until_ms)
			table_set_until(table, e, until);
		e->is_bye = true;
		return;
	}
	if (until < e->until_ms && !e->is_bye &&
		(t->ttl <= LEGACY_SECONDS || !e->has_pointer))
		return;
	e->is_bye = false;
	table_set_until(table, e, until);
}

static void set_service(const struct application *a, struct discovery_entry *e,
	const struct mdns_telling *t)
{
	struct book *book = &a->d->table.book;
	char name[MDNS_NAME_TEXT];
	struct book_host *host;

	if (t->ttl == 0)
		return;
	mdns_name_to_text(t->host, name);
	host = book_hold(book, name_digest(a, t->host), name);
	if (!host)
		return;
	if (host != e->host || t->port != e->port)
		e->is_changed = true;
	book_drop(book, e->host);
	e->host = host;
	e->port = t->port;
}

static void apply_instance(
	const struct application *a, const struct mdns_telling *t)
{
	uint64_t digest = name_digest(a, t->subject);
	struct discovery_entry *e;

	e = t->ttl ? find_or_add(a, digest) : table_find(&a->d->table, digest);
	if (!e)
		return;
	touch(a, e);
	if (t->ttl > 0)
		(void)set_source(e, a->heard);
	name_instance(e, t);
	if (t->what == MDNS_TELLS_SERVICE)
		set_service(a, e, t);
	set_mdns_lifetime(a, e, t);
}

/* The strings of TXT as lines. Those of one empty string say nothing (RFC 6763,
 * 6.1). */
static struct proto_piece lines_of(const struct mdns_bytes *txt, char *to)
{
	char *end = to;
	size_t at = 0;

	while (at < txt->size) {
		size_t size = txt->at[at++];

		if (end - to + (ptrdiff_t)size + 1 >= DISCOVERY_DETAIL)
			break;
		for (size_t i = 0; i < size; i++, at++)
			*end++ = txt->at[at] == '\n' ? ' ' : (char)txt->at[at];
		if (size > 0)
			*end++ = '\n';
	}
	return (struct proto_piece){ to, (size_t)(end - to) };
}

static void apply_text(
	const struct application *a, const struct mdns_telling *t)
{
	struct discovery_entry *e =
		table_find(&a->d->table, name_digest(a, t->subject));
	struct words_change c = { 0 };
	char lines[DISCOVERY_DETAIL];

	if (!e || t->ttl == 0)
		return;
	touch(a, e);
	c.piece[WORD_DETAIL] = lines_of(&t->data, lines);
	set_words(e, &c);
	set_mdns_lifetime(a, e, t);
}

static void apply_address(
	const struct application *a, const struct mdns_telling *t)
{
	const struct relay_heard *h = a->heard;
	struct book_news n = {
		.source = h->source,
		.ttl = t->ttl,
		.flush = t->flush,
		.now_ms = h->now_ms,
	};
	char name[MDNS_NAME_TEXT];

	n.address.family = t->data.size == 4 ? AF_INET : AF_INET6;
	memcpy(n.address.bytes, t->data.at, t->data.size);
	if (n.ttl > DISCOVERY_LIFETIME_MAX)
		n.ttl = DISCOVERY_LIFETIME_MAX;
	mdns_name_to_text(t->subject, name);
	(void)book_record(
		&a->d->table.book, name_digest(a, t->subject), name, &n);
}

static void apply_records(const struct application *a, bool first_time)
{
	struct mdns_reader r;
	struct mdns_telling t;
	struct mdns_item i;

	if (mdns_open(&r, a->heard->data, a->heard->size) < 0)
		return;
	while (mdns_next(&r, &i) > 0) {
		if (!mdns_tells(&i, &t))
			continue;
		if (t.what == MDNS_TELLS_INSTANCE ||
			t.what == MDNS_TELLS_SERVICE) {
			if (first_time)
				apply_instance(a, &t);
		} else if (first_time) {
			continue;
		} else if (t.what == MDNS_TELLS_TEXT) {
			apply_text(a, &t);
		} else {
			apply_address(a, &t);
		}
	}
}

static void apply_mdns(const struct application *a)
{
	if (a->heard->kind != PROTO_ANNOUNCEMENT)
		return;
	apply_records(a, true);
	apply_records(a, false);
}

/* ---- what tells of one each ---- */

/* Without an identity the address and port that it came from. */
static uint64_t speaker_digest(const struct application *a)
{
	const struct relay_heard *h = a->heard;
	struct speaker *last = &a->d->last_speaker;
	struct {
		uint8_t address[16];
		uint16_t port;
	} from;

	/* Bursts are of one. */
	if (last->place == a->place->id && last->port == h->port &&
		last->source.family == h->source.family &&
		memcmp(last->source.bytes, h->source.bytes,
			sizeof(h->source.bytes)) == 0)
		return last->digest;
	memset(&from, 0, sizeof(from));
	memcpy(from.address, h->source.bytes, net_address_size(&h->source));
	from.port = h->port;
	*last = (struct speaker){ a->place->id, h->source, h->port,
		table_digest(&a->d->table, a->place, &from, sizeof(from)) };
	return last->digest;
}

static uint64_t entry_digest(
	const struct application *a, const struct proto_entry *n)
{
	if (n->identity.size == 0)
		return speaker_digest(a);
	return table_digest(
		&a->d->table, a->place, n->identity.at, n->identity.size);
}

static uint64_t entry_lifetime_ms(const struct application *a,
	const struct discovery_entry *e, const struct proto_entry *n)
{
	uint64_t now = a->heard->now_ms;

	if (n->presence == PROTO_UPDATED && e && e->until_ms > now)
		return e->until_ms - now;
	/* A lifetime of 0 says that it is there, but does not stay. */
	return n->lifetime_s >= 0 ? lifetime_ms((uint64_t)n->lifetime_s)
				  : a->hold_ms;
}

static void apply_entry(
	const struct application *a, const struct proto_entry *n)
{
	const struct relay_heard *h = a->heard;
	struct table *t = &a->d->table;
	uint64_t digest = entry_digest(a, n), until;
	struct discovery_entry *e = table_find(t, digest);
	struct words_change c = {
		.piece = { n->name, n->type, n->location, n->detail },
	};
	bool is_first;

	if (n->presence == PROTO_GONE) {
		if (e)
			table_remove(t, e, DISCOVERY_GOODBYE);
		return;
	}
	until = h->now_ms + entry_lifetime_ms(a, e, n);
	is_first = !h->site && repeat_is_first(a->d, a->place, h, until);
	/* What another relay repeats keeps nothing alive that is repeated here
	 * too; who merely says the same is refreshed, and not repeated. */
	if (e && !is_first && e->kept)
		return;
	e = find_or_add(a, digest);
	if (!e)
		return;
	touch(a, e);
	/* Each family has a location of its own. */
	if (!set_source(e, h))
		c.piece[WORD_LOCATION].at = NULL;
	if (n->identity.size == 0)
		e->port = h->port;
	set_words(e, &c);
	table_set_until(t, e, until);
	if (is_first)
		repeat_keep(a->d, e, h);
}

static int64_t since_1970_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void apply_heard(
	struct discovery *d, struct place *p, const struct relay_heard *h)
{
	struct application a = {
		.d = d,
		.place = p,
		.heard = h,
		.hold_ms = discovery_group(h->in)->hold_ms,
		.seen_ms = since_1970_ms(),
	};
	struct proto_entry n;

	if (p->protocol == CONFIG_PAYLOAD_NONE) {
		excerpt_entry(h->data, h->size, &n);
		apply_entry(&a, &n);
	} else if (!h->view) {
		return;
	} else if (h->view->payload == PROTO_MDNS) {
		apply_mdns(&a);
	} else if (h->view->payload == PROTO_SSDP
			   ? ssdp_entry(&h->view->ssdp, &n) == 0
			   : wsd_entry(&h->view->wsd, &n) == 0) {
		apply_entry(&a, &n);
	}
	tell_touched(d);
}
