#include "config/read.h"
#include "config/suggest.h"

#include <string.h>

static bool is_known(struct keys keys, const char *name)
{
	for (size_t i = 0; i < keys.n; i++) {
		if (strcmp(keys.at[i].name, name) == 0)
			return true;
	}
	return false;
}

static void offer_keys(struct suggest *s, struct keys keys)
{
	for (size_t i = 0; i < keys.n; i++)
		suggest_offer(s, keys.at[i].name);
}

static void check_unknown(
	const struct spot *s, struct keys keys, struct keys more)
{
	char name[QUOTE_TEXT], text[SUGGEST_TEXT];
	struct suggest suggest;
	struct spot pair;

	for (size_t i = 0; i < spot_pairs(s); i++) {
		spot_pair(s, i, &pair);
		if (is_known(keys, pair.key) || is_known(more, pair.key))
			continue;
		if (!spot_is_reporting(s)) {
			spot_key_error(&pair, "unknown key");
			continue;
		}
		suggest_init(&suggest, pair.key);
		offer_keys(&suggest, keys);
		offer_keys(&suggest, more);
		spot_key_error(&pair, "unknown key \"%s\"%s",
			quote(pair.key, name), suggest_text(&suggest, text));
	}
}

static void read_keys(const struct spot *s, void *base, struct keys keys)
{
	struct spot value;

	for (size_t i = 0; i < keys.n; i++) {
		const struct key *k = &keys.at[i];

		if (spot_get(s, k->name, &value))
			k->read(&value, base, k);
		else if (k->missing != NULL)
			spot_missing(s, k->name, k->missing);
	}
}

bool read_map(
	const struct spot *s, void *base, struct keys keys, struct keys more)
{
	if (!spot_is_map(s))
		return false;
	check_unknown(s, keys, more);
	read_keys(s, base, keys);
	read_keys(s, base, more);
	return true;
}
