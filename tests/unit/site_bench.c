#include "site_bench.h"

#include <stdio.h>
#include <string.h>

struct told carried, answers, taken;

static void note(struct told *t, const void *data, size_t size, uint64_t flow,
	const char *site)
{
	ck_assert_uint_lt(size, sizeof(t->text));
	memcpy(t->text, data, size);
	t->text[size] = '\0';
	t->flow = flow;
	(void)snprintf(t->site, sizeof(t->site), "%s", site ? site : "");
	t->times++;
}

static void on_fate(struct bench *b, const struct relay_fate *f)
{
	(void)b;
	if (!f->out || !relay_segment_is_outside(f->out))
		return;
	note(&carried, f->data, f->size, f->flow, f->site);
	carried.verdict = f->verdict;
}

static void on_answer(struct bench *b, const struct relay_heard *h)
{
	(void)b;
	note(&answers, h->data, h->size, h->flow, h->site);
}

static void on_heard(struct bench *b, const struct relay_heard *h)
{
	(void)b;
	note(&taken, h->data, h->size, h->flow, h->site);
	taken.copy = h->copy;
}

void site_setup(struct bench *b, unsigned segments, const char *text)
{
	memset(&carried, 0, sizeof(carried));
	memset(&answers, 0, sizeof(answers));
	memset(&taken, 0, sizeof(taken));
	bench_setup(b, segments, text);
	b->fate = on_fate;
	b->answered = on_answer;
	b->heard = on_heard;
	relay_watch(b->relay, true);
}

void site_carry(struct bench *b, bool on)
{
	b->carries = on;
	relay_carry(b->relay, on);
}

struct relay_brought site_says(
	const char *site, const char *address, uint16_t port, const char *text)
{
	struct relay_brought x = {
		.origin = { .port = port, .site = site },
		.data = text,
		.size = strlen(text),
	};

	if (address)
		ck_assert_int_eq(
			net_address_parse(address, &x.origin.address), 0);
	return x;
}

int site_bring(const struct bench *b, const struct relay_brought *x,
	struct relay_brought_result *ret)
{
	return relay_bring(b->relay, relay_group_find(b->relay, "g"), x, ret);
}

size_t site_sent(const struct bench *b, const struct relay_brought *x)
{
	struct relay_brought_result result;

	ck_assert_int_eq(site_bring(b, x, &result), 0);
	return result.sent;
}

uint64_t site_dropped(const struct bench *b, enum relay_verdict v)
{
	struct relay_counters c;

	relay_totals(b->relay, &c);
	return c.dropped[v];
}
