/*
 * Which device belongs to which interface of the configuration.
 */
#include "relay/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

/* Globs pass over loopback, and over ports, where IP hears nothing. */
static bool names(const struct config_interface *i, const struct net_device *d,
	bool *ret_exact)
{
	bool exact;

	if (!config_interface_matches(i, d->name, &exact))
		return false;
	if (!exact && (d->flags & IFF_LOOPBACK || d->is_port))
		return false;
	*ret_exact = exact;
	return true;
}

int claims_owner(const struct config *c, const struct net_device *d)
{
	int owner = -ENOENT;
	size_t i;

	for (i = 0; i < c->n_interfaces; i++) {
		bool exact;

		if (!names(&c->interfaces[i], d, &exact))
			continue;
		if (exact)
			return (int)i;
		if (owner < 0)
			owner = (int)i;
	}
	return owner;
}

static int each_absent(const struct config_interface *i,
	const struct net_devices *devices,
	int (*each)(void *data, const char *name, const struct net_device *d),
	void *data, size_t *n)
{
	size_t k;

	for (k = 0; k < i->device.n; k++) {
		const char *name = i->device.at[k];
		bool exact;
		int err;

		if (name[0] == '!' || is_glob(name) ||
			net_devices_by_name(devices, name) ||
			!config_interface_matches(i, name, &exact))
			continue;
		(*n)++;
		err = each(data, name, NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

int claims_each(const struct config_interface *i,
	const struct net_devices *devices,
	int (*each)(void *data, const char *name, const struct net_device *d),
	void *data)
{
	const struct net_device *d = NULL;
	size_t n = 0;
	int err;

	while ((d = net_devices_next(devices, d))) {
		bool exact;

		if (!names(i, d, &exact))
			continue;
		n++;
		err = each(data, d->name, d);
		if (err < 0)
			return err;
	}
	err = each_absent(i, devices, each, data, &n);
	if (err < 0 || n)
		return err;
	return each(data, "", NULL);
}

const char *claims_words(const struct config *c, int owner,
	const struct net_device *d, char *buffer, size_t size)
{
	(void)snprintf(buffer, size,
		"%s belongs to interface \"%s\": an exact name wins over a "
		"pattern, and the earlier line otherwise",
		d->name, c->interfaces[owner].name);
	return buffer;
}
