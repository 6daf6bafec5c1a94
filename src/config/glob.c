#include "config/glob.h"
#include "config/config.h"

#include <fnmatch.h>
#include <string.h>

/* A pattern needs no more than a few names' length. */
enum { PATTERN_MAX = 255 };

bool glob_is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/*
 * The character behind the "]" of the bracket that begins at `text`, or NULL
 * where it has none. A "]" in the first place stands for itself.
 */
static const char *skip_bracket(const char *text)
{
	text++;
	if (*text == '!' || *text == '^')
		text++;
	if (*text == ']')
		text++;
	text = strchr(text, ']');
	return text == NULL ? NULL : text + 1;
}

const char *glob_problem(const char *text)
{
	if (*text == '\0')
		return "is empty";
	if (strlen(text) > PATTERN_MAX)
		return "is longer than 255 characters";
	while ((text = strchr(text, '[')) != NULL) {
		text = skip_bracket(text);
		if (text == NULL)
			return "has a bracket that is not closed";
	}
	return NULL;
}

/* As the kernel's dev_valid_name(). */
static const char *name_problem(const char *text)
{
	if (*text == '\0')
		return "names no device";
	if (strlen(text) >= IFNAMSIZ)
		return "is too long for a device, at most 15 characters";
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return "cannot be the name of a device";
	if (strpbrk(text, "/: \t\n\v\f\r") != NULL)
		return "has a character that no device's name has";
	return NULL;
}

const char *device_problem(const char *text)
{
	if (*text == '!')
		text++;
	return glob_is_pattern(text) ? glob_problem(text) : name_problem(text);
}

enum glob_match glob_list_match(
	const struct config_strings *list, const char *text)
{
	enum glob_match match = GLOB_NONE;

	for (size_t n = 0; n < list->n; n++) {
		const char *pattern = list->at[n];

		/* Globs are written without escapes. */
		if (*pattern == '!') {
			if (fnmatch(pattern + 1, text, FNM_NOESCAPE) == 0)
				return GLOB_EXCLUDED;
		} else if (strcmp(pattern, text) == 0) {
			match = GLOB_EXACT;
		} else if (match == GLOB_NONE &&
			   fnmatch(pattern, text, FNM_NOESCAPE) == 0) {
			match = GLOB_PATTERN;
		}
	}
	return match;
}

bool glob_list_only_excludes(const struct config_strings *list)
{
	for (size_t n = 0; n < list->n; n++) {
		if (list->at[n][0] != '!')
			return false;
	}
	return list->n > 0;
}

bool config_interface_matches(
	const struct config_interface *i, const char *device, bool *ret_exact)
{
	enum glob_match match = glob_list_match(&i->device, device);

	if (match != GLOB_EXACT && match != GLOB_PATTERN)
		return false;
	*ret_exact = match == GLOB_EXACT;
	return true;
}

bool config_site_matches(const struct config_strings *from, const char *site)
{
	enum glob_match match = glob_list_match(from, site);

	if (match == GLOB_NONE)
		return glob_list_only_excludes(from);
	return match != GLOB_EXCLUDED;
}
