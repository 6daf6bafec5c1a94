/*
 * Nothing is allocated for a datagram, once memory has grown to what traffic
 * needs: from the socket through filters, the loop guard and the discovered
 * table to the sockets of the other segments, by a counting allocator.
 */
#include "discovery/discovery.h"
#include "relay_bench.h"
#include "udp/udp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM = 300, COUNTED = 300, NAMES = 4 };

/* Volatile, since the compiler knows that malloc() changes no variables. */
static volatile bool is_counting, is_warm;
static volatile size_t allocations;
static size_t batches;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	allocations += is_counting;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocations += is_counting;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	allocations += is_counting;
	return __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	allocations += is_counting;
	return __real_reallocarray(old, n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	allocations += is_counting;
	return __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
	allocations += is_counting;
	return __real_strdup(text);
}

/* The way of a batch of datagrams, from beginning to end. */
void __real_fanout_receive(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped);
void __wrap_fanout_receive(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped);

void __wrap_fanout_receive(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped)
{
	batches++;
	is_counting = is_warm;
	__real_fanout_receive(u, n, datagrams, kernel_dropped);
	is_counting = false;
}

/* ---- what is said ---- */

typedef size_t (*make_cb)(unsigned n, uint8_t *to, size_t room);

static size_t print(uint8_t *to, size_t room, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static size_t print(uint8_t *to, size_t room, const char *format, ...)
{
	va_list ap;
	int size;

	va_start(ap, format);
	size = vsnprintf((char *)to, room, format, ap);
	va_end(ap);
	ck_assert(size > 0 && (size_t)size < room);
	return (size_t)size;
}

static size_t beacon(unsigned n, uint8_t *to, size_t room)
{
	return print(to, room, "beacon %08u", n);
}

static size_t notify(unsigned n, uint8_t *to, size_t room)
{
	return print(to, room,
		"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
		"CACHE-CONTROL: max-age=1800\r\nNT: upnp:rootdevice\r\n"
		"NTS: ssdp:alive\r\nUSN: uuid:1::upnp:rootdevice\r\n"
		"LOCATION: http://10.9.1.2/x\r\nX-NUMBER: %08u\r\n\r\n",
		n);
}

static size_t hello(unsigned n, uint8_t *to, size_t room)
{
	return print(to, room,
		"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\""
		" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\""
		" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\">"
		"<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/"
		"discovery/Hello</a:Action><a:MessageID>urn:uuid:%08u"
		"</a:MessageID></s:Header><s:Body><d:Hello>"
		"<a:EndpointReference><a:Address>urn:uuid:1</a:Address>"
		"</a:EndpointReference><d:Types>d:Device</d:Types>"
		"<d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body>"
		"</s:Envelope>",
		n);
}

static void name(struct mdns_name *ret, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void name(struct mdns_name *ret, const char *format, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ck_assert_int_eq(mdns_name_from_text(text, ret), 0);
}

/* Two services, of which one is taken out. */
static size_t services(unsigned n, uint8_t *to, size_t room)
{
	struct mdns_name cast, hap, instance, other, host;
	char number[32], *strings = number;
	struct proto_list txt = { &strings, 1 };
	struct mdns_writer w;
	uint8_t address[4] = { 10, 9, 1, 2 };

	(void)snprintf(number, sizeof(number), "n=%08u", n);
	name(&cast, "_googlecast._tcp.local");
	name(&hap, "_hap._tcp.local");
	name(&instance, "tv%u._googlecast._tcp.local", n % NAMES);
	name(&other, "tv%u._hap._tcp.local", n % NAMES);
	name(&host, "tv%u.local", n % NAMES);
	ck_assert_int_eq(
		mdns_begin(&w, to, room, 0, MDNS_RESPONSE | MDNS_AUTHORITATIVE),
		0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &hap, 120, &other), 0);
	ck_assert_int_eq(
		mdns_put_ptr(&w, MDNS_ANSWER, &cast, 120, &instance), 0);
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_ANSWER, &instance, 120, 8009, &host), 0);
	ck_assert_int_eq(
		mdns_put_txt(&w, MDNS_ANSWER, &instance, 120, &txt), 0);
	ck_assert_int_eq(mdns_put_address(&w, MDNS_ANSWER, &host, 120, address,
				 sizeof(address)),
		0);
	return w.used;
}

/* ---- on their way ---- */

struct path {
	const char *group; /* the address */
	uint16_t port;
	make_cb make;
};

static const struct path paths[] = {
	{ "239.1.1.1", 5000, beacon },
	{ "239.1.1.2", 5001, beacon },
	{ "239.255.255.250", 1900, notify },
	{ "239.255.255.250", 3702, hello },
	{ "224.0.0.251", 5353, services },
};

static const char config[] =
	"limits: { remembered: 64 }\n" HEAD
	"  g: { address: 239.1.1.1, port: 5000, interfaces: [one, two],\n"
	"       rate: 100000/s,\n"
	"       allow: { sources: 10.0.0.0/8, sizes: 1-1400 } }\n"
	"  f: { address: 239.1.1.2, port: 5001, interfaces: [one, two],\n"
	"       send: frame }\n"
	"  s: { preset: ssdp, rate: off, interfaces: [one, two] }\n"
	"  w: { preset: wsd, rate: off, interfaces: [one, two] }\n"
	"  m: { preset: mdns, rate: off, interfaces: [one, two],\n"
	"       deny: { services: _hap._tcp } }\n";

static struct discovery *discovery;

static void heard(struct bench *b, const struct relay_heard *h)
{
	(void)b;
	discovery_heard(discovery, h);
}

/* Says `n` things, each when the one before has crossed. */
static void cross(struct bench *b, const struct path *p, int ear, unsigned from,
	unsigned n)
{
	static uint8_t data[2048];

	for (unsigned i = from; i < from + n; i++) {
		size_t size = p->make(i, data, sizeof(data));

		is_warm = i >= WARM;
		house_send(&b->house, 1, p->group, p->port, p->port, 255, data,
			size);
		house_next(&b->house, ear, &b->d);
		ck_assert_msg(b->d.size > 0, "number %u does not cross", i);
	}
}

START_TEST(nothing_is_allocated_for_a_datagram)
{
	const struct path *p = &paths[_i];
	const struct discovery_callbacks none = { 0 };
	struct bench b;
	int ear;

	bench_setup(&b, 2, config);
	ck_assert_int_eq(
		discovery_new(&discovery, &b.house.loop, b.relay, 100, &none),
		0);
	b.heard = heard;
	ear = house_hear(&b.house, 2, p->group, p->port);
	cross(&b, p, ear, 0, WARM + COUNTED);
	ck_assert_uint_eq(allocations, 0);
	ck_assert_uint_ge(batches, WARM + COUNTED);
	discovery_close(discovery);
	bench_close(&b);
}
END_TEST

/* Or the test above could not fail. */
START_TEST(the_allocator_counts)
{
	void *volatile memory;

	is_counting = true;
	memory = malloc(1);
	memory = realloc(memory, 2);
	free(memory);
	memory = calloc(1, 1);
	free(memory);
	is_counting = false;
	ck_assert_uint_eq(allocations, 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_allocations");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, nothing_is_allocated_for_a_datagram, 0,
		(int)(sizeof(paths) / sizeof(paths[0])));
	tcase_add_test(t, the_allocator_counts);
	suite_add_tcase(s, t);
	return bench_main(s);
}
