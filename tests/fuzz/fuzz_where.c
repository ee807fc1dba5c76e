/* SPDX-License-Identifier: MIT */
/* Any text as a condition, over a record of any bytes: a program within the bounds or an error with
 * a column, and never both a condition and its opposite. */
#include "where/program.h"
#include "fuzz.h"

#include <string.h>

/* Fills a record with the bytes of the input, again and again. */
static void fill_record(struct bpe_flow *flow, struct fuzz_input *in)
{
	uint8_t *to = (uint8_t *)flow;
	const size_t n = fuzz_left(in);

	memset(flow, 0, sizeof *flow);
	for (size_t i = 0; n && i < sizeof *flow; i++)
		to[i] = in->next[i % n];
	flow->version = BPE_FLOW_VERSION;
	flow->size = n % 5 ? sizeof *flow : (uint16_t)(n * 8 % sizeof *flow);
}

/* Compiles the condition between two texts.  Returns 1 or 0 for a match or none, and the status,
 * below 0, for a text without meaning. */
static int match_text(
	const char *before, const char *text, const char *behind, const struct bpe_flow *flow)
{
	const size_t bytes = strlen(before) + strlen(text) + strlen(behind) + 1;
	char *all = malloc(bytes);
	struct bpe_where *where;
	struct bpe_error error = { 0 };

	if (!all)
		abort();
	snprintf(all, bytes, "%s%s%s", before, text, behind);
	const int status = bpe_where_compile(all, &where, &error);
	int matches = status;

	free(all);
	if (status < 0) {
		FUZZ_CHECK(status == BPE_E_ARGUMENT && !strncmp(error.text, "condition", 9));
		return matches;
	}
	FUZZ_CHECK(where->count && where->count <= BPEI_WHERE_STEPS);
	for (uint32_t i = 0; i < where->count; i++) {
		const struct bpei_where_step *s = &where->steps[i];

		FUZZ_CHECK(s->yes >= BPEI_WHERE_REFUSE || (s->yes > i && s->yes < where->count));
		FUZZ_CHECK(s->no >= BPEI_WHERE_REFUSE || (s->no > i && s->no < where->count));
	}
	matches = bpe_where_match(where, flow);
	bpe_where_free(where);
	return matches;
}

void fuzz_where(const uint8_t *bytes, size_t n)
{
	const size_t length = n ? strnlen((const char *)bytes, n) : 0;
	struct fuzz_input in = { bytes + length, bytes + n };
	struct bpe_flow flow;
	char *text = malloc(length + 1);

	if (!text)
		abort();
	memcpy(text, bytes, length);
	text[length] = 0;
	if (fuzz_left(&in))
		in.next++;
	fill_record(&flow, &in);
	const int matches = match_text("", text, "", &flow);
	const int opposite = match_text("not (", text, ")", &flow);

	if (matches >= 0 && opposite >= 0 && flow.size >= 4)
		FUZZ_CHECK(matches != opposite);
	free(text);
}
