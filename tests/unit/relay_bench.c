#include "relay_bench.h"

#include "config/config.h"

#include <stdio.h>
#include <string.h>

static void devices_changed(void *data)
{
	struct bench *b = data;

	if (b->relay)
		relay_devices_changed(b->relay);
}

static void segment_changed(void *data, const struct relay_segment *s,
	enum relay_state was, bool known)
{
	struct bench *b = data;
	struct relay_segment_info i;

	relay_segment_get(s, &i);
	ck_assert(!known || was != i.state || i.error[0]);
	b->told++;
}

static void storm(void *data, const struct relay_segment *s,
	const struct net_address *source, enum relay_verdict why,
	uint64_t times)
{
	struct bench *b = data;

	ck_assert_ptr_nonnull(s);
	ck_assert(net_address_is_set(source) || relay_segment_is_outside(s));
	ck_assert_uint_ge(times, 1);
	ck_assert(why == RELAY_LOOP || why == RELAY_RATE);
	b->storms++;
}

static void trouble(
	void *data, const struct relay_segment *s, int error, uint64_t times)
{
	struct bench *b = data;

	ck_assert_ptr_nonnull(s);
	ck_assert_int_lt(error, 0);
	ck_assert_uint_ge(times, 1);
	b->troubles++;
}

static void heard(void *data, const struct relay_heard *h)
{
	struct bench *b = data;

	if (b->heard)
		b->heard(b, h);
}

static void ready(void *data, const struct relay_segment *s)
{
	struct bench *b = data;

	if (b->ready)
		b->ready(b, s);
}

static bool carries(void *data, const char *group)
{
	const struct bench *b = data;

	ck_assert_ptr_nonnull(group);
	return b->carries;
}

static void answered(void *data, const struct relay_heard *h)
{
	struct bench *b = data;

	if (b->answered)
		b->answered(b, h);
}

static void fate(void *data, const struct relay_fate *f)
{
	struct bench *b = data;

	if (b->fate)
		b->fate(b, f);
}

struct config *bench_parse(const char *text)
{
	struct config_errors errors = { 0 };
	struct config *c = NULL;

	if (config_parse("test", text, strlen(text), &c, &errors) < 0)
		for (size_t i = 0; i < errors.n; i++)
			config_error_print(&errors.at[i], "test", stderr);
	config_errors_done(&errors);
	ck_assert_ptr_nonnull(c);
	return c;
}

void bench_configure(struct bench *b, const char *text)
{
	struct config *c = bench_parse(text);

	ck_assert_int_eq(relay_configure(b->relay, c), 0);
	config_unref(c);
}

void bench_open(struct bench *b)
{
	struct net_devices_callbacks devices = { .changed = devices_changed,
		.data = b };
	struct relay_callbacks relay = {
		.segment = segment_changed,
		.storm = storm,
		.trouble = trouble,
		.heard = heard,
		.carries = carries,
		.answered = answered,
		.fate = fate,
		.ready = ready,
		.data = b,
	};

	memset(b, 0, sizeof(*b));
	house_open(&b->house);
	ck_assert_int_eq(
		net_devices_new(&b->devices, &b->house.loop, &devices), 0);
	ck_assert_int_eq(
		relay_new(&b->relay, &b->house.loop, b->devices, &relay), 0);
}

static bool is_settled(void *data)
{
	const struct bench *b = data;
	const struct relay_group *g = NULL;
	const struct relay_channel *c = NULL;
	const struct relay_segment *s = NULL;
	struct relay_segment_info i;

	while ((g = relay_group_next(b->relay, g)))
		while ((c = relay_channel_next(g, c)))
			while ((s = relay_segment_next(c, s))) {
				relay_segment_get(s, &i);
				if (i.state != RELAY_JOINED &&
					i.state != RELAY_ABSENT)
					return false;
			}
	return true;
}

void bench_setup(struct bench *b, unsigned segments, const char *text)
{
	bench_open(b);
	for (unsigned n = 1; n <= segments; n++)
		house_add(&b->house, n, false);
	ck_assert_int_eq(net_devices_refresh(b->devices), 0);
	bench_configure(b, text);
	ck_assert(house_wait(&b->house, is_settled, b));
}

void bench_close(struct bench *b)
{
	relay_close(b->relay);
	net_devices_close(b->devices);
	house_close(&b->house);
}

bool bench_find(const struct bench *b, const char *group, const char *interface,
	const char *device, struct relay_segment_info *ret)
{
	const struct relay_group *g = relay_group_find(b->relay, group);
	const struct relay_channel *c = NULL;
	const struct relay_segment *s = NULL;

	while (g && (c = relay_channel_next(g, c)))
		while ((s = relay_segment_next(c, s))) {
			relay_segment_get(s, ret);
			if (strcmp(ret->interface, interface) == 0 &&
				(!device || strcmp(ret->device, device) == 0))
				return true;
		}
	return false;
}

struct wish {
	struct bench *bench;
	const char *group, *interface;
	enum relay_state state;
};

static bool is_in_state(void *data)
{
	const struct wish *w = data;
	struct relay_segment_info i;

	return bench_find(w->bench, w->group, w->interface, NULL, &i) &&
	       i.state == w->state;
}

void bench_wait(struct bench *b, const char *group, const char *interface,
	enum relay_state state)
{
	struct wish w = { b, group, interface, state };

	ck_assert_msg(house_wait(&b->house, is_in_state, &w),
		"%s/%s is never %s", group, interface, relay_state_word(state));
}

uint64_t bench_dropped(const struct bench *b, const char *group,
	const char *interface, enum relay_verdict v)
{
	struct relay_segment_info i;

	ck_assert(bench_find(b, group, interface, NULL, &i));
	return i.counters->dropped[v];
}

void bench_expect(struct bench *b, int fd, const void *data, size_t size)
{
	house_next(&b->house, fd, &b->d);
	ck_assert_int_eq(b->d.size, (ssize_t)size);
	ck_assert_mem_eq(b->d.data, data, size);
}

int bench_main(Suite *s)
{
	SRunner *r;
	int failed;

	if (!house_is_possible()) {
		(void)fputs("no network namespaces here\n", stderr);
		return 77;
	}
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
