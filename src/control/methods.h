/*
 * methods: what the control socket offers, as a table for rpc.
 */
#ifndef CRIER_CONTROL_METHODS_H
#define CRIER_CONTROL_METHODS_H

#include "control/control.h"
#include "control/rpc.h"

/* What a method may look at; the context of methods_rpc. */
struct methods_context {
	const struct control_handles *handles;
	uint64_t now_ms; /* uv_now() */
	struct relay_limit clients;
	int fd;    /* the client's socket */
	gid_t gid; /* the control group, or (gid_t)-1 */
};

extern const struct rpc methods_rpc;

/* Private: the handlers of groups.c. */
int methods_groups(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);
int methods_explain(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);

/* Hands `value` to `*ret`. Returns 0, or -ENOMEM where it is NULL. */
int methods_give(json_t *value, json_t **ret);

#endif
