#include "mqtt/words.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>

/* Those that an operator has to do something about; the library has words for
 * the others. */
static const struct {
	int code;
	const char *words;
} reasons[] = {
	{ MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION, "it does not speak MQTT 5" },
	{ MQTT_RC_CLIENTID_NOT_VALID, "it does not like the client's id" },
	{ MQTT_RC_BAD_USERNAME_OR_PASSWORD, "wrong user or password" },
	{ MQTT_RC_NOT_AUTHORIZED, "not authorized" },
	{ MQTT_RC_SESSION_TAKEN_OVER,
		"another client took over; are two of one configuration?" },
	{ MQTT_RC_RETAIN_NOT_SUPPORTED, "it keeps no retained messages" },
	{ MQTT_RC_QOS_NOT_SUPPORTED, "it takes no messages of QoS 1" },
};

void words_of_reason(int code, char *text, size_t size)
{
	const char *words = NULL;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			words = reasons[i].words;
	if (words == NULL)
		words = mosquitto_reason_string(code);
	(void)snprintf(text, size, "%s (%d)", words, code);
}

int words_errno(int rc)
{
	switch (rc) {
	case MOSQ_ERR_SUCCESS:
		return 0;
	case MOSQ_ERR_NOMEM:
		return -ENOMEM;
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_CONN_LOST:
		return -ENOTCONN;
	case MOSQ_ERR_OVERSIZE_PACKET:
	case MOSQ_ERR_PAYLOAD_SIZE:
		return -EMSGSIZE;
	default:
		return -EINVAL;
	}
}
