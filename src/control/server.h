/*
 * server: what the folder's other files need of a control. Private to it.
 */
#ifndef CRIER_CONTROL_SERVER_H
#define CRIER_CONTROL_SERVER_H

#include "control/audience.h"
#include "control/control.h"

#include <stdbool.h>

/* Whether such an event is for anybody, as audience_wants(). `c` may be NULL.
 */
bool server_wants(struct control *c, const struct event *e);

/* Tells whoever wants to know. Uses up the event's parameters. */
void server_tell(struct control *c, struct event *e);

const struct control_handles *server_handles(const struct control *c);

#endif
