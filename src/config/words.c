#include "config/read.h"

const char *const words_source[] = { "own", "own-port", "preserve", NULL };
const char *const words_send[] = { "socket", "frame", NULL };
const char *const words_payload[] = { "none", "mdns", "ssdp", "wsd", NULL };
const char *const words_replies[] = { "none", "proxy", NULL };
/* Without a word for CONFIG_SPEAKS_UNKNOWN, which is what leaving it out
 * means. */
const char *const words_speaks[] = { "", "search", "announce", "both", NULL };
/* By bit. */
const char *const words_strip[] = { "link-local", "multi-homed", NULL };
const char *const words_off[] = { "off", NULL };

const char *config_source_word(enum config_source s)
{
	return words_source[s];
}

const char *config_send_word(enum config_send s)
{
	return words_send[s];
}

const char *config_payload_word(enum config_payload p)
{
	return words_payload[p];
}

const char *config_replies_word(enum config_replies r)
{
	return words_replies[r];
}
