/*
 * net: addresses, and the kernel's network devices.
 *
 * The folder's one header for others. Addresses are in net/address.c. Devices
 * are in net/devices.c (sockets and callbacks), net/netlink.c (the kernel's
 * messages) and net/table.c, net/own.c (what is known).
 */
#ifndef CRIER_NET_NET_H
#define CRIER_NET_NET_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

/*
 * An IPv4 or IPv6 address without a port. All zero is "no address". Compared
 * with net_address_equal(), never with memcmp.
 */
struct net_address {
	sa_family_t family; /* AF_INET, AF_INET6 or AF_UNSPEC */
	uint32_t scope;     /* device index of a link-local address, or 0 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
		uint8_t bytes[16]; /* network order; 4 or 16 of them count */
	};
};

/* Room for the longest text of an address, device name and NUL included. */
enum { NET_ADDRESS_TEXT = INET6_ADDRSTRLEN + 1 + IF_NAMESIZE };

/*
 * Reads "192.0.2.1", "ff02::fb" or "fe80::1%3" (a number after the percent
 * sign: names need a kernel; on fe80::/10 only). Returns 0, or -EINVAL and
 * `ret` untouched.
 */
int net_address_parse(const char *text, struct net_address *ret);

/*
 * Writes the address. `device` is the name to write after the percent sign of
 * an IPv6 link-local unicast address (NULL: its scope's number, or nothing
 * where it has none). `buffer` holds NET_ADDRESS_TEXT bytes. Returns `buffer`.
 */
const char *net_address_format(
	const struct net_address *a, const char *device, char *buffer);

/* Same family and bytes, and the same scope where both have one. */
bool net_address_equal(
	const struct net_address *a, const struct net_address *b);
/* Order for sorting: family, bytes, scope. */
int net_address_compare(
	const struct net_address *a, const struct net_address *b);

bool net_address_is_set(const struct net_address *a);
bool net_address_is_any(const struct net_address *a); /* 0.0.0.0, :: */
bool net_address_is_multicast(const struct net_address *a);
/* 255.255.255.255 only: a subnet's own needs its prefix. */
bool net_address_is_broadcast(const struct net_address *a);
bool net_address_is_loopback(const struct net_address *a);
/* 169.254/16 or fe80::/10. */
bool net_address_is_link_local(const struct net_address *a);
/* ff01 (interface-local) or ff02 (link-local) scope multicast. */
bool net_address_is_link_scope_multicast(const struct net_address *a);
size_t net_address_size(const struct net_address *a); /* 4, 16 or 0 bytes */

/* From a socket address; the port, in host order, to `ret_port` (or NULL).
 * The scope is kept for IPv6. Returns 0 or -EAFNOSUPPORT. */
int net_address_from_socket(
	const struct sockaddr *sa, struct net_address *ret, uint16_t *ret_port);
/* Fills `ret` (room for a sockaddr_in6) and returns its size, 0 if unset. */
socklen_t net_address_to_socket(
	const struct net_address *a, uint16_t port, struct sockaddr *ret);

/* An address prefix, "192.0.2.0/24" or a single address. */
struct net_prefix {
	struct net_address address;
	uint8_t length; /* bits */
};

/*
 * Host bits may be set and are kept; a scope is refused. Without a length it is
 * a single address. Returns 0 or -EINVAL.
 */
int net_prefix_parse(const char *text, struct net_prefix *ret);
/* The longest text of a prefix, NUL included. */
enum { NET_PREFIX_TEXT = INET6_ADDRSTRLEN + 4 };
/* Writes it with its length and without a scope; "" where it is unset. */
const char *net_prefix_format(const struct net_prefix *p, char *buffer);
/* Of the same family and, where both have one, of the same scope. */
bool net_prefix_contains(
	const struct net_prefix *p, const struct net_address *a);

/* One address of a device. */
struct net_device_address {
	struct net_prefix local;      /* the address and its prefix length */
	struct net_address broadcast; /* IPv4; unset where there is none (/31,
					 /32, point-to-point, IPv6) */
	struct net_prefix on_link; /* what it makes on-link: the peer's prefix
				      on point-to-point devices */
	bool usable;               /* not tentative, not a failed duplicate */
	bool duplicate; /* another host on the link has it: not ours to use */
	bool deprecated;
	/* Private. */
	uint32_t created; /* by the kernel's clock, 1/100 s since boot */
	uint32_t mark;    /* the last dump that had it */
};

