#include "discovery/book.h"

#include "discovery/discovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64, FLUSH_MS = 1000 };

struct book_address {
	uint8_t bytes[16];
	uint32_t scope;
	uint8_t family;
	uint64_t heard_ms, until_ms;
};

/* As many as there are announcers: so no more than it takes. */
struct book_host {
	struct book_host *chain;
	uint64_t digest;
	struct book_unnamed *unnamed; /* while no service names it */
	uint32_t services;
	uint8_t n, room; /* of addresses: the first, and those in `more` */
	struct book_address *more;
	struct book_address first;
	char name[];
};

struct book_unnamed {
	struct quota_item item; /* first: a quota gives these back */
	struct book_host *host;
};

void book_init(struct book *h, const struct siphash_key *key)
{
	*h = (struct book){ 0 };
	quota_init(&h->unnamed, BOOK_UNNAMED, key);
}

static void host_free(struct book_host *x)
{
	free(x->unnamed);
	free(x->more);
	free(x);
}

void book_done(struct book *h)
{
	for (size_t i = 0; i < h->size; i++) {
		struct book_host *x, *next;

		for (x = h->table[i]; x; x = next) {
			next = x->chain;
			host_free(x);
		}
	}
	free(h->table);
	quota_done(&h->unnamed);
	h->table = NULL;
	h->size = h->n = 0;
}

static struct book_host **bucket(const struct book *h, uint64_t digest)
{
	return &h->table[digest & (h->size - 1)];
}

static struct book_host *find(const struct book *h, uint64_t digest)
{
	struct book_host *x;

	if (!h->size)
		return NULL;
	for (x = *bucket(h, digest); x; x = x->chain)
		if (x->digest == digest)
			return x;
	return NULL;
}

static int grow(struct book *h)
{
	size_t size = h->size ? h->size * 2 : FIRST_SIZE;
	struct book grown = { .size = size };

	grown.table = calloc(size, sizeof(struct book_host *));
	if (!grown.table)
		return -ENOMEM;
	for (size_t i = 0; i < h->size; i++) {
		struct book_host *x, *next;

		for (x = h->table[i]; x; x = next) {
			next = x->chain;
			x->chain = *bucket(&grown, x->digest);
			*bucket(&grown, x->digest) = x;
		}
	}
	free(h->table);
	h->table = grown.table;
	h->size = size;
	return 0;
}

static struct book_host *host_new(
	struct book *h, uint64_t digest, const char *name)
{
	size_t size = strnlen(name, DISCOVERY_HOST - 1);
	struct book_host *x;

	if (h->n >= h->size && grow(h) < 0)
		return NULL;
	x = malloc(sizeof(*x) + size + 1);
	if (!x)
		return NULL;
	*x = (struct book_host){ .digest = digest, .room = 1 };
	memcpy(x->name, name, size);
	x->name[size] = '\0';
	x->chain = *bucket(h, digest);
	*bucket(h, digest) = x;
	h->n++;
	return x;
}

static void end_unnamed(struct book *h, struct book_host *x)
{
	if (!x->unnamed)
		return;
	quota_remove(&h->unnamed, &x->unnamed->item);
	free(x->unnamed);
	x->unnamed = NULL;
}

static void forget(struct book *h, struct book_host *x)
{
	struct book_host **p = bucket(h, x->digest);

	while (*p != x)
		p = &(*p)->chain;
	*p = x->chain;
	h->n--;
	end_unnamed(h, x);
	host_free(x);
}

struct book_host *book_hold(struct book *h, uint64_t digest, const char *name)
{
	struct book_host *x = find(h, digest);

	if (!x)
		x = host_new(h, digest, name);
	if (!x)
		return NULL;
	x->services++;
	end_unnamed(h, x);
	return x;
}

void book_drop(struct book *h, struct book_host *x)
{
	if (x && --x->services == 0)
		forget(h, x);
}

const char *book_name(const struct book_host *x)
{
	return x ? x->name : "";
}

uint64_t book_digest(const struct book_host *x)
{
	return x ? x->digest : 0;
}

/* ---- addresses ---- */

static struct book_address *address_at(struct book_host *x, size_t i)
{
	return i == 0 ? &x->first : &x->more[i - 1];
}

static struct net_address address_of(const struct book_address *a)
{
	struct net_address n = { .family = a->family, .scope = a->scope };

	memcpy(n.bytes, a->bytes, net_address_size(&n));
	return n;
}

static void remove_at(struct book_host *x, size_t i)
{
	*address_at(x, i) = *address_at(x, --x->n);
}

static bool is_at(const struct book_address *a, const struct net_address *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->bytes, b->bytes, net_address_size(b)) == 0;
}

/* What is over, or was said more than a second before a new set of the same
 * type. A goodbye begins none. Returns whether anything went. */
static bool clean(struct book_host *x, const struct book_news *n)
{
	bool went = false, flush = n->flush && n->ttl > 0;

	for (size_t i = x->n; i-- > 0;) {
		const struct book_address *a = address_at(x, i);

		if (a->until_ms > n->now_ms &&
			(!flush || a->family != n->address.family ||
				is_at(a, &n->address) ||
				n->now_ms - a->heard_ms <= FLUSH_MS))
			continue;
		remove_at(x, i);
		went = true;
	}
	return went;
}

