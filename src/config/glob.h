/*
 * glob: patterns of shell kind, for names of devices and for targets.
 */
#ifndef CRIER_CONFIG_GLOB_H
#define CRIER_CONFIG_GLOB_H

#include <stdbool.h>

bool glob_is_pattern(const char *text); /* has one of * ? [ */

/* Why `text` cannot be a pattern, a phrase such as "is empty"; NULL: it can. */
const char *glob_problem(const char *text);

/* The same for an item of a `device` list: a device's name, a pattern, or
 * either behind a "!". */
const char *device_problem(const char *text);

#endif
