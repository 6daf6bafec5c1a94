/*
 * Where the brokers are, and which of them may be spoken to without TLS.
 */
#include "config/done.h"
#include "config/items.h"
#include "config/sites_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Of a name and of a part of it (RFC 1035, 2.3.4). */
	HOST_MAX = 253,
	LABEL_MAX = 63,
	/* As registered for MQTT. */
	PORT_CLEAR = 1883,
	PORT_TLS = 8883,
};

/* mqtts://HOST:PORT, taken apart. */
struct url {
	bool tls;
	char host[HOST_MAX + 1];
	uint16_t port;
};

/* With "_", which names of containers have. */
static bool is_label(const char *text, size_t length)
{
	if (length == 0 || length > LABEL_MAX || text[0] == '-' ||
		text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isascii(text[i]) ||
			(!isalnum(text[i]) && text[i] != '-' && text[i] != '_'))
			return false;
	}
	return true;
}

static bool is_host_name(const char *text)
{
	size_t length;

	for (;; text += length + 1) {
		length = strcspn(text, ".");
		if (!is_label(text, length))
			return false;
		if (text[length] == '\0')
			return true;
	}
}

static const char *address_problem(const struct net_address *a)
{
	if (net_address_is_any(a) || net_address_is_multicast(a) ||
		net_address_is_broadcast(a))
		return "has an address that is not one of a host";
	return NULL;
}

/* Why `host` cannot be one, a phrase; NULL: it can. */
static const char *host_problem(const char *host)
{
	struct net_address a;

	if (*host == '\0')
		return "has no host";
	if (strchr(host, '%') != NULL)
		return "has an address with %, which only this machine knows";
	if (net_address_parse(host, &a) == 0)
		return address_problem(&a);
	if (strchr(host, ':') != NULL)
		return "has an IPv6 address that is none";
	if (host[strspn(host, "0123456789.")] == '\0')
		return "has an IPv4 address that is none";
	if (!is_host_name(host))
		return "has a host that is neither a name nor an address";
	return NULL;
}

static bool is_same_host(const char *a, const char *b)
{
	struct net_address x, y;

	if (net_address_parse(a, &x) == 0 && net_address_parse(b, &y) == 0)
		return net_address_equal(&x, &y);
	return strcasecmp(a, b) == 0;
}

static bool is_loopback(const char *host)
{
	struct net_address a;

	if (net_address_parse(host, &a) == 0)
		return net_address_is_loopback(&a);
	return strcasecmp(host, "localhost") == 0;
}

/* Moves behind the scheme; NULL where it is another one. */
static const char *read_scheme(const char *text, struct url *ret)
{
	static const char tls[] = "mqtts://", clear[] = "mqtt://";

	ret->tls = strncasecmp(text, tls, strlen(tls)) == 0;
	ret->port = ret->tls ? PORT_TLS : PORT_CLEAR;
	if (ret->tls)
		return text + strlen(tls);
	if (strncasecmp(text, clear, strlen(clear)) == 0)
		return text + strlen(clear);
	return NULL;
}

/* Behind a colon, up to the end. */
static bool read_port(const char *text, struct url *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port;

	if (digits == 0 || digits > 5 || text[digits] != '\0' || *text == '0')
		return false;
	port = strtoul(text, NULL, 10);
	if (port > UINT16_MAX)
		return false;
	ret->port = (uint16_t)port;
	return true;
}

/* Splits what stands behind the scheme. Returns what is wrong with it, as
 * host_problem(). */
