#include "config/emit.h"
#include "proto/proto.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* `ok` tells whether `event` could be made. */
static void put(struct emit *e, yaml_event_t *event, int ok)
{
	if (e->has_failed) {
		if (ok)
			yaml_event_delete(event);
		return;
	}
	/* The emitter takes the event over in any case. */
	if (!ok || !yaml_emitter_emit(&e->emitter, event))
		e->has_failed = true;
}

void emit_begin(struct emit *e, FILE *out)
{
	yaml_event_t event;

	e->has_failed = false;
	if (!yaml_emitter_initialize(&e->emitter)) {
		e->has_failed = true;
		return;
	}
	yaml_emitter_set_output_file(&e->emitter, out);
	yaml_emitter_set_unicode(&e->emitter, 1);
	/* Never folded: a fold inside of quotes is hard to read. */
	yaml_emitter_set_width(&e->emitter, -1);
	put(e, &event,
		yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	put(e, &event,
		yaml_document_start_event_initialize(
			&event, NULL, NULL, NULL, 1));
	emit_map(e, EMIT_BLOCK);
}

int emit_end(struct emit *e)
{
	yaml_event_t event;

	emit_map_end(e);
	put(e, &event, yaml_document_end_event_initialize(&event, 1));
	put(e, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&e->emitter);
	return e->has_failed ? -EIO : 0;
}

void emit_map(struct emit *e, enum emit_style style)
{
	yaml_event_t event;

	put(e, &event,
		yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
			style == EMIT_FLOW ? YAML_FLOW_MAPPING_STYLE
					   : YAML_BLOCK_MAPPING_STYLE));
}

void emit_map_end(struct emit *e)
{
	yaml_event_t event;

	put(e, &event, yaml_mapping_end_event_initialize(&event));
}

void emit_list(struct emit *e)
{
	yaml_event_t event;

	put(e, &event,
		yaml_sequence_start_event_initialize(
			&event, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE));
}

void emit_list_end(struct emit *e)
{
	yaml_event_t event;

	put(e, &event, yaml_sequence_end_event_initialize(&event));
}

/* What of a text is hostile and libyaml prints all the same: what turns the
 * direction of writing. It escapes control characters and ends of lines. */
static bool turns_writing(const char *text)
{
	bool turns = false;
	uint32_t c;

	while (*text != '\0' && !turns) {
		text += utf8_decode(text, &c);
		turns = c > 0x9f && c != 0x2028 && c != 0x2029 &&
			utf8_is_hostile(c);
	}
	return turns;
}

static void emit_scalar(
	struct emit *e, const char *text, yaml_scalar_style_t style)
{
	yaml_event_t event;

	/* Never on again: events are written some time later. */
	if (turns_writing(text))
		yaml_emitter_set_unicode(&e->emitter, 0);
	put(e, &event,
		yaml_scalar_event_initialize(&event, NULL, NULL,
			(const yaml_char_t *)text, (int)strlen(text), 1, 1,
			style));
}

void emit_word(struct emit *e, const char *text)
{
	emit_scalar(e, text, YAML_ANY_SCALAR_STYLE);
}

void emit_string(struct emit *e, const char *text)
{
	emit_scalar(e, text, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

void emit_format(struct emit *e, const char *format, ...)
{
	va_list arguments;
	char text[80];

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	emit_word(e, text);
}

void emit_pair(struct emit *e, const char *key, const char *word)
{
	emit_word(e, key);
	emit_word(e, word);
}

void emit_bool_pair(struct emit *e, const char *key, bool value)
{
	emit_pair(e, key, value ? "true" : "false");
}
