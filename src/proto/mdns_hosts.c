#include "proto/mdns_internal.h"

/*
 * FNV-1a. Whoever makes two names collide only brings the message of its own
 * making to say less.
 */
static uint64_t hash_name(const struct mdns_name *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	struct mdns_name n = *name;

	mdns_name_fold(&n);
	for (size_t i = 0; i < n.size; i++)
		hash = (hash ^ n.wire[i]) * UINT64_C(1099511628211);
	return hash;
}

void mdns_hosts_note(
	struct mdns_hosts *h, const struct mdns_name *name, unsigned bits)
{
	uint64_t hash = hash_name(name);
	size_t i = 0;

	h->bits |= bits;
	while (i < h->n && h->at[i].hash != hash)
		i++;
	if (i == MDNS_MAX_HOSTS) {
		h->is_full = true;
		return;
	}
	if (i == h->n) {
		h->at[i].hash = hash;
		h->at[i].bits = 0;
		h->n++;
	}
	h->at[i].bits |= bits;
}

unsigned mdns_hosts_bits(
	const struct mdns_hosts *h, const struct mdns_name *name)
{
	uint64_t hash;

	if (h->n == 0)
		return 0;
	hash = hash_name(name);
	for (size_t i = 0; i < h->n; i++) {
		if (h->at[i].hash == hash)
			return h->at[i].bits;
	}
	return 0;
}
