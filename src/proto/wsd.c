#include "proto/wsd.h"
#include "proto/arena.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PREFIXES = 16, PREFIX = 32, MAX_TEXT = 2048 };

struct wsd_parser {
	unsigned long salt;
	struct arena arena;
};

/* The elements that mean something, by their place. */
enum element {
	NOWHERE,
	ROOT,
	ENVELOPE,
	HEADER,
	BODY,
	ACTION,
	MESSAGE_ID,
	RELATES_TO,
	MATCHES,
	TARGET,
	REFERENCE,
	ADDRESS,
	TYPES,
	SCOPES,
	XADDRS,
	METADATA_VERSION,
};

enum space { SOAP, ADDRESSING, DISCOVERY };

static const struct {
	enum space space;
	const char *uri;
} spaces[] = {
	{ SOAP, "http://www.w3.org/2003/05/soap-envelope" },
	{ SOAP, "http://schemas.xmlsoap.org/soap/envelope/" },
	{ ADDRESSING, "http://schemas.xmlsoap.org/ws/2004/08/addressing" },
	{ ADDRESSING, "http://www.w3.org/2005/08/addressing" },
	{ DISCOVERY, "http://schemas.xmlsoap.org/ws/2005/04/discovery" },
	{ DISCOVERY, "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" },
};

static const struct place {
	enum element parent;
	enum space space;
	const char *name;
	enum element element;
	enum wsd_action action; /* that the body is about */
} places[] = {
	{ ROOT, SOAP, "Envelope", ENVELOPE, WSD_OTHER },
	{ ENVELOPE, SOAP, "Header", HEADER, WSD_OTHER },
	{ ENVELOPE, SOAP, "Body", BODY, WSD_OTHER },
	{ HEADER, ADDRESSING, "Action", ACTION, WSD_OTHER },
	{ HEADER, ADDRESSING, "MessageID", MESSAGE_ID, WSD_OTHER },
	{ HEADER, ADDRESSING, "RelatesTo", RELATES_TO, WSD_OTHER },
	{ BODY, DISCOVERY, "Hello", TARGET, WSD_HELLO },
	{ BODY, DISCOVERY, "Bye", TARGET, WSD_BYE },
	{ BODY, DISCOVERY, "Probe", TARGET, WSD_PROBE },
	{ BODY, DISCOVERY, "Resolve", TARGET, WSD_RESOLVE },
	{ BODY, DISCOVERY, "ProbeMatches", MATCHES, WSD_PROBE_MATCHES },
	{ BODY, DISCOVERY, "ResolveMatches", MATCHES, WSD_RESOLVE_MATCHES },
	{ MATCHES, DISCOVERY, "ProbeMatch", TARGET, WSD_OTHER },
	{ MATCHES, DISCOVERY, "ResolveMatch", TARGET, WSD_OTHER },
	{ TARGET, ADDRESSING, "EndpointReference", REFERENCE, WSD_OTHER },
	{ REFERENCE, ADDRESSING, "Address", ADDRESS, WSD_OTHER },
	{ TARGET, DISCOVERY, "Types", TYPES, WSD_OTHER },
	{ TARGET, DISCOVERY, "Scopes", SCOPES, WSD_OTHER },
	{ TARGET, DISCOVERY, "XAddrs", XADDRS, WSD_OTHER },
	{ TARGET, DISCOVERY, "MetadataVersion", METADATA_VERSION, WSD_OTHER },
};

/* What is known in the middle of a message. */
struct reading {
	XML_Parser parser;
	struct wsd_message message;
	enum wsd_action body_action;
	bool is_envelope;
	unsigned depth;
	enum element path[WSD_MAX_DEPTH + 1];
	/* Declared prefixes, the innermost last; those without room only
	 * count. */
	unsigned n_prefixes;
	struct {
		char name[PREFIX], uri[WSD_NAMESPACE];
	} prefixes[MAX_PREFIXES];
	size_t text_size; /* of the innermost element that wants its text */
	bool is_text_cut;
	char text[MAX_TEXT];
};

static bool find_space(const char *uri, size_t size, enum space *ret)
{
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (strlen(spaces[i].uri) == size &&
			memcmp(spaces[i].uri, uri, size) == 0) {
			*ret = spaces[i].space;
			return true;
		}
	}
	return false;
}

/* name: "URI LOCAL" from expat. Returns NULL where it means nothing here. */
static const struct place *find_place(enum element parent, const char *name)
{
	const char *local = strrchr(name, ' ');
	enum space space;

	if (local == NULL || !find_space(name, (size_t)(local - name), &space))
		return NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *p = &places[i];

		if (p->parent == parent && p->space == space &&
			strcmp(p->name, local + 1) == 0)
			return p;
	}
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies `size` bytes into a field, cut off between characters. */
static bool copy_text(char *to, size_t room, const char *text, size_t size)
{
	bool fits = size < room;

	if (!fits) {
		size = room - 1;
		while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--;
	}
	memcpy(to, text, size);
	to[size] = '\0';
	return fits;
}

