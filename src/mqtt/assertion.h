/*
 * assertion: keeps an assertion that a library makes of what a broker sent from
 * ending the process.
 *
 * libmosquitto up to 2.0.11 at least logs a property that MQTT does not know
 * without a client to log it for, and asserts that there is one; so any broker
 * could end us.
 */
#ifndef CRIER_MQTT_ASSERTION_H
#define CRIER_MQTT_ASSERTION_H

struct mosquitto;

/*
 * Returns what run(client) does; or `otherwise`, where that assertion failed in
 * it. Then the client can only be destroyed, and the memory of the packet is
 * lost.
 */
int assertion_survive(int (*run)(struct mosquitto *client),
	struct mosquitto *client, int otherwise);

#endif
