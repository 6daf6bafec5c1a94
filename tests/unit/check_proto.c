/* Tests of proto/proto, and of proto/arena, which only proto/wsd sees. */
#include "proto/arena.h"
#include "proto/proto.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char envelope[] =
	"<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'><Body>"
	"<Probe xmlns='http://schemas.xmlsoap.org/ws/2005/04/discovery'/>"
	"</Body></Envelope>";

static struct wsd_parser *parser;

static void begin(void)
{
	ck_assert_int_eq(wsd_parser_new(&parser, 42), 0);
}

static void end(void)
{
	wsd_parser_free(parser);
}

static const struct {
	enum proto_payload payload;
	const char *text;
	size_t size;
	int result;
	enum proto_kind kind;
} views[] = {
	{ PROTO_NONE, "anything", 8, 0, PROTO_UNKNOWN },
	{ PROTO_NONE, "", 0, 0, PROTO_UNKNOWN },
	{ PROTO_MDNS, "\0\0\0\0\0\1\0\0\0\0\0\0\0\0\1\0\1", 17, 0,
		PROTO_SEARCH },
	{ PROTO_MDNS, "M-SEARCH", 8, -EBADMSG, PROTO_UNKNOWN },
	{ PROTO_SSDP, "NOTIFY * HTTP/1.1", 17, 0, PROTO_ANNOUNCEMENT },
	{ PROTO_SSDP, "NOTIFY", 6, -EBADMSG, PROTO_UNKNOWN },
	{ PROTO_WSD, envelope, sizeof(envelope) - 1, 0, PROTO_SEARCH },
	{ PROTO_WSD, "<a/>", 4, -EBADMSG, PROTO_UNKNOWN },
};

START_TEST(each_payload_has_its_decoder)
{
	struct proto_view v = { .kind = PROTO_PROBE };

	ck_assert_int_eq(proto_inspect(views[_i].payload, parser,
				 views[_i].text, views[_i].size, &v),
		views[_i].result);
	if (views[_i].result < 0) {
		ck_assert_int_eq(v.kind, PROTO_PROBE);
		return;
	}
	ck_assert_int_eq(v.kind, views[_i].kind);
	ck_assert_int_eq(v.payload, views[_i].payload);
}
END_TEST

static void *take(size_t size)
{
	return arena_suite.malloc_fcn(size);
}

START_TEST(pieces_are_aligned_and_apart)
{
	struct arena *a = malloc(sizeof(*a));
	char *first, *second;

	arena_lend(a);
	first = take(1);
	second = take(17);
	ck_assert_uint_eq((uintptr_t)first % alignof(max_align_t), 0);
	ck_assert_uint_eq((uintptr_t)second % alignof(max_align_t), 0);
	ck_assert(second >= first + 1);
	ck_assert((char *)take(1) >= second + 17);
	arena_take_back();
	free(a);
}
END_TEST

START_TEST(a_piece_that_grows_keeps_its_content)
{
	struct arena *a = malloc(sizeof(*a));
	char *piece, *more;

	arena_lend(a);
	piece = arena_suite.realloc_fcn(NULL, 16);
	memcpy(piece, "0123456789abcdef", 16);
	ck_assert_ptr_eq(arena_suite.realloc_fcn(piece, 8), piece);
	ck_assert_ptr_eq(arena_suite.realloc_fcn(piece, 16), piece);
	more = arena_suite.realloc_fcn(piece, 17);
	ck_assert_ptr_ne(more, piece);
	ck_assert_mem_eq(more, "0123456789abcdef", 16);
	ck_assert_ptr_null(arena_suite.realloc_fcn(more, ARENA_BYTES));
	ck_assert_mem_eq(more, "0123456789abcdef", 16);
	arena_suite.free_fcn(more);
	arena_take_back();
	free(a);
}
END_TEST

START_TEST(a_full_arena_gives_nothing_until_it_is_lent_again)
{
	struct arena *a = malloc(sizeof(*a));
	size_t largest = ARENA_BYTES - alignof(max_align_t);

	arena_lend(a);
	ck_assert_ptr_null(take(SIZE_MAX));
	ck_assert_ptr_null(take(ARENA_BYTES));
	ck_assert_ptr_null(take(largest + 1));
	ck_assert_ptr_nonnull(take(largest));
	ck_assert_ptr_null(take(0));
	arena_lend(a);
	ck_assert_ptr_nonnull(take(largest));
	arena_take_back();
	free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proto");
	TCase *t = tcase_create("proto");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, each_payload_has_its_decoder, 0,
		(int)(sizeof(views) / sizeof(views[0])));
	tcase_add_test(t, pieces_are_aligned_and_apart);
	tcase_add_test(t, a_piece_that_grows_keeps_its_content);
	tcase_add_test(t, a_full_arena_gives_nothing_until_it_is_lent_again);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
