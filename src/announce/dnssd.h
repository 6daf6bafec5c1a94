/*
 * dnssd: a DNS-SD service as mDNS messages (RFC 6763, RFC 6762). Pure.
 */
#ifndef CRIER_ANNOUNCE_DNSSD_H
#define CRIER_ANNOUNCE_DNSSD_H

#include "config/config.h"
#include "net/net.h"
#include "proto/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Lifetimes in seconds: of what names a host, and of the rest (RFC
	 * 6762, 10). */
	DNSSD_HOST_TTL = 120,
	DNSSD_TTL = 4500,
	/* Room for a message: with its IPv6 and UDP headers it has at most
	 * 9000 bytes (RFC 6762, 17). */
	DNSSD_ROOM = MDNS_MAX_BYTES - 40 - 8,
};

/* The names of a service, all in "local". */
struct dnssd {
	struct mdns_name type;        /* _http._tcp */
	struct mdns_name instance;    /* Lab._http._tcp */
	struct mdns_name host;        /* lab */
	struct mdns_name enumeration; /* _services._dns-sd._udp */
};

/*
 * Puts the names together. `hostname`: of this host, without a domain, where
 * the service names none; a long one is clipped to a label's 63 bytes.
 * Returns 0; -EINVAL (they make no names).
 */
int dnssd_names(const struct config_service *c, const char *hostname,
	struct dnssd *ret);

/*
 * Writes the announcement: PTR records of the type and of the enumeration, SRV,
 * TXT, and the addresses of the host, as many as there is room for.
 * Returns its size; -EMSGSIZE (no message holds the records but addresses).
 */
int dnssd_announce(const struct dnssd *d, const struct config_service *c,
	const struct net_address *addresses, size_t n_addresses, uint8_t *out,
	size_t room);
/*
 * Writes the goodbye (RFC 6762, 10.1): the same with TTL 0. Neither for the
 * enumeration, since another service may have the type, nor for the addresses,
 * since the host stays. Returns as dnssd_announce().
 */
int dnssd_goodbye(const struct dnssd *d, const struct config_service *c,
	uint8_t *out, size_t room);
/* Writes a question for the SRV record. Returns its size or -EMSGSIZE. */
int dnssd_ask(const struct dnssd *d, uint8_t *out, size_t room);

/* True if the SRV record `i` says what ours says. */
bool dnssd_is_same_srv(const struct dnssd *d, const struct config_service *c,
	const struct mdns_item *i);
/* The port of an SRV record. */
uint16_t dnssd_srv_port(const struct mdns_item *i);
/* The address of an A or AAAA record, without a scope; false if it is wrong. */
bool dnssd_address(const struct mdns_item *i, struct net_address *ret);

#endif
