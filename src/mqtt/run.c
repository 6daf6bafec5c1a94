#include "mqtt/mqtt.h"

int mqtt_run(const struct mqtt_options *options)
{
	(void)options;
	return MQTT_FAILED;
}
