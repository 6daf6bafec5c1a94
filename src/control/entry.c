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

void entry_put(struct render *r, const struct discovery_info *i)
{
	render_put(r, "group", render_text(i->group));
	render_put(r, "interface", render_text(i->interface));
	render_put(r, "device", render_name(i->device));
	render_put(r, "source", render_address(&i->source, i->device));
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
