#include "config/announcements.h"
#include "config/done.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS(n)           ((n)*UINT64_C(1000))
#define ANNOUNCEMENT(member) MEMBER(struct config_announcement, member)

enum { BURST_MAX = 100 };

static const char *group_name(const struct config *c, size_t i)
{
	return i < c->n_groups ? c->groups[i].name : NULL;
}

static void read_group_name(
	const struct spot *s, void *base, const struct key *k)
{
	struct config_announcement *a = base;

	(void)k;
	(void)read_reference(s, "group", group_name, &a->group);
}

static const struct key announcement_keys[] = {
	{ .name = "group",
		.read = read_group_name,
		.missing = "the name of a group" },
	{ .name = "payload", .read = read_data, ANNOUNCEMENT(payload) },
	{ .name = "service", .read = read_service, ANNOUNCEMENT(service) },
	{ .name = "interval",
		.read = read_duration,
		ANNOUNCEMENT(interval_ms),
		.low = 100,
		.high = SECONDS(86400) },
	{ .name = "burst",
		.read = read_uint32,
		ANNOUNCEMENT(burst),
		.low = 1,
		.high = BURST_MAX },
	{ .name = "goodbye", .read = read_data, ANNOUNCEMENT(goodbye) },
};

static void check_content(const struct spot *s)
{
	struct spot value;

	if (!spot_has(s, "service")) {
		if (!spot_has(s, "payload"))
			spot_missing(s, "payload",
				"one of text, hex, base64 and file, unless "
				"there is a service");
		return;
	}
	if (spot_get(s, "payload", &value))
		spot_key_error(&value,
			"does not go with service, which is a payload itself");
	if (spot_get(s, "goodbye", &value))
		spot_key_error(&value,
			"does not go with service, which says goodbye itself");
}

static bool is_sent(const struct config_group *g)
{
	for (size_t i = 0; i < g->n_uses; i++) {
		if (g->uses[i].role & CONFIG_SENT_TO)
			return true;
	}
	return false;
}

static void check_group(
	const struct spot *s, const struct config_announcement *a)
{
	const struct config *c = s->reader->config;
	const struct config_group *g;
	struct spot value;

	/* Unless the name was wrong, and that was reported. */
	if (a->group >= c->n_groups || !spot_get(s, "group", &value))
		return;
	g = &c->groups[a->group];
	if (spot_has(s, "service") && g->payload != CONFIG_PAYLOAD_MDNS)
		spot_error(&value,
			"a service needs a group with payload: mdns, %s has "
			"payload: %s",
			g->name, config_payload_word(g->payload));
	/* A group without uses has errors of its own. */
	if (g->n_uses > 0 && !is_sent(g))
		spot_error(&value,
			"the group %s only listens, needs one that sends",
			g->name);
}

/* Two announcements of one service would contradict each other. */
static void check_service(
	const struct spot *s, const struct config_announcement *a)
{
	const struct config *c = s->reader->config;
	struct spot value;

	if (a->service == NULL || a->service->name == NULL ||
		a->service->type == NULL || !spot_get(s, "service", &value))
		return;
	for (const struct config_announcement *b = c->announcements; b < a;
		b++) {
		if (b->service == NULL || b->service->name == NULL ||
			b->service->type == NULL || b->group != a->group ||
			strcmp(b->service->type, a->service->type) != 0 ||
			strcasecmp(b->service->name, a->service->name) != 0)
			continue;
		spot_error(&value,
			"is announced by announcements.%s in that group "
			"already: give it another name",
			b->name);
		return;
	}
}

static void read_announcement(
	const struct spot *s, struct config_announcement *a)
{
	*a = (struct config_announcement){
		.group = SIZE_MAX,
		.interval_ms = SECONDS(60),
		.burst = 1,
		.line = s->key_node->line,
	};
	set_string(s, &a->name, s->key);
	if (!read_map(s, a, KEYS(announcement_keys), NO_KEYS))
		return;
	check_content(s);
	check_group(s, a);
}

void read_announcements(const struct spot *s, void *base, const struct key *k)
{
	struct config *c = base;
	struct config_announcement *a;
	struct spot pair;

	(void)k;
	if (!check_names(s, "announcements"))
		return;
	c->announcements = calloc(spot_pairs(s) + 1, sizeof(*c->announcements));
	if (c->announcements == NULL) {
		spot_no_memory(s);
		return;
	}
	for (size_t i = 0; i < spot_pairs(s); i++) {
		spot_pair(s, i, &pair);
		if (!check_name(&pair))
			continue;
		a = &c->announcements[c->n_announcements++];
		read_announcement(&pair, a);
		check_service(&pair, a);
	}
}

static int read_single(struct reader *r, const char *name, const char *text,
	size_t size, struct config_announcement *a)
{
	struct spot root = { .reader = r, .key = name };
	struct tree document = { 0 };
	int error;

	error = tree_parse(&document, text, size, &r->report);
	if (error == 0 && tree_is_empty(&document)) {
		report_add(&r->report, 1, 1, "",
			"empty, needs at least group and payload");
		error = -EINVAL;
	}
	if (error == 0) {
		root.node = root.key_node = document.root;
		spot_check(&root);
		(void)check_name(&root);
		read_announcement(&root, a);
	}
	tree_done(&document);
	if (error == -ENOMEM)
		r->report.no_memory = true;
	return report_end(&r->report);
}

int config_parse_announcement(const struct config *c, const char *name,
	const char *text, size_t size, struct config_announcement **ret,
	struct config_errors *errors)
{
	/* Readers of an announcement only look things up in it. */
	struct reader reader = { .config = (struct config *)c };
	struct config_announcement *a = calloc(1, sizeof(*a));
	int r;

	*errors = (struct config_errors){ 0 };
	reader.report.errors = errors;
	if (a == NULL)
		return -ENOMEM;
	if (size > CONFIG_MAX_BYTES) {
		report_add(&reader.report, 0, 0, "", "larger than 1 MiB");
		r = report_end(&reader.report);
	} else {
		r = read_single(&reader, name, text, size, a);
	}
	if (r < 0)
		config_announcement_free(a);
	else
		*ret = a;
	return r;
}

void config_announcement_free(struct config_announcement *a)
{
	if (a == NULL)
		return;
	announcement_done(a);
	free(a);
}
