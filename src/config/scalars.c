#include "config/read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *member(void *base, const struct key *k)
{
	return (char *)base + k->offset;
}

static bool is_off(const struct spot *s, const struct key *k)
{
	return k->words != NULL && s->node->kind == NODE_SCALAR &&
	       strcmp(s->node->text, k->words[0]) == 0;
}

/*
 * Reads digits up to the first character that is none, and stops at UINT64_MAX.
 * NULL where there are no digits, or a leading zero, which some readers take
 * for octal.
 */
static const char *read_digits(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)*text) ||
		(*text == '0' && isdigit((unsigned char)text[1])))
		return NULL;
	for (; isdigit((unsigned char)*text); text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (value > (UINT64_MAX - digit) / 10)
			value = UINT64_MAX;
		else
			value = value * 10 + digit;
	}
	*ret = value;
	return text;
}

static bool is_decimal(const char *text, uint64_t *ret)
{
	const char *end = read_digits(text, ret);

	return end != NULL && *end == '\0';
}

/* Says "is out of range" of what is a number, but not one of these. */
static bool check_range(
	const struct spot *s, uint64_t value, uint64_t low, uint64_t high)
{
	char text[QUOTE_TEXT];

	if (value >= low && value <= high)
		return true;
	spot_error(s, "%s is out of range, %" PRIu64 " to %" PRIu64,
		quote(s->node->text, text), low, high);
	return false;
}

bool read_integer(const struct spot *s, uint64_t low, uint64_t high,
	const char *want, uint64_t *ret)
{
	const char *text = spot_text(s, want);
	uint64_t value;

	if (text == NULL)
		return false;
	/* No key takes a negative number, yet it is one. */
	if (text[0] == '-' && is_decimal(text + 1, &value) && value > 0) {
		value = UINT64_MAX;
	} else if (!is_decimal(text, &value)) {
		spot_wrong(s, want);
		return false;
	}
	if (!check_range(s, value, low, high))
		return false;
	*ret = value;
	return true;
}

static bool read_number(
	const struct spot *s, const struct key *k, uint64_t *ret)
{
	char want[80];

	(void)snprintf(want, sizeof(want),
		"a whole number, %" PRIu64 " to %" PRIu64, k->low, k->high);
	return read_integer(s, k->low, k->high, want, ret);
}

void read_uint32(const struct spot *s, void *base, const struct key *k)
{
	uint64_t value;

	if (read_number(s, k, &value))
		*(uint32_t *)member(base, k) = (uint32_t)value;
}

void read_uint16(const struct spot *s, void *base, const struct key *k)
{
	uint64_t value;

	if (read_number(s, k, &value))
		*(uint16_t *)member(base, k) = (uint16_t)value;
}

void read_switch(const struct spot *s, const char *want, bool *ret)
{
	const char *text = spot_text(s, want);

	if (text == NULL)
		return;
	if (strcmp(text, "true") == 0)
		*ret = true;
	else if (strcmp(text, "false") == 0)
		*ret = false;
	else
		spot_wrong(s, want);
}

void read_bool(const struct spot *s, void *base, const struct key *k)
{
	read_switch(s, "true or false", member(base, k));
}

/* "a, b or c" */
static const char *join_words(
	const char *const *words, char *buffer, size_t size)
{
	size_t n = 0;

	buffer[0] = '\0';
	for (size_t i = 0; words[i] != NULL; i++) {
		if (words[i][0] == '\0')
			continue;
		n += (size_t)snprintf(buffer + n, size - n, "%s%s",
			n == 0                 ? ""
			: words[i + 1] == NULL ? " or "
					       : ", ",
			words[i]);
	}
	return buffer;
}

bool read_one_of(const struct spot *s, const char *const *words, unsigned *ret)
{
	char want[80];
	const char *text;

	(void)join_words(words, want, sizeof(want));
	text = spot_text(s, want);
	if (text == NULL)
		return false;
	for (unsigned i = 0; words[i] != NULL; i++) {
		if (words[i][0] == '\0' || strcmp(text, words[i]) != 0)
			continue;
		*ret = i;
		return true;
	}
	spot_wrong(s, want);
	return false;
}

void read_word(const struct spot *s, void *base, const struct key *k)
{
	_Static_assert(sizeof(enum config_source) == sizeof(unsigned),
		"enumerations are read as unsigned");
	unsigned value;

	if (read_one_of(s, k->words, &value))
		*(unsigned *)member(base, k) = value;
}

