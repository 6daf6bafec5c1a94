/*
 * sites: the configuration of crier-mqtt, read by the parser of crierd's own.
 *
 * Life cycle: config_sites_load() or config_sites_parse(), then
 * config_sites_free(). Everything that the file leaves out is filled in.
 */
#ifndef CRIER_CONFIG_SITES_H
#define CRIER_CONFIG_SITES_H

#include "config/values.h"

/* The longest name of a site. It is made of letters, digits, "_" and "-". */
enum { CONFIG_SITE_NAME = 63 };

/* mqtts://HOST[:8883] or mqtt://HOST[:1883]; an IPv6 address in brackets. */
struct config_broker {
	char *url;  /* as written */
	char *host; /* without brackets */
	uint16_t port;
	bool tls;
};

/* What crosses the broker of one group of crierd's. */
struct config_site_group {
	char *name;
	bool publishes; /* what is announced here */
	struct config_filter publish_allow, publish_deny;
	bool takes; /* what other sites announce */
	struct config_filter take_allow, take_deny;
	struct config_strings from; /* names of sites, globs, "!excludes" */
	uint32_t rate; /* datagrams a second, from each site; 0: off */
	bool searches; /* cross, too, in the directions that are open */
	int line;
};

struct config_sites {
	char *path;
	char *site;
	char *prefix; /* of all topics: levels, without a slash at the ends */
	bool hub;     /* publishes what came from elsewhere, too */
	char *socket; /* of crierd */
	struct config_broker *brokers; /* tried one after the other */
	size_t n_brokers;
	struct {
		char *ca; /* a file, or a directory of hashed ones; NULL: the
			     system's */
		char *certificate, *key; /* files, or NULL: none */
		bool verify;
	} tls;
	struct config_strings plain_text; /* hosts that may go without TLS,
					     besides loopback */
	char *user, *password;            /* or NULL */
	char *password_file;              /* read at each connect; or NULL */
	struct {
		uint32_t known;    /* announcements of others */
		uint32_t own;      /* announcements of this site */
		uint32_t searches; /* that wait for answers */
	} limits;
	struct config_site_group *groups;
	size_t n_groups;
};

/* As config_load() and config_parse() of crierd's own file. */
int config_sites_load(const char *path, struct config_sites **ret,
	struct config_errors *errors);
int config_sites_parse(const char *path, const char *text, size_t size,
	struct config_sites **ret, struct config_errors *errors);
void config_sites_free(struct config_sites *s); /* NULL is fine */

/* Writes it as YAML that config_sites_load() reads back to an equal one, but
 * for a password, which only a comment tells of. Returns 0 or -EIO. */
int config_sites_dump(const struct config_sites *s, FILE *out);

/* True where `site` is one of those that `from` names. */
bool config_site_matches(const struct config_strings *from, const char *site);

#endif
