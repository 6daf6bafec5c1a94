#include "mqtt/topic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* True where all of the `size` bytes at `text` are of one of the two sets. */
static bool is_made_of(const char *text, size_t size, const char *more)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\0' ||
			(strchr(letters, text[i]) == NULL &&
				strchr(digits, text[i]) == NULL &&
				strchr(more, text[i]) == NULL))
			return false;
	return size > 0;
}

bool topic_is_site(const char *text)
{
	size_t size = strlen(text);

	return size <= CONFIG_SITE_NAME && is_made_of(text, size, "_-");
}

/* Moves the level that `*text` begins with into `ret` of `room` bytes; false
 * if it does not fit, or is not made of letters, digits and `more`. */
static bool level(const char **text, char *ret, size_t room, const char *more)
{
	size_t size = strcspn(*text, "/");

	if (size >= room || !is_made_of(*text, size, more))
		return false;
	memcpy(ret, *text, size);
	ret[size] = '\0';
	*text += size;
	*text += **text == '/';
	return true;
}

/* Takes `word` away from the beginning; false if it is not there. */
static bool begins(const char **text, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(*text, word, size) != 0)
		return false;
	*text += size;
	return true;
}

/* What stands behind SITE/GROUP. */
static bool parse_kind(const char *text, struct topic *t)
{
	if (strcmp(text, "datagram") == 0) {
		t->kind = TOPIC_DATAGRAM;
		return true;
	}
	if (strcmp(text, "search") == 0) {
		t->kind = TOPIC_SEARCH;
		return true;
	}
	if (begins(&text, "announce/")) {
		t->kind = TOPIC_ANNOUNCE;
		return strchr(text, '/') == NULL &&
		       level(&text, t->last, sizeof(t->last), "-._~%");
	}
	t->kind = TOPIC_ANSWER;
	return begins(&text, "answer/") && strchr(text, '/') == NULL &&
	       level(&text, t->last, CONFIG_SITE_NAME + 1, "_-");
}

int topic_parse(const char *prefix, const char *text, struct topic *ret)
{
	struct topic t = { .kind = TOPIC_ONLINE };
	/* Levels that are empty at the end are no levels at all. */
	size_t size = strlen(text);

	if (size == 0 || text[size - 1] == '/')
		return -EBADMSG;
	if (!begins(&text, prefix) || !begins(&text, "/1/") ||
		!level(&text, t.site, sizeof(t.site), "_-"))
		return -EBADMSG;
	if (strcmp(text, "online") != 0 &&
		(!level(&text, t.group, sizeof(t.group), "_.-") ||
			!parse_kind(text, &t)))
		return -EBADMSG;
	*ret = t;
	return 0;
}

const char *topic_format(
	const char *prefix, const struct topic *t, char *buffer)
{
	static const char *const words[] = {
		[TOPIC_ANNOUNCE] = "announce/",
		[TOPIC_DATAGRAM] = "datagram",
		[TOPIC_SEARCH] = "search",
		[TOPIC_ANSWER] = "answer/",
	};

	if (t->kind == TOPIC_ONLINE)
		(void)snprintf(
			buffer, TOPIC_TEXT, "%s/1/%s/online", prefix, t->site);
	else
		(void)snprintf(buffer, TOPIC_TEXT, "%s/1/%s/%s/%s%s", prefix,
			t->site, t->group, words[t->kind], t->last);
	return buffer;
}

uint64_t topic_digest(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
	return digest;
}

void topic_key(const char *identity, const char *suffix, char *key)
{
	enum { DIGEST = sizeof("~0123456789abcdef") - 1 };
	size_t room = TOPIC_KEY - strlen(suffix), used = 0, whole = 0;
	const char *at = identity;

	for (; *at != '\0' && used + 3 <= room; at++) {
		if (is_made_of(at, 1, "-._"))
			key[used++] = *at;
		else
			used += (size_t)sprintf(key + used, "%%%02X",
				(unsigned)(unsigned char)*at);
		if (used <= room - DIGEST)
			whole = used;
	}
	/* Nothing at all has a key, too. */
	if (*at != '\0' || used == 0)
		used = whole +
		       (size_t)snprintf(key + whole, DIGEST + 1, "~%016" PRIx64,
			       topic_digest(identity, strlen(identity)));
	(void)stpcpy(key + used, suffix);
}
