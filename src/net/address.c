#include "net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128 };

/*
 * Reads a decimal number up to `max`, all of `text`. Leading zeros are refused:
 * some readers take them for octal.
 */
static int parse_number(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;

	if (*text == '\0' || (*text == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return -EINVAL;
	}
	*ret = (uint32_t)value;
	return 0;
}

/*
 * Copies `text` up to `separator` and returns what follows it: NULL in
 * `ret_rest` where there is no separator.
 */
static int split(const char *text, char separator, char *head, size_t size,
	const char **ret_rest)
{
	const char *at = strchr(text, separator);
	size_t length = at == NULL ? strlen(text) : (size_t)(at - text);

	if (length >= size)
		return -EINVAL;
	memcpy(head, text, length);
	head[length] = '\0';
	*ret_rest = at == NULL ? NULL : at + 1;
	return 0;
}

int net_address_parse(const char *text, struct net_address *ret)
{
	struct net_address a = { .family = AF_INET };
	char head[INET6_ADDRSTRLEN];
	const char *scope;
	int r;

	if (inet_pton(AF_INET, text, &a.v4) == 1) {
		*ret = a;
		return 0;
	}
	r = split(text, '%', head, sizeof(head), &scope);
	if (r < 0)
		return r;
	memset(&a, 0, sizeof(a));
	a.family = AF_INET6;
	if (inet_pton(AF_INET6, head, &a.v6) != 1)
		return -EINVAL;
	if (scope != NULL) {
		if (!IN6_IS_ADDR_LINKLOCAL(&a.v6))
			return -EINVAL;
		r = parse_number(scope, UINT32_MAX, &a.scope);
		if (r < 0 || a.scope == 0)
			return -EINVAL;
	}
	*ret = a;
	return 0;
}

const char *net_address_format(
	const struct net_address *a, const char *device, char *buffer)
{
	size_t used;

	if (!net_address_is_set(a)) {
		buffer[0] = '\0';
		return buffer;
	}
	/* Cannot fail: the family is known and the room is enough. */
	(void)inet_ntop(a->family, a->bytes, buffer, INET6_ADDRSTRLEN);
	if (a->family != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&a->v6))
		return buffer;
	used = strlen(buffer);
	if (device != NULL)
		(void)snprintf(
			buffer + used, NET_ADDRESS_TEXT - used, "%%%s", device);
	else if (a->scope != 0)
		(void)snprintf(buffer + used, NET_ADDRESS_TEXT - used, "%%%u",
			a->scope);
	return buffer;
}

size_t net_address_size(const struct net_address *a)
{
	switch (a->family) {
	case AF_INET:
		return sizeof(a->v4);
	case AF_INET6:
		return sizeof(a->v6);
	default:
		return 0;
	}
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
	if (a->family != b->family)
		return false;
	if (memcmp(a->bytes, b->bytes, net_address_size(a)) != 0)
		return false;
	return a->scope == b->scope || a->scope == 0 || b->scope == 0;
}

int net_address_compare(
	const struct net_address *a, const struct net_address *b)
{
	int r;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	r = memcmp(a->bytes, b->bytes, net_address_size(a));
	if (r != 0)
		return r < 0 ? -1 : 1;
	return (a->scope > b->scope) - (a->scope < b->scope);
}

bool net_address_is_set(const struct net_address *a)
{
	return net_address_size(a) != 0;
}

bool net_address_is_any(const struct net_address *a)
{
	if (a->family == AF_INET)
		return a->v4.s_addr == htonl(INADDR_ANY);
	return a->family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->v6);
}

bool net_address_is_multicast(const struct net_address *a)
{
	if (a->family == AF_INET)
		return IN_MULTICAST(ntohl(a->v4.s_addr));
	return a->family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&a->v6);
}

bool net_address_is_broadcast(const struct net_address *a)
{
	return a->family == AF_INET && a->v4.s_addr == htonl(INADDR_BROADCAST);
}

bool net_address_is_loopback(const struct net_address *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == IN_LOOPBACKNET;
	return a->family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->v6);
}

bool net_address_is_link_local(const struct net_address *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->v6);
}

bool net_address_is_link_scope_multicast(const struct net_address *a)
{
	return a->family == AF_INET6 &&
	       (IN6_IS_ADDR_MC_NODELOCAL(&a->v6) ||
		       IN6_IS_ADDR_MC_LINKLOCAL(&a->v6));
}

int net_address_from_socket(
	const struct sockaddr *sa, struct net_address *ret, uint16_t *ret_port)
{
	struct net_address a = { .family = sa->sa_family };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	in_port_t port;

	/* Copied, since `sa` need not be aligned for its family. */
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		a.v4 = in.sin_addr;
		port = in.sin_port;
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		a.v6 = in6.sin6_addr;
		a.scope = in6.sin6_scope_id;
		port = in6.sin6_port;
	} else {
		return -EAFNOSUPPORT;
	}
	*ret = a;
	if (ret_port != NULL)
		*ret_port = ntohs(port);
	return 0;
}

socklen_t net_address_to_socket(
	const struct net_address *a, uint16_t port, struct sockaddr *ret)
{
	if (a->family == AF_INET) {
		struct sockaddr_in in = {
			.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr = a->v4,
		};

		memcpy(ret, &in, sizeof(in));
		return sizeof(in);
	}
	if (a->family == AF_INET6) {
		struct sockaddr_in6 in6 = {
			.sin6_family = AF_INET6,
			.sin6_port = htons(port),
			.sin6_addr = a->v6,
			.sin6_scope_id = a->scope,
		};

		memcpy(ret, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return 0;
}

int net_prefix_parse(const char *text, struct net_prefix *ret)
{
	struct net_address address;
	char head[INET6_ADDRSTRLEN];
	const char *tail;
	uint32_t length;
	int r;

	r = split(text, '/', head, sizeof(head), &tail);
	if (r < 0)
		return r;
	r = net_address_parse(head, &address);
	/* A prefix is no address of a device, so it has no scope. */
	if (r < 0 || address.scope != 0)
		return -EINVAL;
	length = address.family == AF_INET ? V4_BITS : V6_BITS;
	if (tail != NULL) {
		r = parse_number(tail, length, &length);
		if (r < 0)
			return r;
	}
	ret->address = address;
	ret->length = (uint8_t)length;
	return 0;
}

const char *net_prefix_format(const struct net_prefix *p, char *buffer)
{
	size_t used;

	buffer[0] = '\0';
	if (!net_address_is_set(&p->address))
		return buffer;
	(void)inet_ntop(
		p->address.family, p->address.bytes, buffer, INET6_ADDRSTRLEN);
	used = strlen(buffer);
	(void)snprintf(buffer + used, NET_PREFIX_TEXT - used, "/%u", p->length);
	return buffer;
}

bool net_prefix_contains(
	const struct net_prefix *p, const struct net_address *a)
{
	const struct net_address *base = &p->address;
	size_t whole = p->length / 8;
	unsigned rest = p->length % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	if (!net_address_is_set(a) || base->family != a->family)
		return false;
	if (base->scope != 0 && a->scope != 0 && base->scope != a->scope)
		return false;
	if (memcmp(base->bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((base->bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}
