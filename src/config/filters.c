/*
 * What of a datagram a group lets through: allow, deny and strip.
 */
#include "config/done.h"
#include "config/items.h"

static const struct key filter_keys[] = {
	{ .name = "sources",
		LIST(struct config_filter, sources, n_sources, list_prefixes) },
	{ .name = "services",
		LIST(struct config_filter, services.at, services.n,
			list_services) },
	{ .name = "targets",
		LIST(struct config_filter, targets.at, targets.n,
			list_targets) },
	{ .name = "sizes",
		LIST(struct config_filter, sizes, n_sizes, list_sizes) },
};

void read_filter(const struct spot *s, void *base, const struct key *k)
{
	struct config_filter *f = (void *)((char *)base + k->offset);
	struct config_filter filter = { 0 };

	if (!read_map(s, &filter, KEYS(filter_keys), NO_KEYS))
		return;
	/* As a whole: it is not mixed with what a preset says. */
	filter_done(f);
	*f = filter;
}

void read_strip(const struct spot *s, void *base, const struct key *k)
{
	unsigned *strip = (void *)((char *)base + k->offset);
	unsigned bits = 0, bit;
	struct spot item;

	for (size_t i = 0; i < spot_items(s); i++) {
		spot_item(s, i, &item);
		if (!read_one_of(&item, words_strip, &bit))
			continue;
		if (bits & 1U << bit)
			spot_error(&item, "given twice in this list");
		bits |= 1U << bit;
	}
	*strip = bits;
}
