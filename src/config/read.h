/*
 * read: the readers of values, and the tables that say which key of a mapping
 * is read by which of them into which member of a struct.
 *
 * A reader reports what is wrong itself, and then leaves the member as it was.
 */
#ifndef CRIER_CONFIG_READ_H
#define CRIER_CONFIG_READ_H

#include "config/config.h"
#include "config/spot.h"

#include <sys/un.h>

/* What a list holds. */
struct list_kind {
	size_t size; /* of an item, in bytes */
	/* Reads one item; false if that is wrong and reported. */
	bool (*read)(const struct spot *s, void *ret);
	bool (*is_same)(const void *a, const void *b); /* NULL: never */
	void (*done)(void *item);                      /* NULL: owns nothing */
	bool may_be_empty;
	const char *want;
};

struct key {
	const char *name;
	void (*read)(const struct spot *s, void *base, const struct key *k);
	size_t offset; /* of the member in `base` */
	/* Only where the reader asks for it: */
	uint64_t low, high;           /* both included */
	const char *const *words;     /* by value, ends with NULL */
	const struct list_kind *list; /* and `count`: offset of its length */
	size_t count;
	const char *example; /* of a right value, for the error */
	const char *missing; /* what it needs; NULL: it may be left out */
};

struct keys {
	const struct key *at;
	size_t n;
};

/* clang-format off */
#define KEYS(table) (const struct keys){ (table), sizeof(table) / sizeof(*(table)) }
#define NO_KEYS (const struct keys){ NULL, 0 }
#define MEMBER(type, member) .offset = offsetof(type, member)
#define LIST(type, member, length, kind) .read = read_list, \
	.list = &(kind), .offset = offsetof(type, member), \
	.count = offsetof(type, length)
#define SOCKET_PATH .example = "/run/crier/control.sock", \
	.high = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1
/* clang-format on */

/*
 * Reads a mapping into `base`, in the order of the tables; reports keys that
 * stand in none of them, and missing ones. False if it is no mapping.
 */
bool read_map(
	const struct spot *s, void *base, struct keys keys, struct keys more);

/* Readers for tables, by the type of the member. */
void read_bool(const struct spot *s, void *base, const struct key *k);
void read_uint32(const struct spot *s, void *base, const struct key *k);
void read_uint16(const struct spot *s, void *base, const struct key *k);
void read_word(
	const struct spot *s, void *base, const struct key *k);       /* enum */
void read_ttl(const struct spot *s, void *base, const struct key *k); /* int */
/* uint64_t milliseconds; 0 for `off`, where `words` is not NULL. */
void read_duration(const struct spot *s, void *base, const struct key *k);
void read_rate(const struct spot *s, void *base, const struct key *k);
/* char *, owned, of `low` to `high` bytes of text. */
void read_string(const struct spot *s, void *base, const struct key *k);
/* The same of an absolute path of at most `high` bytes, such as `example`. */
void read_path(const struct spot *s, void *base, const struct key *k);
void read_list(const struct spot *s, void *base, const struct key *k);
void read_strip(const struct spot *s, void *base, const struct key *k);
void read_filter(const struct spot *s, void *base, const struct key *k);

/* Readers for single values; false if one is wrong and reported. */
bool read_integer(const struct spot *s, uint64_t low, uint64_t high,
	const char *want, uint64_t *ret);
/* "LOW-HIGH", or one number for both. */
bool read_span(const struct spot *s, uint64_t min, uint64_t max,
	const char *want, uint64_t *ret_low, uint64_t *ret_high);
/* True or false; `*ret` stays as it was if it is wrong. */
void read_switch(const struct spot *s, const char *want, bool *ret);
bool read_one_of(const struct spot *s, const char *const *words, unsigned *ret);
bool read_address(
	const struct spot *s, const char *want, struct net_address *ret);
bool read_service_type(const struct spot *s, void *ret); /* char *, owned */

/* Replaces an owned string by a copy of `text`. */
void set_string(const struct spot *s, char **string, const char *text);

/* Milliseconds as config_parse_duration() reads them. Returns `buffer`. */
enum { DURATION_TEXT = 24 };
const char *duration_text(uint64_t ms, char *buffer);

/* How many groups, interfaces, announcements and presets there may be. */
enum { NAMES_MAX = 1024 };
/* True if a mapping may be read as one of named things, called `what`. */
bool check_names(const struct spot *s, const char *what);
/* True if the key of `s` can be the name of one. */
bool check_name(const struct spot *s);
/*
 * Reads the name of one of those that `name_at` gives, up to NULL, called
 * `what`. False if there is none, and reported.
 */
bool read_reference(const struct spot *s, const char *what,
	const char *(*name_at)(const struct config *c, size_t i), size_t *ret);

/* The words of enumerations, by value. */
extern const char *const words_source[],
	*const words_send[], *const words_payload[],
				     *const words_replies[],
					     *const words_speaks[],
						     *const words_strip[],
							     *const words_off[];

/* Reads the presets that are compiled in; `tree` is what they were read from,
 * and must outlive `r`. Returns 0, -EINVAL or -ENOMEM. */
int read_built_in_presets(struct reader *r, struct tree *tree);

/* Whole sections of a document, into a struct config. */
void read_presets(const struct spot *s, void *base, const struct key *k);
void read_interfaces(const struct spot *s, void *base, const struct key *k);
void read_groups(const struct spot *s, void *base, const struct key *k);
void read_announcements(const struct spot *s, void *base, const struct key *k);

#endif
