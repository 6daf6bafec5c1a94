/*
 * methods: what the control socket offers, as a table for rpc.
 */
#ifndef CRIER_CONTROL_METHODS_H
#define CRIER_CONTROL_METHODS_H

#include "control/control.h"
#include "control/rpc.h"
#include "control/subscription.h"

/* What a method may look at; the context of methods_rpc. */
struct methods_context {
	const struct control_handles *handles;
	uint64_t now_ms; /* uv_now() */
	struct relay_limit clients;
	int fd;    /* the client's socket */
	gid_t gid; /* the control group, or (gid_t)-1 */
	/* Where `subscribe` leaves what it made, for the caller to free. */
	struct subscription **subscription;
};

extern const struct rpc methods_rpc;
/* For a client that has subscribed: refuses everything. */
extern const struct rpc methods_rpc_subscribed;

/* Private: the handlers of groups.c, flows.c and subscribe.c. */
int methods_groups(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_explain(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);

int methods_flows(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_subscribe(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);

/* Fills `error`, with the name that may have been meant. Returns -EINVAL. */
int methods_no_such_group(
	const struct relay *relay, const char *name, struct rpc_error *error);

/* Hands `value` to `*ret`. Returns 0, or -ENOMEM where it is NULL. */
int methods_give(json_t *value, json_t **ret);

#endif
