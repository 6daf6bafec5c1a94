#include "proto/ssdp.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

/* What is left to read; every step checks for the end. */
struct cursor {
	const char *at, *end;
};

static const char *const header_names[SSDP_HEADERS] = {
	[SSDP_HOST] = "HOST",
	[SSDP_ST] = "ST",
	[SSDP_NT] = "NT",
	[SSDP_NTS] = "NTS",
	[SSDP_USN] = "USN",
	[SSDP_LOCATION] = "LOCATION",
	[SSDP_SERVER] = "SERVER",
	[SSDP_CACHE_CONTROL] = "CACHE-CONTROL",
	[SSDP_MAN] = "MAN",
	[SSDP_MX] = "MX",
	[SSDP_BOOTID] = "BOOTID.UPNP.ORG",
	[SSDP_NEXTBOOTID] = "NEXTBOOTID.UPNP.ORG",
	[SSDP_CONFIGID] = "CONFIGID.UPNP.ORG",
	[SSDP_SEARCHPORT] = "SEARCHPORT.UPNP.ORG",
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct ssdp_text between(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	while (at < end && is_blank(end[-1]))
		end--;
	return (struct ssdp_text){ at, (size_t)(end - at) };
}

static bool text_is(const struct ssdp_text *t, const char *word)
{
	return t->size == strlen(word) &&
	       strncasecmp(t->at, word, t->size) == 0;
}

static bool text_begins(const struct ssdp_text *t, const char *word)
{
	return t->size >= strlen(word) &&
	       strncasecmp(t->at, word, strlen(word)) == 0;
}

/* Moves behind the next LF, or to the end; returns the line before it. */
static struct ssdp_text next_line(struct cursor *c)
{
	const char *start = c->at;
	const char *lf = memchr(start, '\n', (size_t)(c->end - start));

	c->at = lf == NULL ? c->end : lf + 1;
	return between(start, c->at);
}

static bool is_folded(const struct cursor *c)
{
	return c->at < c->end && (*c->at == ' ' || *c->at == '\t');
}

/* Moves behind a header and the lines that it goes on in. False at the end. */
static bool next_header(
	struct cursor *c, struct ssdp_text *ret_name, struct ssdp_text *ret)
{
	const char *start = c->at, *colon;

	if (next_line(c).size == 0)
		return false;
	while (is_folded(c))
		(void)next_line(c);
	colon = memchr(start, ':', (size_t)(c->at - start));
	/* Lines without a colon are of no use, and no harm. */
	*ret_name = between(start, colon == NULL ? start : colon);
	*ret = between(colon == NULL ? start : colon + 1, c->at);
	return true;
}

static struct ssdp_text next_word(struct cursor *c)
{
	const char *start;

	while (c->at < c->end && is_blank(*c->at))
		c->at++;
	start = c->at;
	while (c->at < c->end && !is_blank(*c->at))
		c->at++;
	return (struct ssdp_text){ start, (size_t)(c->at - start) };
}

/* Reads digits; stays at `limit` where there are too many. */
static bool read_number(struct cursor *c, int64_t limit, int64_t *ret)
{
	int64_t n = 0;

	if (c->at == c->end || !is_digit(*c->at))
		return false;
	for (; c->at < c->end && is_digit(*c->at); c->at++) {
		n = n * 10 + (*c->at - '0');
		if (n > limit)
			n = limit;
	}
	*ret = n;
	return true;
}

static int read_status(const struct ssdp_text *code, struct ssdp_message *m)
{
	if (code->size != 3 || !is_digit(code->at[0]))
		return -EBADMSG;
	m->method = text_is(code, "200") ? SSDP_ANSWER : SSDP_OTHER;
	m->kind = m->method == SSDP_ANSWER ? PROTO_ANNOUNCEMENT : PROTO_OTHER;
	return 0;
}

/*
 * HELLO, UPDATE and BYE are what Plex players send to port 32413 when they
 * come, change and go.
 */
static void read_method(const struct ssdp_text *word, struct ssdp_message *m)
{
	static const struct {
		const char *word;
		enum ssdp_method method;
		enum proto_kind kind;
	} methods[] = {
		{ "M-SEARCH", SSDP_M_SEARCH, PROTO_SEARCH },
		{ "NOTIFY", SSDP_NOTIFY, PROTO_ANNOUNCEMENT },
		{ "HELLO", SSDP_HELLO, PROTO_ANNOUNCEMENT },
		{ "UPDATE", SSDP_HELLO, PROTO_ANNOUNCEMENT },
		{ "BYE", SSDP_BYE, PROTO_ANNOUNCEMENT },
	};

	m->method = SSDP_OTHER;
	m->kind = PROTO_OTHER;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (text_is(word, methods[i].word)) {
			m->method = methods[i].method;
			m->kind = methods[i].kind;
		}
	}
}

