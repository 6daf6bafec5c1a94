#include "life.h"

#include "caller.h"
#include "daemon/daemon.h"
#include "inject.h"
#include "paths.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

/* A datagram may be lost while something fails. */
enum { LOST_MS = 60 };

/* ---- the stage ---- */

struct stage {
	struct life *l;
	struct daemon *daemon;
	int ears[PATHS];
	int asker, device; /* of unicast answers, on segments 1 and 2 */
	int subscriber;    /* a control client, or -1 */
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

/* Takes in what a subscriber is told. */
static void drain(int fd)
{
	char waste[4096];

	while (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		continue;
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
	drain(s->subscriber);
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void write_config(const struct stage *s, size_t which)
{
	FILE *f = fopen(s->config, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(life_files[which], f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* ---- relaying ---- */

/* Waits for what was said last; where it came from to `ret_port`. */
static bool comes(struct stage *s, int ear, const char *token, uint64_t end,
	bool armed, uint16_t *ret_port)
{
	uint8_t data[PATH_ROOM];
	struct sockaddr_in6 from; /* the port is where IPv4 has it */
	socklen_t size;
	ssize_t n;

	for (;;) {
		size = sizeof(from);
		n = recvfrom(ear, data, sizeof(data), MSG_DONTWAIT,
			(struct sockaddr *)&from, &size);
		if (n >= 0 && memmem(data, (size_t)n, token, strlen(token))) {
			*ret_port = ntohs(from.sin6_port);
			return true;
		}
		if (n < 0 && now_ms() > end)
			return false;
		if (n < 0)
			turn(s, armed);
	}
}

/* Says something new; true if it crosses within that time. */
static bool crosses(
	struct stage *s, size_t path, uint64_t patience_ms, bool armed)
{
	const struct path *p = &life_paths[path];
	uint64_t end = now_ms() + patience_ms;
	uint8_t data[PATH_ROOM];
	char token[32];
	uint16_t port;
	size_t size;

	(void)snprintf(
		token, sizeof(token), "t%d-%u-", (int)getpid(), s->said++);
	size = p->make(token, data);
	house_send(
		s->l->house, 1, p->address, p->port, p->from, 255, data, size);
	return comes(s, s->ears[path], token, end, armed, &port);
}

/* The same of a new search, and of the answer to it. */
static bool is_answered(struct stage *s, uint64_t patience_ms, bool armed)
{
	const struct path *p = &life_paths[PATH_SEARCH];
	uint64_t end = now_ms() + patience_ms;
	uint8_t data[PATH_ROOM];
	char token[32];
	uint16_t port;
	size_t size;

	(void)snprintf(
		token, sizeof(token), "a%d-%u-", (int)getpid(), s->said++);
	size = path_search(token, data);
	house_say(s->l->house, s->asker, 1, p->address, p->port, data, size);
	if (!comes(s, s->ears[PATH_SEARCH], token, end, armed, &port))
		return false;
	size = path_answer(token, data);
	house_say(s->l->house, s->device, 2, "10.9.2.1", port, data, size);
	return comes(s, s->asker, token, end, armed, &port);
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
			life_paths[path].group, life_paths[path].address);
		return;
	}
}

static void relay(struct stage *s)
{
	uint64_t end = now_ms() + 2 * LIFE_RECOVERY_MS;

	for (size_t i = 0; i < PATHS; i++)
		if (life_paths[i].in[s->l->is_reloaded])
			relay_one(s, i);
	while (!is_answered(s, LOST_MS, true))
		if (inject_failed()->call)
			return;
		else if (now_ms() > end) {
			wrong(s->l, "no answer though nothing failed");
			return;
		}
}

/* ---- control ---- */

/* Asks, and waits for the line; false if there is none. */
static bool ask_with(
	struct stage *s, const char *method, const char *params, bool armed)
{
	int fd = caller(s->socket, method, params);
	uint64_t end = now_ms() + (armed ? LOST_MS : LIFE_RECOVERY_MS);
	size_t used = 0;
	ssize_t n = fd < 0 ? 0 : 1;

	while (n != 0 && now_ms() < end && !memchr(s->answer, '\n', used)) {
		turn(s, armed);
		n = recv(fd, s->answer + used, sizeof(s->answer) - 1 - used,
			MSG_DONTWAIT);
		if (n > 0)
			used += (size_t)n;
	}
	if (fd >= 0)
		(void)close(fd);
	turn(s, armed);
	s->answer[used] = '\0';
	return strchr(s->answer, '\n') != NULL;
}

static bool ask(struct stage *s, const char *method, bool armed)
{
	return ask_with(s, method, "", armed);
}

static void subscribe(struct stage *s)
{
	s->subscriber = caller(s->socket, "subscribe",
		",\"params\":{\"payload\":true,\"events\":[\"discovered\","
		"\"expired\",\"segment\",\"config\",\"announcement\","
		"\"datagram\",\"drop\",\"storm\",\"answer\"]}");
}

static void unsubscribe(struct stage *s)
{
	if (s->subscriber >= 0)
		(void)close(s->subscriber);
	s->subscriber = -1;
}

static void announce(struct stage *s)
{
	(void)ask_with(s, "announce",
		",\"params\":{\"name\":\"new\",\"group\":\"ssm\",\"payload\":"
		"{\"text\":\"on %{interface}\"},\"goodbye\":\"bye\"}",
		true);
	(void)ask_with(s, "announce",
		",\"params\":{\"name\":\"more\",\"group\":\"mdns\",\"service\":"
		"{\"name\":\"more\",\"type\":\"_ipp._tcp\",\"port\":631}}",
		true);
	(void)ask(s, "announcements", true);
	(void)ask_with(s, "withdraw", ",\"params\":{\"name\":\"new\"}", true);
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
		if (!says_failed(s, life_paths[path].group))
			wrong(s->l, "%s, %s, does not cross and is not failed",
				life_paths[path].group,
				life_paths[path].address);
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
		if (life_paths[i].in[s->l->is_reloaded])
			recovers(s, i);
	end = now_ms() + LIFE_RECOVERY_MS;
	while (!is_answered(s, 200, false))
		if (now_ms() > end) {
			wrong(s->l, "answers do not come back");
			return;
		}
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
	subscribe(s);
	relay(s);
	check(s);
	plug(s);
	check(s);
	(void)ask(s, "status", true);
	(void)ask(s, "discovered", true);
	(void)ask(s, "flows", true);
	(void)ask(s, "metrics", true);
	announce(s);
	check(s);
	reload(s);
	check(s);
	relay(s);
	(void)ask(s, "groups", true);
	is_whole(s);
	unsubscribe(s);
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
			l->house, 2, life_paths[i].address, life_paths[i].port);
	s.asker = house_hear(l->house, 1, "10.9.1.2", 6901);
	s.device = house_hear(l->house, 2, "10.9.2.2", 1900);
	s.subscriber = -1;
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
	(void)close(s.asker);
	(void)close(s.device);
	(void)fclose(s.log);
}
