#include "service/plain.h"
#include "service/service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
/* The place in the source is not sent: it would be this file, always. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

/* True where systemd connected `fd` to the journal (systemd.exec(5)). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char more;

	/* What is too large for it is no file's number either. */
	if (!stream || /* NOLINTNEXTLINE(cert-err34-c) */
		sscanf(stream, "%llu:%llu%c", &device, &inode, &more) != 2)
		return false;
	return fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

#else

static bool is_journal(int fd)
{
	(void)fd;
	return false;
}

static int sd_journal_sendv(const struct iovec *fields, int n)
{
	(void)fields;
	(void)n;
	return -ENOSYS;
}

#endif

enum { MESSAGE_MAX = 2048, FIELD_MAX = 256, FIELDS = 10 };

/* ---- levels ---- */

static const struct {
	const char *word;
	int level;
} levels[] = {
	{ "err", LOG_ERR },
	{ "warning", LOG_WARNING },
	{ "notice", LOG_NOTICE },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
};

enum { N_LEVELS = sizeof(levels) / sizeof(levels[0]) };

int service_log_level_parse(const char *word, int *ret_level)
{
	for (size_t i = 0; i < N_LEVELS; i++)
		if (!strcmp(word, levels[i].word)) {
			*ret_level = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

const char *service_log_level_word(int level)
{
	for (size_t i = 0; i < N_LEVELS; i++)
		if (level == levels[i].level)
			return levels[i].word;
	return "?";
}

void service_log_init(struct service_log *log, int level)
{
	log->level = level;
	log->fd = STDERR_FILENO;
	if (is_journal(log->fd))
		log->target = SERVICE_JOURNAL;
	else if (isatty(log->fd))
		log->target = SERVICE_TERMINAL;
	else
		log->target = SERVICE_PREFIXED;
}

/* ---- one message ---- */

/* Puts "..." at the end of a full buffer, not into a character of UTF-8. */
static void mark_cut(char text[MESSAGE_MAX])
{
	size_t end = MESSAGE_MAX - sizeof(PLAIN_CUT);

	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, PLAIN_CUT, sizeof(PLAIN_CUT));
}

/* ---- one line ---- */

/* In one call, so that the lines of several threads and processes that share
 * the descriptor stay whole. */
static void write_line(const struct service_log *log, bool prefixed,
	int priority, const char *message)
{
	char prefix[sizeof("<7>")] = "";
	struct iovec parts[3];

	if (prefixed)
		(void)snprintf(
			prefix, sizeof(prefix), "<%d>", priority & LOG_PRIMASK);
	parts[0] = (struct iovec){ prefix, strlen(prefix) };
	parts[1] = (struct iovec){ (char *)message, strlen(message) };
	parts[2] = (struct iovec){ (char *)"\n", 1 };
	/* Nobody is left to be told of a log that cannot be written. */
	if (writev(log->fd, parts, 3) < 0)
		return;
}

/* ---- the journal ---- */

struct record {
	struct iovec fields[FIELDS];
	char texts[FIELDS][FIELD_MAX];
	int n;
};

/* Adds KEY=value, unless the value is NULL. A device may have any name. */
static void add_field(struct record *r, const char *key, const char *value)
{
	char *text = r->texts[r->n], *at;

	if (!value)
		return;
	at = stpcpy(stpcpy(text, key), "=");
	plain_text(at, (size_t)(text + FIELD_MAX - at), value);
	r->fields[r->n++] = (struct iovec){ text, strlen(text) };
}

static void add_number(struct record *r, const char *key, int value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", value);
	add_field(r, key, value > 0 ? text : NULL);
}

/* `message` begins with "MESSAGE=". */
static int send_record(
	int priority, const struct service_fields *fields, const char *message)
{
	const char digit[2] = { (char)('0' + (priority & LOG_PRIMASK)), '\0' };
	struct record r = { .n = 0 };

	r.fields[r.n++] = (struct iovec){ (char *)message, strlen(message) };
	add_field(&r, "PRIORITY", digit);
	if (fields) {
		add_field(&r, "CRIER_GROUP", fields->group);
		add_field(&r, "CRIER_INTERFACE", fields->interface);
		add_field(&r, "CRIER_DEVICE", fields->device);
		add_field(&r, "CRIER_ANNOUNCEMENT", fields->announcement);
		add_field(&r, "CRIER_SOURCE", fields->source);
		add_field(&r, "CRIER_PATH", fields->path);
		add_number(&r, "CRIER_LINE", fields->line);
		add_field(&r, "MESSAGE_ID", fields->message_id);
	}
	return sd_journal_sendv(r.fields, r.n);
}

void service_log(const struct service_log *log, int priority,
	const struct service_fields *fields, const char *format, ...)
{
	static const char key[] = "MESSAGE=";
	char raw[MESSAGE_MAX],
		message[sizeof(key) + (size_t)PLAIN_ESCAPE * MESSAGE_MAX];
	char *text = message + sizeof(key) - 1;
	va_list ap;
	int n;

	if (priority > log->level)
		return;
	va_start(ap, format);
	n = vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(raw))
		mark_cut(raw);
	memcpy(message, key, sizeof(key));
	plain_text(text, (size_t)PLAIN_ESCAPE * MESSAGE_MAX, raw);
	if (log->target == SERVICE_JOURNAL &&
		send_record(priority, fields, message) >= 0)
		return;
	/* A journal that is away comes back; meanwhile its stream, which is
	 * our standard error, keeps the lines. */
	write_line(log, log->target != SERVICE_TERMINAL, priority, text);
}
