#include "paths.h"

#include "proto/mdns.h"

#include <check.h>
#include <stdio.h>

#define HEAD                                                                   \
	"interfaces: { one: { device: r1 }, two: { device: r2 },\n"            \
	"              late: { device: r3 } }\n"                               \
	"groups:\n"                                                            \
	"  ssdp: { preset: ssdp }\n"                                           \
	"  mdns: { preset: mdns, deny: { services: _hap._tcp } }\n"            \
	"  frame: { address: 239.1.1.2, port: 5001, send: frame }\n"           \
	"  ssm: { address: [232.1.1.1, 'ff35::4545'], port: 5005,\n"           \
	"         sources: [10.9.1.2, 'fd09:1::2'] }\n"                        \
	"  cast: { broadcast: true, port: 5004 }\n"

const char *const life_files[2] = {
	HEAD "  plain: { address: [239.1.1.1, ff15::4242], port: 5000,\n"
	     "           allow: { sources: [10.0.0.0/8, 'fd00::/8'] } }\n"
	     "  kept: { address: 'ff15::4343', port: 5002, source: preserve }\n"
	     "announcements:\n"
	     "  gate: { group: plain, payload: { text: 'at %{address}' },\n"
	     "          goodbye: { text: bye } }\n"
	     "  web: { group: mdns,\n"
	     "         service: { name: w, type: _http._tcp, port: 80 } }\n",
	HEAD
	"  plain: { address: 239.1.1.1, port: 5000, ttl: 4, rate: 900/s }\n"
	"  fresh: { address: 239.1.1.4, port: 5003, source: own-port }\n"
	"  wsd: { preset: wsd }\n"
	"announcements:\n"
	"  gate: { group: fresh, payload: { text: 'at %{address}' } }\n",
};

/* ---- what is said ---- */

static size_t plain(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, PATH_ROOM, "beacon %s", token);
}

static size_t notify(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, PATH_ROOM,
		"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
		"CACHE-CONTROL: max-age=1800\r\nNT: upnp:rootdevice\r\n"
		"NTS: ssdp:alive\r\nUSN: uuid:%s::upnp:rootdevice\r\n"
		"LOCATION: http://10.9.1.2/x\r\n\r\n",
		token);
}

size_t path_search(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, PATH_ROOM,
		"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
		"MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:%s\r\n\r\n",
		token);
}

static size_t hello(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, PATH_ROOM,
		"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\""
		" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\""
		" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\">"
		"<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/"
		"discovery/Hello</a:Action><a:MessageID>urn:uuid:%s"
		"</a:MessageID></s:Header><s:Body><d:Hello>"
		"<a:EndpointReference><a:Address>urn:uuid:1</a:Address>"
		"</a:EndpointReference><d:Types>d:Device</d:Types>"
		"<d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body>"
		"</s:Envelope>",
		token);
}

size_t path_answer(const char *token, uint8_t *to)
{
	return (size_t)snprintf((char *)to, PATH_ROOM,
		"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\n"
		"ST: urn:%s\r\nUSN: uuid:%s\r\n"
		"LOCATION: http://10.9.2.2/x\r\n\r\n",
		token, token);
}

/* Two services, of which one is taken out. */
static size_t services(const char *token, uint8_t *to)
{
	struct mdns_name type, hap, instance, other;
	struct mdns_writer w;
	char text[64];
	int r;

	(void)snprintf(text, sizeof(text), "%s._http._tcp.local", token);
	r = mdns_name_from_text(text, &instance);
	r |= mdns_name_from_text("x._hap._tcp.local", &other);
	r |= mdns_name_from_text("_http._tcp.local", &type);
	r |= mdns_name_from_text("_hap._tcp.local", &hap);
	r |= mdns_begin(
		&w, to, PATH_ROOM, 0, MDNS_RESPONSE | MDNS_AUTHORITATIVE);
	r |= mdns_put_ptr(&w, MDNS_ANSWER, &hap, 120, &other);
	r |= mdns_put_ptr(&w, MDNS_ANSWER, &type, 120, &instance);
	ck_assert_int_eq(r, 0);
	return w.used;
}

const struct path life_paths[PATHS] = {
	{ "plain", "239.1.1.1", 5000, 5000, plain, { true, true } },
	{ "plain", "ff15::4242", 5000, 5000, plain, { true, false } },
	{ "frame", "239.1.1.2", 5001, 5001, plain, { true, true } },
	{ "kept", "ff15::4343", 5002, 6002, plain, { true, false } },
	{ "fresh", "239.1.1.4", 5003, 6003, plain, { false, true } },
	{ "ssm", "232.1.1.1", 5005, 5005, plain, { true, true } },
	{ "ssm", "ff35::4545", 5005, 5005, plain, { true, true } },
	{ "cast", "255.255.255.255", 5004, 5004, plain, { true, true } },
	{ "ssdp", "239.255.255.250", 1900, 1900, notify, { true, true } },
	[PATH_SEARCH] = { "ssdp", "239.255.255.250", 1900, 6900, path_search,
		{ true, true } },
	{ "wsd", "239.255.255.250", 3702, 3702, hello, { false, true } },
	{ "mdns", "224.0.0.251", 5353, 5353, services, { true, true } },
};
