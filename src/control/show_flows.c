/*
 * The result of `flows` for people.
 */
#include "control/phrase.h"
#include "control/show.h"
#include "control/table.h"

#include <string.h>

/* A hint, where some flow has waited in vain. */
static void print_firewall_hint(FILE *out, const json_t *flows)
{
	json_t *flow;
	size_t i;

	json_array_foreach(flows, i, flow)
	{
		/* What asks other sites needs no port here. */
		if (!phrase_number(flow, "port") ||
			phrase_number(flow, "searches") == 0 ||
			phrase_number(flow, "answers") > 0)
			continue;
		(void)fputs(
			"\nSearches without an answer: where devices should "
			"have answered, a firewall may\ndrop what comes to the "
			"flow's port. Fix the ports in crierd.yaml and open "
			"them:\n"
			"  flow-ports: 32000-33023\n"
			"  nft add rule inet filter input udp dport "
			"32000-33023 accept\n",
			out);
		return;
	}
}

int show_flows(const json_t *result, FILE *out, bool coloured)
{
	static const char *const titles[] = { "GROUP", "INTERFACE", "DEVICE",
		"PORT", "SEARCHES", "ANSWERS", "EXPIRES", "SEARCHERS" };
	struct table t;
	json_t *flow;
	size_t i;
	int r;

	if (json_array_size(result) == 0)
		return show_line(out, strdup("No search waits for answers."));
	table_begin(&t, titles, 8, 0x78);
	table_fit(&t, out);
	json_array_foreach(result, i, flow)
	{
		table_row(&t);
		table_member(&t, flow, "group");
		if (*phrase_word(flow, "interface"))
			table_member(&t, flow, "interface");
		else
			table_text(&t, "other sites", TABLE_PLAIN);
		table_member(&t, flow, "device");
		table_member(&t, flow, "port");
		table_member(&t, flow, "searches");
		table_member(&t, flow, "answers");
		table_take(
			&t, show_duration(phrase_number(flow, "expires_in")));
		table_take(&t,
			phrase_elements(json_object_get(flow, "searchers")));
	}
	r = table_end(&t, out, 0, coloured);
	print_firewall_hint(out, result);
	return r;
}