/*
 * A device of the kernel. A pointer to it is valid until the next change
 * callback returns, one to its addresses until the loop runs again. What it
 * points at is always the current state.
 */
struct net_device {
	char name[IF_NAMESIZE];
	unsigned index;
	unsigned flags; /* IFF_UP, IFF_RUNNING, IFF_LOOPBACK ... of if.h */
	uint32_t mtu;
	unsigned master; /* index of the bridge, bond, team or VRF, or 0 */
	bool is_port;    /* of a bridge, bond or team: IP hears nothing here */
	char kind[16];   /* "bridge", "macvlan"; empty for hardware */
	/*
	 * Differs whenever memberships of the device were lost: it was made
	 * anew, also with the same index, or (IPv6 only) its MTU went below
	 * 1280 and came back (kernel-facts 5.2). Never 0.
	 */
	uint64_t incarnation4, incarnation6;
	struct net_device_address *addresses; /* in the kernel's order, those
						 that came later last */
	size_t n_addresses;
};

struct net_devices; /* the table, see net_devices_new() */

/*
 * What the owner of a table is told. Both run from the loop.
 *
 * changed: something in the table changed; called once after a whole readable
 *   batch of events has been applied, never during net_devices_new().
 * problem: `error` of netlink (-ENOBUFS: events were lost and a new dump is
 *   under way; others: it will be tried again). May be NULL.
 */
struct net_devices_callbacks {
	void (*changed)(void *data);
	void (*problem)(void *data, int error);
	void *data;
};

/*
 * Subscribes to link and address events, then dumps the table, so that it is
 * complete when this returns. The caller owns `*ret`.
 * Returns 0, -ENOMEM, or the error of netlink.
 */
int net_devices_new(struct net_devices **ret, uv_loop_t *loop,
	const struct net_devices_callbacks *callbacks);
/* Ends it: no callback runs any more; the memory goes once the loop has closed
 * its handles. NULL is fine. */
void net_devices_close(struct net_devices *d);

/*
 * Dumps anew at once, for the owner's own doubts. `changed` tells of changes
 * later, from the loop. Returns 0, -ENOMEM, or the error of netlink.
 */
int net_devices_refresh(struct net_devices *d);

const struct net_device *net_devices_by_index(
	const struct net_devices *d, unsigned index);
const struct net_device *net_devices_by_name(
	const struct net_devices *d, const char *name);
/* By ascending index; start with NULL. */
const struct net_device *net_devices_next(
	const struct net_devices *d, const struct net_device *after);

/*
 * True if any device of this host has `a`, or if it is a loopback address;
 * IPv6 link-local ones by device where `a` carries a scope. One that another
 * host on the link was found to have (a failed duplicate) is not ours.
 * Constant time: asked for every datagram.
 */
bool net_devices_is_own(
	const struct net_devices *d, const struct net_address *a);

/* The hardware address of an Ethernet, into `ret`. False: it is none. */
bool net_device_hardware(const struct net_device *d, uint8_t ret[6]);
bool net_device_is_up(const struct net_device *d); /* IFF_UP and IFF_RUNNING */
/* True if `a` belongs to a prefix that is on-link on this device. */
bool net_device_is_on_link(
	const struct net_device *d, const struct net_address *a);
/* True if `a` is all hosts on this device, and so none of them: one of its
 * broadcast addresses, also in the old form (RFC 1122, 3.2.1.3). */
bool net_device_is_everybody(
	const struct net_device *d, const struct net_address *a);
/*
 * The first usable address of a family, or NULL; a deprecated one only where
 * there is no other (RFC 6724, 5, rule 3). For IPv6: a link-local one where
 * `link_local`, else one that is not. For IPv4 `link_local` is ignored.
 */
const struct net_device_address *net_device_source(
	const struct net_device *d, sa_family_t family, bool link_local);

#endif
