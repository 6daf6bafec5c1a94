/*
 * config: one YAML file, read into a checked configuration of plain structs.
 *
 * Life cycle:
 *   1. config_load() reads and checks a file, or config_parse() a buffer;
 *      either gives a configuration or every error of the file.
 *   2. The configuration is constant from then on; who shares it holds a
 *      reference (config_ref(), config_unref()).
 *
 * Whatever the file leaves out is filled in here: presets and defaults. So a
 * reader of these structs never asks "was it given?", except for a TTL, whose
 * precedence is resolved in struct config_use.
 *
 * The folder's one header for others: that of crier-mqtt's own configuration
 * comes with it.
 */
#ifndef CRIER_CONFIG_CONFIG_H
#define CRIER_CONFIG_CONFIG_H

#include "config/sites.h"
#include "config/values.h"

#include <sys/types.h>

/* A TTL: 1 to 255, or one of these. */
enum { CONFIG_TTL_UNSET = 0, CONFIG_TTL_KEEP = -1, CONFIG_TTL_DECREMENT = -2 };

enum config_source {
	CONFIG_SOURCE_OWN,
	CONFIG_SOURCE_OWN_PORT,
	CONFIG_SOURCE_PRESERVE
};
enum config_send { CONFIG_SEND_SOCKET, CONFIG_SEND_FRAME };
enum config_payload {
	CONFIG_PAYLOAD_NONE,
	CONFIG_PAYLOAD_MDNS,
	CONFIG_PAYLOAD_SSDP,
	CONFIG_PAYLOAD_WSD
};
enum config_replies { CONFIG_REPLIES_NONE, CONFIG_REPLIES_PROXY };
/* What a preset's datagrams are, where no decoder can tell. UNKNOWN: by the
 * port they come from. */
enum config_speaks {
	CONFIG_SPEAKS_UNKNOWN,
	CONFIG_SPEAKS_SEARCH,
	CONFIG_SPEAKS_ANNOUNCE,
	CONFIG_SPEAKS_BOTH
};
/* Bits of config_group.strip. */
enum { CONFIG_STRIP_LINK_LOCAL = 1, CONFIG_STRIP_MULTI_HOMED = 2 };

struct config_interface {
	char *name;
	struct config_strings
		device; /* as written: names, globs, "!excludes" */
	int ttl;        /* CONFIG_TTL_UNSET: not given */
	struct net_address *peers;
	size_t n_peers;
	int line;
};

/* Bits of config_use.role. */
enum {
	CONFIG_HEARS = 1,     /* heard there: interfaces, from */
	CONFIG_SENT_TO = 2,   /* sent there: interfaces, to */
	CONFIG_SEARCHERS = 4, /* with both of the above */
	CONFIG_DEVICES = 8,   /* with both of the first two */
};

/* One interface as one group uses it. */
struct config_use {
	size_t interface; /* into config.interfaces */
	unsigned role;
	int ttl; /* resolved: use, group, preset, interface, 1; never
		    CONFIG_TTL_UNSET */
	struct net_address target;        /* unset: the group's own address */
	struct config_filter allow, deny; /* of this use alone */
};

struct config_group {
	char *name;
	char *preset; /* NULL: none */
	struct net_address *addresses;
	size_t n_addresses;
	bool broadcast;
	uint16_t *ports;
	size_t n_ports;
	struct net_address *sources;
	size_t n_sources;
	struct config_use *uses; /* in the order of the interfaces, one for each
				    at most */
	size_t n_uses;
	int ttl; /* the group's or its preset's; CONFIG_TTL_UNSET: neither */
	bool loop;
	enum config_source source;
	enum config_send send;
	enum config_payload payload;
	unsigned strip;
	enum config_replies replies;
	enum config_speaks speaks;
	uint64_t reply_timeout_ms;
	struct config_filter allow, deny;
	uint32_t rate;     /* datagrams a second; 0: off */
	uint64_t dedup_ms; /* 0: off */
	uint64_t hold_ms;
	uint64_t repeat_ms; /* 0: off */
	bool standby;
	char *notes; /* the preset's, or NULL */
	int line;
};

enum config_data_kind { CONFIG_DATA_NONE, CONFIG_DATA_TEXT, CONFIG_DATA_BYTES };

/* A payload of crier's own. Text is filled in for each segment; hex, base64
 * and files are bytes already. */
struct config_data {
	enum config_data_kind kind;
	uint8_t *bytes; /* a text ends with a NUL that `size` leaves out */
	size_t size;
	char *written_as; /* "text", "hex", "base64" or "file", for the dump */
	char *written;    /* what stood behind it */
};

struct config_service {
	char *name, *type, *host; /* host NULL: this host's own name */
	uint16_t port;
	struct config_strings txt; /* "key=value" */
};

