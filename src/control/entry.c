#include "control/entry.h"

#include <stdlib.h>
#include <string.h>

static json_t *moment(int64_t ms)
{
	const struct timespec t = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	return render_moment(&t);
}

static json_t *addresses(const struct discovery_info *i)
{
	struct render r;

	render_array(&r);
	for (size_t n = 0; n < i->n_addresses; n++)
		render_append(&r, render_address(&i->addresses[n], i->device));
	return render_end(&r);
}

/* The strings, each of which a newline ends. */
static json_t *strings(const char *lines)
{
	char line[DISCOVERY_DETAIL];
	struct render r;
	size_t length;

	render_array(&r);
	for (; *lines; lines += length + (lines[length] == '\n')) {
		length = strcspn(lines, "\n");
		(void)snprintf(line, sizeof(line), "%.*s", (int)length, lines);
		render_append(&r, render_text(line));
	}
	return render_end(&r);
}

/* As long as a name and a type may be, with what stands between them. */
enum { KEY_MAX = DISCOVERY_NAME + DISCOVERY_TYPE };

static json_t *instance_key(const char *name, const char *type)
{
	char text[KEY_MAX];

	(void)snprintf(text, sizeof(text), "%s.%s", name, type);
	/* DNS tells no small letters from great ones (RFC 6762, 16). */
	for (char *c = text; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return render_text(text);
}

json_t *entry_key(const struct entry_identity *i)
{
	struct net_address source = i->source;

	if (i->protocol == CONFIG_PAYLOAD_MDNS)
		return instance_key(i->name, i->type);
	if (i->protocol != CONFIG_PAYLOAD_NONE)
		return render_text(i->name);
	/* On which device it is link-local says nothing elsewhere. */
	source.scope = 0;
	if (!net_address_is_set(&source))
		return json_string("");
	return render_endpoint(&source, i->port, NULL);
}

static json_t *key_of(const struct discovery_info *i)
{
	const struct entry_identity identity = {
		.protocol = i->protocol,
		.name = i->name,
		.type = i->type,
		.source = i->source,
		.port = i->port,
	};

	return entry_key(&identity);
}

void entry_put(struct render *r, const struct discovery_info *i)
{
	render_put(r, "group", render_text(i->group));
	render_put(r, "interface", render_name(i->interface));
	render_put(r, "device", render_name(i->device));
	render_put(r, "site", render_name(i->site));
	render_put(r, "key", key_of(i));
	render_put(r, "source", render_host(&i->source, i->device));
	render_put(
		r, "protocol", json_string(config_payload_word(i->protocol)));
	render_put(r, "name", render_text(i->name));
	render_put(r, "type", render_name(i->type));
	render_put(r, "host", render_name(i->host));
	render_put(r, "port", i->port ? render_number(i->port) : json_null());
	render_put(r, "location", render_name(i->location));
	render_put(r, "addresses", addresses(i));
	if (i->protocol == CONFIG_PAYLOAD_MDNS)
		render_put(r, "txt", strings(i->detail));
	if (i->protocol == CONFIG_PAYLOAD_SSDP)
		render_put(r, "server", render_name(i->detail));
	if (i->protocol == CONFIG_PAYLOAD_WSD)
		render_put(r, "metadata_version",
			render_number(strtoull(i->detail, NULL, 10)));
	render_put(r, "first_seen", moment(i->first_seen_ms));
	render_put(r, "last_seen", moment(i->last_seen_ms));
	/* Rounded up: at 0 it is gone. */
	render_put(r, "expires_in",
		render_number(i->expires_in_ms / 1000 +
			      (i->expires_in_ms % 1000 != 0)));
	render_put(r, "count", render_number(i->count));
}

void entry_put_announcement(struct render *r, const struct announce_info *i)
{
	render_put(r, "name", render_text(i->name));
	render_put(r, "group", render_text(i->group));
	render_put(r, "origin", json_string(i->runtime ? "runtime" : "config"));
	render_put(r, "state", json_string(announce_state_word(i->state)));
	render_put(r, "error", render_text(i->error));
}
