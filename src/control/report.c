/*
 * The method `sites`, and what `status` and `metrics` tell of it.
 */
#include "control/exposition.h"
#include "control/methods.h"
#include "control/render.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parameters ---- */

static int read_name(
	const json_t *value, char ret[REPORT_NAME_MAX + 1], struct rpc_error *e)
{
	const char *name = json_string_value(value);

	if (!name || !methods_is_name(name))
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"a \"site\" is 1 to 63 letters (A to Z, a to z), "
			"digits, \"_\", \".\" and \"-\", and begins with none "
			"of the last two");
	(void)stpcpy(ret, name);
	return 0;
}

/* A string of up to REPORT_TEXT_MAX bytes; "" where there is none. */
static int read_text(const json_t *params, const char *key,
	char ret[REPORT_TEXT_MAX + 1], struct rpc_error *e)
{
	const char *text = json_string_value(json_object_get(params, key));

	if (!text)
		text = "";
	if (strlen(text) > REPORT_TEXT_MAX)
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is longer than %d bytes", key,
			(int)REPORT_TEXT_MAX);
	(void)stpcpy(ret, text);
	return 0;
}

static int read_broker(
	const json_t *params, struct report *ret, struct rpc_error *e)
{
	int r;

	r = read_text(params, "broker", ret->broker, e);
	if (r == 0 && !*ret->broker)
		return rpc_fail(e, RPC_INVALID_PARAMS, "\"broker\" is empty");
	return r;
}

static int read_state(
	const json_t *params, enum report_state *ret, struct rpc_error *e)
{
	const char *word = json_string_value(json_object_get(params, "state"));

	for (enum report_state s = 0; s < REPORT_STATES; s++)
		if (!strcmp(word, report_state_word(s))) {
			*ret = s;
			return 0;
		}
	return rpc_fail(e, RPC_INVALID_PARAMS,
		"\"state\" is connected, connecting or waiting");
}

/* Its range was checked, where it is the method's own. */
static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* ---- one site ---- */

/* A moment in UTC; what stands behind the second is dropped. */
static bool read_time(const char *text, time_t *ret)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	char again[sizeof(form)];
	struct tm tm = { 0 };
	const char *rest;

	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i])
				   : text[i] != form[i])
			return false;
	rest = text + sizeof(form) - 1;
	if (*rest == '.' && isdigit((unsigned char)rest[1]))
		rest += 1 + strspn(rest + 1, "0123456789");
	if (strcmp(rest, "Z") != 0 || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return false;
	*ret = timegm(&tm);
	/* Is there such a day? */
	return gmtime_r(ret, &tm) &&
	       strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%S", &tm) > 0 &&
	       !strncmp(again, text, sizeof(again) - 1);
}

static int wrong_member(const char *key, const char *is, struct rpc_error *e)
{
	return rpc_fail(e, RPC_INVALID_PARAMS,
		"\"%.48s\" of one of the \"sites\" %s", key, is);
}

static int read_count(const char *key, const json_t *value, uint64_t *ret,
	struct rpc_error *e)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0)
		return wrong_member(
			key, "is a whole number that is not negative", e);
	*ret = (uint64_t)n;
	return 0;
}

static int read_flag(
	const char *key, const json_t *value, bool *ret, struct rpc_error *e)
{
	if (!json_is_boolean(value))
		return wrong_member(key, "is true or false", e);
	*ret = json_is_true(value);
	return 0;
}

static int read_last_seen(const json_t *value, time_t *ret, struct rpc_error *e)
{
	const char *text = json_string_value(value);

	*ret = -1;
	if (json_is_null(value) || (text && read_time(text, ret)))
		return 0;
	return wrong_member("last_seen",
		"is a time such as 2026-01-31T12:00:00Z, or null", e);
}

static int read_member(struct report_site *s, const char *key,
	const json_t *value, struct rpc_error *e)
{
	if (!strcmp(key, "site"))
		return read_name(value, s->name, e);
	if (!strcmp(key, "online"))
		return read_flag(key, value, &s->online, e);
	if (!strcmp(key, "gone"))
		return read_flag(key, value, &s->gone, e);
	if (!strcmp(key, "entries"))
		return read_count(key, value, &s->entries, e);
	if (!strcmp(key, "taken"))
		return read_count(key, value, &s->taken, e);
	if (!strcmp(key, "dropped"))
		return read_count(key, value, &s->dropped, e);
	if (!strcmp(key, "last_seen"))
		return read_last_seen(value, &s->last_seen, e);
	return wrong_member(key, "is unknown", e);
}