struct config_announcement {
	char *name;
	size_t group;                   /* into config.groups */
	struct config_data payload;     /* kind NONE where `service` is set */
	struct config_service *service; /* or NULL */
	uint64_t interval_ms;
	uint32_t burst;
	struct config_data goodbye; /* kind NONE: none */
	int line;
};

struct config_limits {
	uint32_t discovered, flows, clients, remembered;
};

/* A preset as data, for `crierctl presets`. */
struct config_preset {
	char *name;
	char *notes; /* or NULL */
	bool built_in;
	struct config_group group; /* without uses */
};

struct config {
	unsigned references;
	char *path;
	struct {
		char *socket;
		unsigned mode;
		char *group; /* as written; may not exist on this host */
	} control;
	struct config_limits limits;
	uint16_t flow_port_low, flow_port_high; /* 0: the kernel chooses */
	struct config_interface *interfaces;
	size_t n_interfaces;
	struct config_group *groups;
	size_t n_groups;
	struct config_announcement *announcements;
	size_t n_announcements;
	struct config_preset *presets; /* built in and the file's own */
	size_t n_presets;
};

/* The largest payload of a UDP datagram over IPv4. */
enum { CONFIG_MAX_PAYLOAD = 65507 };

/*
 * Reads and checks `path`. On success `*ret` is a new configuration with one
 * reference. On failure `errors` holds every error, in the file's order (a
 * thousand, and then one that says how many more there are), and `*ret` is
 * untouched; config_errors_done() frees them in either case.
 * Returns 0; -EINVAL (see `errors`, also for a file that is missing or cannot
 * be read); -ENOMEM.
 */
int config_load(
	const char *path, struct config **ret, struct config_errors *errors);
/* The same for text in memory; `path` is only its name. */
int config_parse(const char *path, const char *text, size_t size,
	struct config **ret, struct config_errors *errors);

struct config *config_ref(struct config *c);
void config_unref(struct config *c); /* NULL is fine */

/*
 * Writes the effective configuration as YAML that config_load() reads back to
 * an equal one. Returns 0 or -EIO.
 */
int config_dump(const struct config *c, FILE *out);

/*
 * True where group `a` of `ca` and group `b` of `cb` say the same, also of the
 * interfaces that they use: a reload leaves such a group untouched.
 */
bool config_group_equal(const struct config *ca, const struct config_group *a,
	const struct config *cb, const struct config_group *b);

/* True where announcement `a` of `ca` and `b` of `cb` say the same, in groups
 * of the same name. */
bool config_announcement_equal(const struct config *ca,
	const struct config_announcement *a, const struct config *cb,
	const struct config_announcement *b);

/*
 * Reads one announcement that did not stand in the file: `text` is its mapping,
 * in YAML or JSON, with the keys of `announcements` in a file, but without
 * `file:`, since who asks need not have this process's rights. `c` has the
 * groups that it may name.
 * Returns 0 and `*ret` for config_announcement_free(); -EINVAL (see `errors`,
 * as config_load()); -ENOMEM.
 */
int config_parse_announcement(const struct config *c, const char *name,
	const char *text, size_t size, struct config_announcement **ret,
	struct config_errors *errors);
/* Writes one as config_parse_announcement() reads it; `c` has its group.
 * Returns 0 or -EIO. */
int config_dump_announcement(
	const struct config *c, const struct config_announcement *a, FILE *out);
void config_announcement_free(struct config_announcement *a); /* NULL: fine */

/*
 * Looks up a group of users of this host. Returns 0; -ENOENT where there is
 * none of that name; another error where the name service cannot tell.
 */
int config_find_group(const char *name, gid_t *ret);

/*
 * Calls `say` for each remark about what is in use: a preset's notes, ports
 * that must not be relayed, what a firewall, the kernel or other hosts must
 * allow, a control group that does not exist. Not errors. `path` is as in
 * struct config_error.
 */
void config_remarks(const struct config *c,
	void (*say)(void *data, const char *path, const char *text),
	void *data);

/* The configuration's words for values, for the dump and for status. */
const char *config_source_word(enum config_source s);
const char *config_send_word(enum config_send s);
const char *config_payload_word(enum config_payload p);
const char *config_replies_word(enum config_replies r);

/* True if `device` matches the interface: exactly (`*ret_exact` true) or by a
 * glob. An exclude wins over both. */
bool config_interface_matches(
	const struct config_interface *i, const char *device, bool *ret_exact);

/*
 * Which of the names that would be right did somebody mean? Begin with the
 * wrong one, offer each right one, look at `best`. Names must outlive it.
 */
struct config_nearest {
	const char *best; /* NULL: none is near enough for a slip */
	/* Private. */
	const char *wrong;
	size_t distance;
};

void config_nearest_init(struct config_nearest *n, const char *wrong);
void config_nearest_offer(struct config_nearest *n, const char *right);

/* Reads "250ms", "10s", "5m", "1h" into milliseconds. 0 or -EINVAL. */
int config_parse_duration(const char *text, uint64_t *ret_ms);

#endif
