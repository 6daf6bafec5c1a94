#include "proto/mdns_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* What becomes of one question or record. BROKEN: it is left out, but that is
 * no reason to write a message anew. */
enum fate { KEPT, CHANGED, FILTERED, STRIPPED, BROKEN };

struct edit {
	const struct mdns_rules *rules;
	const uint8_t *message;
	size_t size;
	bool is_query;
	struct mdns_hosts hosts;
	/* What there was, and what is left of it. */
	unsigned questions, questions_kept, records_kept;
	bool is_filtered, is_changed, has_service;
};

static bool is_listed(const struct proto_list *l, const char *service)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcasecmp(l->at[i], service) == 0)
			return true;
	}
	return false;
}

bool mdns_service_passes(const struct proto_filter *filters, size_t n_filters,
	const char *service)
{
	for (size_t i = 0; i < n_filters; i++) {
		const struct proto_filter *f = &filters[i];

		if (is_listed(&f->deny, service))
			return false;
		if (f->allow.n > 0 && !is_listed(&f->allow, service))
			return false;
	}
	return true;
}

static bool is_record(const struct mdns_item *i, enum mdns_type type)
{
	return i->section != MDNS_QUESTION && i->type == type;
}

static bool is_address(const struct mdns_item *i)
{
	return is_record(i, MDNS_A) || is_record(i, MDNS_AAAA);
}

