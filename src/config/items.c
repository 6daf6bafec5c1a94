/*
 * What lists hold: addresses, ports, names of devices, ...
 */
#include "config/items.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool read_address(
	const struct spot *s, const char *want, struct net_address *ret)
{
	const char *text = spot_text(s, want);
	struct net_address a;

	if (text == NULL)
		return false;
	if (strchr(text, '%') != NULL) {
		spot_error(s, "an address without %%, the interface says which "
			      "device");
		return false;
	}
	if (net_address_parse(text, &a) < 0) {
		spot_wrong(s, want);
		return false;
	}
	*ret = a;
	return true;
}

static bool is_same_address(const void *a, const void *b)
{
	return net_address_equal(a, b);
}

static bool read_multicast(const struct spot *s, void *ret)
{
	static const char want[] =
		"a multicast address, such as 239.1.2.3 or ff02::fb";
	struct net_address a;

	if (!read_address(s, want, &a))
		return false;
	if (net_address_is_broadcast(&a)) {
		spot_error(s, "a broadcast address, write broadcast: true");
		return false;
	}
	if (!net_address_is_multicast(&a)) {
		spot_wrong(s, want);
		return false;
	}
	*(struct net_address *)ret = a;
	return true;
}

const struct list_kind list_multicast = {
	.size = sizeof(struct net_address),
	.read = read_multicast,
	.is_same = is_same_address,
	.may_be_empty = true,
};

static bool read_unicast(const struct spot *s, void *ret)
{
	static const char want[] = "a unicast address, such as 192.0.2.7";
	struct net_address a;

	if (!read_address(s, want, &a))
		return false;
	if (net_address_is_multicast(&a) || net_address_is_broadcast(&a) ||
		net_address_is_any(&a)) {
		spot_wrong(s, want);
		return false;
	}
	*(struct net_address *)ret = a;
	return true;
}

const struct list_kind list_unicast = {
	.size = sizeof(struct net_address),
	.read = read_unicast,
	.is_same = is_same_address,
	.may_be_empty = true,
};

static bool read_port(const struct spot *s, void *ret)
{
	uint64_t value;

	if (!read_integer(s, 1, UINT16_MAX, "a port, 1 to 65535", &value))
		return false;
	*(uint16_t *)ret = (uint16_t)value;
	return true;
}

static bool is_same_port(const void *a, const void *b)
{
	return *(const uint16_t *)a == *(const uint16_t *)b;
}

const struct list_kind list_ports = {
	.size = sizeof(uint16_t),
	.read = read_port,
	.is_same = is_same_port,
	.want = "ports, 1 to 65535",
};

static bool read_prefix(const struct spot *s, void *ret)
{
	static const char want[] =
		"a prefix or an address, such as 192.0.2.0/24";
	const char *text = spot_text(s, want);
	struct net_prefix prefix;

	if (text == NULL)
		return false;
	if (strchr(text, '%') != NULL || net_prefix_parse(text, &prefix) < 0) {
		spot_wrong(s, want);
		return false;
	}
	*(struct net_prefix *)ret = prefix;
	return true;
}

static bool is_same_prefix(const void *a, const void *b)
{
	const struct net_prefix *x = a, *y = b;

	return x->length == y->length &&
	       net_address_equal(&x->address, &y->address);
}

const struct list_kind list_prefixes = {
	.size = sizeof(struct net_prefix),
	.read = read_prefix,
	.is_same = is_same_prefix,
	.want = "prefixes such as 192.0.2.0/24",
};

static bool read_sizes(const struct spot *s, void *ret)
{
	uint64_t low, high;

	if (!read_span(s, 0, CONFIG_MAX_PAYLOAD,
		    "a size in bytes, such as 512 or 1-1400", &low, &high))
		return false;
	*(struct config_sizes *)ret =
		(struct config_sizes){ .low = (uint32_t)low,
			.high = (uint32_t)high };
	return true;
}

const struct list_kind list_sizes = {
	.size = sizeof(struct config_sizes),
	.read = read_sizes,
	.want = "sizes such as 1-1400",
};

bool is_same_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b) == 0;
}

void string_done(void *item)
{
	free(*(char **)item);
}

