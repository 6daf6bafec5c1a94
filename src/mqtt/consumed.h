/*
 * consumed: how much of a TCP connection has been read, by whomever.
 */
#ifndef CRIER_MQTT_CONSUMED_H
#define CRIER_MQTT_CONSUMED_H

#include <stdint.h>

/* In bytes, what TLS needs included; 0 where the kernel does not say. */
uint64_t consumed(int fd);

#endif
