#include "proto/mdns_internal.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* A name has at most 127 labels, so more pointers than that lead nowhere. */
enum { MAX_POINTERS = 127, MAX_LABEL = 63, POINTER = 0xc0 };

/*
 * ns_name_unpack() follows as many pointers as the message has bytes, which
 * would let one datagram cost millions of steps.
 */
static bool has_few_pointers(const uint8_t *message, size_t size, size_t at)
{
	unsigned pointers = 0;

	while (at < size && message[at] != 0) {
		if ((message[at] & POINTER) == 0) {
			at += 1u + message[at];
			continue;
		}
		if (at + 1 == size || ++pointers > MAX_POINTERS)
			return false;
		at = ((size_t)message[at] & MAX_LABEL) << 8 | message[at + 1];
	}
	return true;
}

static size_t next_label(const struct mdns_name *n, size_t at)
{
	return at + 1 + n->wire[at];
}

static uint8_t measure(const struct mdns_name *n)
{
	size_t at = 0;

	while (n->wire[at] != 0)
		at = next_label(n, at);
	return (uint8_t)(at + 1);
}

int mdns_name_unpack(
	const uint8_t *message, size_t size, size_t at, struct mdns_name *ret)
{
	int used;

	if (at >= size || !has_few_pointers(message, size, at))
		return -EBADMSG;
	used = ns_name_unpack(message, message + size, message + at, ret->wire,
		sizeof(ret->wire));
	if (used < 0)
		return -EBADMSG;
	ret->size = measure(ret);
	return used;
}

int mdns_name_from_text(const char *text, struct mdns_name *ret)
{
	struct mdns_name n = { 0 };

	if (ns_name_pton(text, n.wire, sizeof(n.wire)) < 0)
		return -EINVAL;
	n.size = measure(&n);
	*ret = n;
	return 0;
}

void mdns_name_to_text(const struct mdns_name *n, char out[MDNS_NAME_TEXT])
{
	/* A name of 255 bytes always fits. */
	(void)ns_name_ntop(n->wire, out, MDNS_NAME_TEXT);
}

int mdns_name_prepend(struct mdns_name *n, const void *label, size_t size)
{
	if (size == 0 || size > MAX_LABEL ||
		n->size + 1 + size > sizeof(n->wire))
		return -EINVAL;
	memmove(n->wire + 1 + size, n->wire, n->size);
	n->wire[0] = (uint8_t)size;
	memcpy(n->wire + 1, label, size);
	n->size = (uint8_t)(n->size + 1 + size);
	return 0;
}

void mdns_name_fold(struct mdns_name *n)
{
	/* Lengths are at most 63, below any letter. */
	for (size_t i = 0; i < n->size; i++) {
		if (n->wire[i] >= 'A' && n->wire[i] <= 'Z')
			n->wire[i] = (uint8_t)(n->wire[i] - 'A' + 'a');
	}
}

bool mdns_name_equal(const struct mdns_name *a, const struct mdns_name *b)
{
	struct mdns_name x = *a, y = *b;

	if (x.size != y.size)
		return false;
	mdns_name_fold(&x);
	mdns_name_fold(&y);
	return memcmp(x.wire, y.wire, x.size) == 0;
}

/* True if the label at `at` is `text`; `at` may be behind the last one. */
static bool label_is(const struct mdns_name *n, size_t at, const char *text)
{
	size_t size = strlen(text);

	return at < n->size && n->wire[at] == size &&
	       strncasecmp((const char *)n->wire + at + 1, text, size) == 0;
}

bool mdns_name_is_enumeration(const struct mdns_name *n)
{
	static const char *const labels[] = { "_services", "_dns-sd", "_udp" };
	size_t at = 0;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (!label_is(n, at, labels[i]))
			return false;
		at = next_label(n, at);
	}
	return true;
}

/* Finds the rightmost "_NAME._tcp" or "_NAME._udp". */
static bool find_service(const struct mdns_name *n, size_t *ret)
{
	bool is_found = false;
	size_t at = 0;

	for (; n->wire[at] != 0; at = next_label(n, at)) {
		size_t following = next_label(n, at);

		if (n->wire[at] < 2 || n->wire[at + 1] != '_' ||
			n->wire[following] != 4)
			continue;
		if (!label_is(n, following, "_tcp") &&
			!label_is(n, following, "_udp"))
			continue;
		*ret = at;
		is_found = true;
	}
	return is_found;
}

bool mdns_name_is_service(const struct mdns_name *n)
{
	size_t at;

	return n->size > 0 && find_service(n, &at) && at == 0;
}

/* Writes labels that need no escapes, as nearly all do. False: they do. */
static bool write_plain(const struct mdns_name *n, char *to)
{
	for (size_t at = 0; n->wire[at] != 0; at = next_label(n, at)) {
		if (at > 0)
			*to++ = '.';
		for (unsigned i = 1; i <= n->wire[at]; i++) {
			unsigned char c = n->wire[at + i];

			if (c != '-' && c != '_' && (c < '0' || c > '9') &&
				(c < 'a' || c > 'z'))
				return false;
			*to++ = (char)c;
		}
	}
	*to = '\0';
	return true;
}

bool mdns_name_service(const struct mdns_name *n, char ret[MDNS_SERVICE_TEXT])
{
	struct mdns_name service;
	size_t at, end;

	if (n->size == 0 || mdns_name_is_enumeration(n) ||
		!find_service(n, &at))
		return false;
	end = next_label(n, next_label(n, at));
	service.size = (uint8_t)(end - at + 1);
	memcpy(service.wire, n->wire + at, end - at);
	service.wire[end - at] = 0;
	mdns_name_fold(&service);
	/* Two labels, of 63 and 4 bytes, always fit. */
	if (!write_plain(&service, ret))
		(void)ns_name_ntop(service.wire, ret, MDNS_SERVICE_TEXT);
	return true;
}

bool mdns_item_service(const struct mdns_item *i, char ret[MDNS_SERVICE_TEXT])
{
	if (i->section != MDNS_QUESTION && i->type == MDNS_PTR &&
		mdns_name_is_enumeration(&i->name))
		return mdns_name_service(&i->targets[0], ret);
	return mdns_name_service(&i->name, ret);
}
