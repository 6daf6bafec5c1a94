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

bool config_interface_matches(
	const struct config_interface *i, const char *device, bool *ret_exact)
{
	bool is_exact = false, is_match = false;

	for (size_t n = 0; n < i->device.n; n++) {
		const char *pattern = i->device.at[n];

		/* Globs are written without escapes. */
		if (*pattern == '!') {
			if (fnmatch(pattern + 1, device, FNM_NOESCAPE) == 0)
				return false;
		} else if (strcmp(pattern, device) == 0) {
			is_exact = true;
		} else if (fnmatch(pattern, device, FNM_NOESCAPE) == 0) {
			is_match = true;
		}
	}
	if (!is_exact && !is_match)
		return false;
	*ret_exact = is_exact;
	return true;
}
