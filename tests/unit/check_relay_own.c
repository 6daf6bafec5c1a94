/* The whole relay: what it hands out, what it says itself, what it says
 * again. */
#include "relay_bench.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BETWEEN(keys) HEAD "  g: { address: 239.1.1.1, port: 5000, " keys "}\n"

static const struct relay_segment *segment(
	const struct bench *b, const char *interface)
{
	const struct relay_group *g = relay_group_find(b->relay, "g");
	const struct relay_segment *s = NULL;
	struct relay_segment_info i;

	while ((s = relay_segment_next(relay_channel_next(g, NULL), s))) {
		relay_segment_get(s, &i);
		if (strcmp(i.interface, interface) == 0)
			return s;
	}
	ck_abort_msg("no segment %s", interface);
}

/* ---- of its own ---- */

START_TEST(a_datagram_of_its_own_leaves_as_a_relayed_one)
{
	struct relay_segment_info i;
	struct bench b;
	int ear;

	bench_setup(&b, 2, BETWEEN("ttl: 7, interfaces: [one, two]"));
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	ck_assert_int_eq(relay_send(segment(&b, "two"), "mine", 4), 0);
	bench_expect(&b, ear, "mine", 4);
	ck_assert_str_eq(b.d.source, "10.9.2.1");
	ck_assert_uint_eq(b.d.port, 5000);
	ck_assert_int_eq(b.d.ttl, 7);
	ck_assert(bench_find(&b, "g", "two", NULL, &i));
	ck_assert_uint_eq(i.counters->sent, 1);
	ck_assert_uint_eq(i.counters->sent_bytes, 4);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(it_goes_to_each_peer)
{
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		"interfaces:\n"
		"  one: { device: r1 }\n"
		"  two: { device: r2, peers: [10.9.2.2] }\n"
		"groups:\n"
		"  g: { address: 239.1.1.1, port: 5000, "
		"interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "10.9.2.2", 5000);
	ck_assert_int_eq(relay_send(segment(&b, "two"), "mine", 4), 0);
	bench_expect(&b, ear, "mine", 4);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(a_segment_that_is_only_heard_is_not_sent_to)
{
	struct bench b;

	bench_setup(&b, 2, BETWEEN("from: [one], to: [two]"));
	ck_assert_int_eq(relay_send(segment(&b, "one"), "x", 1), -EACCES);
	ck_assert_int_eq(relay_send(segment(&b, "two"), "x", 1), 0);
	bench_close(&b);
}
END_TEST

START_TEST(standby_silences_what_is_its_own)
{
	struct bench b;

	bench_setup(&b, 2, BETWEEN("standby: true, interfaces: [one, two]"));
	ck_assert_int_eq(relay_send(segment(&b, "two"), "x", 1), -ECANCELED);
	relay_set_standby(b.relay, false);
	ck_assert_int_eq(relay_send(segment(&b, "two"), "x", 1), 0);
	bench_close(&b);
}
END_TEST

START_TEST(without_a_device_nothing_can_be_sent)
{
	struct bench b;

	bench_setup(&b, 1, BETWEEN("interfaces: [one, two]"));
	ck_assert_int_eq(relay_send(segment(&b, "two"), "x", 1), -ENETDOWN);
	bench_close(&b);
}
END_TEST

/* Another relay carries it to the other segment: it has been said here, and is
 * not carried back. */
START_TEST(what_it_said_is_not_brought_back)
{
	struct bench b;
	int ear;

	bench_setup(&b, 2, BETWEEN("interfaces: [one, two]"));
	ear = house_hear(&b.house, 1, "239.1.1.1", 5000);
	ck_assert_int_eq(relay_send(segment(&b, "one"), "mine", 4), 0);
	bench_expect(&b, ear, "mine", 4);
	house_send(&b.house, 2, "239.1.1.1", 5000, 5000, 1, "mine", 4);
	ck_assert(house_is_silent(&b.house, ear));
	ck_assert_uint_eq(bench_dropped(&b, "g", "one", RELAY_LOOP), 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

/* ---- what is handed out ---- */

struct notes {
	struct bench b; /* first */
	unsigned n, copies;
	struct relay_heard last;
	char interface[16], data[16];
	unsigned ready;
};

static void note_heard(struct bench *b, const struct relay_heard *h)
{
	struct notes *n = (struct notes *)(void *)b;
	struct relay_segment_info i;

	n->n++;
	n->copies += h->copy;
	n->last = *h;
	relay_segment_get(h->in, &i);
	(void)strncpy(n->interface, i.interface, sizeof(n->interface) - 1);
	ck_assert_uint_lt(h->size, sizeof(n->data));
	memset(n->data, 0, sizeof(n->data));
	memcpy(n->data, h->data, h->size);
}

static void note_ready(struct bench *b, const struct relay_segment *s)
{
	(void)s;
	((struct notes *)(void *)b)->ready++;
}

static void notes_setup(struct notes *n, const char *text)
{
	*n = (struct notes){ 0 };
	bench_setup(&n->b, 2, text);
	n->b.heard = note_heard;
	n->b.ready = note_ready;
}

static void say(struct notes *n, unsigned segment, const char *text)
{
	int ear = house_hear(&n->b.house, 3 - segment, "239.1.1.1", 5000);

	house_send(&n->b.house, segment, "239.1.1.1", 5000, 5000, 9, text,
		strlen(text));
	(void)house_is_silent(&n->b.house, ear);
	(void)close(ear);
}

START_TEST(what_is_heard_is_handed_out_once_for_a_group)
{
	struct notes n;

	notes_setup(&n,
		BETWEEN("interfaces: [one, two]") "  h: { address: 239.1.1.1, port: 5000, from: [one], to: [] }\n");
	say(&n, 2, "hello");
	ck_assert_uint_eq(n.n, 1);
	ck_assert_str_eq(n.interface, "two");
	ck_assert_str_eq(n.data, "hello");
	ck_assert_uint_eq(n.last.port, 5000);
	ck_assert_int_eq(n.last.ttl, 9);
	ck_assert_int_eq(n.last.kind, PROTO_ANNOUNCEMENT);
	ck_assert_ptr_null(n.last.view);
	ck_assert_uint_eq(n.last.flow, 0);
	say(&n, 1, "again");
	ck_assert_uint_eq(n.n, 3);
	ck_assert_uint_eq(n.copies, 0);
	bench_close(&n.b);
}
END_TEST

START_TEST(what_a_filter_drops_is_handed_out_too)
{
	struct notes n;

	notes_setup(&n, BETWEEN("deny: { sizes: 5 }, interfaces: [one, two]"));
	say(&n, 1, "hello");
	ck_assert_uint_eq(n.n, 1);
	ck_assert_uint_eq(bench_dropped(&n.b, "g", "one", RELAY_SIZE), 1);
	bench_close(&n.b);
}
END_TEST

/* One that came by another way is a copy; where nothing would be sent anyway,
 * both were heard. */
START_TEST(a_copy_is_handed_out_as_one)
{
	struct notes n;

	notes_setup(&n, BETWEEN("interfaces: [one, two]"));
	say(&n, 1, "hello");
	say(&n, 2, "hello");
	ck_assert_uint_eq(n.n, 2);
	ck_assert_uint_eq(n.copies, 1);
	ck_assert(n.last.copy);
	bench_configure(&n.b, BETWEEN("from: [one, two], to: []"));
	say(&n, 1, "hello");
	say(&n, 2, "hello");
	ck_assert_uint_eq(n.n, 4);
	ck_assert_uint_eq(n.copies, 1);
	bench_close(&n.b);
}
END_TEST

START_TEST(what_is_its_own_is_handed_out_to_nobody)
{
	struct notes n;

	notes_setup(&n, BETWEEN("interfaces: [one, two]"));
	house_forge(&n.b.house, 1, "10.9.2.1", "239.1.1.1", 5000, 5000, "x", 1);
	say(&n, 1, "hello");
	ck_assert_uint_eq(n.n, 1);
	ck_assert_str_eq(n.data, "hello");
	bench_close(&n.b);
}
END_TEST

/* On a tunnel it is not for others to fill the table. */
START_TEST(what_comes_from_no_peer_is_handed_out_to_nobody)
{
	struct notes n;
	int ear;

	n = (struct notes){ 0 };
	bench_setup(&n.b, 2,
		"interfaces:\n"
		"  one: { device: r1, peers: [10.9.1.2] }\n"
		"  two: { device: r2 }\n"
		"groups:\n"
		"  g: { address: 239.1.1.1, port: 5000, "
		"interfaces: [one, two] }\n");
	n.b.heard = note_heard;
	ear = house_hear(&n.b.house, 2, "239.1.1.1", 5000);
	house_forge(&n.b.house, 1, "10.9.1.77", "10.9.1.1", 5000, 5000, "x", 1);
	house_send(&n.b.house, 1, "10.9.1.1", 5000, 5000, 1, "peer", 4);
	bench_expect(&n.b, ear, "peer", 4);
	ck_assert_uint_eq(n.n, 1);
	ck_assert_str_eq(n.data, "peer");
	(void)close(ear);
	bench_close(&n.b);
}
END_TEST

/* An answer comes to the port that its search left by. */
START_TEST(an_answer_is_handed_out_with_its_flow)
{
	struct house_datagram d;
	struct notes n;
	int searcher, device;

	notes_setup(&n, BETWEEN("replies: proxy, interfaces: [one, two]"));
	searcher = house_hear(&n.b.house, 1, "10.9.1.2", 4000);
	device = house_hear(&n.b.house, 2, "239.1.1.1", 5000);
	house_say(&n.b.house, searcher, 1, "239.1.1.1", 5000, "who?", 4);
	house_next(&n.b.house, device, &d);
	ck_assert_int_eq(d.size, 4);
	ck_assert_uint_eq(n.n, 1);
	ck_assert_int_eq(n.last.kind, PROTO_SEARCH);
	ck_assert_uint_eq(n.last.flow, 0);
	house_send(&n.b.house, 2, d.source, d.port, 5000, 64, "me!", 3);
	bench_expect(&n.b, searcher, "me!", 3);
	ck_assert_uint_eq(n.n, 2);
	ck_assert_str_eq(n.data, "me!");
	ck_assert_str_eq(n.interface, "two");
	ck_assert_uint_ne(n.last.flow, 0);
	/* The same once more is none. */
	house_send(&n.b.house, 2, d.source, d.port, 5000, 64, "me!", 3);
	ck_assert(house_is_silent(&n.b.house, searcher));
	ck_assert_uint_eq(n.n, 2);
	(void)close(searcher);
	(void)close(device);
	bench_close(&n.b);
}
END_TEST

static bool is_ready(void *data)
{
	return ((const struct notes *)data)->ready > 0;
}

START_TEST(a_segment_that_changes_its_address_is_ready_anew)
{
	struct relay_segment_info i;
	struct notes n;

	notes_setup(&n, BETWEEN("interfaces: [one, two]"));
	ck_assert(!n.ready);
	house_run("ip addr del 10.9.2.1/24 dev r2");
	house_run("ip addr add 10.9.2.9/24 dev r2");
	ck_assert(house_wait(&n.b.house, is_ready, &n));
	ck_assert(bench_find(&n.b, "g", "two", NULL, &i));
	ck_assert_uint_eq(i.source.v4.s_addr, htonl(0x0a090209));
	bench_close(&n.b);
}
END_TEST

START_TEST(the_end_of_standby_makes_its_segments_ready)
{
	struct notes n;

	notes_setup(&n,
		BETWEEN("standby: true, interfaces: [one, two]") "  h: { address: 239.1.1.2, port: 5000, "
								 "interfaces: [one, two] }\n");
	relay_set_standby(n.b.relay, true);
	ck_assert_uint_eq(n.ready, 0);
	relay_set_standby(n.b.relay, false);
	ck_assert_uint_eq(n.ready, 2);
	relay_set_standby(n.b.relay, false);
	ck_assert_uint_eq(n.ready, 2);
	bench_close(&n.b);
}
END_TEST

/* ---- again ---- */

static struct relay_kept kept_of(
	const struct bench *b, const char *interface, const char *text)
{
	struct relay_kept k = {
		.segment = relay_segment_id(segment(b, interface)),
		.source = { .family = AF_INET },
		.port = 5000,
		.ttl = 5,
		.data = (const uint8_t *)text,
		.size = strlen(text),
	};

	k.source.v4.s_addr = htonl(0x0a090102);
	return k;
}

START_TEST(what_is_repeated_goes_to_all_but_its_own_segment)
{
	struct relay_kept k;
	struct bench b;
	int one, two;

	bench_setup(&b, 3, BETWEEN("interfaces: [one, two, three]"));
	one = house_hear(&b.house, 1, "239.1.1.1", 5000);
	two = house_hear(&b.house, 2, "239.1.1.1", 5000);
	k = kept_of(&b, "one", "again");
	ck_assert_uint_eq(relay_repeat(b.relay, &k, NULL), 2);
	bench_expect(&b, two, "again", 5);
	/* Neither the guard nor anything else holds it back. */
	ck_assert_uint_eq(relay_repeat(b.relay, &k, NULL), 2);
	bench_expect(&b, two, "again", 5);
	ck_assert(house_is_silent(&b.house, one));
	ck_assert_uint_eq(relay_repeat(b.relay, &k, segment(&b, "three")), 1);
	ck_assert(house_is_silent(&b.house, two));
	(void)close(one);
	(void)close(two);
	bench_close(&b);
}
END_TEST

/* A host that spoke just after it was repeated was taken for a copy of the
 * repetition, and so not refreshed by whoever keeps what was heard. */
START_TEST(who_is_repeated_may_say_it_again)
{
	struct relay_kept k;
	struct notes n;
	int ear;

	notes_setup(&n, BETWEEN("interfaces: [one, two]"));
	ear = house_hear(&n.b.house, 2, "239.1.1.1", 5000);
	k = kept_of(&n.b, "one", "again");
	ck_assert_uint_eq(relay_repeat(n.b.relay, &k, NULL), 1);
	bench_expect(&n.b, ear, "again", 5);
	house_send(&n.b.house, 1, "239.1.1.1", 5000, 5000, 1, "again", 5);
	bench_expect(&n.b, ear, "again", 5);
	ck_assert_uint_eq(n.n, 1);
	ck_assert_uint_eq(n.copies, 0);
	ck_assert_uint_eq(bench_dropped(&n.b, "g", "two", RELAY_LOOP), 0);
	/* But another host that says it is one. */
	house_forge(&n.b.house, 1, "10.9.1.77", "239.1.1.1", 5000, 5000,
		"again", 5);
	ck_assert(house_is_silent(&n.b.house, ear));
	ck_assert_uint_eq(n.copies, 1);
	(void)close(ear);
	bench_close(&n.b);
}
END_TEST

static const struct {
	const char *keys;
	size_t sent;
} rules[] = {
	{ "from: [one], to: [two]", 1 },
	{ "from: [one], to: []", 0 },
	{ "interfaces: [one, two], deny: { sources: [10.9.1.0/24] }", 0 },
	{ "interfaces: [one, two], deny: { sizes: 5 }", 0 },
	{ "interfaces: [one, two], standby: true", 0 },
	{ "devices: [one], searchers: [two]", 1 },
	{ "devices: [two], searchers: [one]", 0 },
};

START_TEST(what_is_repeated_is_judged_by_the_rules_of_now)
{
	char text[256];
	struct relay_kept k;
	struct bench b;

	(void)snprintf(text, sizeof(text), BETWEEN("%s"), rules[_i].keys);
	bench_setup(&b, 2, text);
	k = kept_of(&b, "one", "again");
	ck_assert_uint_eq(relay_repeat(b.relay, &k, NULL), rules[_i].sent);
	bench_close(&b);
}
END_TEST

START_TEST(without_its_segment_nothing_is_repeated)
{
	struct relay_kept k;
	struct bench b;

	bench_setup(&b, 2, BETWEEN("interfaces: [one, two]"));
	k = kept_of(&b, "one", "again");
	ck_assert_ptr_eq(
		relay_segment_by_id(b.relay, k.segment), segment(&b, "one"));
	/* A changed group has other segments. */
	bench_configure(&b, BETWEEN("ttl: 3, interfaces: [one, two]"));
	ck_assert_ptr_null(relay_segment_by_id(b.relay, k.segment));
	ck_assert_uint_eq(relay_repeat(b.relay, &k, NULL), 0);
	ck_assert_ptr_null(relay_segment_by_id(b.relay, 0));
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_own");
	TCase *own = tcase_create("own"), *out = tcase_create("handed out");
	TCase *again = tcase_create("again");

	tcase_add_test(own, a_datagram_of_its_own_leaves_as_a_relayed_one);
	tcase_add_test(own, it_goes_to_each_peer);
	tcase_add_test(own, a_segment_that_is_only_heard_is_not_sent_to);
	tcase_add_test(own, standby_silences_what_is_its_own);
	tcase_add_test(own, without_a_device_nothing_can_be_sent);
	tcase_add_test(own, what_it_said_is_not_brought_back);
	suite_add_tcase(s, own);
	tcase_add_test(out, what_is_heard_is_handed_out_once_for_a_group);
	tcase_add_test(out, what_a_filter_drops_is_handed_out_too);
	tcase_add_test(out, a_copy_is_handed_out_as_one);
	tcase_add_test(out, what_is_its_own_is_handed_out_to_nobody);
	tcase_add_test(out, what_comes_from_no_peer_is_handed_out_to_nobody);
	tcase_add_test(out, an_answer_is_handed_out_with_its_flow);
	tcase_add_test(out, a_segment_that_changes_its_address_is_ready_anew);
	tcase_add_test(out, the_end_of_standby_makes_its_segments_ready);
	suite_add_tcase(s, out);
	tcase_add_test(again, what_is_repeated_goes_to_all_but_its_own_segment);
	tcase_add_test(again, who_is_repeated_may_say_it_again);
	tcase_add_loop_test(again,
		what_is_repeated_is_judged_by_the_rules_of_now, 0,
		sizeof(rules) / sizeof(rules[0]));
	tcase_add_test(again, without_its_segment_nothing_is_repeated);
	suite_add_tcase(s, again);
	return bench_main(s);
}
