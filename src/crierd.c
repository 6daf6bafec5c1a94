/*
 * crierd: options only; the daemon is in daemon/.
 */
#include "daemon/daemon.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

static const char usage[] =
	"Usage: crierd [OPTION]...\n"
	"Hears multicast and broadcast announcements on one network segment\n"
	"and cries them on the others.\n"
	"\n"
	"  -c, --config FILE      configuration (" CRIER_CONFIG_FILE ")\n"
	"  -s, --socket SOCKET    control socket, instead of the one that the\n"
	"                         configuration names\n"
	"      --check            check the configuration and exit\n"
	"      --dump-config      print the effective configuration and exit\n"
	"      --log-level LEVEL  err, warning, notice, info (default) or debug\n"
	"      --version          print the version and exit\n"
	"      --help             print this and exit\n"
	"\n"
	"SIGHUP reloads, SIGTERM and SIGINT stop, SIGUSR1 logs the status.\n"
	"Exit status: 0 a clean stop, 1 a failure, 2 bad usage, 78 a\n"
	"configuration that is not valid. See crierd(8), crierd.yaml(5).\n";

enum mode { RUN, CHECK, DUMP, VERSION, HELP, WRONG };

struct arguments {
	enum mode mode;
	struct daemon_options daemon;
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
			ret->daemon.config = optarg;
			break;
		case 's':
			ret->daemon.socket = optarg;
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
			(void)fprintf(stderr, "crierd: no such log level: %s\n",
				optarg);
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
	(void)fprintf(stderr, "crierd: what is \"%s\"?\n", argv[optind]);
	ret->mode = WRONG;
}

static int run(struct arguments *a)
{
	service_log_init(&a->daemon.log, a->level);
	a->daemon.control_fd = service_listen_fd();
	a->daemon.keeps = true;
	return daemon_run(&a->daemon);
}

int main(int argc, char *argv[])
{
	struct arguments a = {
		.daemon = { .config = CRIER_CONFIG_FILE,
			.version = PACKAGE_VERSION },
		.level = LOG_INFO,
	};

	parse(argc, argv, &a);
	switch (a.mode) {
	case CHECK:
		return daemon_check(a.daemon.config, stdout, stderr);
	case DUMP:
		return daemon_dump_config(a.daemon.config, stdout, stderr);
	case VERSION:
		return printf("crierd %s\n", PACKAGE_VERSION) < 0;
	case HELP:
		return fputs(usage, stdout) < 0;
	case WRONG:
		(void)fputs("Try \"crierd --help\".\n", stderr);
		return DAEMON_USAGE;
	case RUN:
		break;
	}
	return run(&a);
}
