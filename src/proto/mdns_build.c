#include "proto/mdns_internal.h"

#include <errno.h>
#include <string.h>

/* RFC 6763, 6.1. */
enum { MAX_STRING = 255 };

int mdns_put_question(struct mdns_writer *w, const struct mdns_name *name,
	uint16_t type, bool qu)
{
	struct mdns_item i = {
		.section = MDNS_QUESTION,
		.name = *name,
		.type = type,
		.rrclass = MDNS_CLASS_IN,
		.top = qu,
	};

	return mdns_put(w, &i);
}

/* Records in the authority section are proposals, and replace nothing. */
static struct mdns_item unique(enum mdns_section section,
	const struct mdns_name *name, uint16_t type, uint32_t ttl)
{
	return (struct mdns_item){
		.section = section,
		.name = *name,
		.type = type,
		.rrclass = MDNS_CLASS_IN,
		.top = section != MDNS_AUTHORITY,
		.ttl = ttl,
	};
}

int mdns_put_ptr(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl,
	const struct mdns_name *target)
{
	struct mdns_item i = unique(section, name, MDNS_PTR, ttl);

	i.top = false;
	i.targets[0] = *target;
	i.n_targets = 1;
	return mdns_put(w, &i);
}

int mdns_put_srv(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl, uint16_t port,
	const struct mdns_name *host)
{
	/* Priority, weight, port. */
	const uint8_t head[] = { 0, 0, 0, 0, (uint8_t)(port >> 8),
		(uint8_t)port };
	struct mdns_item i = unique(section, name, MDNS_SRV, ttl);

	i.head = (struct mdns_bytes){ head, sizeof(head) };
	i.targets[0] = *host;
	i.n_targets = 1;
	return mdns_put(w, &i);
}

int mdns_put_txt(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl,
	const struct proto_list *strings)
{
	struct mdns_item i = unique(section, name, MDNS_TXT, ttl);
	uint8_t data[MDNS_MAX_BYTES];
	size_t used = 0;

	data[0] = 0;
	for (size_t n = 0; n < strings->n; n++) {
		size_t size = strlen(strings->at[n]);

		if (size > MAX_STRING)
			return -EINVAL;
		if (1 + size > sizeof(data) - used)
			return -ENOBUFS;
		data[used] = (uint8_t)size;
		memcpy(data + used + 1, strings->at[n], size);
		used += 1 + size;
	}
	i.head = (struct mdns_bytes){ data, used == 0 ? 1 : used };
	return mdns_put(w, &i);
}

int mdns_put_address(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl, const void *address,
	size_t size)
{
	struct mdns_item i =
		unique(section, name, size == 4 ? MDNS_A : MDNS_AAAA, ttl);

	if (size != 4 && size != 16)
		return -EINVAL;
	i.head = (struct mdns_bytes){ address, size };
	return mdns_put(w, &i);
}

int mdns_put_nsec(struct mdns_writer *w, enum mdns_section section,
	const struct mdns_name *name, uint32_t ttl, const uint16_t *types,
	size_t n_types)
{
	struct mdns_item i = unique(section, name, MDNS_NSEC, ttl);
	uint8_t bitmap[MDNS_BITMAP] = { 0 };

	for (size_t n = 0; n < n_types; n++) {
		if (types[n] == 0 || types[n] >= MDNS_BITMAP_BITS * 8)
			return -EINVAL;
		mdns_bitmap_set(bitmap, types[n]);
	}
	if (n_types == 0)
		return -EINVAL;
	i.targets[0] = *name;
	i.n_targets = 1;
	i.tail = (struct mdns_bytes){ bitmap,
		MDNS_BITMAP_HEAD + (size_t)bitmap[1] };
	return mdns_put(w, &i);
}
