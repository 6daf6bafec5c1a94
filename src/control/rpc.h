/*
 * rpc: JSON-RPC 2.0 between one line of text and the next.
 *
 * Pure: a line in, a line (or nothing) out. What the methods do is the
 * caller's table. Stricter than the specification where that protects: no
 * batches, no parameters by position, no duplicate keys, no NUL in a string.
 */
#ifndef CRIER_CONTROL_RPC_H
#define CRIER_CONTROL_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Errors of JSON-RPC, and below them crier's own. */
enum {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_UNKNOWN_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_NOT_FOUND = -32001,
	RPC_NOT_PERMITTED = -32002,
	RPC_INVALID_CONFIG = -32003,
	RPC_BOUND = -32004,
	RPC_EXISTS = -32005,
};

/* Why a method refuses. */
struct rpc_error {
	int code; /* 0: no more is known than the errno */
	char message[256];
	json_t *data; /* goes to whoever reads the error; or NULL */
};

/* Fills `e`. Returns -EINVAL, so that a handler can end with it. */
__attribute__((format(printf, 3, 4))) int rpc_fail(
	struct rpc_error *e, int code, const char *format, ...);

enum rpc_type {
	RPC_STRING,
	RPC_INTEGER,
	RPC_BOOLEAN,
	RPC_STRINGS,
	RPC_OBJECT,
	RPC_OBJECTS,
	RPC_STRING_OR_NULL,
	RPC_DURATION, /* seconds, or a text as in the configuration */
};

struct rpc_param {
	const char *name;
	enum rpc_type type;
	bool required;
	json_int_t low, high; /* of a whole number, both included */
};

/*
 * Does what a method does. `params` is an object that fits the method's
 * parameters, or NULL. Hands a new reference to `*ret`.
 * Returns 0; or -errno with `*ret` untouched, and `error` filled where there
 * is more to say.
 */
typedef int (*rpc_handler)(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error);

struct rpc_method {
	const char *name;
	rpc_handler run;
	bool changes;                   /* the daemon; not everybody may */
	bool frequent;                  /* called for single datagrams */
	const struct rpc_param *params; /* ends with a NULL name; or NULL */
};

struct rpc {
	const struct rpc_method *methods;
	size_t n_methods;
	/* Whether the caller may use a method that changes the daemon. */
	bool (*may_change)(void *context, const struct rpc_method *method);
	/* Why all requests are refused (RPC_INVALID_REQUEST); or NULL. */
	const char *refusal;
};

/*
 * Answers one line, without its newline. `*ret_text` is the answer with its
 * newline, for the caller to free(), or NULL where none is due (an empty line,
 * a notification).
 * Returns 0, or -ENOMEM.
 */
int rpc_answer(const struct rpc *rpc, void *context, const char *line,
	size_t size, char **ret_text, size_t *ret_size);

/*
 * A notification as a line, as above. `params` is an object, or NULL where
 * memory ran out; it stays the caller's.
 */
int rpc_notify(
	const char *method, json_t *params, char **ret_text, size_t *ret_size);

/*
 * An error that answers no request in particular (its id is null), as above.
 */
int rpc_complain(
	int code, const char *message, char **ret_text, size_t *ret_size);

#endif
