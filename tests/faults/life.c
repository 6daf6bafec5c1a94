#include "life.h"

#include "daemon/daemon.h"
#include "inject.h"
#include "proto/mdns.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* A datagram may be lost while something fails. */
enum { LOST_MS = 60, ROOM = 2048 };

#define HEAD                                                                   \
	"interfaces: { one: { device: r1 }, two: { device: r2 },\n"            \
	"              late: { device: r3 } }\n"                               \
	"groups:\n"                                                            \
	"  ssdp: { preset: ssdp }\n"                                           \
	"  mdns: { preset: mdns, deny: { services: _hap._tcp } }\n"            \
	"  frame: { address: 239.1.1.2, port: 5001, send: frame }\n"           \
	"  cast: { broadcast: true, port: 5004 }\n"

static const char *const files[] = {
	HEAD "  plain: { address: [239.1.1.1, ff15::4242], port: 5000,\n"
	     "           allow: { sources: [10.0.0.0/8, 'fd00::/8'] } }\n"
	     "  kept: { address: 'ff15::4343', port: 5002, source: preserve }\n"
	     "announcements:\n"
	     "  gate: { group: plain, payload: { text: 'at %{address}' },\n"
	     "          goodbye: { text: bye } }\n"
	     "  web: { group: mdns,\n"
	     "         service: { name: w, type: _http._tcp, port: 80 } }\n",
	HEAD
	"  plain: { address: 239.1.1.1, port: 5000, ttl: 4, rate: 900/s }\n"
	"  fresh: { address: 239.1.1.4, port: 5003, source: own-port }\n"
	"  wsd: { preset: wsd }\n"
	"announcements:\n"
	"  gate: { group: fresh, payload: { text: 'at %{address}' } }\n",
};

/* ---- what is said ---- */

typedef size_t (*make_cb)(const char *token, uint8_t *to);

static size_t plain(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, ROOM, "beacon %s", token);
}

static size_t notify(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, ROOM,
		"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
		"CACHE-CONTROL: max-age=1800\r\nNT: upnp:rootdevice\r\n"
		"NTS: ssdp:alive\r\nUSN: uuid:%s::upnp:rootdevice\r\n"
		"LOCATION: http://10.9.1.2/x\r\n\r\n",
		token);
}

static size_t search(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, ROOM,
		"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
		"MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:%s\r\n\r\n",
		token);
}

static size_t hello(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, ROOM,
		"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\""
		" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\""
		" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\">"
		"<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/"
		"discovery/Hello</a:Action><a:MessageID>urn:uuid:%s"
		"</a:MessageID></s:Header><s:Body><d:Hello>"
		"<a:EndpointReference><a:Address>urn:uuid:1</a:Address>"
		"</a:EndpointReference><d:Types>d:Device</d:Types>"
		"<d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body>"
		"</s:Envelope>",
		token);
}

/* Two services, of which one is taken out. */
static size_t services(const char *token, uint8_t *to)
{
	struct mdns_name type, hap, instance, other;
	struct mdns_writer w;
	char text[64];
	int r;

	(void)snprintf(text, sizeof(text), "%s._http._tcp.local", token);
	r = mdns_name_from_text(text, &instance);
	r |= mdns_name_from_text("x._hap._tcp.local", &other);
	r |= mdns_name_from_text("_http._tcp.local", &type);
	r |= mdns_name_from_text("_hap._tcp.local", &hap);
	r |= mdns_begin(&w, to, ROOM, 0, MDNS_RESPONSE | MDNS_AUTHORITATIVE);
	r |= mdns_put_ptr(&w, MDNS_ANSWER, &hap, 120, &other);
	r |= mdns_put_ptr(&w, MDNS_ANSWER, &type, 120, &instance);
	ck_assert_int_eq(r, 0);
	return w.used;
}

static const struct path {
	const char *group, *address;
	uint16_t port, from;
	make_cb make;
	bool in[2]; /* the first file, the second */
} paths[] = {
	{ "plain", "239.1.1.1", 5000, 5000, plain, { true, true } },
	{ "plain", "ff15::4242", 5000, 5000, plain, { true, false } },
	{ "frame", "239.1.1.2", 5001, 5001, plain, { true, true } },
	{ "kept", "ff15::4343", 5002, 6002, plain, { true, false } },
	{ "fresh", "239.1.1.4", 5003, 6003, plain, { false, true } },
	{ "cast", "255.255.255.255", 5004, 5004, plain, { true, true } },
	{ "ssdp", "239.255.255.250", 1900, 1900, notify, { true, true } },
	{ "ssdp", "239.255.255.250", 1900, 6900, search, { true, true } },
	{ "wsd", "239.255.255.250", 3702, 3702, hello, { false, true } },
	{ "mdns", "224.0.0.251", 5353, 5353, services, { true, true } },
};

enum { PATHS = sizeof(paths) / sizeof(paths[0]) };

/* ---- the stage ---- */

