/*
 * show: the results of the daemon's methods, written for people.
 *
 * A result that lacks something, as from a daemon of another version, shows
 * less; it is never an error.
 */
#ifndef CRIER_CONTROL_SHOW_H
#define CRIER_CONTROL_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Each returns 0, or -ENOMEM. */
typedef int (*show_result)(const json_t *result, FILE *out, bool coloured);

int show_status(const json_t *result, FILE *out, bool coloured);
int show_interfaces(const json_t *result, FILE *out, bool coloured);
int show_groups(const json_t *result, FILE *out, bool coloured);
int show_flows(const json_t *result, FILE *out, bool coloured);
int show_explain(const json_t *result, FILE *out, bool coloured);
int show_presets(const json_t *result, FILE *out, bool coloured);
int show_discovered(const json_t *result, FILE *out, bool coloured);
int show_announcements(const json_t *result, FILE *out, bool coloured);
int show_metrics(const json_t *result, FILE *out, bool coloured);
int show_announce(const json_t *result, FILE *out, bool coloured);
int show_withdraw(const json_t *result, FILE *out, bool coloured);
int show_reload(const json_t *result, FILE *out, bool coloured);
int show_standby(const json_t *result, FILE *out, bool coloured);
int show_log_level(const json_t *result, FILE *out, bool coloured);

/* Private: the member `sites` of a status; nothing where it is empty. */
int show_sites(const json_t *reports, FILE *out, bool coloured);
/* Private: prints a line, and takes over its text, which may be NULL for no
 * memory. */
int show_line(FILE *out, char *text);
/* The same: "2 d 3 h". NULL: no memory. */
char *show_duration(json_int_t seconds);

#endif
