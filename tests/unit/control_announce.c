/*
 * Announcements that are only remembered, and the reading of one. As in
 * control_discovery.c, all that control/ uses of either must be here.
 */
#include "control_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fixture_parse fixture_parse;

struct announce_entry {
	struct announce_info info;
	struct config_announcement *added; /* at run time */
};

enum { ENTRIES_MAX = 8 };

struct announce *fixture_announce(void)
{
	struct announce *a = calloc(1, sizeof(*a));

	ck_assert_ptr_nonnull(a);
	a->entries = calloc(ENTRIES_MAX, sizeof(*a->entries));
	ck_assert_ptr_nonnull(a->entries);
	a->limit = (struct relay_limit){ 1, ANNOUNCE_RUNTIME_MAX, 4, 0 };
	a->entries[0].info = (struct announce_info){ .name = "gate",
		.group = "beacon",
		.state = ANNOUNCE_ACTIVE,
		.error = "",
		.interval_ms = 30000,
		.sent = 12,
		.next_in_ms = 7400 };
	a->entries[1].info = (struct announce_info){ .name = "web",
		.group = "mdns",
		.runtime = true,
		.state = ANNOUNCE_SILENT,
		.error = "192.0.2.9 announces the name",
		.is_service = true,
		.interval_ms = 500,
		.sent = 1,
		.next_in_ms = UINT64_MAX };
	a->n = 2;
	fixture_parse = (struct fixture_parse){ .result = 0 };
	return a;
}

void fixture_announce_free(struct announce *a)
{
	for (size_t i = 0; i < ENTRIES_MAX; i++)
		config_announcement_free(a->entries[i].added);
	free(a->entries);
	free(a);
}

const struct announce_entry *fixture_announcement(
	const struct announce *a, size_t i)
{
	return &a->entries[i];
}

/* ---- announce/ ---- */

const char *announce_state_word(enum announce_state s)
{
	static const char *const words[] = { "active", "silent", "no-group" };

	return words[s];
}

int announce_add(struct announce *a, struct config_announcement *c)
{
	if (a->add_result < 0)
		return a->add_result;
	if (a->n == ENTRIES_MAX)
		return -ENOSPC;
	a->entries[a->n].added = c;
	a->entries[a->n++].info = (struct announce_info){
		.name = c->name, .group = "beacon", .runtime = true, .error = ""
	};
	return 0;
}

int announce_withdraw(struct announce *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->entries[i].info.name, name)) {
			if (!a->entries[i].info.runtime)
				return -EPERM;
			a->withdrawals++;
			return 0;
		}
	return -ENOENT;
}

const struct announce_entry *announce_next(
	const struct announce *a, const struct announce_entry *after)
{
	const struct announce_entry *e = after ? after + 1 : a->entries;

	return e < a->entries + a->n ? e : NULL;
}

void announce_get(const struct announce *a, const struct announce_entry *e,
	struct announce_info *ret)
{
	(void)a;
	*ret = e->info;
}

void announce_limit(const struct announce *a, struct relay_limit *ret)
{
	*ret = a->limit;
}

/* ---- config/ ---- */

static void refuse(struct config_errors *errors)
{
	errors->at = calloc(2, sizeof(*errors->at));
	ck_assert_ptr_nonnull(errors->at);
	errors->n = 2;
	errors->at[0] = (struct config_error){ 1, 10, strdup("payload.hex"),
		strdup("\"x\" is no hexadecimal digit") };
	errors->at[1] = (struct config_error){ 1, 20, strdup("burst"),
		strdup("too \x1b[31m much") };
}

int config_parse_announcement(const struct config *c, const char *name,
	const char *text, size_t size, struct config_announcement **ret,
	struct config_errors *errors)
{
	struct config_announcement *a;

	(void)c;
	ck_assert_uint_lt(size, sizeof(fixture_parse.text));
	ck_assert_uint_eq(size, strlen(text));
	(void)stpcpy(fixture_parse.text, text);
	if (fixture_parse.result == -EINVAL)
		refuse(errors);
	if (fixture_parse.result < 0)
		return fixture_parse.result;
	a = calloc(1, sizeof(*a));
	ck_assert_ptr_nonnull(a);
	a->name = strdup(name);
	*ret = a;
	return 0;
}

void config_announcement_free(struct config_announcement *a)
{
	if (a)
		free(a->name);
	free(a);
}