static const char *read_authority(const char *text, struct url *ret)
{
	bool has_bracket = *text == '[';
	const char *host = has_bracket ? text + 1 : text;
	size_t length = strcspn(host, has_bracket ? "]" : ":/?#");
	const char *end = host + length;

	if (has_bracket && *end++ != ']')
		return "has a bracket that is not closed";
	if (length > HOST_MAX)
		return "has a host of more than 253 characters";
	memcpy(ret->host, host, length);
	ret->host[length] = '\0';
	if (*end != ':' && *end != '\0')
		return "has more than a host and a port";
	if (!has_bracket && *end == ':' && strchr(end + 1, ':') != NULL)
		return "needs brackets around its IPv6 address";
	if (has_bracket && strchr(ret->host, ':') == NULL)
		return "has brackets, which only an IPv6 address needs";
	if (*end == ':' && !read_port(end + 1, ret))
		return "has a port that is not one of 1 to 65535";
	return host_problem(ret->host);
}

static const char *url_read(const char *text, struct url *ret)
{
	const char *authority = read_scheme(text, ret);

	if (authority == NULL)
		return "begins with neither mqtts:// nor mqtt://";
	return read_authority(authority, ret);
}

static bool read_broker(const struct spot *s, void *ret)
{
	const char *text =
		spot_text(s, "a broker, such as mqtts://broker.example");
	struct config_broker broker = { 0 };
	char given[QUOTE_TEXT];
	const char *why;
	struct url url;

	if (text == NULL)
		return false;
	if (strchr(text, '@') != NULL) {
		/* Not quoted: it may have a password, and this a reader. */
		spot_error(s, "a user does not stand here, needs the keys user "
			      "and password-file");
		return false;
	}
	why = url_read(text, &url);
	if (why != NULL) {
		spot_error(s, "\"%s\" %s", quote(text, given), why);
		return false;
	}
	broker.tls = url.tls;
	broker.port = url.port;
	set_string(s, &broker.url, text);
	set_string(s, &broker.host, url.host);
	if (broker.url == NULL || broker.host == NULL) {
		broker_done(&broker);
		return false;
	}
	*(struct config_broker *)ret = broker;
	return true;
}

static bool is_same_broker(const void *a, const void *b)
{
	const struct config_broker *x = a, *y = b;

	return x->port == y->port && x->tls == y->tls &&
	       is_same_host(x->host, y->host);
}

static void done_broker(void *item)
{
	broker_done(item);
}

const struct list_kind list_brokers = {
	.size = sizeof(struct config_broker),
	.read = read_broker,
	.is_same = is_same_broker,
	.done = done_broker,
	.want = "a broker, such as mqtts://broker.example",
};

static bool read_host(const struct spot *s, void *ret)
{
	static const char want[] =
		"a host alone, such as broker.lan or 2001:db8::1";
	const char *text = spot_text(s, want);

	if (text == NULL)
		return false;
	if (host_problem(text) != NULL) {
		spot_wrong(s, want);
		return false;
	}
	return keep_string(s, text, ret);
}

static bool is_same_host_item(const void *a, const void *b)
{
	return is_same_host(*(char *const *)a, *(char *const *)b);
}

const struct list_kind list_hosts = {
	.size = sizeof(char *),
	.read = read_host,
	.is_same = is_same_host_item,
	.done = string_done,
	.may_be_empty = true,
};

static bool may_go_clear(const struct config_sites *c, const char *host)
{
	if (is_loopback(host))
		return true;
	for (size_t i = 0; i < c->plain_text.n; i++) {
		if (is_same_host(c->plain_text.at[i], host))
			return true;
	}
	return false;
}

void brokers_check(const struct spot *s, const struct config_sites *c)
{
	struct spot list, item;
	struct url url;

	if (!spot_get(s, "brokers", &list) ||
		(list.node->kind == NODE_LIST && c->n_brokers == 0))
		return;
	for (size_t i = 0; i < spot_items(&list); i++) {
		spot_item(&list, i, &item);
		/* What is no broker was reported when it was read. */
		if (item.node->kind != NODE_SCALAR ||
			url_read(item.node->text, &url) != NULL || url.tls ||
			may_go_clear(c, url.host))
			continue;
		spot_error(&item,
			"mqtt:// sends everything in the clear, needs mqtts://, "
			"or %s among plain-text",
			url.host);
	}
}