bool keep_string(const struct spot *s, const char *text, void *ret)
{
	char *copy = NULL;

	set_string(s, &copy, text);
	if (copy == NULL)
		return false;
	*(char **)ret = copy;
	return true;
}

static bool read_device(const struct spot *s, void *ret)
{
	const char *text = spot_text(s, "a device, such as eth0 or \"br-*\"");
	const char *why;

	if (text == NULL)
		return false;
	why = device_problem(text);
	if (why != NULL) {
		char given[QUOTE_TEXT];

		spot_error(s, "\"%s\" %s", quote(text, given), why);
		return false;
	}
	return keep_string(s, text, ret);
}

const struct list_kind list_devices = {
	.size = sizeof(char *),
	.read = read_device,
	.is_same = is_same_string,
	.done = string_done,
	.want = "a device, such as eth0 or \"br-*\"",
};

/* "_NAME._tcp" or "_NAME._udp". RFC 6763, 7 has names of 15 characters at most;
 * there are longer ones about (_androidtvremote2), so only a label's bound. */
static bool is_service_type(const char *text)
{
	const char *dot = strchr(text, '.');
	size_t length = dot == NULL ? 0 : (size_t)(dot - text);

	if (length < 2 || length > 63 || text[0] != '_')
		return false;
	for (const char *c = text + 1; c < dot; c++) {
		if (!isascii(*c) || (!isalnum(*c) && *c != '-' && *c != '_'))
			return false;
	}
	return strcasecmp(dot, "._tcp") == 0 || strcasecmp(dot, "._udp") == 0;
}

bool read_service_type(const struct spot *s, void *ret)
{
	static const char want[] =
		"a service type without domain, such as _hap._tcp";
	const char *text = spot_text(s, want);

	if (text == NULL)
		return false;
	if (!is_service_type(text)) {
		spot_wrong(s, want);
		return false;
	}
	if (!keep_string(s, text, ret))
		return false;
	for (char *c = *(char **)ret; *c != '\0'; c++)
		*c = (char)tolower(*c);
	return true;
}

const struct list_kind list_services = {
	.size = sizeof(char *),
	.read = read_service_type,
	.is_same = is_same_string,
	.done = string_done,
	.want = "service types such as _hap._tcp",
};

static bool read_target(const struct spot *s, void *ret)
{
	const char *text = spot_text(s, "a target, such as \"upnp:*\"");
	const char *why;
	char given[QUOTE_TEXT];

	if (text == NULL)
		return false;
	why = glob_problem(text);
	if (why == NULL && s->node->size > 255)
		why = "is longer than 255 bytes";
	if (why != NULL) {
		spot_error(s, "\"%s\" %s", quote(text, given), why);
		return false;
	}
	return keep_string(s, text, ret);
}

const struct list_kind list_targets = {
	.size = sizeof(char *),
	.read = read_target,
	.is_same = is_same_string,
	.done = string_done,
	.want = "targets such as \"upnp:*\"",
};

/* The length of the key of "key=value", or of a key alone. */
static size_t txt_key_length(const char *text)
{
	return strcspn(text, "=");
}

/* RFC 6763, 6.4: printable ASCII without "=", no matter the case. */
static bool read_txt(const struct spot *s, void *ret)
{
	const char *text = spot_text(s, "a text such as \"key=value\"");

	if (text == NULL)
		return false;
	for (size_t i = 0; i < txt_key_length(text); i++) {
		if (text[i] >= 0x20 && text[i] <= 0x7e)
			continue;
		spot_error(s, "a key of printable ASCII characters is needed");
		return false;
	}
	if (txt_key_length(text) == 0 || s->node->size > 255) {
		spot_wrong(s, "\"key=value\" of up to 255 bytes");
		return false;
	}
	return keep_string(s, text, ret);
}

static bool is_same_txt_key(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t n = txt_key_length(x);

	return n == txt_key_length(y) && strncasecmp(x, y, n) == 0;
}

const struct list_kind list_txt = {
	.size = sizeof(char *),
	.read = read_txt,
	.is_same = is_same_txt_key,
	.done = string_done,
	.may_be_empty = true,
};