void read_ttl(const struct spot *s, void *base, const struct key *k)
{
	static const char want[] = "a TTL: 1 to 255, keep or decrement";
	const char *text = spot_text(s, want);
	uint64_t value;

	if (text == NULL)
		return;
	if (strcmp(text, "keep") == 0)
		*(int *)member(base, k) = CONFIG_TTL_KEEP;
	else if (strcmp(text, "decrement") == 0)
		*(int *)member(base, k) = CONFIG_TTL_DECREMENT;
	else if (read_integer(s, 1, 255, want, &value))
		*(int *)member(base, k) = (int)value;
}

/* Of durations, the longest first. */
static const struct {
	const char *name;
	uint64_t ms;
} units[] = { { "h", UINT64_C(3600000) }, { "m", UINT64_C(60000) },
	{ "s", 1000 }, { "ms", 1 } };

int config_parse_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t value;

	text = read_digits(text, &value);
	if (text == NULL)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		*ret_ms = value > UINT64_MAX / units[i].ms
				  ? UINT64_MAX
				  : value * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

const char *duration_text(uint64_t ms, char *buffer)
{
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	(void)snprintf(buffer, DURATION_TEXT, "%" PRIu64 "%s", ms / units[i].ms,
		units[i].name);
	return buffer;
}

void read_duration(const struct spot *s, void *base, const struct key *k)
{
	const char *want =
		k->words != NULL
			? "a duration such as 250ms, 10s, 5m or 1h, or off"
			: "a duration such as 250ms, 10s, 5m or 1h";
	char low[DURATION_TEXT], high[DURATION_TEXT], given[QUOTE_TEXT];
	const char *text = spot_text(s, want);
	uint64_t ms;

	if (text == NULL)
		return;
	if (is_off(s, k))
		*(uint64_t *)member(base, k) = 0;
	else if (config_parse_duration(text, &ms) < 0)
		spot_wrong(s, want);
	else if (ms < k->low || ms > k->high)
		spot_error(s, "%s is out of range, %s to %s%s",
			quote(text, given), duration_text(k->low, low),
			duration_text(k->high, high),
			k->words != NULL ? ", or off" : "");
	else
		*(uint64_t *)member(base, k) = ms;
}

void read_rate(const struct spot *s, void *base, const struct key *k)
{
	static const char want[] = "a rate such as 500/s, or off";
	const char *text = spot_text(s, want), *end;
	char given[QUOTE_TEXT];
	uint64_t value;

	if (text == NULL)
		return;
	if (is_off(s, k)) {
		*(uint32_t *)member(base, k) = 0;
		return;
	}
	end = read_digits(text, &value);
	if (end == NULL || strcmp(end, "/s") != 0)
		spot_wrong(s, want);
	else if (value < k->low || value > k->high)
		spot_error(s,
			"%s is out of range, %" PRIu64 "/s to %" PRIu64
			"/s, or off",
			quote(text, given), k->low, k->high);
	else
		*(uint32_t *)member(base, k) = (uint32_t)value;
}

bool read_span(const struct spot *s, uint64_t min, uint64_t max,
	const char *want, uint64_t *ret_low, uint64_t *ret_high)
{
	const char *text = spot_text(s, want), *end;
	uint64_t low, high;

	if (text == NULL)
		return false;
	end = read_digits(text, &low);
	if (end != NULL && *end == '\0')
		high = low;
	else if (end == NULL || *end != '-' || !is_decimal(end + 1, &high)) {
		spot_wrong(s, want);
		return false;
	}
	if (!check_range(s, low, min, max) || !check_range(s, high, min, max))
		return false;
	if (low > high) {
		spot_wrong(s, "a range from low to high");
		return false;
	}
	*ret_low = low;
	*ret_high = high;
	return true;
}

void set_string(const struct spot *s, char **string, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL) {
		spot_no_memory(s);
		return;
	}
	free(*string);
	*string = copy;
}

void read_string(const struct spot *s, void *base, const struct key *k)
{
	const char *text = spot_text(s, "a text");

	if (text == NULL)
		return;
	if (s->node->size < k->low || s->node->size > k->high)
		spot_error(s,
			"a text of %zu bytes, needs %" PRIu64 " to %" PRIu64,
			s->node->size, k->low, k->high);
	else
		set_string(s, member(base, k), text);
}

void read_path(const struct spot *s, void *base, const struct key *k)
{
	const char *text;
	char want[80];

	(void)snprintf(
		want, sizeof(want), "an absolute path, such as %s", k->example);
	text = spot_text(s, want);
	if (text == NULL)
		return;
	if (text[0] != '/')
		spot_wrong(s, want);
	else if (s->node->size > k->high)
		spot_error(s, "a path of %zu bytes, needs at most %" PRIu64,
			s->node->size, k->high);
	else
		set_string(s, member(base, k), text);
}
