/*
 * Whatever the process before left: as it is, which must be whole or refused;
 * and with sums that are right, since chance finds none, to all that read
 * records of it: the loop guard, the names of hosts, and the discovered table,
 * which must go on, run out, and be written down as it stands.
 */
#include "../unit/discovery_relay.h"
#include "discovery/internal.h"
#include "fuzz.h"
#include "relay/guard.h"
#include "relay/hosts.h"
#include "sealed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BOUND = 8, SLOTS = 3, WINDOW_MS = 500, RECENT = 16, HOSTS = 4 };
enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* ---- the file ---- */

static void check_raw(const uint8_t *data, size_t size)
{
	struct stash_reader r = { .sequence = 99 };
	int fd = sealed_file(data, size), err = stash_open(&r, fd);

	(void)close(fd);
	if (err == 0) {
		stash_close(&r);
		return;
	}
	MUST(r.map == NULL && r.sequence == 99);
	MUST(err == (size == 0 ? -ENODATA : -EBADMSG) ||
		(size > 0 && err == -EPROTO));
}

/* ---- relay/ ---- */

static void use_guard(struct guard *g, uint64_t now_ms)
{
	struct net_address source;
	struct guard_ruling ruling;
	const struct guard_entry *e;
	size_t n = 0;

	MUST(net_address_parse("192.0.2.7", &source) == 0);
	for (e = remembered_oldest(&g->memory); e; e = remembered_newer(e)) {
		MUST(remembered_find(&g->memory, e->digest) == e);
		n++;
	}
	MUST(n <= RECENT);
	for (uint64_t digest = 1; digest < 3; digest++) {
		MUST(guard_hear(g, digest, &source, 0, now_ms, &ruling) == 0);
		if (guard_may_send(g, &ruling, 1, now_ms))
			guard_sent(g, &ruling, 1, now_ms);
	}
	guard_expire(g, now_ms + WINDOW_MS);
	guard_expire(g, now_ms + 2 * WINDOW_MS);
	for (e = remembered_oldest(&g->memory); e; e = remembered_newer(e))
		MUST(e->is_silenced);
}

static void read_guard(struct stash_reader *in, uint64_t now_ms)
{
	/* Those of then change places, and one is gone. */
	static const uint32_t slots[] = { 1, GUARD_NO_SLOT, 0, 2 };
	const struct siphash_key key = { 1, 2 };
	struct quota quota;
	struct guard g;
	enum stash_tag tag;
	uint32_t slot;

	quota_init(&quota, RECENT, &key);
	guard_init(&g, WINDOW_MS, &quota);
	for (int i = 0; i < SLOTS; i++)
		MUST(guard_slot_take(&g, &slot) == 0);
	stash_rewind(in);
	while (stash_next(in, &tag))
		if (tag == STASH_REMEMBERED)
			guard_resume(&g, now_ms, in, slots, 4);
	use_guard(&g, now_ms);
	guard_slot_give(&g, 1);
	guard_done(&g);
	MUST(quota.used == 0);
	quota_done(&quota);
}

static void read_hosts(struct stash_reader *in, uint64_t now_ms)
{
	const struct siphash_key key = { 1, 2 };
	struct hosts h;
	enum stash_tag tag;

	hosts_init(&h, HOSTS, &key);
	stash_rewind(in);
	while (stash_next(in, &tag))
		if (tag == STASH_NEIGHBOUR)
			hosts_resume(&h, stash_get_number(in) % 4, now_ms, in);
	for (uint64_t name = 0; name < 4; name++) {
		(void)hosts_has(&h, name, name, now_ms);
		hosts_record(&h, name, name, 7, now_ms, now_ms + 1000);
		MUST(hosts_has(&h, name, name, now_ms));
	}
	hosts_done(&h);
}

/* ---- discovery/ ---- */

static void check_kept(const struct discovery *d, size_t entries)
{
	const struct place *p;
	const struct kept *k;
	size_t n = 0;

	for (p = d->places; p; p = p->next)
		for (k = p->first; k; k = k->next) {
			MUST(k->size <= DISCOVERY_KEPT_BYTES);
			MUST(k->entry->place == p);
			n++;
		}
	MUST(d->kept.used == n && n <= entries);
}

static size_t check_table(const struct stand *s)
{
	const struct discovery_entry *e;
	struct discovery_info i = { .id = 0 };
	struct relay_limit limit;
	size_t n = 0;

	while ((e = discovery_after(s->discovery, i.id))) {
		uint64_t last = i.id;

		discovery_get(s->discovery, e, &i);
		MUST(i.id > last);
		MUST(table_find(&s->discovery->table, e->digest) == e);
		MUST(i.n_addresses <= DISCOVERY_ADDRESSES);
		for (size_t a = 0; a < i.n_addresses; a++)
			MUST(net_address_is_set(&i.addresses[a]));
		n++;
	}
	discovery_limit(s->discovery, &limit);
	MUST(limit.used == n && n <= BOUND);
	check_kept(s->discovery, n);
	return n;
}

/* What it writes down is read as the same. */
static void check_saved(const struct stand *s)
{
	struct stash_reader r;
	struct stash_writer w;
	enum stash_tag tag;
	size_t entries = 0;
	int fd = sealed_file(NULL, 0);

	stash_begin(&w, fd, 1);
	discovery_save(s->discovery, &w);
	MUST(stash_end(&w) == 0);
	MUST(stash_open(&r, fd) == 0);
	(void)close(fd);
	while (stash_next(&r, &tag))
		entries += tag == STASH_ENTRY;
	MUST(entries == check_table(s));
	stash_close(&r);
}

static void hear(struct stand *s, const char *text)
{
	struct relay_heard h =
		stand_heard(s, RAW, LAN, "192.0.2.7", text, strlen(text));

	stand_take(s, &h);
}

static void read_table(struct stash_reader *in, uint64_t now_ms)
{
	static struct stand s;

	if (!s.discovery) {
		stand_open(&s, BOUND);
		for (enum stand_group g = SSDP; g < STAND_GROUPS; g++)
			s.relay.groups[g].config.repeat_ms = DAY_MS;
	}
	s.now_ms = now_ms;
	discovery_restore(s.discovery, in);
	(void)check_table(&s);
	check_saved(&s);
	discovery_configure(s.discovery, &s.config);
	hear(&s, "a beacon");
	stand_wait(&s, 60000);
	discovery_ready(s.discovery, stand_segment(&s, RAW, IOT));
	stand_wait(&s, 2 * (uint64_t)DAY_MS);
	hear(&s, "a beacon");
	discovery_left(s.discovery, stand_segment(&s, RAW, LAN));
	(void)check_table(&s);
	check_saved(&s);
	stand_renew(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stash_reader r;
	uint64_t now_ms;

	check_raw(data, size);
	if (!sealed_open(&r, data, size))
		return 0;
	/* When it is read: what counts the files is free to say it. */
	now_ms = EARLIEST_MS + (r.sequence & LATEST_MS);
	read_guard(&r, now_ms);
	read_hosts(&r, now_ms);
	read_table(&r, now_ms);
	stash_close(&r);
	return 0;
}