static void XMLCALL begin_prefix(
	void *data, const XML_Char *prefix, const XML_Char *uri)
{
	struct reading *r = data;
	unsigned n = r->n_prefixes++;

	if (prefix == NULL)
		prefix = "";
	if (uri == NULL)
		uri = "";
	if (n >= MAX_PREFIXES)
		return;
	/* One that is too long is never found. */
	if (!copy_text(r->prefixes[n].name, PREFIX, prefix, strlen(prefix)) ||
		!copy_text(r->prefixes[n].uri, WSD_NAMESPACE, uri, strlen(uri)))
		memcpy(r->prefixes[n].name, " ", 2);
}

static void XMLCALL end_prefix(void *data, const XML_Char *prefix)
{
	struct reading *r = data;

	(void)prefix; /* the innermost one */
	r->n_prefixes--;
}

static const char *find_prefix(
	const struct reading *r, const char *name, size_t size)
{
	unsigned n = r->n_prefixes;

	if (n > MAX_PREFIXES)
		n = MAX_PREFIXES;
	while (n-- > 0) {
		if (strlen(r->prefixes[n].name) == size &&
			memcmp(r->prefixes[n].name, name, size) == 0)
			return r->prefixes[n].uri;
	}
	return "";
}

static void XMLCALL begin_element(
	void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *r = data;
	enum element parent = r->path[r->depth];
	const struct place *p;

	(void)attributes;
	if (r->depth == WSD_MAX_DEPTH) {
		(void)XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	p = find_place(parent, name);
	r->path[++r->depth] = p == NULL ? NOWHERE : p->element;
	r->text_size = 0;
	r->is_text_cut = false;
	if (p == NULL)
		return;
	if (p->element == ENVELOPE)
		r->is_envelope = true;
	if (p->parent == BODY)
		r->body_action = p->action;
	if (p->element == TARGET)
		r->message.targets++;
}

static bool wants_text(enum element e)
{
	switch (e) {
	case ACTION:
	case MESSAGE_ID:
	case RELATES_TO:
	case ADDRESS:
	case TYPES:
	case XADDRS:
	case METADATA_VERSION:
		return true;
	default:
		return false;
	}
}

static void XMLCALL add_text(void *data, const XML_Char *text, int size)
{
	struct reading *r = data;
	size_t n = (size_t)size;

	if (!wants_text(r->path[r->depth]))
		return;
	if (n > MAX_TEXT - r->text_size) {
		n = MAX_TEXT - r->text_size;
		r->is_text_cut = true;
	}
	memcpy(r->text + r->text_size, text, n);
	r->text_size += n;
}

static void XMLCALL refuse_dtd(void *data, const XML_Char *name,
	const XML_Char *system_id, const XML_Char *public_id, int has_internal)
{
	struct reading *r = data;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

/* Both versions have the same words behind the last slash. */
static enum wsd_action read_action(const char *text, size_t size)
{
	static const char *const words[] = {
		[WSD_HELLO] = "Hello",
		[WSD_BYE] = "Bye",
		[WSD_PROBE] = "Probe",
		[WSD_PROBE_MATCHES] = "ProbeMatches",
		[WSD_RESOLVE] = "Resolve",
		[WSD_RESOLVE_MATCHES] = "ResolveMatches",
	};
	const char *slash = memrchr(text, '/', size);
	enum space space;
	size_t word;

	if (slash == NULL ||
		!find_space(text, (size_t)(slash - text), &space) ||
		space != DISCOVERY)
		return WSD_OTHER;
	word = size - (size_t)(slash - text) - 1;
	for (unsigned a = WSD_HELLO; a <= WSD_RESOLVE_MATCHES; a++) {
		if (strlen(words[a]) == word &&
			memcmp(words[a], slash + 1, word) == 0)
			return (enum wsd_action)a;
	}
	return WSD_OTHER;
}

static uint32_t read_number(const char *text, size_t size)
{
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > UINT32_MAX)
			return UINT32_MAX;
	}
	return (uint32_t)n;
}

static bool read_type(struct reading *r, const char *text, size_t size)
{
	struct wsd_message *m = &r->message;
	const char *colon = memchr(text, ':', size);
	size_t prefix = colon == NULL ? 0 : (size_t)(colon - text);
	size_t skip = colon == NULL ? 0 : prefix + 1;
	const char *uri = find_prefix(r, text, prefix);
	struct wsd_type *t;
	bool fits;

	if (m->n_types == WSD_MAX_TYPES)
		return false;
	t = &m->types[m->n_types++];
	fits = copy_text(t->local, sizeof(t->local), text + skip, size - skip);
	return copy_text(t->space, sizeof(t->space), uri, strlen(uri)) && fits;
}

