/* SPDX-License-Identifier: MIT */
/* Chooses the format of an event's line.  Pure. */
#include "format/events.h"

#include "base/sized.h"

/* Returns whether an event has all that its kind needs. */
static bool is_whole_event(const struct bpe_event *event)
{
	return event && event->version == BPE_FLOW_VERSION && event->flow &&
	       event->flow->version == BPE_FLOW_VERSION && bpe_event_kind_name((int)event->kind) &&
	       (event->kind != BPE_EVENT_DNS || event->dns);
}

int bpe_event_format(const struct bpe_event *event, uint32_t format, char *text, size_t size)
{
	static void (*const formats[BPE_FORMAT_COUNT])(
		struct bpei_writer *, const struct bpe_event *) = {
		[BPE_FORMAT_JSON] = bpei_event_json,
		[BPE_FORMAT_ZEEK] = bpei_event_zeek,
		[BPE_FORMAT_EVE] = bpei_event_eve,
		[BPE_FORMAT_CSV] = NULL,
		[BPE_FORMAT_ECS] = bpei_event_ecs,
	};
	struct bpe_flow flow;

	if (format >= BPE_FORMAT_COUNT || !size || (event && !is_whole_event(event)))
		return BPE_E_ARGUMENT;
	if (!formats[format])
		return BPE_E_UNSUPPORTED;
	*text = 0;
	if (!event)
		return 0;
	struct bpe_event whole = *event;
	struct bpei_writer w = { text, text + size - 1, false };

	whole.flow = bpei_flow_whole(event->flow, &flow);
	if (!whole.flow)
		return BPE_E_ARGUMENT;
	formats[format](&w, &whole);
	BPEI_WRITE(&w, "\n");
	*w.at = 0;
	if (!w.full)
		return (int)(w.at - text);
	*text = 0;
	return BPE_E_ARGUMENT;
}