static int read_site(
	json_t *object, struct report_site *ret, struct rpc_error *e)
{
	const char *key;
	json_t *value;
	int r;

	*ret = (struct report_site){ .last_seen = -1 };
	json_object_foreach(object, key, value)
	{
		r = read_member(ret, key, value, e);
		if (r < 0)
			return r;
	}
	if (!*ret->name)
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"one of the \"sites\" has no \"site\"");
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct report_site *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* Fills the report's sites, in order. */
static int read_sites(
	const json_t *array, struct report *said, struct rpc_error *e)
{
	size_t n = json_array_size(array);
	int r;

	if (n > REPORTS_SITES_MAX)
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"sites\" has at most %d", (int)REPORTS_SITES_MAX);
	if (n == 0)
		return 0;
	said->sites = calloc(n, sizeof(*said->sites));
	if (!said->sites)
		return -ENOMEM;
	for (; said->n_sites < n; said->n_sites++) {
		r = read_site(json_array_get(array, said->n_sites),
			&said->sites[said->n_sites], e);
		if (r < 0)
			return r;
	}
	qsort(said->sites, n, sizeof(*said->sites), by_name);
	for (size_t i = 1; i < n; i++)
		if (!by_name(&said->sites[i - 1], &said->sites[i]))
			return rpc_fail(e, RPC_INVALID_PARAMS,
				"\"sites\" has %s twice", said->sites[i].name);
	return 0;
}

/* ---- the method ---- */

/* What it allocates is in `ret->sites`, also where it fails. */
static int read_report(
	const json_t *params, struct report *ret, struct rpc_error *e)
{
	int r;

	r = read_name(json_object_get(params, "site"), ret->site, e);
	if (r == 0)
		r = read_broker(params, ret, e);
	if (r == 0)
		r = read_text(params, "error", ret->error, e);
	if (r == 0)
		r = read_state(params, &ret->state, e);
	if (r < 0)
		return r;
	ret->own = number(params, "own");
	ret->queued = number(params, "queued");
	ret->lost = number(params, "lost");
	ret->published = number(params, "published");
	ret->taken = number(params, "taken");
	return read_sites(json_object_get(params, "sites"), ret, e);
}

static int take(const struct methods_context *m, const struct report *said,
	json_t **ret, struct rpc_error *error)
{
	const struct report *taken;
	struct render result;
	int r;

	r = reports_take(m->reports, m->client, said, time(NULL), &taken);
	if (r == -ENOBUFS)
		return rpc_fail(error, RPC_BOUND,
			"at most %d clients report on at most %d sites",
			(int)REPORTS_MAX, (int)REPORTS_SITES_MAX);
	if (r < 0)
		return r;
	render_object(&result);
	render_put(&result, "sites", render_number(taken->n_sites));
	return methods_give(render_end(&result), ret);
}

int methods_sites(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	struct report said = { .n_sites = 0 };
	int r;

	r = read_report(params, &said, error);
	if (r == 0)
		r = take(context, &said, ret, error);
	free(said.sites);
	return r;
}

/* ---- status ---- */

static json_t *site(const struct report_site *s)
{
	struct render r;

	render_object(&r);
	render_put(&r, "site", render_text(s->name));
	render_put(&r, "online", json_boolean(s->online));
	render_put(&r, "entries", render_number(s->entries));
	render_put(&r, "taken", render_number(s->taken));
	render_put(&r, "dropped", render_number(s->dropped));
	render_put(&r, "last_seen",
		s->last_seen < 0 ? json_null() : render_time(s->last_seen));
	return render_end(&r);
}

static json_t *report(const struct report *one)
{
	struct render r, sites;

	render_array(&sites);
	for (size_t i = 0; i < one->n_sites; i++)
		render_append(&sites, site(&one->sites[i]));
	render_object(&r);
	render_put(&r, "site", render_text(one->site));
	render_put(&r, "broker", render_text(one->broker));
	render_put(&r, "state", render_text(report_state_word(one->state)));
	render_put(&r, "since", render_time(one->since));
	render_put(&r, "error", render_name(one->error));
	render_put(&r, "own", render_number(one->own));
	render_put(&r, "queued", render_number(one->queued));
	render_put(&r, "lost", render_number(one->lost));
	render_put(&r, "published", render_number(one->published));
	render_put(&r, "taken", render_number(one->taken));
	render_put(&r, "reported_at", render_time(one->reported_at));
	render_put(&r, "sites", render_end(&sites));
	return render_end(&r);
}

json_t *methods_reports(const struct methods_context *m)
{
	const struct report *one;
	struct render r;

	render_array(&r);
	for (one = m->reports->all; one; one = one->next)
		render_append(&r, report(one));
	return render_end(&r);
}
