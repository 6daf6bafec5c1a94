/*
 * words: why something of the broker's failed, for people.
 */
#ifndef CRIER_MQTT_WORDS_H
#define CRIER_MQTT_WORDS_H

#include <stddef.h>

/* A reason code of MQTT 5 (section 2.4), such as "wrong user or password
 * (134)". */
void words_of_reason(int code, char *text, size_t size);

/* What a function of libmosquitto returned: a negative errno. */
int words_errno(int rc);

#endif
