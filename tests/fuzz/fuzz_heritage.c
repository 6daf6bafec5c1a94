/*
 * Whatever the process before left, to the relay as a whole and to what was
 * announced at run time: they take up what fits, and write down what is read
 * again. Its devices are not there, so no socket is opened.
 */
#include "announce/announce.h"
#include "fuzz.h"
#include "relay/relay.h"
#include "sealed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* As that of who wrote the corpus. */
static const char config_text[] =
	"interfaces:\n"
	"  a: { device: no-such-a }\n"
	"  b: { device: no-such-b }\n"
	"groups:\n"
	"  four: { address: 239.255.42.42, port: 4242, interfaces: [a, b] }\n"
	"  own: { address: 239.255.42.44, port: 4244, interfaces: [a, b] }\n"
	"  mdns: { preset: mdns, interfaces: [a, b] }\n"
	"announcements:\n"
	"  declared: { group: four, payload: { text: beacon } }\n";

struct heir_house {
	uv_loop_t loop;
	struct net_devices *devices;
	struct relay *relay;
	struct announce *announce;
	size_t n_lost; /* announcements */
};

/* ---- the clock: that of the input ---- */

static uint64_t now;

uint64_t __wrap_uv_now(const uv_loop_t *loop);

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return now;
}

/* ---- a daemon ---- */

static struct config *parse(void)
{
	struct config_errors errors;
	struct config *c = NULL;

	MUST(config_parse("fuzz.yaml", config_text, strlen(config_text), &c,
		     &errors) == 0);
	config_errors_done(&errors);
	return c;
}

static void changed(void *data)
{
	(void)data;
}

static void lost(void *data, const char *name, int error)
{
	struct heir_house *h = data;

	h->n_lost++;
	MUST(name != NULL && error < 0);
}

static void open_house(
	struct heir_house *h, struct config *c, struct stash_reader *in)
{
	const struct net_devices_callbacks devices = { .changed = changed };
	const struct relay_callbacks relay = { .data = h };
	const struct announce_callbacks announce = { .data = h };

	h->n_lost = 0;
	MUST(uv_loop_init(&h->loop) == 0);
	MUST(net_devices_new(&h->devices, &h->loop, &devices) == 0);
	MUST(relay_new(&h->relay, &h->loop, h->devices, &relay) == 0);
	MUST(announce_new(&h->announce, &h->loop, h->relay, h->devices,
		     &announce) == 0);
	/* In the order of daemon/. */
	relay_inherit(h->relay, in);
	announce_prepare(h->announce, c);
	MUST(relay_configure(h->relay, c) == 0);
	MUST(announce_configure(h->announce, c) == 0);
	relay_resume(h->relay, in);
	announce_restore(h->announce, in, lost, h);
}

static void close_house(struct heir_house *h)
{
	announce_close(h->announce);
	relay_close(h->relay);
	net_devices_close(h->devices);
	MUST(uv_run(&h->loop, UV_RUN_DEFAULT) == 0);
	MUST(uv_loop_close(&h->loop) == 0);
}

/* ---- what must hold ---- */

static void check_relay(const struct relay *r)
{
	const struct relay_group *g = NULL;
	const struct relay_channel *c = NULL;
	const struct relay_segment *s = NULL;
	struct relay_segment_info i;
	size_t n = 0;

	while ((g = relay_group_next(r, g)))
		while ((c = relay_channel_next(g, c)))
			while ((s = relay_segment_next(c, s))) {
				relay_segment_get(s, &i);
				MUST(i.state == RELAY_ABSENT);
				n++;
			}
	MUST(n >= 6);
}

/* Returns how many were added at run time. */
static size_t check_announcements(const struct announce *a)
{
	const struct announce_entry *e = NULL;
	struct announce_info i;
	size_t n = 0, declared = 0;

	while ((e = announce_next(a, e))) {
		announce_get(a, e, &i);
		MUST(i.name[0] != '\0');
		n += i.runtime;
		declared += !i.runtime;
	}
	MUST(declared == 1);
	MUST(n <= ANNOUNCE_RUNTIME_MAX);
	return n;
}

/* How many a stash has to be added. */
static size_t count_announcements(struct stash_reader *in)
{
	enum stash_tag tag;
	const char *text;
	size_t n = 0;

	stash_rewind(in);
	while (stash_next(in, &tag)) {
		if (tag != STASH_ANNOUNCEMENT)
			continue;
		(void)stash_get_text(in);
		text = stash_get_text(in);
		(void)stash_get_number(in);
		n += stash_is_sound(in) && *text;
	}
	return n;
}

static void save(const struct heir_house *h, struct stash_reader *ret)
{
	int fd = sealed_file(NULL, 0);
	struct stash_writer w;

	stash_begin(&w, fd, 1);
	relay_save_sockets(h->relay, &w);
	relay_save(h->relay, &w);
	announce_save(h->announce, &w);
	MUST(stash_end(&w) == 0);
	MUST(stash_open(ret, fd) == 0);
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *c;
	struct heir_house h, next;
	struct stash_reader in;
	size_t n;

	if (c == NULL)
		c = parse();
	if (!sealed_open(&in, data, size))
		return 0;
	now = EARLIEST_MS + (in.sequence & LATEST_MS);
	open_house(&h, c, &in);
	check_relay(h.relay);
	n = check_announcements(h.announce);
	MUST(n + h.n_lost == count_announcements(&in));
	stash_close(&in);
	save(&h, &in);
	close_house(&h);
	/* What was announced goes on as often as there is a next one. */
	open_house(&next, c, &in);
	MUST(count_announcements(&in) == n);
	stash_close(&in);
	MUST(check_announcements(next.announce) == n);
	MUST(next.n_lost == 0);
	close_house(&next);
	return 0;
}
