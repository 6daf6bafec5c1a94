#include "service_stage.h"

#include "mdns_fixture.h"

#include <string.h>
#include <unistd.h>

int service_hear(struct stage *s, unsigned n)
{
	return house_hear(&s->b.house, n, "224.0.0.251", 5353);
}

struct mdns_writer service_message(struct stage *s, uint16_t flags)
{
	struct mdns_writer w;

	ck_assert_int_eq(
		mdns_begin(&w, s->message, sizeof(s->message), 0, flags), 0);
	return w;
}

void service_say(struct stage *s, const struct mdns_writer *w, uint16_t from)
{
	house_send(&s->b.house, 1, "224.0.0.251", 5353, from, 255, w->out,
		w->used);
}

void service_ask(
	struct stage *s, const char *name, uint16_t type, uint16_t from)
{
	struct mdns_writer w = service_message(s, 0);
	struct mdns_name n = fixture_name(name);

	ck_assert_int_eq(mdns_put_question(&w, &n, type, false), 0);
	service_say(s, &w, from);
}

static void count(struct reply *r, const struct mdns_item *i)
{
	if (i->section == MDNS_QUESTION) {
		r->is_question |= i->type == MDNS_SRV;
		return;
	}
	if (i->type == MDNS_PTR && mdns_name_is_enumeration(&i->name)) {
		r->enumeration++;
	} else if (i->type == MDNS_PTR) {
		r->ptr++;
		r->ttl = i->ttl;
	}
	r->srv += i->type == MDNS_SRV;
	r->txt += i->type == MDNS_TXT;
	r->a += i->type == MDNS_A;
	r->aaaa += i->type == MDNS_AAAA;
}

struct reply service_next(struct stage *s, int ear)
{
	struct reply reply = { 0 };
	struct mdns_reader r;
	struct mdns_item i;

	house_next(&s->b.house, ear, &s->b.d);
	ck_assert_int_gt(s->b.d.size, 0);
	ck_assert_int_eq(mdns_open(&r, s->b.d.data, (size_t)s->b.d.size), 0);
	while (mdns_next(&r, &i) == 1)
		count(&reply, &i);
	return reply;
}

void service_expect(struct stage *s, int ear)
{
	struct reply r = service_next(s, ear);

	ck_assert_uint_eq(r.ptr, 1);
	ck_assert_uint_eq(r.enumeration, 1);
	ck_assert_uint_eq(r.srv, 1);
	ck_assert_uint_eq(r.txt, 1);
	ck_assert_uint_eq(r.a, 1);
	/* Of the site and of the link. */
	ck_assert_uint_eq(r.aaaa, 2);
	ck_assert_uint_eq(r.ttl, 4500);
	ck_assert_int_eq(s->b.d.ttl, 255);
	ck_assert_uint_eq(s->b.d.port, 5353);
}

void service_expect_goodbye(struct stage *s, int ear)
{
	struct reply r = service_next(s, ear);

	ck_assert_uint_eq(r.ptr + r.srv + r.txt, 3);
	ck_assert_uint_eq(r.enumeration + r.a + r.aaaa, 0);
	ck_assert_uint_eq(r.ttl, 0);
}

/* One service on one segment, its burst over. */
int service_begin(struct stage *s, const char *text)
{
	int ear;

	stage_setup(s, 1, text);
	ear = service_hear(s, 1);
	stage_start(s);
	ck_assert(service_next(s, ear).is_question);
	service_expect(s, ear);
	ck_assert_uint_eq(s->next_in_ms, 1000);
	service_expect(s, ear);
	ck_assert_uint_ge(s->gap_ms, 1000);
	ck_assert_uint_gt(s->next_in_ms, NOT_SOON_MS);
	ck_assert_uint_eq(s->sent, 2);
	return ear;
}

void service_end(struct stage *s, int ear)
{
	(void)close(ear);
	stage_close(s);
}

struct moment {
	struct stage *stage;
	uint64_t at_ms;
};

static bool has_come(void *data)
{
	const struct moment *m = data;

	return uv_now(&m->stage->b.house.loop) >= m->at_ms;
}

/* Until a second after the last sending. */
void service_wait_for_quiet(struct stage *s)
{
	struct moment m = { s, s->now_ms + 1000 };

	ck_assert(house_wait(&s->b.house, has_come, &m));
}
