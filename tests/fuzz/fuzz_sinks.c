/* SPDX-License-Identifier: MIT */
/* Gives any bytes as a flow's record, in every format.  Lines are JSON (RFC 8259), or CSV (RFC
 * 4180) with as many columns as names.  Lines are UTF-8 without control characters, and not longer
 * than promised.  With less room an error is returned, and no byte is written past the room.
 *
 * Input: two bytes of room, then the record's bytes, filled up with 0. */
#include "fuzz.h"
#include "json_check.h"

#include "bpfengine.h"

#include <string.h>

/* Counts the columns of a CSV line.  Returns 0 if the line is not CSV. */
static size_t csv_columns(const char *s, size_t n)
{
	size_t columns = 1;
	bool quoted = false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' && !quoted) {
			if (i && s[i - 1] != ',' && s[i - 1] != '"')
				return 0;
			quoted = true;
		} else if (s[i] == '"') {
			if (i + 1 < n && s[i + 1] == '"')
				i++;
			else if (i + 1 < n && s[i + 1] != ',')
				return 0;
			else
				quoted = false;
		} else if (s[i] == ',' && !quoted) {
			columns++;
		}
	}
	return quoted ? 0 : columns;
}

/* Returns the line's length without the line end. */
static size_t line_length(const char *line, int n, uint32_t format)
{
	FUZZ_CHECK(n > 1 && n < BPE_FORMAT_BYTES && strlen(line) == (size_t)n);
	size_t end = format == BPE_FORMAT_CSV && line[n - 2] == '\r' ? 2 : 1;
	FUZZ_CHECK(line[n - 1] == '\n');
	FUZZ_CHECK(text_harmless(line, (size_t)n - end));
	return (size_t)n - end;
}

static void check_format(const struct bpe_flow *flow, uint32_t format, size_t room)
{
	char line[BPE_FORMAT_BYTES], head[BPE_FORMAT_BYTES];
	memset(line, 0x5a, sizeof line);
	int n = bpe_flow_format(flow, format, line, sizeof line);
	size_t length = line_length(line, n, format);
	if (format == BPE_FORMAT_CSV) {
		int names = bpe_flow_format(NULL, format, head, sizeof head);
		size_t columns = csv_columns(head, line_length(head, names, format));
		FUZZ_CHECK(columns > 10 && csv_columns(line, length) == columns);
	} else {
		FUZZ_CHECK(json_valid(line, length) && line[0] == '{');
	}
	char *small = malloc(room + 1); /* exact: a sanitizer sees a write past the end */
	FUZZ_CHECK(small != NULL);
	int got = bpe_flow_format(flow, format, small, room);
	if (room > (size_t)n)
		FUZZ_CHECK(got == n && !memcmp(small, line, (size_t)n + 1));
	else
		FUZZ_CHECK(got < 0);
	free(small);
}

void fuzz_sinks(const uint8_t *bytes, size_t n)
{
	struct fuzz_input in = { bytes, bytes + n };
	struct bpe_flow flow;
	size_t room = fuzz_u16(&in) % BPE_FORMAT_BYTES;
	memset(&flow, 0, sizeof flow);
	size_t given = fuzz_left(&in) < sizeof flow ? fuzz_left(&in) : sizeof flow;
	memcpy(&flow, in.next, given);
	flow.version = BPE_FLOW_VERSION;
	flow.size = sizeof flow;
	for (uint32_t format = 0; format < BPE_FORMAT_COUNT; format++)
		check_format(&flow, format, room);
}
