#include "announce/dnssd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A DNS label (RFC 1035, 2.3.4). */
enum { LABEL_MAX = 63 };

/* What stands before the host in an SRV record: priority, weight, port. */
enum { SRV_HEAD = 6, SRV_PORT = 4 };

int dnssd_names(
	const struct config_service *c, const char *hostname, struct dnssd *ret)
{
	const char *host = c->host ? c->host : hostname;
	char type[MDNS_SERVICE_TEXT + sizeof(".local")];
	struct dnssd d;

	(void)snprintf(type, sizeof(type), "%s.local", c->type);
	if (mdns_name_from_text(type, &d.type) < 0 ||
		mdns_name_from_text(
			"_services._dns-sd._udp.local", &d.enumeration) < 0 ||
		mdns_name_from_text("local", &d.host) < 0)
		return -EINVAL;
	d.instance = d.type;
	if (mdns_name_prepend(&d.instance, c->name, strlen(c->name)) < 0 ||
		mdns_name_prepend(&d.host, host, strnlen(host, LABEL_MAX)) < 0)
		return -EINVAL;
	*ret = d;
	return 0;
}

/* The records that make the service; `ttl` 0 for all of them says goodbye. */
static int put_service(struct mdns_writer *w, const struct dnssd *d,
	const struct config_service *c, bool goodbye)
{
	const struct proto_list txt = { c->txt.at, c->txt.n };
	uint32_t ttl = goodbye ? 0 : DNSSD_TTL;
	int err;

	err = mdns_put_ptr(w, MDNS_ANSWER, &d->type, ttl, &d->instance);
	if (err == 0 && !goodbye)
		err = mdns_put_ptr(
			w, MDNS_ANSWER, &d->enumeration, ttl, &d->type);
	if (err == 0)
		err = mdns_put_srv(w, MDNS_ANSWER, &d->instance,
			goodbye ? 0 : DNSSD_HOST_TTL, c->port, &d->host);
	if (err == 0)
		err = mdns_put_txt(w, MDNS_ANSWER, &d->instance, ttl, &txt);
	return err;
}

int dnssd_announce(const struct dnssd *d, const struct config_service *c,
	const struct net_address *addresses, size_t n_addresses, uint8_t *out,
	size_t room)
{
	struct mdns_writer w;

	if (mdns_begin(&w, out, room, 0, MDNS_RESPONSE | MDNS_AUTHORITATIVE) <
			0 ||
		put_service(&w, d, c, false) < 0)
		return -EMSGSIZE;
	for (size_t i = 0; i < n_addresses; i++)
		/* Whoever misses one asks for it, and has the others. */
		(void)mdns_put_address(&w, MDNS_ANSWER, &d->host,
			DNSSD_HOST_TTL, addresses[i].bytes,
			net_address_size(&addresses[i]));
	return (int)w.used;
}

int dnssd_goodbye(const struct dnssd *d, const struct config_service *c,
	uint8_t *out, size_t room)
{
	struct mdns_writer w;

	if (mdns_begin(&w, out, room, 0, MDNS_RESPONSE | MDNS_AUTHORITATIVE) <
			0 ||
		put_service(&w, d, c, true) < 0)
		return -EMSGSIZE;
	return (int)w.used;
}

int dnssd_ask(const struct dnssd *d, uint8_t *out, size_t room)
{
	struct mdns_writer w;

	if (mdns_begin(&w, out, room, 0, 0) < 0 ||
		mdns_put_question(&w, &d->instance, MDNS_SRV, false) < 0)
		return -EMSGSIZE;
	return (int)w.used;
}

uint16_t dnssd_srv_port(const struct mdns_item *i)
{
	if (i->head.size != SRV_HEAD)
		return 0;
	return (uint16_t)(i->head.at[SRV_PORT] << 8 | i->head.at[SRV_PORT + 1]);
}

bool dnssd_is_same_srv(const struct dnssd *d, const struct config_service *c,
	const struct mdns_item *i)
{
	return dnssd_srv_port(i) == c->port && i->n_targets == 1 &&
	       mdns_name_equal(&i->targets[0], &d->host);
}

bool dnssd_address(const struct mdns_item *i, struct net_address *ret)
{
	struct net_address a = { 0 };

	if (i->type == MDNS_A && i->head.size == 4)
		a.family = AF_INET;
	else if (i->type == MDNS_AAAA && i->head.size == 16)
		a.family = AF_INET6;
	else
		return false;
	memcpy(a.bytes, i->head.at, i->head.size);
	*ret = a;
	return true;
}
