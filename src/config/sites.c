#include "config/sites.h"
#include "config/document.h"
#include "config/done.h"
#include "config/sites_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SITES(member) MEMBER(struct config_sites, member)
#define FILE_PATH(member, which)                                               \
	.read = read_path, SITES(member), .example = (which),                  \
	.high = PATH_MAX - 1

enum {
	/* So that a topic with it stays far below the 65535 bytes that it may
	 * have. */
	PREFIX_MAX = 128,
	/* What fits into CONNECT (MQTT 5, 1.5.4 and 1.5.6). */
	CREDENTIAL_MAX = UINT16_MAX,
};

static void read_site(const struct spot *s, void *base, const struct key *k)
{
	const char *text = spot_text(s, "a name, such as house-a");
	struct config_sites *c = base;
	char given[QUOTE_TEXT];
	const char *why;

	(void)k;
	if (text == NULL)
		return;
	why = site_problem(text);
	if (why != NULL)
		spot_error(s, "\"%s\" %s", quote(text, given), why);
	else
		set_string(s, &c->site, text);
}

/* A control character, or what Unicode keeps from being one: brokers close the
 * connection of who says it (MQTT 5, 1.5.4). */
static bool is_refused(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

static bool has_refused(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text), size;
	uint32_t c = 0;

	for (; left > 0; at += size, left -= size) {
		size = encoding_decode(at, left, &c);
		if (size == 0 || is_refused(c))
			return true;
	}
	return false;
}

/* Why `text` cannot begin a topic, a phrase; NULL: it can. */
static const char *prefix_problem(const char *text)
{
	size_t length = strlen(text);

	if (length == 0)
		return "is empty";
	if (length > PREFIX_MAX)
		return "is longer than 128 bytes";
	if (strpbrk(text, "+#") != NULL)
		return "has a \"+\" or \"#\", which no topic has";
	if (text[0] == '$')
		return "begins with \"$\", which is for brokers themselves";
	if (text[0] == '/' || text[length - 1] == '/' ||
		strstr(text, "//") != NULL)
		return "has an empty level: a slash at an end, or two in a row";
	return NULL;
}

static void read_prefix(const struct spot *s, void *base, const struct key *k)
{
	const char *text = spot_text(s, "levels of a topic, such as crier");
	struct config_sites *c = base;
	char given[QUOTE_TEXT];
	const char *why;

	(void)k;
	if (text == NULL)
		return;
	why = prefix_problem(text);
	if (why == NULL && has_refused(text))
		why = "has a control character, which no topic has";
	if (why != NULL)
		spot_error(s, "\"%s\" %s", quote(text, given), why);
	else
		set_string(s, &c->prefix, text);
}

static void read_user(const struct spot *s, void *base, const struct key *k)
{
	if (s->node->kind == NODE_SCALAR && has_refused(s->node->text))
		spot_error(s, "a control character cannot stand here");
	else
		read_string(s, base, k);
}

static const struct key tls_keys[] = {
	{ .name = "ca",
		FILE_PATH(tls.ca, "/etc/ssl/certs/ca-certificates.crt") },
	{ .name = "certificate",
		FILE_PATH(tls.certificate, "/etc/crier/house-a.crt") },
	{ .name = "key", FILE_PATH(tls.key, "/etc/crier/house-a.key") },
	{ .name = "verify", .read = read_bool, SITES(tls.verify) },
};

static const struct key control_keys[] = {
	{ .name = "socket", .read = read_path, SITES(socket), SOCKET_PATH },
};

static const struct key limit_keys[] = {
	{ .name = "known",
		.read = read_uint32,
		SITES(limits.known),
		.low = 1,
		.high = 16777216 },
	{ .name = "own",
		.read = read_uint32,
		SITES(limits.own),
		.low = 1,
		.high = 16777216 },
	{ .name = "searches",
		.read = read_uint32,
		SITES(limits.searches),
		.low = 1,
		.high = 65535 },
};

static void read_tls(const struct spot *s, void *base, const struct key *k)
{
	(void)k;
	if (!read_map(s, base, KEYS(tls_keys), NO_KEYS))
		return;
	if (spot_has(s, "certificate") && !spot_has(s, "key"))
		spot_missing(s, "key", "the file of the certificate's key");
	if (spot_has(s, "key") && !spot_has(s, "certificate"))
		spot_missing(s, "certificate", "the file that the key is for");
}

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

/* Reports a password of any kind that nobody says, or that is there twice. */
static void read_secret(const struct spot *s, void *base, const struct key *k)
{
	bool is_file = strcmp(k->name, "password-file") == 0;

	if (is_file)
		read_path(s, base, k);
	else
		read_string(s, base, k);
	if (is_file && spot_has(s->up, "password"))
		spot_key_error(s, "does not go with password, needs one of "
				  "the two");
	if (!spot_has(s->up, "user"))
		spot_key_error(s, "needs a user as well");
}

/* In the order in which they need each other. */
static const struct key root_keys[] = {
	{ .name = "site",
		.read = read_site,
		.missing = "a name for this site, such as house-a" },
	{ .name = "brokers",
		LIST(struct config_sites, brokers, n_brokers, list_brokers),
		.missing = "a broker, such as mqtts://broker.example" },
	{ .name = "prefix", .read = read_prefix },
	{ .name = "user",
		.read = read_user,
		SITES(user),
		.low = 1,
		.high = CREDENTIAL_MAX },
	{ .name = "password",
		.read = read_secret,
		SITES(password),
		.low = 1,
		.high = CREDENTIAL_MAX },
	{ .name = "password-file",
		.read = read_secret,
		SITES(password_file),
		.example = "/etc/crier/crier-mqtt.password",
		.high = PATH_MAX - 1 },
	{ .name = "tls", .read = read_tls },
	{ .name = "plain-text",
		LIST(struct config_sites, plain_text.at, plain_text.n,
			list_hosts) },
	{ .name = "hub", .read = read_bool, SITES(hub) },
	{ .name = "control", .read = read_control },
	{ .name = "limits", .read = read_limits },
	{ .name = "groups",
		.read = read_site_groups,
		.missing = "at least one group" },
};

static void read_everything(const struct spot *s, void *base)
{
	(void)read_map(s, base, KEYS(root_keys), NO_KEYS);
	brokers_check(s, base);
}

static struct config_sites *sites_new(const char *path)
{
	struct config_sites *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->tls.verify = true;
	c->limits.known = 65536;
	c->limits.own = 16384;
	c->limits.searches = 1024;
	c->path = strdup(path);
	c->prefix = strdup("crier");
	c->socket = strdup("/run/crier/control.sock");
	if (c->path != NULL && c->prefix != NULL && c->socket != NULL)
		return c;
	config_sites_free(c);
	return NULL;
}

int config_sites_parse(const char *path, const char *text, size_t size,
	struct config_sites **ret, struct config_errors *errors)
{
	struct reader reader = { .path = path };
	struct config_sites *c = sites_new(path);
	int r;

	*errors = (struct config_errors){ 0 };
	reader.report.errors = errors;
	if (c == NULL)
		return -ENOMEM;
	r = document_read(&reader, text, size, read_everything, c,
		"site, brokers and groups");
	if (r < 0)
		config_sites_free(c);
	else
		*ret = c;
	return r;
}

int config_sites_load(const char *path, struct config_sites **ret,
	struct config_errors *errors)
{
	char *text;
	size_t size;
	int r;

	r = document_load(path, &text, &size, errors);
	if (r < 0)
		return r;
	r = config_sites_parse(path, text, size, ret, errors);
	free(text);
	return r;
}
