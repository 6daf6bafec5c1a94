#include "net/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without padding: it is compared and hashed as bytes. */
struct own_key {
	uint32_t family;
	uint32_t scope;
	uint8_t bytes[16];
};

struct net_own {
	struct own_key key;
	size_t references;
	UT_hash_handle hh;
};

/* IPv6 link-local addresses alone may be different hosts' by device. */
static bool is_scoped(const struct net_address *a)
{
	return a->family == AF_INET6 && net_address_is_link_local(a) &&
	       a->scope != 0;
}

static struct own_key make_key(const struct net_address *a, uint32_t scope)
{
	struct own_key key = { .family = a->family, .scope = scope };

	memcpy(key.bytes, a->bytes, net_address_size(a));
	return key;
}

static struct net_own *find(
	const struct net_own *own, const struct own_key *key)
{
	struct net_own *entry;

	HASH_FIND(hh, own, key, sizeof(*key), entry);
	return entry;
}

static int add_key(struct net_own **own, struct own_key key)
{
	struct net_own *entry = find(*own, &key);

	if (entry != NULL) {
		entry->references++;
		return 0;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return -ENOMEM;
	entry->key = key;
	entry->references = 1;
	HASH_ADD(hh, *own, key, sizeof(entry->key), entry);
	if (entry->hh.tbl == NULL) {
		free(entry);
		return -ENOMEM;
	}
	return 0;
}

static void drop_key(struct net_own **own, struct own_key key)
{
	struct net_own *entry = *own != NULL ? find(*own, &key) : NULL;

	if (entry == NULL || --entry->references > 0)
		return;
	HASH_DEL(*own, entry);
	free(entry);
}

int net_own_add(struct net_own **own, const struct net_address *a)
{
	int r;

	r = add_key(own, make_key(a, 0));
	if (r < 0 || !is_scoped(a))
		return r;
	r = add_key(own, make_key(a, a->scope));
	if (r < 0)
		drop_key(own, make_key(a, 0));
	return r;
}

void net_own_drop(struct net_own **own, const struct net_address *a)
{
	drop_key(own, make_key(a, 0));
	if (is_scoped(a))
		drop_key(own, make_key(a, a->scope));
}

bool net_own_has(const struct net_own *own, const struct net_address *a)
{
	struct own_key key = make_key(a, is_scoped(a) ? a->scope : 0);

	return net_address_is_loopback(a) || find(own, &key) != NULL;
}
