/* SPDX-License-Identifier: MIT */
/* Makes events (events.h).  Stateless. */
#include "engine/events.h"

void bpei_event_give(const struct bpei_event_way *way, uint32_t kind, int64_t time_ns,
	const struct bpe_flow *flow, const struct bpe_dns *dns)
{
	struct bpe_dns formed;
	struct bpe_event event = { .version = BPE_FLOW_VERSION,
		.size = sizeof event,
		.kind = kind,
		.time_ns = time_ns,
		.flow = flow,
		.dns = dns };

	if (!way->on_event)
		return;
	if (dns && way->form) {
		formed = *dns;
		bpei_names_form_dns(way->form, &formed);
		event.dns = &formed;
	}
	way->on_event(way->user, &event);
}
