/* Tests of proto/mdns_edit: how it writes what it leaves. */
#include "mdns_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char cast[] = "_googlecast._tcp", airplay[] = "_airplay._tcp",
	    raop[] = "_raop._tcp";
static char *only_cast[] = { cast }, *no_airplay[] = { airplay, raop };

static const struct proto_filter allow_cast = { .allow = { only_cast, 1 } },
				 deny_airplay = { .deny = { no_airplay, 2 } };

START_TEST(writes_no_more_than_there_is_room_for)
{
	const struct mdns_rules rules = { .filters = &allow_cast,
		.n_filters = 1 };
	uint8_t in[MDNS_MAX_BYTES], out[MDNS_MAX_BYTES], *small;
	size_t size, whole, n = SIZE_MAX;

	size = fixture_build(FIXTURE_RESPONSE,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local\n"
		"ad foo.local A 192.0.2.1",
		in);
	ck_assert_int_eq(mdns_edit(&rules, in, size, out, sizeof(out), &whole),
		MDNS_EDITED);
	for (size_t room = 0; room < whole; room++) {
		small = malloc(room);
		ck_assert_int_eq(
			mdns_edit(&rules, in, size, small, room, &n), -ENOBUFS);
		ck_assert_uint_eq(n, SIZE_MAX);
		free(small);
	}
	small = malloc(whole);
	ck_assert_int_eq(
		mdns_edit(&rules, in, size, small, whole, &n), MDNS_EDITED);
	ck_assert_mem_eq(small, out, whole);
	free(small);
}
END_TEST

START_TEST(keeps_bytes_behind_the_end_only_of_what_is_unchanged)
{
	struct mdns_rules rules = { .filters = &deny_airplay, .n_filters = 1 };
	uint8_t in[MDNS_MAX_BYTES], out[MDNS_MAX_BYTES];
	size_t size, n;

	size = fixture_build(FIXTURE_RESPONSE,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"an _http._tcp.local PTR Foo._http._tcp.local",
		in);
	memset(in + size, 0, 4);
	ck_assert_int_eq(mdns_edit(&rules, in, size + 4, out, sizeof(out), &n),
		MDNS_EDITED);
	fixture_parses(out, n);
	rules.n_filters = 0;
	ck_assert_int_eq(mdns_edit(&rules, in, size + 4, out, sizeof(out), &n),
		MDNS_UNCHANGED);
}
END_TEST

/* RFC 6762, 18.14: legacy resolvers do not know compression in SRV. */
START_TEST(writes_srv_of_legacy_answers_without_compression)
{
	static const uint8_t plain[] = "\3lab\5local";
	struct mdns_rules rules = { .filters = &deny_airplay, .n_filters = 1 };
	uint8_t in[MDNS_MAX_BYTES], out[MDNS_MAX_BYTES];
	size_t n, size;

	size = fixture_build(FIXTURE_RESPONSE,
		"q _ipp._tcp.local PTR\n"
		"an _ipp._tcp.local PTR Lab._ipp._tcp.local\n"
		"an _raop._tcp.local PTR Lab._raop._tcp.local\n"
		"ad lab.local A 192.0.2.1\n"
		"ad Lab._ipp._tcp.local SRV #000000000277 lab.local",
		in);
	ck_assert_int_eq(
		mdns_edit(&rules, in, size, out, sizeof(out), &n), MDNS_EDITED);
	ck_assert_mem_eq(out + n - sizeof(plain), plain, sizeof(plain));
	size = fixture_build(FIXTURE_RESPONSE,
		"an _ipp._tcp.local PTR Lab._ipp._tcp.local\n"
		"an _raop._tcp.local PTR Lab._raop._tcp.local\n"
		"ad lab.local A 192.0.2.1\n"
		"ad Lab._ipp._tcp.local SRV #000000000277 lab.local",
		in);
	ck_assert_int_eq(
		mdns_edit(&rules, in, size, out, sizeof(out), &n), MDNS_EDITED);
	ck_assert_uint_eq(out[n - 2] & 0xc0, 0xc0);
}
END_TEST

