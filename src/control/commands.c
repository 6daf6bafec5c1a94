#include "control/commands.h"

#include "control/control.h"

#include <string.h>

static const struct command_argument groups_arguments[] = {
	{ NULL, "name", COMMAND_STRING, false, "NAME", "only this group" },
};

static const struct command_argument explain_arguments[] = {
	{ "group", "group", COMMAND_STRING, true, "GROUP", "the group" },
	{ "from", "interface", COMMAND_STRING, true, "NAME",
		"the interface or device that it arrives on" },
	{ "interface", "interface", COMMAND_STRING, false, "NAME",
		"the same as --from" },
	{ "source", "source", COMMAND_STRING, true, "ADDRESS",
		"the host that sent it" },
	{ "port", "port", COMMAND_NUMBER, false, "PORT",
		"its source port (default: the group's)" },
	{ "destination", "destination", COMMAND_STRING, false, "ADDRESS",
		"where to (default: any address of the group)" },
	{ "ttl", "ttl", COMMAND_NUMBER, false, "TTL",
		"its TTL or hop limit (default: as an announcer's)" },
	{ "size", "size", COMMAND_NUMBER, false, "BYTES",
		"the size of its payload (default: 0)" },
	{ "kind", "kind", COMMAND_STRING, false, "KIND",
		"search, announcement, probe or other" },
	{ "type", "names", COMMAND_LIST, false, "TYPE",
		"a service type or target in it; may be repeated" },
	{ "name", "names", COMMAND_LIST, false, "NAME", "the same as --type" },
};

static const struct command_argument discovered_arguments[] = {
	{ "group", "group", COMMAND_STRING, false, "GROUP",
		"only what was heard in this group" },
	{ "interface", "interface", COMMAND_STRING, false, "NAME",
		"only what was heard on this interface or device" },
	{ "type", "type", COMMAND_STRING, false, "TYPE",
		"only this service type or target" },
};

static const struct command_argument announce_arguments[] = {
	{ NULL, "name", COMMAND_STRING, true, "NAME",
		"what the announcement is to be called" },
	{ "group", "group", COMMAND_STRING, true, "GROUP",
		"the group that it is sent to" },
	{ "text", "payload.text", COMMAND_STRING, false, "TEXT",
		"what it says; %{address} and the like are filled in" },
	{ "hex", "payload.hex", COMMAND_STRING, false, "HEX",
		"the same in hexadecimal digits" },
	{ "base64", "payload.base64", COMMAND_STRING, false, "BASE64",
		"the same in base64" },
	{ "file", "payload.base64", COMMAND_FILE, false, "FILE",
		"the same from a file, of up to 48000 bytes" },
	{ "interval", "interval", COMMAND_STRING, false, "DURATION",
		"how often, such as 30s (default: 60s)" },
	{ "burst", "burst", COMMAND_COUNT, false, "NUMBER",
		"how many close together at first (default: 1)" },
	{ "goodbye", "goodbye.text", COMMAND_STRING, false, "TEXT",
		"what is said at the end" },
	{ "goodbye-hex", "goodbye.hex", COMMAND_STRING, false, "HEX",
		"the same in hexadecimal digits" },
	{ "service-name", "service.name", COMMAND_STRING, false, "NAME",
		"instead of a payload: a DNS-SD service" },
	{ "service-type", "service.type", COMMAND_STRING, false, "TYPE",
		"its type, such as _http._tcp" },
	{ "service-port", "service.port", COMMAND_COUNT, false, "PORT",
		"its port" },
	{ "service-host", "service.host", COMMAND_STRING, false, "HOST",
		"its host (default: this one)" },
	{ "txt", "service.txt", COMMAND_LIST, false, "KEY=VALUE",
		"a string of its TXT record; may be repeated" },
};

static const struct command_argument withdraw_arguments[] = {
	{ NULL, "name", COMMAND_STRING, true, "NAME",
		"one that was announced at run time" },
};

static const struct command_argument monitor_arguments[] = {
	{ "drops", "drops", COMMAND_FLAG, false, NULL,
		"only what is not relayed, and why" },
	{ "payload", "payload", COMMAND_FLAG, false, NULL,
		"also what datagrams say" },
	{ "group", "groups", COMMAND_LIST, false, "GROUP",
		"only this group; may be repeated" },
	{ "interface", "interface", COMMAND_STRING, false, "NAME",
		"only from or to this interface or device" },
	{ "type", "type", COMMAND_STRING, false, "TYPE",
		"only what is discovered of this type" },
	{ "count", "count", COMMAND_COUNT, false, "NUMBER",
		"end after so many events" },
};

