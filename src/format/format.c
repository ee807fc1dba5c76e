/* SPDX-License-Identifier: MIT */
/* Chooses the format of a flow's line.  Pure. */
#include "format/formats.h"

#include "base/sized.h"

const char *bpe_format_name(int format)
{
	static const char *const names[BPE_FORMAT_COUNT] = { "json", "zeek", "eve", "csv", "ecs" };
	return format >= 0 && format < BPE_FORMAT_COUNT ? names[format] : NULL;
}

int bpe_flow_format(const struct bpe_flow *record, uint32_t format, char *text, size_t size)
{
	struct bpe_flow whole;
	const struct bpe_flow *flow = record ? bpei_flow_whole(record, &whole) : NULL;
	static void (*const formats[BPE_FORMAT_COUNT])(
		struct bpei_writer *, const struct bpe_flow *) = { bpei_format_json,
		bpei_format_zeek, bpei_format_eve, bpei_format_csv, bpei_format_ecs };
	char room[BPE_FORMAT_BYTES];
	const bool direct = size >= sizeof room; /* it cannot become too small in the middle */
	char *begin = direct ? text : room;
	struct bpei_writer w = { begin, begin + sizeof room - 1, false };
	if (format >= BPE_FORMAT_COUNT || !size || (record && !flow) ||
		(flow && flow->version != BPE_FLOW_VERSION))
		return BPE_E_ARGUMENT;
	if (flow || format == BPE_FORMAT_CSV) {
		formats[format](&w, flow);
		bpei_write_string(&w, format == BPE_FORMAT_CSV ? "\r\n" : "\n");
	}
	size_t n = (size_t)(w.at - begin);
	if (w.full || n >= size)
		return BPE_E_ARGUMENT;
	*w.at = 0;
	if (!direct)
		memcpy(text, room, n + 1);
	return (int)n;
}
