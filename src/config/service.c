/*
 * A DNS-SD service of crier's own (RFC 6763).
 */
#include "config/announcements.h"
#include "config/done.h"
#include "config/items.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A DNS label (RFC 1035, 2.3.4). */
enum { LABEL_MAX = 63 };
/* All of a TXT record, so that it fits into an mDNS message of 9000 bytes with
 * its headers (RFC 6762, 17) beside the other records. */
enum { TXT_MAX = 8000 };

#define SERVICE(member) MEMBER(struct config_service, member)

static void read_type(const struct spot *s, void *base, const struct key *k)
{
	struct config_service *service = base;
	char *type;

	(void)k;
	if (!read_service_type(s, &type))
		return;
	free(service->type);
	service->type = type;
}

/* Letters, digits and "-", which neither begins nor ends it (RFC 1123, 2.1). */
static bool is_host_label(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > LABEL_MAX || text[0] == '-' ||
		text[length - 1] == '-')
		return false;
	for (; *text != '\0'; text++) {
		if (!isascii(*text) || (!isalnum(*text) && *text != '-'))
			return false;
	}
	return true;
}

static void read_host(const struct spot *s, void *base, const struct key *k)
{
	static const char want[] =
		"a host name without domain, such as printer-2";
	const char *text = spot_text(s, want);
	struct config_service *service = base;

	(void)k;
	if (text == NULL)
		return;
	if (is_host_label(text))
		set_string(s, &service->host, text);
	else
		spot_wrong(s, want);
}

static const struct key service_keys[] = {
	{ .name = "name",
		.read = read_string,
		SERVICE(name),
		.low = 1,
		.high = LABEL_MAX,
		.missing = "a text of 1 to 63 bytes" },
	{ .name = "type",
		.read = read_type,
		.missing = "a service type such as _http._tcp" },
	{ .name = "port",
		.read = read_uint16,
		SERVICE(port),
		.low = 1,
		.high = UINT16_MAX,
		.missing = "1 to 65535" },
	{ .name = "txt", LIST(struct config_service, txt.at, txt.n, list_txt) },
	{ .name = "host", .read = read_host },
};

static void check_txt(
	const struct spot *s, const struct config_service *service)
{
	struct spot txt;
	size_t size = 0;

	/* Each string has its length before it. */
	for (size_t i = 0; i < service->txt.n; i++)
		size += 1 + strlen(service->txt.at[i]);
	if (size > TXT_MAX && spot_get(s, "txt", &txt))
		spot_error(&txt, "%zu bytes with their lengths, at most %d",
			size, TXT_MAX);
}

void read_service(const struct spot *s, void *base, const struct key *k)
{
	struct config_announcement *a = base;
	struct config_service *service = calloc(1, sizeof(*service));

	(void)k;
	if (service == NULL) {
		spot_no_memory(s);
		return;
	}
	if (read_map(s, service, KEYS(service_keys), NO_KEYS))
		check_txt(s, service);
	service_free(a->service);
	a->service = service;
}
