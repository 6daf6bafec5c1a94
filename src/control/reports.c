#include "control/reports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

const char *report_state_word(enum report_state s)
{
	static const char *const words[REPORT_STATES] = {
		[REPORT_CONNECTED] = "connected",
		[REPORT_CONNECTING] = "connecting",
		[REPORT_WAITING] = "waiting",
	};

	return words[s];
}

/* ---- finding ---- */

static struct report *find_client(const struct reports *r, const void *client)
{
	struct report *one;

	DL_FOREACH(r->all, one)
	if (one->client == client)
		return one;
	return NULL;
}

static bool is_same(const struct report *a, const struct report *b)
{
	return !strcmp(a->site, b->site) && !strcmp(a->broker, b->broker);
}

static struct report *find_same(
	const struct reports *r, const struct report *said)
{
	struct report *one;

	DL_FOREACH(r->all, one)
	if (is_same(one, said))
		return one;
	return NULL;
}

/* ---- sites ---- */

/* Of two lists in order one; what the second says of a site stands. `out` has
 * room for both. Returns how many there are. */
static size_t merge(const struct report *old, const struct report *said,
	struct report_site *out)
{
	const struct report_site *a = old ? old->sites : NULL, *b = said->sites;
	const struct report_site *a_end = old ? a + old->n_sites : NULL;
	const struct report_site *b_end = b + said->n_sites;
	size_t n = 0;
	int order;

	while (a < a_end || b < b_end) {
		if (a == a_end)
			order = 1;
		else
			order = b == b_end ? -1 : strcmp(a->name, b->name);
		if (order < 0) {
			out[n++] = *a++;
			continue;
		}
		if (!b->gone)
			out[n++] = *b;
		b++;
		if (order == 0)
			a++;
	}
	return n;
}

/* Returns 0, or -ENOMEM. */
static int merge_sites(
	const struct report *old, const struct report *said, struct report *ret)
{
	size_t room = (old ? old->n_sites : 0) + said->n_sites;
	struct report_site *smaller;

	ret->sites = NULL;
	ret->n_sites = 0;
	if (room == 0)
		return 0;
	ret->sites = calloc(room, sizeof(*ret->sites));
	if (!ret->sites)
		return -ENOMEM;
	ret->n_sites = merge(old, said, ret->sites);
	if (ret->n_sites == 0) {
		free(ret->sites);
		ret->sites = NULL;
		return 0;
	}
	smaller = realloc(ret->sites, ret->n_sites * sizeof(*ret->sites));
	if (smaller)
		ret->sites = smaller;
	return 0;
}

/* ---- reports ---- */

static void forget(struct reports *r, struct report *one)
{
	DL_DELETE(r->all, one);
	r->n--;
	r->n_sites -= one->n_sites;
	free(one->sites);
	free(one);
}

/* Whether there is a place for `fresh` once those are gone that it replaces. */
static bool has_room(const struct reports *r, const struct report *own,
	const struct report *same, const struct report *fresh)
{
	size_t n = r->n + 1, n_sites = r->n_sites + fresh->n_sites;

	if (own) {
		n--;
		n_sites -= own->n_sites;
	}
	if (same && same != own) {
		n--;
		n_sites -= same->n_sites;
	}
	return n <= REPORTS_MAX && n_sites <= REPORTS_SITES_MAX;
}

/* Puts it in the place of `place`, or at the end. Takes over its sites. */
static int put(struct reports *r, struct report *place,
	const struct report *fresh, const struct report **ret)
{
	struct report links;

	if (!place) {
		place = calloc(1, sizeof(*place));
		if (!place)
			return -ENOMEM;
		DL_APPEND(r->all, place);
		r->n++;
	}
	links = *place;
	r->n_sites += fresh->n_sites - links.n_sites;
	free(links.sites);
	*place = *fresh;
	place->prev = links.prev;
	place->next = links.next;
	*ret = place;
	return 0;
}

int reports_take(struct reports *r, const void *client,
	const struct report *said, time_t now, const struct report **ret)
{
	struct report *own = find_client(r, client);
	struct report *same = find_same(r, said);
	const struct report *old =
		own && !strcmp(own->site, said->site) ? own : NULL;
	struct report fresh = *said;
	int error;

	error = merge_sites(old, said, &fresh);
	if (error < 0)
		return error;
	fresh.client = client;
	fresh.reported_at = now;
	fresh.since = old && old->state == said->state ? old->since : now;
	if (!has_room(r, own, same, &fresh)) {
		error = -ENOBUFS;
		goto fail;
	}
	error = put(r, own ? own : same, &fresh, ret);
	if (error < 0)
		goto fail;
	if (own && same && same != own)
		forget(r, same);
	return 0;
fail:
	free(fresh.sites);
	return error;
}

void reports_leave(struct reports *r, const void *client)
{
	struct report *one = find_client(r, client);

	if (one)
		forget(r, one);
}
