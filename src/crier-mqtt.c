/*
 * crier-mqtt: options only; what it does is in mqtt/.
 */
#include "mqtt/mqtt.h"

#include <getopt.h>
#include <stdio.h>
#include <syslog.h>

static const char usage[] =
	"Usage: crier-mqtt [OPTION]...\n"
	"Joins what crierd discovers here with other sites, through an MQTT 5\n"
	"broker.\n"
	"\n"
	"  -c, --config FILE      configuration (" CRIER_MQTT_CONFIG_FILE ")\n"
	"  -s, --socket SOCKET    control socket of crierd, instead of the one\n"
	"                         that the configuration names\n"
	"      --check            check the configuration and exit\n"
	"      --dump-config      print the effective configuration and exit\n"
	"      --log-level LEVEL  err, warning, notice, info (default) or debug\n"
	"      --version          print the version and exit\n"
	"      --help             print this and exit\n"
	"\n"
	"SIGHUP reloads, SIGTERM and SIGINT stop.\n"
	"Exit status: 0 a clean stop, 1 a failure, 2 bad usage, 78 a\n"
	"configuration that is not valid. See crier-mqtt(8).\n";

enum mode { RUN, CHECK, DUMP, VERSION, HELP, WRONG };

struct arguments {
	enum mode mode;
	struct mqtt_options mqtt;
	int level;
};

static void parse(int argc, char *argv[], struct arguments *ret)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "check", no_argument, NULL, 'k' },
		{ "dump-config", no_argument, NULL, 'd' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:s:", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->mqtt.config = optarg;
			break;
		case 's':
			ret->mqtt.socket = optarg;
			break;
		case 'k':
			ret->mode = CHECK;
			break;
		case 'd':
			ret->mode = DUMP;
			break;
		case 'l':
			if (service_log_level_parse(optarg, &ret->level) == 0)
				break;
			(void)fprintf(stderr,
				"crier-mqtt: no such log level: %s\n", optarg);
			ret->mode = WRONG;
			return;
		case 'v':
			ret->mode = VERSION;
			return;
		case 'h':
			ret->mode = HELP;
			return;
		default:
			ret->mode = WRONG;
			return;
		}
	}
	if (optind == argc)
		return;
	(void)fprintf(stderr, "crier-mqtt: what is \"%s\"?\n", argv[optind]);
	ret->mode = WRONG;
}

int main(int argc, char *argv[])
{
	struct arguments a = {
		.mqtt = { .config = CRIER_MQTT_CONFIG_FILE,
			.version = PACKAGE_VERSION },
		.level = LOG_INFO,
	};

	parse(argc, argv, &a);
	switch (a.mode) {
	case CHECK:
		return mqtt_check(a.mqtt.config, stdout, stderr);
	case DUMP:
		return mqtt_dump_config(a.mqtt.config, stdout, stderr);
	case VERSION:
		return printf("crier-mqtt %s\n", PACKAGE_VERSION) < 0;
	case HELP:
		return fputs(usage, stdout) < 0;
	case WRONG:
		(void)fputs("Try \"crier-mqtt --help\".\n", stderr);
		return MQTT_USAGE;
	case RUN:
		break;
	}
	service_log_init(&a.mqtt.log, a.level);
	return mqtt_run(&a.mqtt);
}
