#include "config/config.h"

#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool is_same_strings(
	const struct config_strings *a, const struct config_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->at[i], b->at[i]) != 0)
			return false;
	}
	return true;
}

static bool is_same_addresses(const struct net_address *a, size_t n_a,
	const struct net_address *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		if (!net_address_equal(&a[i], &b[i]))
			return false;
	}
	return true;
}

static bool is_same_filter(
	const struct config_filter *a, const struct config_filter *b)
{
	if (a->n_sources != b->n_sources || a->n_sizes != b->n_sizes)
		return false;
	for (size_t i = 0; i < a->n_sources; i++) {
		if (a->sources[i].length != b->sources[i].length ||
			!net_address_equal(
				&a->sources[i].address, &b->sources[i].address))
			return false;
	}
	for (size_t i = 0; i < a->n_sizes; i++) {
		if (a->sizes[i].low != b->sizes[i].low ||
			a->sizes[i].high != b->sizes[i].high)
			return false;
	}
	return is_same_strings(&a->services, &b->services) &&
	       is_same_strings(&a->targets, &b->targets);
}

/* Not the TTL, which counts as far as a use takes it over. */
static bool is_same_interface(
	const struct config_interface *a, const struct config_interface *b)
{
	return strcmp(a->name, b->name) == 0 &&
	       is_same_strings(&a->device, &b->device) &&
	       is_same_addresses(a->peers, a->n_peers, b->peers, b->n_peers);
}

static bool is_same_target(
	const struct net_address *a, const struct net_address *b)
{
	if (!net_address_is_set(a) || !net_address_is_set(b))
		return net_address_is_set(a) == net_address_is_set(b);
	return net_address_equal(a, b);
}

static bool is_same_use(const struct config *ca, const struct config_use *a,
	const struct config *cb, const struct config_use *b)
{
	return is_same_interface(&ca->interfaces[a->interface],
		       &cb->interfaces[b->interface]) &&
	       a->role == b->role && a->ttl == b->ttl &&
	       is_same_target(&a->target, &b->target) &&
	       is_same_filter(&a->allow, &b->allow) &&
	       is_same_filter(&a->deny, &b->deny);
}

/* In any order: uses stand in that of the interfaces, which may have been
 * moved about in the file. */
static bool is_same_uses(const struct config *ca, const struct config_group *a,
	const struct config *cb, const struct config_group *b)
{
	if (a->n_uses != b->n_uses)
		return false;
	for (size_t i = 0; i < a->n_uses; i++) {
		size_t j = 0;

		while (j < b->n_uses &&
			!is_same_use(ca, &a->uses[i], cb, &b->uses[j]))
			j++;
		if (j == b->n_uses)
			return false;
	}
	return true;
}

static bool is_same_ports(
	const struct config_group *a, const struct config_group *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++) {
		if (a->ports[i] != b->ports[i])
			return false;
	}
	return true;
}

/* The members that are no lists. */
static bool is_same_manner(
	const struct config_group *a, const struct config_group *b)
{
	return a->broadcast == b->broadcast && a->ttl == b->ttl &&
	       a->loop == b->loop && a->source == b->source &&
	       a->send == b->send && a->payload == b->payload &&
	       a->strip == b->strip && a->replies == b->replies &&
	       a->speaks == b->speaks &&
	       a->reply_timeout_ms == b->reply_timeout_ms &&
	       a->rate == b->rate && a->dedup_ms == b->dedup_ms &&
	       a->hold_ms == b->hold_ms && a->repeat_ms == b->repeat_ms &&
	       a->standby == b->standby;
}

bool config_group_equal(const struct config *ca, const struct config_group *a,
	const struct config *cb, const struct config_group *b)
{
	return is_same_text(a->name, b->name) &&
	       is_same_text(a->preset, b->preset) && is_same_manner(a, b) &&
	       is_same_addresses(a->addresses, a->n_addresses, b->addresses,
		       b->n_addresses) &&
	       is_same_ports(a, b) &&
	       is_same_addresses(
		       a->sources, a->n_sources, b->sources, b->n_sources) &&
	       is_same_filter(&a->allow, &b->allow) &&
	       is_same_filter(&a->deny, &b->deny) &&
	       is_same_text(a->notes, b->notes) && is_same_uses(ca, a, cb, b);
}

/* As far as it is sent: a file may say what hex said before. */
static bool is_same_data(
	const struct config_data *a, const struct config_data *b)
{
	if (a->kind != b->kind || a->size != b->size)
		return false;
	return a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0;
}

static bool is_same_service(
	const struct config_service *a, const struct config_service *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return is_same_text(a->name, b->name) &&
	       is_same_text(a->type, b->type) &&
	       is_same_text(a->host, b->host) && a->port == b->port &&
	       is_same_strings(&a->txt, &b->txt);
}

bool config_announcement_equal(const struct config *ca,
	const struct config_announcement *a, const struct config *cb,
	const struct config_announcement *b)
{
	return is_same_text(a->name, b->name) &&
	       is_same_text(
		       ca->groups[a->group].name, cb->groups[b->group].name) &&
	       is_same_data(&a->payload, &b->payload) &&
	       is_same_service(a->service, b->service) &&
	       a->interval_ms == b->interval_ms && a->burst == b->burst &&
	       is_same_data(&a->goodbye, &b->goodbye);
}
