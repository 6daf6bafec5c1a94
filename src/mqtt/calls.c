#include "mqtt/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---- */

/* NULL: none. */
static struct call *find(struct calls *c, json_int_t id)
{
	for (size_t i = 0; i < LINK_WINDOW; i++)
		if (c->at[i].id == id)
			return &c->at[i];
	return NULL;
}

json_int_t calls_new_id(struct calls *c)
{
	return ++c->last_id;
}

void calls_add(struct calls *c, const struct call *call)
{
	struct call *place = find(c, 0);

	if (!place)
		abort(); /* our own bug: the caller has not counted */
	*place = *call;
	c->n++;
}

bool calls_take(struct calls *c, json_int_t id, struct call *ret)
{
	struct call *place = id > 0 ? find(c, id) : NULL;

	if (!place)
		return false;
	*ret = *place;
	*place = (struct call){ .id = 0 };
	c->n--;
	return true;
}

uint64_t calls_due(const struct calls *c)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < LINK_WINDOW; i++)
		if (c->at[i].id && c->at[i].due_ms < due_ms)
			due_ms = c->at[i].due_ms;
	return due_ms;
}

void calls_end(struct calls *c)
{
	struct call ended[LINK_WINDOW];

	memcpy(ended, c->at, sizeof(ended));
	memset(c->at, 0, sizeof(c->at));
	c->n = 0;
	for (size_t i = 0; i < LINK_WINDOW; i++)
		if (ended[i].id && ended[i].answer)
			ended[i].answer(ended[i].data, NULL, NULL);
}

/* ---- what is said ---- */

int calls_request(json_int_t id, const char *method, json_t *params,
	char **ret_text, size_t *ret_size)
{
	json_t *request;
	char *text = NULL;
	size_t size;

	request = json_pack("{s:s, s:I, s:s, s:O*}", "jsonrpc", "2.0", "id", id,
		"method", method, "params", params);
	if (request)
		text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	json_decref(params);
	if (!text)
		return -ENOMEM;
	size = strlen(text);
	if (size > LINK_REQUEST_MAX) {
		free(text);
		return -EMSGSIZE;
	}
	text[size] = '\n'; /* in the place of the NUL */
	*ret_text = text;
	*ret_size = size + 1;
	return 0;
}

static bool is_error(const json_t *error)
{
	return json_is_integer(json_object_get(error, "code")) &&
	       json_is_string(json_object_get(error, "message"));
}

bool calls_is_answer(const json_t *json)
{
	const json_t *error = json_object_get(json, "error");

	return error ? is_error(error)
		     : json_object_get(json, "result") != NULL;
}

const json_t *calls_complaint(const json_t *json)
{
	const json_t *error = json_object_get(json, "error");

	return json_is_null(json_object_get(json, "id")) && is_error(error)
		       ? error
		       : NULL;
}