START_TEST(keeps_id_flags_ttl_and_cache_flush)
{
	const struct mdns_rules rules = { .filters = &allow_cast,
		.n_filters = 1 };
	struct mdns_name drop = fixture_name("_hap._tcp.local");
	struct mdns_name keep = fixture_name("_googlecast._tcp.local");
	uint8_t in[MDNS_MAX_BYTES], out[MDNS_MAX_BYTES];
	struct mdns_reader r;
	struct mdns_writer w;
	struct mdns_item i;
	size_t n;

	ck_assert_int_eq(
		mdns_begin(&w, in, sizeof(in), 0xabcd, MDNS_TRUNCATED | 0x0100),
		0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &drop, 1, &drop), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &keep, 7, &keep), 0);
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_ANSWER, &keep, 0x80000000, 9, &keep), 0);
	ck_assert_int_eq(mdns_edit(&rules, in, w.used, out, sizeof(out), &n),
		MDNS_EDITED);
	ck_assert_int_eq(mdns_open(&r, out, n), 0);
	ck_assert_uint_eq(r.id, 0xabcd);
	ck_assert_uint_eq(r.flags, MDNS_TRUNCATED | 0x0100);
	ck_assert_int_eq(mdns_next(&r, &i), 1);
	ck_assert_uint_eq(i.ttl, 7);
	ck_assert(!i.top);
	ck_assert_int_eq(mdns_next(&r, &i), 1);
	ck_assert_uint_eq(i.ttl, 0x80000000);
	ck_assert(i.top);
	ck_assert_int_eq(mdns_next(&r, &i), 0);
}
END_TEST

/* The hosts that are remembered are bounded; beyond, NSEC says nothing. */
START_TEST(takes_nsec_out_where_there_are_too_many_hosts)
{
	struct mdns_rules rules = { .strip_link_local = true };
	uint8_t in[MDNS_MAX_BYTES], out[MDNS_MAX_BYTES];
	char text[8000], line[100];
	size_t n, size;

	for (int hosts = 63; hosts <= 64; hosts++) {
		strcpy(text, "an first.local A 192.0.2.1");
		for (int h = 0; h < hosts; h++) {
			sprintf(line, "\nan h%d.local AAAA fe80::1", h);
			strcat(text, line);
		}
		strcat(text, "\nad first.local NSEC A");
		size = fixture_build(FIXTURE_RESPONSE, text, in);
		ck_assert_int_eq(
			mdns_edit(&rules, in, size, out, sizeof(out), &n),
			MDNS_EDITED);
		ck_assert_str_eq(fixture_lines(out, n),
			hosts == 63
				? "an first.local A 192.0.2.1\nad first.local NSEC A"
				: "an first.local A 192.0.2.1");
	}
}
END_TEST

START_TEST(refuses_what_it_cannot_read)
{
	const struct mdns_rules rules = { .strip_link_local = true };
	uint8_t in[MDNS_MAX_BYTES], out[MDNS_MAX_BYTES], *cut;
	size_t size, n = SIZE_MAX;

	size = fixture_build(FIXTURE_RESPONSE,
		"an foo.local AAAA fe80::1\n"
		"an foo.local SRV #000000000050 foo.local\n"
		"ad foo.local NSEC A AAAA",
		in);
	for (size_t s = 0; s < size; s++) {
		cut = fixture_exact(in, s);
		ck_assert_int_eq(
			mdns_edit(&rules, cut, s, out, sizeof(out), &n),
			-EBADMSG);
		free(cut);
	}
	ck_assert_uint_eq(n, SIZE_MAX);
}
END_TEST

/* RFC 6762 knows no class but IN. */
START_TEST(leaves_out_other_classes)
{
	const struct mdns_rules rules = { .clear_qu = true };
	struct mdns_item other = { .section = MDNS_ANSWER,
		.type = MDNS_A,
		.rrclass = 3,
		.head = { (const uint8_t *)"\1\2\3\4", 4 } };
	uint8_t in[MDNS_MAX_BYTES], out[MDNS_MAX_BYTES];
	struct mdns_name name = fixture_name("foo.local");
	struct mdns_writer w;
	size_t n;

	other.name = name;
	ck_assert_int_eq(mdns_begin(&w, in, sizeof(in), 0, 0), 0);
	ck_assert_int_eq(mdns_put_question(&w, &name, MDNS_A, true), 0);
	ck_assert_int_eq(mdns_put(&w, &other), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &name, 9, &name), 0);
	ck_assert_int_eq(mdns_edit(&rules, in, w.used, out, sizeof(out), &n),
		MDNS_EDITED);
	ck_assert_str_eq(fixture_lines(out, n),
		"q foo.local A\nan foo.local PTR foo.local");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mdns_rewrite");
	TCase *t = tcase_create("mdns_rewrite");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, writes_no_more_than_there_is_room_for);
	tcase_add_test(t, keeps_bytes_behind_the_end_only_of_what_is_unchanged);
	tcase_add_test(t, writes_srv_of_legacy_answers_without_compression);
	tcase_add_test(t, keeps_id_flags_ttl_and_cache_flush);
	tcase_add_test(t, takes_nsec_out_where_there_are_too_many_hosts);
	tcase_add_test(t, refuses_what_it_cannot_read);
	tcase_add_test(t, leaves_out_other_classes);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