static int read_first_line(const struct ssdp_text *line, struct ssdp_message *m)
{
	struct cursor c = { line->at, line->at + line->size };
	struct ssdp_text first = next_word(&c);
	struct ssdp_text second = next_word(&c);
	struct ssdp_text third = next_word(&c);

	if (text_begins(&first, "HTTP/1."))
		return read_status(&second, m);
	if (!text_begins(&third, "HTTP/1."))
		return -EBADMSG;
	read_method(&first, m);
	return 0;
}

static enum ssdp_nts read_nts(const struct ssdp_text *t)
{
	if (text_is(t, "ssdp:alive"))
		return SSDP_ALIVE;
	if (text_is(t, "ssdp:byebye"))
		return SSDP_BYEBYE;
	if (text_is(t, "ssdp:update"))
		return SSDP_UPDATE;
	return SSDP_NTS_NONE;
}

static int read_mx(const struct ssdp_text *t)
{
	struct cursor c = { t->at, t->at + t->size };
	int64_t seconds;

	if (!read_number(&c, SSDP_MX_MAX, &seconds))
		return SSDP_MX_DEFAULT;
	return seconds < SSDP_MX_MIN ? SSDP_MX_MIN : (int)seconds;
}

/* Finds "max-age = N", with or without blanks and quotes. */
static int64_t read_max_age(const struct ssdp_text *t)
{
	static const char word[] = "max-age";
	struct cursor c = { t->at, t->at + t->size };
	int64_t seconds;

	for (; c.at < c.end; c.at++) {
		struct ssdp_text rest = { c.at, (size_t)(c.end - c.at) };

		if (text_begins(&rest, word))
			break;
	}
	if (c.at == c.end)
		return -1;
	c.at += strlen(word);
	while (c.at < c.end && (is_blank(*c.at) || strchr("=\"", *c.at)))
		c.at++;
	return read_number(&c, INT32_MAX, &seconds) ? seconds : -1;
}

static void keep_header(struct ssdp_message *m, const struct ssdp_text *name,
	const struct ssdp_text *value)
{
	for (size_t i = 0; i < SSDP_HEADERS; i++) {
		if (m->header[i].at == NULL && text_is(name, header_names[i]))
			m->header[i] = *value;
	}
}

int ssdp_parse(const void *datagram, size_t size, struct ssdp_message *ret)
{
	const char *text = datagram;
	struct cursor c = { text, text + strnlen(text, size) };
	struct ssdp_message m = { .max_age = -1, .mx = SSDP_MX_DEFAULT };
	struct ssdp_text line, name;
	int error;

	do {
		line = next_line(&c);
	} while (line.size == 0 && c.at < c.end);
	error = read_first_line(&line, &m);
	if (error < 0)
		return error;
	while (next_header(&c, &name, &line))
		keep_header(&m, &name, &line);
	if (m.header[SSDP_NTS].at != NULL)
		m.nts = read_nts(&m.header[SSDP_NTS]);
	if (m.header[SSDP_MX].at != NULL)
		m.mx = read_mx(&m.header[SSDP_MX]);
	if (m.header[SSDP_CACHE_CONTROL].at != NULL)
		m.max_age = read_max_age(&m.header[SSDP_CACHE_CONTROL]);
	*ret = m;
	return 0;
}

struct ssdp_text ssdp_target(const struct ssdp_message *m)
{
	return m->header[m->method == SSDP_NOTIFY ? SSDP_NT : SSDP_ST];
}

static bool is_matched(const struct proto_list *globs, const char *target)
{
	for (size_t i = 0; i < globs->n; i++) {
		if (fnmatch(globs->at[i], target,
			    FNM_NOESCAPE | FNM_CASEFOLD) == 0)
			return true;
	}
	return false;
}

bool ssdp_target_passes(const struct proto_filter *filters, size_t n_filters,
	enum proto_kind kind, const struct ssdp_text *target)
{
	bool is_long = target->size > SSDP_MAX_TARGET;
	bool is_all = kind == PROTO_SEARCH && text_is(target, "ssdp:all");
	char text[SSDP_MAX_TARGET + 1] = "";

	/* fnmatch() wants a NUL. */
	if (!is_long && target->size > 0)
		memcpy(text, target->at, target->size);
	for (size_t i = 0; i < n_filters; i++) {
		const struct proto_list *allow = &filters[i].allow;
		const struct proto_list *deny = &filters[i].deny;

		if (is_long && (allow->n > 0 || deny->n > 0))
			return false;
		if (target->size > 0 && is_matched(deny, text))
			return false;
		if (allow->n > 0 && !is_all &&
			(target->size == 0 || !is_matched(allow, text)))
			return false;
	}
	return true;
}