/* Where it is; x->n where it is not. */
static size_t find_address(struct book_host *x, const struct net_address *a)
{
	size_t i = 0;

	while (i < x->n && !is_at(address_at(x, i), a))
		i++;
	return i;
}

/* Most hosts have one address, and nearly all of the others a few. */
static int make_room(struct book_host *x)
{
	struct book_address *more;

	if (x->n < x->room || x->room == DISCOVERY_ADDRESSES)
		return 0;
	more = calloc(DISCOVERY_ADDRESSES - 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	x->more = more;
	x->room = DISCOVERY_ADDRESSES;
	return 0;
}

/* A place for one more; the one that ends first gives way. NULL: no memory. */
static struct book_address *place_for(struct book_host *x)
{
	struct book_address *first;

	if (make_room(x) < 0)
		return NULL;
	if (x->n < x->room)
		return address_at(x, x->n++);
	first = address_at(x, 0);
	for (size_t i = 1; i < x->n; i++)
		if (address_at(x, i)->until_ms < first->until_ms)
			first = address_at(x, i);
	return first;
}

static bool record(struct book_host *x, const struct book_news *n)
{
	bool changed = clean(x, n);
	size_t i = find_address(x, &n->address);
	bool is_new = i == x->n;
	struct book_address *a;

	if (n->ttl == 0) {
		if (!is_new)
			remove_at(x, i);
		return changed || !is_new;
	}
	a = is_new ? place_for(x) : address_at(x, i);
	if (!a)
		return changed;
	*a = (struct book_address){
		.family = (uint8_t)n->address.family,
		.scope = n->address.scope,
		.heard_ms = n->now_ms,
		.until_ms = n->now_ms + (uint64_t)n->ttl * 1000,
	};
	memcpy(a->bytes, n->address.bytes, net_address_size(&n->address));
	return changed || is_new;
}

/* A host that no service names yet. NULL: there is no room or memory. */
static struct book_host *unnamed_new(struct book *h, uint64_t digest,
	const char *name, const struct net_address *source)
{
	struct quota_item *surplus;
	struct book_host *x;

	while ((surplus = quota_surplus(&h->unnamed)))
		forget(h, ((struct book_unnamed *)(void *)surplus)->host);
	x = host_new(h, digest, name);
	if (!x)
		return NULL;
	x->unnamed = calloc(1, sizeof(*x->unnamed));
	if (x->unnamed &&
		quota_add(&h->unnamed, &x->unnamed->item, source) == 0) {
		x->unnamed->host = x;
		return x;
	}
	forget(h, x);
	return NULL;
}

bool book_record(struct book *h, uint64_t digest, const char *name,
	const struct book_news *n)
{
	struct book_host *x = find(h, digest);
	bool changed;

	if (!x && n->ttl > 0)
		x = unnamed_new(h, digest, name, &n->source);
	if (!x)
		return false;
	changed = record(x, n);
	if (!x->unnamed)
		return changed;
	if (x->n == 0)
		forget(h, x);
	else
		quota_touch(&x->unnamed->item);
	return changed;
}

size_t book_addresses(const struct book_host *x, uint64_t now_ms,
	struct net_address *ret, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; x && i < x->n && n < room; i++) {
		const struct book_address *a =
			i == 0 ? &x->first : &x->more[i - 1];

		if (a->until_ms <= now_ms)
			continue;
		ret[n++] = address_of(a);
	}
	return n;
}

/* ---- from one process to the next ---- */

static void save_host(struct book_host *x, struct stash_writer *w)
{
	stash_record(w, STASH_HOST);
	stash_put_number(w, x->digest);
	stash_put_number(w, x->n);
	for (size_t i = 0; i < x->n; i++) {
		const struct book_address *a = address_at(x, i);
		const struct net_address address = address_of(a);

		stash_put_address(w, &address);
		stash_put_number(w, a->heard_ms);
		stash_put_number(w, a->until_ms);
	}
}

void book_save(const struct book *h, struct stash_writer *out)
{
	for (size_t i = 0; i < h->size; i++)
		for (struct book_host *x = h->table[i]; x; x = x->chain)
			if (x->services > 0)
				save_host(x, out);
}

void book_restore(struct book *h, uint64_t now_ms, struct stash_reader *in)
{
	struct book_host *x = find(h, stash_get_number(in));
	uint64_t n = stash_get_number(in);

	for (uint64_t i = 0; x && i < n && i < DISCOVERY_ADDRESSES; i++) {
		struct net_address address = stash_get_address(in);
		uint64_t heard_ms = stash_get_number(in);
		uint64_t until_ms = stash_get_number(in);
		struct book_address *a;

		if (!stash_is_sound(in) || !net_address_is_set(&address) ||
			until_ms <= now_ms)
			continue;
		a = place_for(x);
		if (!a)
			return;
		*a = (struct book_address){
			.family = (uint8_t)address.family,
			.scope = address.scope,
			.heard_ms = heard_ms,
			.until_ms = until_ms,
		};
		memcpy(a->bytes, address.bytes, net_address_size(&address));
	}
}
