#include "config/document.h"
#include "config/done.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL(member) MEMBER(struct config, control.member)
#define LIMIT(member)   MEMBER(struct config, limits.member), .low = 1

static void read_mode(const struct spot *s, void *base, const struct key *k)
{
	static const char want[] =
		"an octal mode, such as \"0660\", up to \"0777\"";
	const char *text = spot_text(s, want);
	struct config *c = base;
	size_t digits;

	(void)k;
	if (text == NULL)
		return;
	digits = strspn(text, "01234567");
	if (text[digits] != '\0' || digits < 3 || digits > 4 ||
		(digits == 4 && text[0] != '0'))
		spot_wrong(s, want);
	else
		c->control.mode = (unsigned)strtoul(text, NULL, 8);
}

static const struct key control_keys[] = {
	{ .name = "socket", .read = read_path, CONTROL(socket), SOCKET_PATH },
	{ .name = "mode", .read = read_mode },
	{ .name = "group",
		.read = read_string,
		CONTROL(group),
		.low = 1,
		.high = 32 },
};

static const struct key limit_keys[] = {
	{ .name = "discovered",
		.read = read_uint32,
		LIMIT(discovered),
		.high = 16777216 },
	{ .name = "flows", .read = read_uint32, LIMIT(flows), .high = 65535 },
	{ .name = "clients",
		.read = read_uint32,
		LIMIT(clients),
		.high = 65535 },
	{ .name = "remembered",
		.read = read_uint32,
		LIMIT(remembered),
		.high = 16777216 },
};

static void read_control(const struct spot *s, void *base, const struct key *k)
{
	(void)k;
	(void)read_map(s, base, KEYS(control_keys), NO_KEYS);
}

static void read_limits(const struct spot *s, void *base, const struct key *k)
{
	(void)k;
	(void)read_map(s, base, KEYS(limit_keys), NO_KEYS);
}

static void read_flow_ports(
	const struct spot *s, void *base, const struct key *k)
{
	struct config *c = base;
	uint64_t low, high;

	(void)k;
	if (!read_span(s, 1, UINT16_MAX,
		    "a range of ports, such as 32000-33023", &low, &high))
		return;
	c->flow_port_low = (uint16_t)low;
	c->flow_port_high = (uint16_t)high;
}

/* In the order in which they need each other. */
static const struct key root_keys[] = {
	{ .name = "control", .read = read_control },
	{ .name = "limits", .read = read_limits },
	{ .name = "flow-ports", .read = read_flow_ports },
	{ .name = "presets", .read = read_presets },
	{ .name = "interfaces", .read = read_interfaces },
	{ .name = "groups",
		.read = read_groups,
		.missing = "at least one group" },
	{ .name = "announcements", .read = read_announcements },
};

static void read_everything(const struct spot *root, void *base)
{
	(void)read_map(root, base, KEYS(root_keys), NO_KEYS);
}

static struct config *config_new(const char *path)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->references = 1;
	c->control.mode = 0660;
	c->limits = (struct config_limits){ .discovered = 65536,
		.flows = 1024,
		.clients = 256,
		.remembered = 65536 };
	c->path = strdup(path);
	c->control.socket = strdup("/run/crier/control.sock");
	c->control.group = strdup("crier");
	if (c->path != NULL && c->control.socket != NULL &&
		c->control.group != NULL)
		return c;
	config_free(c);
	return NULL;
}

int config_parse(const char *path, const char *text, size_t size,
	struct config **ret, struct config_errors *errors)
{
	struct reader reader = { .path = path };
	struct tree built_in = { 0 };
	int r;

	*errors = (struct config_errors){ 0 };
	reader.report.errors = errors;
	reader.config = config_new(path);
	if (reader.config == NULL)
		return -ENOMEM;
	r = read_built_in_presets(&reader, &built_in);
	if (r == 0)
		r = document_read(&reader, text, size, read_everything,
			reader.config, "groups");
	tree_done(&built_in);
	free(reader.presets);
	if (r < 0)
		config_free(reader.config);
	else
		*ret = reader.config;
	return r;
}

int config_load(
	const char *path, struct config **ret, struct config_errors *errors)
{
	char *text;
	size_t size;
	int r;

	r = document_load(path, &text, &size, errors);
	if (r < 0)
		return r;
	r = config_parse(path, text, size, ret, errors);
	free(text);
	return r;
}