struct stage {
	struct life *l;
	struct daemon *daemon;
	int ears[PATHS];
	unsigned said;
	bool is_plugged, is_checked;
	FILE *log;
	char config[128], socket[100];
	char answer[1 << 16];
};

static __attribute__((format(printf, 2, 3))) void wrong(
	struct life *l, const char *format, ...)
{
	va_list ap;

	if (l->wrong[0])
		return;
	va_start(ap, format);
	(void)vsnprintf(l->wrong, sizeof(l->wrong), format, ap);
	va_end(ap);
}

static void wake(uv_timer_t *t)
{
	(void)t;
}

/* One turn of the loop; waits for an event, but not for long. */
static void turn(struct stage *s, bool armed)
{
	uv_loop_t *loop = &s->l->house->loop;
	uv_timer_t t;

	(void)uv_timer_init(loop, &t);
	(void)uv_timer_start(&t, wake, 2, 2);
	inject_arm(armed);
	(void)uv_run(loop, UV_RUN_ONCE);
	inject_arm(false);
	uv_close((uv_handle_t *)&t, NULL);
	(void)uv_run(loop, UV_RUN_NOWAIT);
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void write_config(const struct stage *s, size_t which)
{
	FILE *f = fopen(s->config, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(files[which], f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* ---- relaying ---- */

/* True if what was said last is among what has come. */
static bool has_come(int ear, const char *token)
{
	uint8_t data[ROOM];
	ssize_t n;

	while ((n = recv(ear, data, sizeof(data), MSG_DONTWAIT)) >= 0)
		if (memmem(data, (size_t)n, token, strlen(token)))
			return true;
	return false;
}

/* Says something new; true if it crosses within that time. */
static bool crosses(
	struct stage *s, size_t path, uint64_t patience_ms, bool armed)
{
	const struct path *p = &paths[path];
	uint64_t end = now_ms() + patience_ms;
	uint8_t data[ROOM];
	char token[32];
	size_t size;

	(void)snprintf(
		token, sizeof(token), "t%d-%u-", (int)getpid(), s->said++);
	size = p->make(token, data);
	house_send(
		s->l->house, 1, p->address, p->port, p->from, 255, data, size);
	while (!has_come(s->ears[path], token)) {
		if (now_ms() > end)
			return false;
		turn(s, armed);
	}
	return true;
}

/* Before anything has failed it must cross; perhaps not at once, since a device
 * that is just up may not be known as such. */
static void relay_one(struct stage *s, size_t path)
{
	uint64_t end = now_ms() + LIFE_RECOVERY_MS;

	while (!crosses(s, path, LOST_MS, true)) {
		if (inject_failed()->call)
			return;
		if (now_ms() < end)
			continue;
		wrong(s->l, "%s, %s, does not cross though nothing failed",
			paths[path].group, paths[path].address);
		return;
	}
}

static void relay(struct stage *s)
{
	for (size_t i = 0; i < PATHS; i++)
		if (paths[i].in[s->l->is_reloaded])
			relay_one(s, i);
}

/* ---- control ---- */

/* Asks, and waits for the line; false if there is none. */
static bool ask(struct stage *s, const char *method, bool armed)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	uint64_t end = now_ms() + (armed ? LOST_MS : LIFE_RECOVERY_MS);
	size_t used = 0;
	char line[128];
	ssize_t n = 1;
	int fd;

	(void)strcpy(a.sun_path, s->socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(line, sizeof(line),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n", method);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		n = 0;
	while (n != 0 && now_ms() < end && !memchr(s->answer, '\n', used)) {
		turn(s, armed);
		n = recv(fd, s->answer + used, sizeof(s->answer) - 1 - used,
			MSG_DONTWAIT);
		if (n > 0)
			used += (size_t)n;
	}
	(void)close(fd);
	turn(s, armed);
	s->answer[used] = '\0';
	return strchr(s->answer, '\n') != NULL;
}

/* ---- a device that comes and goes ---- */

static void some_turns(struct stage *s)
{
	for (int i = 0; i < 3; i++)
		turn(s, true);
}

static void plug(struct stage *s)
{
	house_run("ip link add r3 type veth peer name p3 && "
		  "ip address add 10.9.3.1/24 dev r3 && "
		  "ip link set p3 up && ip link set r3 up");
	s->is_plugged = true;
	some_turns(s);
}

static void unplug(struct stage *s)
{
	house_run("ip link delete r3");
	s->is_plugged = false;
	some_turns(s);
}

/* ---- no half state ---- */

/* True if `groups` says that a segment of it has failed, and why. */
static bool says_failed(struct stage *s, const char *group)
{
	char name[64];
	const char *at, *next;

	(void)snprintf(name, sizeof(name), "\"name\":\"%s\"", group);
	if (!ask(s, "groups", false))
		return false;
	at = strstr(s->answer, name);
	if (!at)
		return false;
	next = strstr(at + strlen(name), "\"preset\":");
	at = strstr(at, "\"state\":\"failed\"");
	return at && (!next || at < next);
}

static void recovers(struct stage *s, size_t path)
{
	uint64_t end = now_ms() + LIFE_RECOVERY_MS;

	while (!crosses(s, path, 200, false)) {
		if (now_ms() < end)
			continue;
		if (!says_failed(s, paths[path].group))
			wrong(s->l, "%s, %s, does not cross and is not failed",
				paths[path].group, paths[path].address);
		return;
	}
}

/* Of `status`: that no device is missing, which none is now. */
static bool knows_devices(struct stage *s)
{
	return ask(s, "status", false) && strstr(s->answer, "\"absent\":0");
}

static void is_whole(struct stage *s)
{
	char generation[32];
	uint64_t end = now_ms() + LIFE_RECOVERY_MS;

	(void)snprintf(generation, sizeof(generation), "\"generation\":%d",
		s->l->is_reloaded ? 2 : 1);
	while (!ask(s, "status", false))
		if (now_ms() > end) {
			wrong(s->l, "the control socket does not answer");
			return;
		}
	if (!strstr(s->answer, generation))
		wrong(s->l, "it is not of generation %d",
			s->l->is_reloaded ? 2 : 1);
	while (s->is_plugged && !knows_devices(s))
		if (now_ms() > end) {
			wrong(s->l, "a device that came is not known");
			break;
		}
	for (size_t i = 0; i < PATHS; i++)
		if (paths[i].in[s->l->is_reloaded])
			recovers(s, i);
}

/* At once after the first failure: what comes later, a reload say, would mend
 * what does not mend itself. */
static void check(struct stage *s)
{
	if (s->is_checked || !inject_failed()->call)
		return;
	s->is_checked = true;
	is_whole(s);
}

/* ---- from start to stop ---- */

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static bool is_log_empty(const struct stage *s)
{
	return lseek(fileno(s->log), 0, SEEK_END) == 0;
}

static void start(struct stage *s)
{
	struct daemon_options options = {
		.config = s->config,
		.socket = s->socket,
		.version = "test",
		.control_fd = -1,
		.keeps = true,
		.log = { .level = LOG_ERR, .target = SERVICE_PREFIXED },
	};
	int err;

	options.log.fd = fileno(s->log);
	inject_arm(true);
	err = daemon_new(&s->daemon, &s->l->house->loop, &options);
	inject_arm(false);
	s->l->is_started = err == 0;
	if (err > 0)
		wrong(s->l, "daemon_new() returns %d", err);
	if (err < 0 && is_log_empty(s))
		wrong(s->l, "no start, and no word of it: %s", strerror(-err));
}

static void reload(struct stage *s)
{
	int err;

	write_config(s, 1);
	inject_arm(true);
	err = daemon_reload(s->daemon, NULL);
	inject_arm(false);
	s->l->is_reloaded = err == 0;
	if (err < 0 && is_log_empty(s))
		wrong(s->l, "no reload, and no word of it: %s", strerror(-err));
}

static void live(struct stage *s)
{
	check(s);
	relay(s);
	check(s);
	plug(s);
	check(s);
	(void)ask(s, "status", true);
	(void)ask(s, "discovered", true);
	(void)ask(s, "metrics", true);
	check(s);
	reload(s);
	check(s);
	relay(s);
	(void)ask(s, "groups", true);
	is_whole(s);
	unplug(s);
}

static void stop(struct stage *s)
{
	inject_arm(true);
	daemon_close(s->l->is_started ? s->daemon : NULL);
	(void)uv_run(&s->l->house->loop, UV_RUN_DEFAULT);
	inject_arm(false);
	if (uv_loop_close(&s->l->house->loop) != 0)
		wrong(s->l, "a handle was left open");
}

void life_run(struct life *l)
{
	static struct stage s;
	unsigned files_before;
	size_t held = inject_live();

	s.l = l;
	(void)snprintf(s.config, sizeof(s.config), "%s/yaml", l->folder);
	(void)snprintf(s.socket, sizeof(s.socket), "%s/sock", l->folder);
	(void)unlink(s.socket);
	/* Of a life that ended in the middle. */
	if (if_nametoindex("r3"))
		house_run("ip link delete r3");
	s.log = tmpfile();
	ck_assert_ptr_nonnull(s.log);
	for (size_t i = 0; i < PATHS; i++)
		s.ears[i] = house_hear(
			l->house, 2, paths[i].address, paths[i].port);
	files_before = open_files();
	ck_assert_int_eq(uv_loop_init(&l->house->loop), 0);
	write_config(&s, 0);
	start(&s);
	if (l->is_started)
		live(&s);
	stop(&s);
	if (inject_live() != held)
		wrong(l, "%zu blocks of memory are left", inject_live() - held);
	if (open_files() != files_before)
		wrong(l, "%u descriptors are left",
			open_files() - files_before);
	for (size_t i = 0; i < PATHS; i++)
		(void)close(s.ears[i]);
	(void)fclose(s.log);
}
