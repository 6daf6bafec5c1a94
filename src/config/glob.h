/*
 * glob: patterns of shell kind, for names of devices and for targets.
 */
#ifndef CRIER_CONFIG_GLOB_H
#define CRIER_CONFIG_GLOB_H

#include "config/values.h"

bool glob_is_pattern(const char *text); /* has one of * ? [ */

/* Why `text` cannot be a pattern, a phrase such as "is empty"; NULL: it can. */
const char *glob_problem(const char *text);

/* The same for an item of a `device` list: a device's name, a pattern, or
 * either behind a "!". */
const char *device_problem(const char *text);

/* What a list of names, patterns and "!excludes" says of a text. An exclude
 * wins, and then an exact name. */
enum glob_match { GLOB_NONE, GLOB_EXCLUDED, GLOB_PATTERN, GLOB_EXACT };
enum glob_match glob_list_match(
	const struct config_strings *list, const char *text);
bool glob_list_only_excludes(const struct config_strings *list);

#endif