static const struct command_argument standby_arguments[] = {
	{ NULL, "enabled", COMMAND_SWITCH, true, "on|off",
		"on: hear and learn, but send nothing" },
};

static const struct command_argument log_level_arguments[] = {
	{ NULL, "level", COMMAND_STRING, true, "LEVEL",
		"err, warning, notice, info or debug" },
};

#define ARGUMENTS(a) (a), sizeof(a) / sizeof((a)[0])

static const struct command commands[] = {
	{ "status", show_status, false, NULL, 0,
		"show in short what the daemon does" },
	{ "discovered", show_discovered, true, ARGUMENTS(discovered_arguments),
		"show who announces what, and where" },
	{ "interfaces", show_interfaces, false, NULL, 0,
		"show interfaces and their devices" },
	{ "groups", show_groups, false, ARGUMENTS(groups_arguments),
		"show groups, their segments and counters" },
	{ "announcements", show_announcements, false, NULL, 0,
		"show what it announces itself" },
	{ "flows", show_flows, false, NULL, 0,
		"show the searches that wait for answers" },
	{ "monitor", NULL, false, ARGUMENTS(monitor_arguments),
		"show what happens, as it happens" },
	{ "explain", show_explain, false, ARGUMENTS(explain_arguments),
		"say what would become of a datagram" },
	{ "presets", show_presets, false, NULL, 0,
		"show the protocols that a group can name" },
	{ "metrics", show_metrics, false, NULL, 0,
		"print all counters, for Prometheus" },
	{ "reload", show_reload, false, NULL, 0,
		"read the configuration again" },
	{ "announce", show_announce, false, ARGUMENTS(announce_arguments),
		"announce something until it is withdrawn" },
	{ "withdraw", show_withdraw, false, ARGUMENTS(withdraw_arguments),
		"say goodbye for an announcement and end it" },
	{ "standby", show_standby, false, ARGUMENTS(standby_arguments),
		"silence the groups that have a standby, or wake them" },
	{ "log-level", show_log_level, false, ARGUMENTS(log_level_arguments),
		"say more or less in the log" },
};

static const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name, const char **ret_nearest)
{
	struct config_nearest n;

	config_nearest_init(&n, name);
	for (size_t i = 0; i < n_commands; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
		config_nearest_offer(&n, commands[i].name);
	}
	*ret_nearest = n.best;
	return NULL;
}

/* ---- help ---- */

static void print_options(FILE *out)
{
	(void)fputs(
		"\nOptions:\n"
		"  -s, --socket=SOCKET      the daemon's control socket, by "
		"default\n"
		"                           " CRIER_SOCKET "\n"
		"      --json               print the result as JSON\n"
		"  -h, --help               print this help\n",
		out);
}

void commands_print_help(FILE *out)
{
	(void)fputs("Usage: crierctl [OPTION ...] COMMAND ...\n"
		    "Talks to crierd, the discovery relay.\n\nCommands:\n",
		out);
	for (size_t i = 0; i < n_commands; i++)
		(void)fprintf(out, "  %-24s %s\n", commands[i].name,
			commands[i].help);
	print_options(out);
	(void)fputs("  -V, --version            print the version\n"
		    "\n\"crierctl COMMAND --help\" says more of a command.\n"
		    "Exit status: 0 done, 1 the daemon refused, 2 bad usage, "
		    "3 no daemon answers.\n",
		out);
}

static void print_argument(const struct command_argument *a, FILE *out)
{
	char left[48];

	if (a->option)
		(void)snprintf(left, sizeof(left), "    --%s%s%s", a->option,
			a->shown ? "=" : "", a->shown ? a->shown : "");
	else
		(void)snprintf(left, sizeof(left), "%s", a->shown);
	(void)fprintf(out, "  %-24s %s\n", left, a->help);
}

void command_print_help(const struct command *command, FILE *out)
{
	const struct command_argument *a = command->arguments;

	(void)fprintf(out, "Usage: crierctl %s", command->name);
	for (size_t i = 0; i < command->n_arguments; i++) {
		if (a[i].option && a[i].required)
			(void)fprintf(out, " --%s=%s", a[i].option, a[i].shown);
		else if (!a[i].option && a[i].required)
			(void)fprintf(out, " %s", a[i].shown);
		else if (!a[i].option)
			(void)fprintf(out, " [%s]", a[i].shown);
	}
	(void)fprintf(
		out, " [OPTION ...]\nTells the daemon to %s.\n", command->help);
	if (command->n_arguments > 0)
		(void)fputc('\n', out);
	for (size_t i = 0; i < command->n_arguments; i++)
		print_argument(&a[i], out);
	print_options(out);
}
