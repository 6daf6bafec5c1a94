#include "announce_stage.h"

#include <stdio.h>
#include <string.h>

static void told(void *data, const struct announce_event *e)
{
	struct stage *s = data;
	uint64_t now = uv_now(&s->b.house.loop);
	struct announce_info i;

	ck_assert_ptr_nonnull(e->entry);
	switch (e->what) {
	case ANNOUNCE_SENT:
		announce_get(s->a, e->entry, &i);
		ck_assert_ptr_nonnull(e->segment);
		s->sent++;
		s->gap_ms = now - s->now_ms;
		s->now_ms = now;
		s->next_in_ms = i.next_in_ms;
		break;
	case ANNOUNCE_GOODBYE:
		ck_assert_ptr_nonnull(e->segment);
		s->goodbyes++;
		break;
	case ANNOUNCE_STATE:
		s->states++;
		break;
	case ANNOUNCE_REMOVED:
		s->removed++;
		break;
	}
}

static void heard(struct bench *b, const struct relay_heard *h)
{
	announce_heard(((struct stage *)b)->a, h);
}

static void ready(struct bench *b, const struct relay_segment *segment)
{
	announce_ready(((struct stage *)b)->a, segment);
}

void stage_setup(struct stage *s, unsigned segments, const char *text)
{
	const struct announce_callbacks callbacks = { told, s };

	memset(s, 0, sizeof(*s));
	s->text = text;
	bench_setup(&s->b, segments, text);
	ck_assert_int_eq(announce_new(&s->a, &s->b.house.loop, s->b.relay,
				 s->b.devices, &callbacks),
		0);
	s->b.heard = heard;
	s->b.ready = ready;
}

void stage_start(struct stage *s)
{
	struct config *c = bench_parse(s->text);

	ck_assert_int_eq(announce_configure(s->a, c), 0);
	config_unref(c);
}

void stage_reload(struct stage *s, const char *text)
{
	struct config *c = bench_parse(text);

	announce_prepare(s->a, c);
	ck_assert_int_eq(relay_configure(s->b.relay, c), 0);
	ck_assert_int_eq(announce_configure(s->a, c), 0);
	config_unref(c);
	s->text = text;
}

void stage_close(struct stage *s)
{
	announce_close(s->a);
	s->b.heard = NULL;
	s->b.ready = NULL;
	bench_close(&s->b);
}

int stage_add(struct stage *s, const char *name, const char *text)
{
	struct config_announcement *a = NULL;
	struct config *c = bench_parse(s->text);
	struct config_errors errors;
	int err;

	err = config_parse_announcement(
		c, name, text, strlen(text), &a, &errors);
	for (size_t i = 0; i < errors.n; i++)
		config_error_print(&errors.at[i], "test", stderr);
	config_errors_done(&errors);
	ck_assert_int_eq(err, 0);
	err = announce_add(s->a, a);
	if (err < 0)
		config_announcement_free(a);
	config_unref(c);
	return err;
}

static bool find(
	const struct stage *s, const char *name, struct announce_info *ret)
{
	const struct announce_entry *e = NULL;

	while ((e = announce_next(s->a, e))) {
		announce_get(s->a, e, ret);
		if (strcmp(ret->name, name) == 0)
			return true;
	}
	return false;
}

struct announce_info stage_info(const struct stage *s, const char *name)
{
	struct announce_info i;

	ck_assert_msg(find(s, name, &i), "no %s", name);
	return i;
}

bool stage_has(const struct stage *s, const char *name)
{
	struct announce_info i;

	return find(s, name, &i);
}

struct wish {
	struct stage *stage;
	const char *name;
	enum announce_state state;
	uint64_t n;
};

static bool is_sent(void *data)
{
	const struct wish *w = data;

	return w->stage->sent >= w->n;
}

void stage_wait_sent(struct stage *s, unsigned n)
{
	struct wish w = { .stage = s, .n = n };

	ck_assert_msg(house_wait(&s->b.house, is_sent, &w), "%u of %u sent",
		s->sent, n);
	ck_assert_uint_eq(s->sent, n);
}

static bool is_in_state(void *data)
{
	const struct wish *w = data;

	return stage_info(w->stage, w->name).state == w->state;
}

void stage_wait_state(
	struct stage *s, const char *name, enum announce_state state)
{
	struct wish w = { .stage = s, .name = name, .state = state };

	ck_assert_msg(house_wait(&s->b.house, is_in_state, &w),
		"%s is never %s", name, announce_state_word(state));
}

static bool is_next(void *data)
{
	const struct wish *w = data;

	return stage_info(w->stage, w->name).next_in_ms <= w->n;
}

void stage_wait_next(struct stage *s, const char *name, uint64_t within_ms)
{
	struct wish w = { .stage = s, .name = name, .n = within_ms };

	ck_assert_msg(house_wait(&s->b.house, is_next, &w),
		"%s is never due within %d ms", name, (int)within_ms);
}

static bool is_late(void *data)
{
	return !is_next(data);
}

void stage_wait_late(struct stage *s, const char *name)
{
	struct wish w = { .stage = s, .name = name, .n = 1000 };

	ck_assert_msg(
		house_wait(&s->b.house, is_late, &w), "%s is always due", name);
}

void stage_expect(struct stage *s, int ear, const char *text)
{
	house_next(&s->b.house, ear, &s->b.d);
	ck_assert_msg(s->b.d.size >= 0, "nothing came, not \"%s\"", text);
	s->b.d.data[s->b.d.size] = '\0';
	ck_assert_str_eq((const char *)s->b.d.data, text);
}
