/*
 * Payloads of crier's own.
 */
#include "config/announcements.h"
#include "config/decode.h"
#include "config/done.h"
#include "config/input.h"
#include "config/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What may stand in %{...} of a text. */
static const char *const placeholders[] = { "hostname", "address", "interface",
	"time", NULL };

/* Takes over `bytes`, which came from `written` behind `k`. */
static void take_bytes(const struct spot *s, struct config_data *d,
	const struct key *k, uint8_t *bytes, size_t size, const char *written)
{
	data_done(d);
	d->bytes = bytes;
	d->size = size;
	d->kind = (enum config_data_kind)k->low;
	set_string(s, &d->written_as, k->name);
	set_string(s, &d->written, written);
}

/* False, and reported, for a payload that no datagram can carry. */
static bool check_size(const struct spot *s, size_t size)
{
	if (size > 0 && size <= CONFIG_MAX_PAYLOAD)
		return true;
	spot_error(s, "a payload of %zu bytes, needs 1 to %d", size,
		CONFIG_MAX_PAYLOAD);
	return false;
}

static bool is_placeholder(const char *name, size_t length)
{
	for (size_t i = 0; placeholders[i] != NULL; i++) {
		if (strlen(placeholders[i]) == length &&
			memcmp(placeholders[i], name, length) == 0)
			return true;
	}
	return false;
}

static void report_placeholder(
	const struct spot *s, const char *name, size_t length)
{
	char copy[32], given[QUOTE_TEXT], known[SUGGEST_TEXT];
	struct suggest suggest;

	if (length >= sizeof(copy))
		length = sizeof(copy) - 1;
	memcpy(copy, name, length);
	copy[length] = '\0';
	suggest_init(&suggest, copy);
	for (size_t i = 0; placeholders[i] != NULL; i++)
		suggest_offer(&suggest, placeholders[i]);
	spot_error(s, "nothing to fill in for \"%%{%s}\"%s", quote(copy, given),
		suggest_text(&suggest, known));
}

static bool check_placeholders(const struct spot *s, const char *text)
{
	const char *end;

	while ((text = strstr(text, "%{")) != NULL) {
		text += 2;
		end = strchr(text, '}');
		if (end == NULL) {
			spot_error(s, "a \"%%{\" without its \"}\"");
			return false;
		}
		if (!is_placeholder(text, (size_t)(end - text))) {
			report_placeholder(s, text, (size_t)(end - text));
			return false;
		}
	}
	return true;
}

static void read_text(const struct spot *s, void *base, const struct key *k)
{
	const char *text = spot_text(s, "a text");
	uint8_t *bytes;

	if (text == NULL || !check_size(s, s->node->size) ||
		!check_placeholders(s, text))
		return;
	bytes = (uint8_t *)strdup(text);
	if (bytes == NULL)
		spot_no_memory(s);
	else
		take_bytes(s, base, k, bytes, s->node->size, text);
}

static void read_encoded(const struct spot *s, void *base, const struct key *k)
{
	bool is_hex = strcmp(k->name, "hex") == 0;
	const char *want = is_hex ? "hexadecimal, two digits a byte"
				  : "base64 with its padding";
	const char *text = spot_text(s, want);
	uint8_t *bytes;
	size_t size;
	int r;

	if (text == NULL)
		return;
	bytes = malloc(s->node->size + 1);
	if (bytes == NULL) {
		spot_no_memory(s);
		return;
	}
	r = (is_hex ? decode_hex : decode_base64)(
		text, s->node->size, bytes, &size);
	if (r < 0)
		spot_wrong(s, want);
	if (r < 0 || !check_size(s, size))
		free(bytes);
	else
		take_bytes(s, base, k, bytes, size, text);
}

/* Beside the configuration, where the name is not absolute. The caller owns
 * what is returned; NULL: no memory. */
static char *path_beside(const char *config, const char *file)
{
	const char *slash = strrchr(config, '/');
	char *path;

	if (file[0] == '/' || slash == NULL)
		return strdup(file);
	if (asprintf(&path, "%.*s/%s", (int)(slash - config), config, file) < 0)
		return NULL;
	return path;
}

static const char *why_unreadable(int error)
{
	if (error == -ENOTSUP)
		return "is no regular file";
	if (error == -EFBIG)
		return "is larger than 65507 bytes";
	return strerror(-error);
}

static void read_file_at(const struct spot *s, struct config_data *d,
	const struct key *k, const char *path)
{
	char given[QUOTE_TEXT], *bytes, *whole;
	size_t size;
	int r;

	r = input_read(path, true, CONFIG_MAX_PAYLOAD, &bytes, &size);
	if (r < 0) {
		spot_error(
			s, "\"%s\": %s", quote(path, given), why_unreadable(r));
		return;
	}
	/* So that a dump can be read from anywhere. */
	whole = realpath(path, NULL);
	if (whole == NULL)
		spot_error(
			s, "\"%s\": %s", quote(path, given), strerror(errno));
	if (whole == NULL || !check_size(s, size))
		free(bytes);
	else
		take_bytes(s, d, k, (uint8_t *)bytes, size, whole);
	free(whole);
}

static void read_file(const struct spot *s, void *base, const struct key *k)
{
	const char *text = spot_text(s, "the name of a file");
	char *path;

	if (text == NULL)
		return;
	if (s->reader->path == NULL) {
		spot_key_error(s, "only the configuration may name files, "
				  "needs one of text, hex and base64");
		return;
	}
	path = path_beside(s->reader->path, text);
	if (path == NULL)
		spot_no_memory(s);
	else
		read_file_at(s, base, k, path);
	free(path);
}

static const struct key data_keys[] = {
	{ .name = "text", .read = read_text, .low = CONFIG_DATA_TEXT },
	{ .name = "hex", .read = read_encoded, .low = CONFIG_DATA_BYTES },
	{ .name = "base64", .read = read_encoded, .low = CONFIG_DATA_BYTES },
	{ .name = "file", .read = read_file, .low = CONFIG_DATA_BYTES },
};

void read_data(const struct spot *s, void *base, const struct key *k)
{
	struct config_data *data = (void *)((char *)base + k->offset);
	struct config_data read = { 0 };
	size_t given = 0;

	if (s->node->kind == NODE_SCALAR) {
		spot_wrong(s, "one of text:, hex:, base64: and file:");
		return;
	}
	if (!read_map(s, &read, KEYS(data_keys), NO_KEYS))
		return;
	for (size_t i = 0; i < sizeof(data_keys) / sizeof(*data_keys); i++)
		given += spot_has(s, data_keys[i].name) ? 1 : 0;
	if (given > 1 || spot_pairs(s) == 0)
		spot_error(s, "needs exactly one of text, hex, base64, file");
	data_done(data);
	*data = read;
}
