#include "config/done.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_sources(const struct config_group *g)
{
	return g->n_sources > 0;
}

static bool has_target(const struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		if (net_address_is_set(&g->uses[i].target))
			return true;
	}
	return false;
}

static bool has_searchers(const struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		if (g->uses[i].role & (CONFIG_SEARCHERS | CONFIG_DEVICES))
			return true;
	}
	return false;
}

static bool has_own_port(const struct config_group *g)
{
	return g->source == CONFIG_SOURCE_OWN_PORT;
}

static bool has_preserve(const struct config_group *g)
{
	return g->source == CONFIG_SOURCE_PRESERVE;
}

static bool has_frame(const struct config_group *g)
{
	return g->send == CONFIG_SEND_FRAME;
}

static bool has_strip(const struct config_group *g)
{
	return g->strip != 0;
}

static bool has_proxy(const struct config_group *g)
{
	return g->replies == CONFIG_REPLIES_PROXY;
}

static bool has_allow(const struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		if (!filter_is_empty(&g->uses[i].allow))
			return true;
	}
	return !filter_is_empty(&g->allow);
}

static bool has_deny(const struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		if (!filter_is_empty(&g->uses[i].deny))
			return true;
	}
	return !filter_is_empty(&g->deny);
}

static bool has_rate(const struct config_group *g)
{
	return g->rate > 0;
}

static bool has_repeat(const struct config_group *g)
{
	return g->repeat_ms > 0;
}

static bool has_announcements(const struct config *c)
{
	return c->n_announcements > 0;
}

static bool has_peers(const struct config *c)
{
	for (size_t i = 0; i < c->n_interfaces; i++) {
		if (c->interfaces[i].n_peers > 0)
			return true;
	}
	return false;
}

static bool has_flow_ports(const struct config *c)
{
	return c->flow_port_low > 0;
}

/* What is read, and does nothing yet: of a group, or of the file. */
static const struct {
	const char *key;
	bool (*group_has)(const struct config_group *g);
	bool (*config_has)(const struct config *c);
} not_built[] = {
	{ "sources", has_sources, NULL },
	{ "target", has_target, NULL },
	{ "searchers and devices", has_searchers, NULL },
	{ "source: own-port", has_own_port, NULL },
	{ "source: preserve", has_preserve, NULL },
	{ "send: frame", has_frame, NULL },
	{ "strip", has_strip, NULL },
	{ "replies", has_proxy, NULL },
	{ "allow", has_allow, NULL },
	{ "deny", has_deny, NULL },
	{ "rate", has_rate, NULL },
	{ "repeat", has_repeat, NULL },
	{ "announcements", NULL, has_announcements },
	{ "peers", NULL, has_peers },
	{ "flow-ports", NULL, has_flow_ports },
};

enum { NOT_BUILT = sizeof(not_built) / sizeof(*not_built) };

/* Where remarks go. */
struct listener {
	void (*say)(void *data, const char *path, const char *text);
	void *data;
};

/* `g` NULL: of the file. */
static void say_not_built(const struct listener *l, const char *path,
	const struct config *c, const struct config_group *g)
{
	char text[256];
	size_t n = 0;

	for (size_t i = 0; i < NOT_BUILT; i++) {
		if (g != NULL ? not_built[i].group_has == NULL ||
					!not_built[i].group_has(g)
			      : not_built[i].config_has == NULL ||
					!not_built[i].config_has(c))
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
			n == 0 ? "not built yet: " : ", ", not_built[i].key);
	}
	if (n > 0)
		l->say(l->data, path, text);
}

/* False only where the host says so: an error is no answer. */
static bool group_exists(const char *name)
{
	struct group group, *found = NULL;
	size_t size = 1024;
	char *buffer = NULL, *larger;
	int r = ERANGE;

	while (r == ERANGE && size <= 1024 * 1024) {
		larger = realloc(buffer, size);
		if (larger == NULL)
			break;
		buffer = larger;
		r = getgrnam_r(name, &group, buffer, size, &found);
		size *= 2;
	}
	free(buffer);
	return r != 0 || found != NULL;
}

static void say_of_group(const struct listener *l, const struct config *c,
	const struct config_group *g)
{
	char path[128];
	bool is_sent = false;

	(void)snprintf(path, sizeof(path), "groups.%s", g->name);
	if (g->notes != NULL)
		l->say(l->data, path, g->notes);
	for (size_t i = 0; i < g->n_uses; i++)
		is_sent |= (g->uses[i].role & CONFIG_SENT_TO) != 0;
	if (!is_sent)
		l->say(l->data, path, "only listens, sends nowhere");
	say_not_built(l, path, c, g);
}

void config_remarks(const struct config *c,
	void (*say)(void *data, const char *path, const char *text), void *data)
{
	const struct listener l = { say, data };

	if (!group_exists(c->control.group))
		say(data, "control.group",
			"there is no such group on this host, so only root "
			"and the daemon's own user may change things");
	say_not_built(&l, "", c, NULL);
	for (size_t i = 0; i < c->n_groups; i++)
		say_of_group(&l, c, &c->groups[i]);
}