static bool read_types(struct reading *r, const char *text, size_t size)
{
	bool fits = true;
	size_t at = 0;

	while (at < size) {
		size_t start;

		while (at < size && is_blank(text[at]))
			at++;
		start = at;
		while (at < size && !is_blank(text[at]))
			at++;
		if (at > start)
			fits &= read_type(r, text + start, at - start);
	}
	return fits;
}

/* Keeps the text of an element within the first target. */
static bool keep_of_target(
	struct reading *r, enum element e, const char *text, size_t size)
{
	struct wsd_message *m = &r->message;

	if (m->targets > 1)
		return true;
	switch (e) {
	case ADDRESS:
		return copy_text(m->address, sizeof(m->address), text, size);
	case TYPES:
		return read_types(r, text, size);
	case SCOPES:
		m->has_scopes = true;
		return true;
	case XADDRS:
		return copy_text(m->xaddrs, sizeof(m->xaddrs), text, size);
	case METADATA_VERSION:
		m->metadata_version = read_number(text, size);
		return true;
	default:
		return true;
	}
}

static bool keep(
	struct reading *r, enum element e, const char *text, size_t size)
{
	struct wsd_message *m = &r->message;

	switch (e) {
	case ACTION:
		m->action = read_action(text, size);
		return true;
	case MESSAGE_ID:
		return copy_text(
			m->message_id, sizeof(m->message_id), text, size);
	case RELATES_TO:
		return copy_text(
			m->relates_to, sizeof(m->relates_to), text, size);
	default:
		return keep_of_target(r, e, text, size);
	}
}

static void XMLCALL end_element(void *data, const XML_Char *name)
{
	struct reading *r = data;
	enum element e = r->path[r->depth];
	const char *text = r->text;
	size_t size = r->text_size;

	(void)name;
	while (size > 0 && is_blank(*text)) {
		text++;
		size--;
	}
	while (size > 0 && is_blank(text[size - 1]))
		size--;
	if (!keep(r, e, text, size) || (wants_text(e) && r->is_text_cut))
		r->message.truncated = true;
	r->text_size = 0;
	r->depth--;
}

static enum proto_kind kind_of(enum wsd_action action)
{
	switch (action) {
	case WSD_PROBE:
	case WSD_RESOLVE:
		return PROTO_SEARCH;
	case WSD_HELLO:
	case WSD_BYE:
	case WSD_PROBE_MATCHES:
	case WSD_RESOLVE_MATCHES:
		return PROTO_ANNOUNCEMENT;
	case WSD_OTHER:
		break;
	}
	return PROTO_OTHER;
}

/* Reads with memory that is lent already. */
static int read_message(const struct wsd_parser *p, struct reading *r,
	const void *datagram, size_t size)
{
	/* Never freed: it has nothing but pieces of the arena. */
	r->parser = XML_ParserCreate_MM(NULL, &arena_suite, " ");
	if (r->parser == NULL)
		return -ENOBUFS;
	/* Without, expat would ask the kernel for each message. */
	(void)XML_SetHashSalt(r->parser, p->salt);
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, begin_element, end_element);
	XML_SetNamespaceDeclHandler(r->parser, begin_prefix, end_prefix);
	XML_SetCharacterDataHandler(r->parser, add_text);
	XML_SetStartDoctypeDeclHandler(r->parser, refuse_dtd);
	if (XML_Parse(r->parser, datagram, (int)size, XML_TRUE) ==
		XML_STATUS_OK)
		return 0;
	return XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY ? -ENOBUFS
								  : -EBADMSG;
}

int wsd_parser_new(struct wsd_parser **ret, unsigned long salt)
{
	/* Not zeroed: a page that no message needs is never touched. */
	struct wsd_parser *p = malloc(sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	p->salt = salt;
	*ret = p;
	return 0;
}

void wsd_parser_free(struct wsd_parser *p)
{
	free(p);
}

int wsd_parse(struct wsd_parser *p, const void *datagram, size_t size,
	struct wsd_message *ret)
{
	struct reading r = { .path = { ROOT } };
	struct wsd_message *m = &r.message;
	int error;

	if (size > WSD_MAX_BYTES)
		return -EBADMSG;
	arena_lend(&p->arena);
	error = read_message(p, &r, datagram, size);
	arena_take_back();
	if (error < 0)
		return error;
	if (!r.is_envelope)
		return -EBADMSG;
	if (m->action == WSD_OTHER)
		m->action = r.body_action;
	m->kind = kind_of(m->action);
	*ret = *m;
	return 0;
}