static bool is_link_local(const struct mdns_item *i)
{
	const uint8_t *a = i->head.at;

	if (i->type == MDNS_A)
		return a[0] == 169 && a[1] == 254;
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

static bool is_stripped_host(
	const struct mdns_rules *rules, const struct mdns_name *name)
{
	return rules->strip_host != NULL &&
	       rules->strip_host(rules->data, name);
}

static bool is_stripped(
	const struct mdns_rules *rules, const struct mdns_item *i)
{
	if (!is_address(i))
		return false;
	return (rules->strip_link_local && is_link_local(i)) ||
	       is_stripped_host(rules, &i->name);
}

/* ret_has_service: whether the filters have a word about it. */
static bool is_filtered(const struct mdns_rules *rules,
	const struct mdns_item *i, bool *ret_has_service)
{
	char service[MDNS_SERVICE_TEXT];

	*ret_has_service =
		rules->n_filters > 0 && mdns_item_service(i, service);
	return *ret_has_service &&
	       !mdns_service_passes(rules->filters, rules->n_filters, service);
}

/* Notes what is stripped of the name of a record, and what is not. */
static void note_host(struct edit *e, const struct mdns_item *i)
{
	bool goes = is_stripped(e->rules, i), has_service;
	unsigned bits = 0;

	if (is_record(i, MDNS_A))
		bits |= goes ? MDNS_LOST_A : MDNS_KEPT_A;
	if (is_record(i, MDNS_AAAA))
		bits |= goes ? MDNS_LOST_AAAA : MDNS_KEPT_AAAA;
	if (e->is_query && i->section == MDNS_AUTHORITY)
		bits |= goes ? MDNS_LOST_PROPOSAL : MDNS_KEPT_PROPOSAL;
	if (bits != 0 && !is_filtered(e->rules, i, &has_service))
		mdns_hosts_note(&e->hosts, &i->name, bits);
}

static enum fate judge_question(const struct edit *e, struct mdns_item *i)
{
	unsigned bits = mdns_hosts_bits(&e->hosts, &i->name);

	if ((bits & MDNS_LOST_PROPOSAL) != 0 &&
		(bits & MDNS_KEPT_PROPOSAL) == 0)
		return STRIPPED;
	if (!e->rules->clear_qu || !e->is_query || !i->top)
		return KEPT;
	i->top = false;
	return CHANGED;
}

static bool is_lost(unsigned bits, unsigned lost, unsigned kept)
{
	return (bits & lost) != 0 && (bits & kept) == 0;
}

/* bitmap: holds the record's new one, where it is CHANGED. */
static enum fate judge_nsec(
	const struct edit *e, struct mdns_item *i, uint8_t bitmap[MDNS_BITMAP])
{
	unsigned bits = mdns_hosts_bits(&e->hosts, &i->name);
	bool no_a = is_lost(bits, MDNS_LOST_A, MDNS_KEPT_A);
	bool no_aaaa = is_lost(bits, MDNS_LOST_AAAA, MDNS_KEPT_AAAA);

	if (is_stripped_host(e->rules, &i->name))
		return STRIPPED;
	if (e->hosts.is_full &&
		(e->hosts.bits & (MDNS_LOST_A | MDNS_LOST_AAAA)) != 0)
		return STRIPPED;
	if (!no_a && !no_aaaa)
		return KEPT;
	if (!mdns_bitmap_is_right(&i->tail))
		return STRIPPED;
	memcpy(bitmap, i->tail.at, i->tail.size);
	if (no_a)
		mdns_bitmap_clear(bitmap, MDNS_A);
	if (no_aaaa)
		mdns_bitmap_clear(bitmap, MDNS_AAAA);
	if (bitmap[1] == 0)
		return STRIPPED;
	i->tail.at = bitmap;
	i->tail.size = MDNS_BITMAP_HEAD + (size_t)bitmap[1];
	return CHANGED;
}

static enum fate judge(const struct edit *e, struct mdns_item *i,
	uint8_t bitmap[MDNS_BITMAP], bool *ret_has_service)
{
	if (is_filtered(e->rules, i, ret_has_service))
		return FILTERED;
	if (is_stripped(e->rules, i))
		return STRIPPED;
	if (i->section == MDNS_QUESTION)
		return judge_question(e, i);
	if (!mdns_record_is_right(i))
		return BROKEN;
	if (is_record(i, MDNS_NSEC))
		return judge_nsec(e, i, bitmap);
	return KEPT;
}

static void count(struct edit *e, const struct mdns_item *i, enum fate fate,
	bool has_service)
{
	bool is_question = i->section == MDNS_QUESTION;

	e->questions += is_question;
	e->is_changed |= fate != KEPT && fate != BROKEN;
	e->is_filtered |= fate == FILTERED;
	if (fate != KEPT && fate != CHANGED)
		return;
	e->questions_kept += is_question;
	e->records_kept += !is_question && i->type != MDNS_OPT;
	if (e->rules->n_filters == 0 || e->has_service)
		return;
	/* A question for all types speaks of services, and of no hosts. */
	e->has_service = has_service ||
			 (is_question && mdns_name_is_enumeration(&i->name));
}

static enum mdns_edited outcome(const struct edit *e)
{
	bool had_questions = e->is_query && e->questions > 0;

	if (!e->is_changed)
		return MDNS_UNCHANGED;
	if (e->is_filtered && !e->has_service)
		return MDNS_DROPPED;
	if (had_questions ? e->questions_kept == 0 : e->records_kept == 0)
		return MDNS_DROPPED;
	return MDNS_EDITED;
}

/* Reads the message, for note_host() or for count(). Returns 0 or -EBADMSG. */
static int survey(struct edit *e, bool is_note)
{
	uint8_t bitmap[MDNS_BITMAP];
	struct mdns_reader r;
	struct mdns_item i;
	bool has_service;
	enum fate fate;
	int error;

	error = mdns_open(&r, e->message, e->size);
	if (error < 0)
		return error;
	e->is_query = (r.flags & MDNS_RESPONSE) == 0;
	while ((error = mdns_next(&r, &i)) > 0) {
		if (is_note) {
			note_host(e, &i);
			continue;
		}
		fate = judge(e, &i, bitmap, &has_service);
		count(e, &i, fate, has_service);
	}
	return error;
}

/* Writes what is left. Returns 0; -EBADMSG; -ENOBUFS. */
static int rewrite(
	const struct edit *e, uint8_t *out, size_t out_size, size_t *ret_size)
{
	uint8_t bitmap[MDNS_BITMAP];
	struct mdns_writer w;
	struct mdns_reader r;
	struct mdns_item i;
	bool has_service;
	int error;

	error = mdns_open(&r, e->message, e->size);
	if (error < 0)
		return error;
	error = mdns_begin(&w, out, out_size, r.id, r.flags);
	while (error == 0 && (error = mdns_next(&r, &i)) > 0) {
		enum fate fate = judge(e, &i, bitmap, &has_service);

		error = 0;
		if (fate == KEPT || fate == CHANGED)
			error = mdns_put(&w, &i);
	}
	if (error == 0)
		*ret_size = w.used;
	return error;
}

int mdns_edit(const struct mdns_rules *rules, const uint8_t *message,
	size_t size, uint8_t *out, size_t out_size, size_t *ret_size)
{
	struct edit e = { .rules = rules, .message = message, .size = size };
	enum mdns_edited edited;
	int error = 0;

	if (rules->strip_link_local || rules->strip_host != NULL)
		error = survey(&e, true);
	if (error == 0)
		error = survey(&e, false);
	if (error < 0)
		return error;
	edited = outcome(&e);
	if (edited == MDNS_EDITED)
		error = rewrite(&e, out, out_size, ret_size);
	return error < 0 ? error : (int)edited;
}
