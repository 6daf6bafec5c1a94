/*
 * Tests of proto/mdns_edit: messages are written as lines of text, a question
 * or record each, and compared as such.
 */
#include "mdns_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool is_router(void *data, const struct mdns_name *name)
{
	struct mdns_name router = fixture_name("router.local");

	ck_assert_str_eq(data, "hosts");
	return mdns_name_equal(name, &router);
}

static char cast[] = "_googlecast._tcp", airplay[] = "_airplay._tcp",
	    raop[] = "_raop._tcp", sd[] = "_dns-sd._udp", http[] = "_HTTP._tcp";
static char *only_cast[] = { cast }, *no_airplay[] = { airplay, raop },
	    *only_sd[] = { sd }, *only_http[] = { http };

static const struct proto_filter allow_cast = { .allow = { only_cast, 1 } },
				 deny_airplay = { .deny = { no_airplay, 2 } },
				 allow_sd = { .allow = { only_sd, 1 } },
				 allow_http = { .allow = { only_http, 1 } },
				 deny_wins = { .allow = { only_cast, 1 },
					 .deny = { only_cast, 1 } },
				 says_nothing = { .deny = { NULL, 0 } };

/* What the rules of a case are. */
enum { LL = 1, MULTI = 2, QU = 4 };

static const struct edit_case {
	const char *claim;
	uint16_t flags;
	const struct proto_filter *filter;
	unsigned strip;
	const char *in;
	const char *out; /* NULL: dropped; "=": unchanged */
} cases[] = {
	{ "an allowed service is unchanged", FIXTURE_RESPONSE, &allow_cast, 0,
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local\n"
		"ad Foo._googlecast._tcp.local SRV #000000001f49 foo.local\n"
		"ad foo.local A 192.0.2.1",
		"=" },
	{ "an empty filter says nothing", FIXTURE_RESPONSE, &says_nothing,
		LL | MULTI,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local", "=" },
	{ "a service that is not allowed goes, and its host with it",
		FIXTURE_RESPONSE, &allow_cast, 0,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"ad Foo._airplay._tcp.local SRV #000000001f49 foo.local\n"
		"ad Foo._airplay._tcp.local NSEC TXT SRV\n"
		"ad foo.local A 192.0.2.1\n"
		"ad 1.2.0.192.in-addr.arpa PTR foo.local",
		NULL },
	{ "of two services one stays, and the host", FIXTURE_RESPONSE,
		&allow_cast, 0,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local\n"
		"ad Foo._airplay._tcp.local TXT #00\n"
		"ad Foo._airplay._tcp.local NSEC TXT SRV\n"
		"ad foo.local A 192.0.2.1",
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local\n"
		"ad foo.local A 192.0.2.1" },
	{ "denied services go, others stay", FIXTURE_RESPONSE, &deny_airplay, 0,
		"an AA\\@Foo._raop._tcp.local TXT #00\n"
		"an _sub._http._tcp.local TXT #00\n"
		"an _http._tcp.local PTR x._http._tcp.local",
		"an _sub._http._tcp.local TXT #00\n"
		"an _http._tcp.local PTR x._http._tcp.local" },
	{ "deny wins", FIXTURE_RESPONSE, &deny_wins, 0,
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local",
		NULL },
	{ "services match without case", FIXTURE_RESPONSE, &allow_http, 0,
		"an _hTTp._TCP.local PTR Foo._hTTp._TCP.LOCAL", "=" },
	{ "subtypes belong to their type", FIXTURE_RESPONSE, &allow_cast, 0,
		"an _x._sub._googlecast._tcp.local PTR "
		"Foo._googlecast._tcp.local\n"
		"an _x._sub._airplay._tcp.local PTR Foo._airplay._tcp.local",
		"an _x._sub._googlecast._tcp.local PTR "
		"Foo._googlecast._tcp.local" },
	{ "an enumeration's answers belong to the type that they name",
		FIXTURE_RESPONSE, &allow_cast, 0,
		"an _services._dns-sd._udp.local PTR _airplay._tcp.local\n"
		"an _services._dns-sd._udp.local PTR _googlecast._tcp.local",
		"an _services._dns-sd._udp.local PTR _googlecast._tcp.local" },
	{ "an enumeration's question passes", FIXTURE_QUERY, &allow_cast, 0,
		"q _services._dns-sd._udp.local PTR", "=" },
	{ "it is no host", FIXTURE_QUERY, &allow_cast, 0,
		"q _airplay._tcp.local PTR\nq _services._dns-sd._udp.local PTR",
		"q _services._dns-sd._udp.local PTR" },
	{ "other names below _dns-sd._udp are of that type", FIXTURE_QUERY,
		&allow_sd, 0,
		"q _airplay._tcp.local PTR\nq lb._dns-sd._udp.local PTR",
		"q lb._dns-sd._udp.local PTR" },
	{ "hosts alone pass", FIXTURE_RESPONSE, &allow_cast, 0,
		"an foo.local A 192.0.2.1\n"
		"an 1.2.0.192.in-addr.arpa PTR foo.local",
		"=" },
	{ "questions are filtered", FIXTURE_QUERY, &allow_cast, 0,
		"q _airplay._tcp.local PTR\nq _googlecast._tcp.local PTR",
		"q _googlecast._tcp.local PTR" },
	{ "a query without its questions goes", FIXTURE_QUERY, &allow_cast, 0,
		"q _airplay._tcp.local PTR\n"
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local",
		NULL },
	{ "a question for a host goes with the last service", FIXTURE_QUERY,
		&allow_cast, 0, "q _airplay._tcp.local PTR\nq foo.local A",
		NULL },
	{ "known answers are filtered", FIXTURE_QUERY, &allow_cast, 0,
		"q _googlecast._tcp.local PTR\n"
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local",
		"q _googlecast._tcp.local PTR\n"
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local" },
	{ "more known answers are filtered", FIXTURE_QUERY, &allow_cast, 0,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local",
		"an _googlecast._tcp.local PTR Foo._googlecast._tcp.local" },
	{ "none of them is nothing", FIXTURE_QUERY, &allow_cast, 0,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local", NULL },
	{ "OPT stays, but is nothing by itself", FIXTURE_RESPONSE, &allow_cast,
		0,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"ad . OPT #000400020000",
		NULL },
	{ "OPT stays beside a question", FIXTURE_QUERY, &allow_cast, 0,
		"q _airplay._tcp.local PTR\nq _googlecast._tcp.local PTR\n"
		"ad . OPT #000400020000",
		"q _googlecast._tcp.local PTR\nad . OPT #000400020000" },
	{ "probes are filtered", FIXTURE_QUERY, &allow_cast, 0,
		"qu Foo._airplay._tcp.local ANY\n"
		"qu Foo._googlecast._tcp.local ANY\n"
		"au Foo._airplay._tcp.local SRV #000000000050 foo.local\n"
		"au Foo._googlecast._tcp.local SRV #000000000050 foo.local",
		"qu Foo._googlecast._tcp.local ANY\n"
		"au Foo._googlecast._tcp.local SRV #000000000050 foo.local" },
	{ "link-local addresses go, up to their borders", FIXTURE_RESPONSE,
		NULL, LL,
		"an foo.local A 169.253.255.255\nan foo.local A 169.254.0.0\n"
		"an foo.local A 169.254.255.255\nan foo.local A 169.255.0.0\n"
		"an foo.local AAAA fe7f::1\nan foo.local AAAA fe80::\n"
		"an foo.local AAAA febf::1\nan foo.local AAAA fec0::1",
		"an foo.local A 169.253.255.255\nan foo.local A 169.255.0.0\n"
		"an foo.local AAAA fe7f::1\nan foo.local AAAA fec0::1" },
	{ "they stay where nobody strips", FIXTURE_RESPONSE, NULL, 0,
		"an foo.local A 169.254.0.0\nan foo.local AAAA fe80::1", "=" },
	{ "nothing but link-local is nothing", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local A 169.254.0.1\nan foo.local AAAA fe80::1\n"
		"ad foo.local NSEC A AAAA",
		NULL },
	{ "NSEC loses the type that is gone", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local A 192.0.2.1\nan foo.local AAAA fe80::1\n"
		"ad foo.local NSEC A AAAA",
		"an foo.local A 192.0.2.1\nad foo.local NSEC A" },
	{ "NSEC keeps what is left in another record", FIXTURE_RESPONSE, NULL,
		LL,
		"an foo.local AAAA fe80::1\nan FOO.local AAAA 2001:db8::1\n"
		"ad Foo.local NSEC A AAAA",
		"an FOO.local AAAA 2001:db8::1\nad Foo.local NSEC A AAAA" },
	{ "an answer of the stripped type alone becomes a denial",
		FIXTURE_RESPONSE, NULL, LL,
		"an foo.local AAAA fe80::1\nad foo.local NSEC A AAAA\n"
		"ad foo.local A 192.0.2.1",
		"ad foo.local NSEC A\nad foo.local A 192.0.2.1" },
	{ "NSEC without a type goes", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local AAAA fe80::1\nan bar.local A 192.0.2.2\n"
		"ad foo.local NSEC AAAA",
		"an bar.local A 192.0.2.2" },
	{ "NSEC of other names stays", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local AAAA fe80::1\nan bar.local A 192.0.2.2\n"
		"ad bar.local NSEC A AAAA",
		"an bar.local A 192.0.2.2\nad bar.local NSEC A AAAA" },
	{ "NSEC that never had the bit stays as it is", FIXTURE_RESPONSE, NULL,
		LL,
		"an foo.local AAAA fe80::1\nan foo.local A 192.0.2.2\n"
		"ad foo.local NSEC A",
		"an foo.local A 192.0.2.2\nad foo.local NSEC A" },
	{ "NSEC of another block goes", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local AAAA fe80::1\nan foo.local A 192.0.2.2\n"
		"ad foo.local NSEC foo.local #010140",
		"an foo.local A 192.0.2.2" },
	{ "NSEC of two blocks goes", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local AAAA fe80::1\nan foo.local A 192.0.2.2\n"
		"ad foo.local NSEC foo.local #000440000008010140",
		"an foo.local A 192.0.2.2" },
	{ "data without its form is no reason to edit", FIXTURE_RESPONSE, NULL,
		LL,
		"an foo.local TXT #0241\nan foo.local HINFO #0141ff\n"
		"an foo.local NSEC foo.local #000240\n"
		"ad . OPT #000400020000ff",
		"=" },
	{ "but it does not go into what is edited", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local A 169.254.0.1\nan foo.local A 192.0.2.1\n"
		"an foo.local TXT #0241\nan foo.local HINFO #0141ff\n"
		"an foo.local NSEC foo.local #000240\n"
		"ad . OPT #000400020000ff\nad . OPT #000400020000\n"
		"ad bar.local TXT #01410142",
		"an foo.local A 192.0.2.1\nad . OPT #000400020000\n"
		"ad bar.local TXT #01410142" },
	{ "nor is it worth sending alone", FIXTURE_RESPONSE, NULL, LL,
		"an foo.local A 169.254.0.1\nan foo.local TXT #0241", NULL },
	{ "multi-homed: addresses and NSEC of the host go", FIXTURE_RESPONSE,
		NULL, MULTI,
		"an router._ssh._tcp.local SRV #000000000016 router.local\n"
		"an Router.local A 192.0.2.1\nan router.local AAAA 2001:db8::1\n"
		"an router.local HINFO #0141\nan other.local A 192.0.2.2\n"
		"ad router.local NSEC A AAAA",
		"an router._ssh._tcp.local SRV #000000000016 router.local\n"
		"an router.local HINFO #0141\nan other.local A 192.0.2.2" },
	{ "multi-homed: NSEC goes alone, too", FIXTURE_RESPONSE, NULL, MULTI,
		"an router.local NSEC A\nan other.local A 192.0.2.2",
		"an other.local A 192.0.2.2" },
	{ "multi-homed: a question for the host crosses", FIXTURE_QUERY, NULL,
		MULTI, "q router.local A", "=" },
	{ "multi-homed: a probe does not become a question", FIXTURE_QUERY,
		NULL, MULTI, "qu router.local ANY\nau router.local A 192.0.2.1",
		NULL },
	{ "multi-homed: the probe for a service goes on", FIXTURE_QUERY, NULL,
		MULTI,
		"qu Router.local ANY\nqu x._ssh._tcp.local ANY\n"
		"au router.local A 192.0.2.1\n"
		"au x._ssh._tcp.local SRV #000000000016 router.local",
		"qu x._ssh._tcp.local ANY\n"
		"au x._ssh._tcp.local SRV #000000000016 router.local" },
	{ "a probe with an address left is one", FIXTURE_QUERY, NULL, LL,
		"qu foo.local ANY\nau foo.local A 192.0.2.1\n"
		"au foo.local AAAA fe80::1",
		"qu foo.local ANY\nau foo.local A 192.0.2.1" },
	{ "what is filtered has no say in what NSEC keeps", FIXTURE_RESPONSE,
		&deny_airplay, LL,
		"an foo._http._tcp.local TXT #00\nan foo.local AAAA fe80::1\n"
		"an foo.local HINFO #00\nan x._raop._tcp.local AAAA ::2\n"
		"ad foo.local NSEC HINFO AAAA",
		"an foo._http._tcp.local TXT #00\nan foo.local HINFO #00\n"
		"ad foo.local NSEC HINFO" },
	{ "QU is cleared", FIXTURE_QUERY, NULL, QU,
		"qu foo.local A\nq foo.local AAAA",
		"q foo.local A\nq foo.local AAAA" },
	{ "QU stays where nobody clears it", FIXTURE_QUERY, NULL, LL,
		"qu foo.local A", "=" },
	{ "no QU, no change", FIXTURE_QUERY, NULL, QU, "q foo.local A", "=" },
	{ "QU is cleared in queries alone", FIXTURE_RESPONSE, NULL, QU,
		"qu foo.local A\nan foo.local A 192.0.2.1", "=" },
	{ "old types are written anew", FIXTURE_RESPONSE, &deny_airplay, 0,
		"an _airplay._tcp.local PTR Foo._airplay._tcp.local\n"
		"an _http._tcp.local PTR Foo._http._tcp.local\n"
		"an local CNAME x.local\n"
		"an local SOA ns.local admin.local "
		"#0102030405060708090a0b0c0d0e0f1011121314\n"
		"an local MX #000a mx.local\nan local RP a.local b.local\n"
		"an local UNKNOWN #c00c",
		"an _http._tcp.local PTR Foo._http._tcp.local\n"
		"an local CNAME x.local\n"
		"an local SOA ns.local admin.local "
		"#0102030405060708090a0b0c0d0e0f1011121314\n"
		"an local MX #000a mx.local\nan local RP a.local b.local\n"
		"an local UNKNOWN #c00c" },
	{ "labels may hold anything", FIXTURE_RESPONSE, &deny_airplay, 0,
		"an _airplay._tcp.local PTR a\\.b._airplay._tcp.local\n"
		"an _http._tcp.local PTR "
		"\\000\\032a\\.b\\\\\\195\\164\\255._http._tcp.local",
		"an _http._tcp.local PTR "
		"\\000\\032a\\.b\\\\\\195\\164\\255._http._tcp.local" },
};

static struct mdns_rules rules_of(const struct edit_case *c)
{
	static char hosts[] = "hosts";

	return (struct mdns_rules){
		.filters = c->filter,
		.n_filters = c->filter == NULL ? 0 : 1,
		.strip_link_local = (c->strip & LL) != 0,
		.strip_host = (c->strip & MULTI) != 0 ? is_router : NULL,
		.data = hosts,
		.clear_qu = (c->strip & QU) != 0,
	};
}

START_TEST(does_what_each_case_says)
{
	const struct edit_case *c = &cases[_i];
	struct mdns_rules rules = rules_of(c);
	uint8_t buffer[MDNS_MAX_BYTES], *in, *out;
	size_t size = fixture_build(c->flags, c->in, buffer), n = SIZE_MAX;
	int r;

	in = fixture_exact(buffer, size);
	out = malloc(size);
	r = mdns_edit(&rules, in, size, out, size, &n);
	if (c->out == NULL) {
		ck_assert_msg(r == MDNS_DROPPED, "%s: %d", c->claim, r);
	} else if (strcmp(c->out, "=") == 0) {
		ck_assert_msg(r == MDNS_UNCHANGED, "%s: %d", c->claim, r);
	} else {
		ck_assert_msg(r == MDNS_EDITED, "%s: %d", c->claim, r);
		ck_assert_msg(strcmp(fixture_lines(out, n), c->out) == 0,
			"%s:\n%s", c->claim, fixture_lines(out, n));
		fixture_parses(out, n);
		ck_assert_int_eq(
			mdns_edit(&rules, out, n, buffer, sizeof(buffer), &n),
			MDNS_UNCHANGED);
	}
	if (r != MDNS_EDITED)
		ck_assert_uint_eq(n, SIZE_MAX);
	free(in);
	free(out);
}
END_TEST

START_TEST(every_filter_must_let_pass)
{
	const struct proto_filter both[] = { allow_cast, deny_airplay };

	ck_assert(mdns_service_passes(both, 2, "_googlecast._tcp"));
	ck_assert(!mdns_service_passes(both, 2, "_airplay._tcp"));
	ck_assert(!mdns_service_passes(both, 2, "_http._tcp"));
	ck_assert(mdns_service_passes(both + 1, 1, "_http._tcp"));
	ck_assert(mdns_service_passes(NULL, 0, "_http._tcp"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mdns_edit");
	TCase *t = tcase_create("mdns_edit");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, does_what_each_case_says, 0,
		(int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, every_filter_must_let_pass);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
