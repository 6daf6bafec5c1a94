/*
 * Whatever a file of crier-mqtt says: it is read or every error has its place
 * and a text; what was read can be used as it is, and is written as a file that
 * reads as the same.
 */
#include "errors.h"

static char *dump(const struct config_sites *c, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	MUST(out != NULL);
	MUST(config_sites_dump(c, out) == 0);
	MUST(fclose(out) == 0);
	return text;
}

/* Behind the comment that stands for a password. */
static const char *skip_comment(const char *text)
{
	return *text == '#' ? strchr(text, '\n') + 1 : text;
}

static void check_dump(const struct config_sites *c)
{
	struct config_sites *again = NULL;
	struct config_errors errors;
	size_t size, again_size;
	char *text = dump(c, &size), *second;
	int r = config_sites_parse("fuzz.yaml", text, size, &again, &errors);

	if (r < 0 && errors.n > 0)
		config_error_print(&errors.at[0], text, stderr);
	MUST(r == 0);
	config_errors_done(&errors);
	MUST((*text == '#') == (c->password != NULL));
	second = dump(again, &again_size);
	MUST(strcmp(skip_comment(text), second) == 0);
	free(second);
	free(text);
	config_sites_free(again);
}

/* What the rest of crier-mqtt takes for granted. */
static void check_values(const struct config_sites *c)
{
	MUST(c->site != NULL && strlen(c->site) <= CONFIG_SITE_NAME);
	MUST(strpbrk(c->site, "/+#") == NULL);
	MUST(c->prefix[0] != '\0' && strpbrk(c->prefix, "+#") == NULL);
	MUST(strlen(c->prefix) <= 128);
	MUST(c->n_brokers > 0);
	for (size_t i = 0; i < c->n_brokers; i++) {
		MUST(c->brokers[i].host[0] != '\0');
		MUST(c->brokers[i].port > 0);
	}
	MUST(c->password == NULL || c->password_file == NULL);
	MUST((c->tls.certificate == NULL) == (c->tls.key == NULL));
	MUST(c->limits.known > 0 && c->limits.own > 0 &&
		c->limits.searches > 0);
	MUST(c->n_groups > 0);
	for (size_t i = 0; i < c->n_groups; i++) {
		const struct config_site_group *g = &c->groups[i];

		MUST(g->publishes || g->takes);
		MUST(g->from.n > 0);
		(void)config_site_matches(&g->from, c->site);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = data != NULL ? (const char *)data : "";
	struct config_errors errors;
	struct config_sites *c = NULL;
	int r = config_sites_parse("fuzz.yaml", text, size, &c, &errors);

	MUST(r == 0 || r == -EINVAL);
	if (r < 0) {
		MUST(c == NULL);
		check_errors(&errors);
	} else {
		MUST(errors.n == 0);
		check_values(c);
		check_dump(c);
		config_sites_free(c);
	}
	config_errors_done(&errors);
	return 0;
}
