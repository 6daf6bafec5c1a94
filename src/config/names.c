#include "config/read.h"
#include "config/suggest.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 63 };

bool check_name(const struct spot *s)
{
	const char *name = s->key;
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX_LENGTH) {
		spot_key_error(s, "a name of %zu characters, needs 1 to %d",
			length, NAME_MAX_LENGTH);
		return false;
	}
	/* A leading minus would be an option to crierctl. */
	if (!isascii(*name) || (!isalnum(*name) && *name != '_')) {
		spot_key_error(s,
			"a name begins with a letter (A to Z, a to z), a "
			"digit or \"_\"");
		return false;
	}
	for (; *name != '\0'; name++) {
		if (isascii(*name) &&
			(isalnum(*name) || strchr("_.-", *name) != NULL))
			continue;
		spot_key_error(s,
			"a name is made of letters (A to Z, a to z), digits, "
			"\"_\", \".\" and \"-\"");
		return false;
	}
	return true;
}

bool check_names(const struct spot *s, const char *what)
{
	if (!spot_is_map(s))
		return false;
	if (spot_pairs(s) <= NAMES_MAX)
		return true;
	spot_error(s, "%zu %s are too many, at most %d", spot_pairs(s), what,
		NAMES_MAX);
	return false;
}

static void report_unknown(const struct spot *s, const char *what,
	const char *(*name_at)(const struct config *c, size_t i))
{
	char given[QUOTE_TEXT], known[SUGGEST_TEXT];
	struct suggest suggest;
	const char *name;

	if (!spot_is_reporting(s)) {
		spot_error(s, "no such %s", what);
		return;
	}
	suggest_init(&suggest, s->node->text);
	for (size_t i = 0; (name = name_at(s->reader->config, i)) != NULL; i++)
		suggest_offer(&suggest, name);
	spot_error(s, "no %s \"%s\"%s", what, quote(s->node->text, given),
		suggest_text(&suggest, known));
}

bool read_reference(const struct spot *s, const char *what,
	const char *(*name_at)(const struct config *c, size_t i), size_t *ret)
{
	const char *text, *name;
	char want[40];

	(void)snprintf(want, sizeof(want), "the name of a known %s", what);
	text = spot_text(s, want);
	if (text == NULL)
		return false;
	for (size_t i = 0; (name = name_at(s->reader->config, i)) != NULL;
		i++) {
		if (strcmp(name, text) != 0)
			continue;
		*ret = i;
		return true;
	}
	report_unknown(s, what, name_at);
	return false;
}
