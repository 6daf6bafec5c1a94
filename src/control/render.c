#include "control/render.h"

#include "control/base64.h"
#include "proto/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- objects and arrays ---- */

void render_object(struct render *r)
{
	*r = (struct render){ .json = json_object() };
}

void render_array(struct render *r)
{
	*r = (struct render){ .json = json_array() };
}

void render_put(struct render *r, const char *key, json_t *value)
{
	/* Keys are words of the contract: ASCII. */
	if (json_object_set_new_nocheck(r->json, key, value) < 0)
		r->failed = true;
}

void render_append(struct render *r, json_t *value)
{
	if (json_array_append_new(r->json, value) < 0)
		r->failed = true;
}

json_t *render_end(struct render *r)
{
	if (!r->failed)
		return r->json;
	json_decref(r->json);
	return NULL;
}

/* ---- values ---- */

/* U+FFFD, for what is no UTF-8. */
static const char replacement[] = "\xef\xbf\xbd";

static json_t *render_repaired(const char *text)
{
	/* At worst each byte becomes three. */
	char *repaired = malloc(strlen(text) * 3 + 1), *out = repaired;
	json_t *value;
	uint32_t c;
	size_t n;

	if (!repaired)
		return NULL;
	for (; *text; text += n) {
		n = utf8_decode(text, &c);
		if (c == UTF8_INVALID)
			out = stpcpy(out, replacement);
		else
			out = mempcpy(out, text, n);
	}
	*out = '\0';
	value = json_string(repaired);
	free(repaired);
	return value;
}

json_t *render_number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *render_seconds(uint64_t ms)
{
	if (ms % 1000 == 0)
		return render_number(ms / 1000);
	return json_real((double)ms / 1000);
}

json_t *render_text(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : render_repaired(text);
}

json_t *render_name(const char *text)
{
	return text && *text ? render_text(text) : json_null();
}

json_t *render_time(time_t t)
{
	char text[sizeof("-2147483648-01-01T00:00:00Z")];
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
		!strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return json_null();
	return json_string(text);
}

json_t *render_moment(const struct timespec *t)
{
	char text[sizeof("-2147483648-01-01T00:00:00.000Z")];
	struct tm tm;
	size_t used;

	if (!gmtime_r(&t->tv_sec, &tm))
		return json_null();
	used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + used, sizeof(text) - used, ".%03uZ",
		(unsigned)(t->tv_nsec / 1000000) % 1000);
	return json_string(text);
}

json_t *render_address(const struct net_address *a, const char *device)
{
	char text[NET_ADDRESS_TEXT];

	return render_text(net_address_format(a, device, text));
}

json_t *render_host(const struct net_address *a, const char *device)
{
	return net_address_is_set(a) ? render_address(a, device) : json_null();
}

json_t *render_endpoint(
	const struct net_address *a, uint16_t port, const char *device)
{
	char address[NET_ADDRESS_TEXT], text[NET_ADDRESS_TEXT + 8];

	(void)snprintf(text, sizeof(text),
		a->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		net_address_format(a, device, address), port);
	return render_text(text);
}

json_t *render_prefix(const struct net_prefix *p, const char *device)
{
	char address[NET_ADDRESS_TEXT], text[NET_ADDRESS_TEXT + 4];

	(void)snprintf(text, sizeof(text), "%s/%u",
		net_address_format(&p->address, device, address), p->length);
	return render_text(text);
}

json_t *render_ttl(int ttl)
{
	switch (ttl) {
	case CONFIG_TTL_UNSET:
		return json_null();
	case CONFIG_TTL_KEEP:
		return json_string("keep");
	case CONFIG_TTL_DECREMENT:
		return json_string("decrement");
	default:
		return json_integer(ttl);
	}
}

const char *render_kind_word(enum proto_kind kind)
{
	static const char *const words[] = {
		[PROTO_UNKNOWN] = "unknown",
		[PROTO_SEARCH] = "search",
		[PROTO_ANNOUNCEMENT] = "announcement",
		[PROTO_PROBE] = "probe",
		[PROTO_OTHER] = "other",
	};

	return words[kind];
}

json_t *render_bytes(const uint8_t *data, size_t size)
{
	char *text = malloc(BASE64_TEXT(size));
	json_t *value;

	if (!text)
		return NULL;
	value = json_stringn(text, base64_encode(data, size, text));
	free(text);
	return value;
}

/* ---- counters ---- */

static json_t *render_dropped(const struct relay_counters *c)
{
	struct render r;

	render_object(&r);
	for (enum relay_verdict v = RELAY_OWN; v < RELAY_VERDICTS; v++)
		render_put(&r, relay_verdict_word(v),
			render_number(c->dropped[v]));
	return render_end(&r);
}

void render_put_counters(struct render *r, const struct relay_counters *c)
{
	render_put(r, "received", render_number(c->received));
	render_put(r, "sent", render_number(c->sent));
	render_put(r, "dropped", render_dropped(c));
	render_put(r, "received_bytes", render_number(c->received_bytes));
	render_put(r, "sent_bytes", render_number(c->sent_bytes));
}

json_t *render_limit(const struct relay_limit *l)
{
	struct render r;

	render_object(&r);
	render_put(&r, "used", render_number(l->used));
	render_put(&r, "bound", render_number(l->bound));
	render_put(&r, "refused", render_number(l->refused));
	render_put(&r, "evicted", render_number(l->evicted));
	return render_end(&r);
}
