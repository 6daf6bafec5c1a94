/*
 * net, private: the table of devices, and the netlink messages that fill it.
 *
 * All but net_devices_fileno() is pure: no descriptor, no clock, no log. So the
 * parser can be tested and fuzzed with a buffer and a table.
 */
#ifndef CRIER_NET_INTERNAL_H
#define CRIER_NET_INTERNAL_H

#include "net/net.h"

#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <string.h>

/* Out of memory is an error here as everywhere, not the end of the process. */
#define HASH_NONFATAL_OOM 1
/* What is in these tables is this host's own, so nobody makes it collide. */
#define HASH_FUNCTION(key, size, hash) ((hash) = net_hash(key, size))
#include <uthash.h>

/* Of keys that are whole numbers of 32 bits (FNV-1a, by these). */
static inline unsigned net_hash(const void *key, size_t size)
{
	unsigned hash = 2166136261u;
	uint32_t word;

	for (size_t i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, (const uint8_t *)key + i, sizeof(word));
		hash = (hash ^ word) * 16777619u;
	}
	/* Buckets are taken by the low bits. */
	return hash ^ hash >> 15;
}

/*
 * The addresses of this host, counted: two devices may have the same one.
 */
struct net_own;

/*
 * Adds `a`; the set, `*own`, is NULL while empty. An IPv6 link-local address
 * is found both with its scope and without.
 * Returns 0, or -ENOMEM and nothing was added.
 */
int net_own_add(struct net_own **own, const struct net_address *a);
/* Takes back one net_own_add() of the same address. */
void net_own_drop(struct net_own **own, const struct net_address *a);
bool net_own_has(const struct net_own *own, const struct net_address *a);

/* What tells two devices apart that had the same index, one after the other. */
struct net_identity {
	uint16_t type;            /* ARPHRD_* */
	uint32_t parent;          /* IFLA_LINK */
	uint32_t carrier_changes; /* only grows while a device lives */
	uint8_t address[MAX_ADDR_LEN];
	size_t n_address; /* bytes of it */
};

/* What one RTM_NEWLINK says: no addresses, no incarnations. */
struct net_link {
	struct net_device device;
	struct net_identity identity;
};

/* One device of the table. */
struct net_entry {
	struct net_device device; /* first, so that it leads to the entry */
	struct net_identity identity;
	uint32_t mark;          /* the last dump that had it */
	struct net_entry *next; /* of those that are gone */
	UT_hash_handle hh;
};

/* All zero is an empty table. */
struct net_table {
	struct net_entry *entries; /* by index, in ascending order */
	struct net_entry *gone;    /* readers may still hold these */
	struct net_own *own;
	uint64_t incarnations; /* the last one given out */
	uint32_t mark;         /* of the current dump */
	bool dumping;
	bool changed; /* set here, cleared by whoever tells of it */
};

/* Frees all that `t` holds and leaves it empty. */
void net_table_done(struct net_table *t);
/* Frees the devices that are gone: no reader holds one any more. */
void net_table_bury(struct net_table *t);

/*
 * Between these two all that exists is set again. Events may have been lost
 * before, so whatever looks made anew gets a new incarnation. At the end of a
 * `complete` dump what it did not have goes.
 */
void net_table_begin_dump(struct net_table *t);
void net_table_end_dump(struct net_table *t, bool complete);

struct net_entry *net_table_find(const struct net_table *t, unsigned index);

/* Adds or updates a device. Returns 0, or -ENOMEM with the table unchanged. */
int net_table_set_link(struct net_table *t, const struct net_link *link);
/* Removes a device and its addresses, if it is there. */
void net_table_remove_link(struct net_table *t, unsigned index);

/*
 * Adds or updates an address of a device. For IPv4, one that differs in its
 * prefix or its peer is another one. A device that is not known (yet) is passed
 * over: its addresses come again after it.
 * Returns 0, or -ENOMEM with the table unchanged.
 */
int net_table_set_address(struct net_table *t, unsigned index,
	const struct net_device_address *a);
/* Removes an address, if it is there. */
void net_table_remove_address(struct net_table *t, unsigned index,
	const struct net_device_address *a);

/* A cursor over the messages of one datagram. */
struct net_messages {
	const void *at; /* aligned for a struct nlmsghdr */
	size_t left;    /* bytes */
};

/*
 * Takes the next whole message. Returns 1, 0 at the end, or -EBADMSG where what
 * is left is no message.
 */
int net_messages_next(struct net_messages *m, const struct nlmsghdr **ret);

/*
 * Applies one message, whose header's length is within its buffer. Types and
 * families that say nothing of devices or their IP addresses are ignored.
 * Returns 0; -EBADMSG (malformed) or -ENOMEM, with the table unchanged.
 */
int net_table_apply(struct net_table *t, const struct nlmsghdr *message);

/* The descriptor of the events, for tests that shrink its buffer. */
int net_devices_fileno(const struct net_devices *d);

#endif
