/*
 * book: the addresses of hosts that run services (RFC 6762, A and AAAA).
 *
 * A host is shared by the services that name it, and lives as long as one of
 * them. One that nobody has named yet is kept for a while, since a host may say
 * where it is before it says what it runs: those are bounded, and shared fairly
 * among who announces them. Pure state; times are milliseconds.
 */
#ifndef CRIER_DISCOVERY_BOOK_H
#define CRIER_DISCOVERY_BOOK_H

#include "bounds/bounds.h"
#include "net/net.h"
#include "stash/stash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hosts without a service that are kept. */
enum { BOOK_UNNAMED = 4096 };

struct book_host;

struct book {
	/* Private. */
	struct book_host **table; /* chains by digest */
	size_t size, n;           /* of it, a power of two; of hosts */
	struct quota unnamed;
};

void book_init(struct book *h, const struct siphash_key *key);
void book_done(struct book *h);

/*
 * The host of a digest, which stands for its name and segment, for one more
 * service. Returns NULL without memory. book_drop() gives it back.
 */
struct book_host *book_hold(struct book *h, uint64_t digest, const char *name);
void book_drop(struct book *h, struct book_host *x); /* NULL is fine */

const char *book_name(const struct book_host *x); /* "" for NULL */

/* Of its name and segment; 0 for NULL. */
uint64_t book_digest(const struct book_host *x);

/* Writes down the hosts that services name, one record each, for
 * book_restore(), which reads one after its services. */
void book_save(const struct book *h, struct stash_writer *out);
void book_restore(struct book *h, uint64_t now_ms, struct stash_reader *in);

/* An address that was announced. */
struct book_news {
	struct net_address address, source; /* and who announced it */
	uint32_t ttl;                       /* seconds; 0: it goes */
	bool flush; /* what was heard more than a second ago is void (10.2), but
		       for goodbyes, which void what they name */
	uint64_t now_ms;
};

/* Takes in an address. Returns true where the host has other ones now. */
bool book_record(struct book *h, uint64_t digest, const char *name,
	const struct book_news *n);

/* Fills `ret` with up to `room` addresses; returns how many. */
size_t book_addresses(const struct book_host *x, uint64_t now_ms,
	struct net_address *ret, size_t room);

#endif
