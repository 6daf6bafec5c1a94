/*
 * methods: what the control socket offers, as a table for rpc.
 */
#ifndef CRIER_CONTROL_METHODS_H
#define CRIER_CONTROL_METHODS_H

#include "control/control.h"
#include "control/reports.h"
#include "control/rpc.h"
#include "control/subscription.h"

/* What a method may look at; the context of methods_rpc. */
struct methods_context {
	const struct control_handles *handles;
	uint64_t now_ms;   /* uv_now() */
	time_t started_at; /* when the daemon started */
	struct relay_limit clients;
	int fd;    /* the client's socket */
	gid_t gid; /* the control group, or (gid_t)-1 */
	/* Where `subscribe` leaves what it made, for the caller to free. */
	struct subscription **subscription;
	struct reports *reports;
	const void *client; /* whose report it would be */
};

extern const struct rpc methods_rpc;
/* For a client that has subscribed: refuses everything. */
extern const struct rpc methods_rpc_subscribed;

/* Private: the handlers that have files of their own. */
/* status.c */
int methods_status(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_interfaces(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_presets(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
/* groups.c */
int methods_groups(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_explain(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
/* flows.c */
int methods_flows(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
/* discovered.c */
int methods_discovered(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
/* announcements.c */
int methods_announcements(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_announce(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_withdraw(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
/* report.c */
int methods_sites(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
json_t *methods_reports(const struct methods_context *m);
/* metrics.c */
int methods_metrics(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
/* sites.c */
int methods_relay(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_answer(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
/* subscribe.c */
int methods_subscribe(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);

/* Whether the client may change the daemon by what `what` names; told to the
 * log then. Fills `error` where it may not, and returns -EINVAL. */
int methods_check_permission(const struct methods_context *m, const char *what,
	struct rpc_error *error);

/* A name as in the configuration: 1 to 63 letters, digits, "_", "." and "-", of
 * which the last two do not begin it. */
bool methods_is_name(const char *text);

/* The word of a kind. Returns 0, or -EINVAL with `error` filled. */
int methods_read_kind(
	const char *word, enum proto_kind *ret, struct rpc_error *error);

/* What the daemon runs by now. */
struct control_running methods_running(const struct methods_context *m);

/* Errors of a configuration, or of a piece of one, as an array. */
json_t *methods_config_errors(const struct config_errors *errors);

/* Fills `error`, with the name that may have been meant. Returns -EINVAL. */
int methods_no_such_group(
	const struct relay *relay, const char *name, struct rpc_error *error);

/* Hands `value` to `*ret`. Returns 0, or -ENOMEM where it is NULL. */
int methods_give(json_t *value, json_t **ret);

#endif
