/*
 * The discovered table that only remembers.
 *
 * All that control/ uses of discovery/ must be here: else the linker takes it
 * from the library, and both.
 */
#include "control_fixture.h"

#include <stdlib.h>
#include <string.h>

struct discovery_entry {
	struct discovery_info info;
};

struct discovery *fixture_discovery(void)
{
	struct discovery *d = calloc(1, sizeof(*d));

	ck_assert_ptr_nonnull(d);
	d->limit = (struct relay_limit){ 0, 65536, 3, 2 };
	return d;
}

void fixture_discovery_free(struct discovery *d)
{
	free(d->entries);
	free(d);
}

uint64_t fixture_add_entry(
	struct discovery *d, const struct discovery_info *info)
{
	if (d->n == d->room) {
		d->room = d->room ? 2 * d->room : 16;
		d->entries = realloc(d->entries, d->room * sizeof(*d->entries));
		ck_assert_ptr_nonnull(d->entries);
	}
	d->entries[d->n].info = *info;
	d->entries[d->n].info.id = ++d->last_id;
	d->n++;
	d->limit.used = d->n;
	return d->last_id;
}

void fixture_remove_entry(struct discovery *d, uint64_t id)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->entries[i].info.id != id)
			continue;
		d->n--;
		memmove(&d->entries[i], &d->entries[i + 1],
			(d->n - i) * sizeof(*d->entries));
	}
	d->limit.used = d->n;
}

struct discovery_info fixture_entry(const char *name)
{
	struct discovery_info i = { .group = "mdns",
		.interface = "iot",
		.device = "eth0.20",
		.protocol = CONFIG_PAYLOAD_MDNS,
		.name = name,
		.type = "_http._tcp",
		.host = "tv.local",
		.port = 8009,
		.location = "",
		.detail = "a=1\nb\n",
		.n_addresses = 2,
		.first_seen_ms = 1700000000123,
		.last_seen_ms = 1700000060999,
		.expires_in_ms = 119001,
		.count = 7 };

	ck_assert_int_eq(net_address_parse("192.0.2.7", &i.source), 0);
	ck_assert_int_eq(net_address_parse("192.0.2.7", &i.addresses[0]), 0);
	ck_assert_int_eq(net_address_parse("fe80::7%4", &i.addresses[1]), 0);
	return i;
}

/* ---- the table's own functions ---- */

const char *discovery_reason_word(enum discovery_reason r)
{
	static const char *const words[DISCOVERY_REASONS] = { "", "expired",
		"goodbye", "evicted", "left" };

	return words[r];
}

void discovery_get(const struct discovery *d, const struct discovery_entry *e,
	struct discovery_info *ret)
{
	(void)d;
	*ret = e->info;
}

const struct discovery_entry *discovery_after(
	const struct discovery *d, uint64_t id)
{
	size_t low = 0, high = d->n, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (d->entries[middle].info.id > id)
			high = middle;
		else
			low = middle + 1;
	}
	return low < d->n ? &d->entries[low] : NULL;
}

const struct relay_heard *discovery_message(const struct discovery *d)
{
	return d->message;
}

void discovery_limit(const struct discovery *d, struct relay_limit *ret)
{
	*ret = d->limit;
}

void discovery_each_count(const struct discovery *d,
	void (*each)(void *data, const struct discovery_count *c), void *data)
{
	const struct discovery_count c = { "mdns", "lan", "eth0", NULL, d->n };

	each(data, &c);
}
