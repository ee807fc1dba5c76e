/* SPDX-License-Identifier: MIT */
/* Why flows end, by the names that reports and records print: ends, kinds of eviction, time-outs.
 * Pure. */
#include "bpfengine.h"

const char *bpe_flow_end_name(int end)
{
	static const char *const names[] = {
		[BPE_END_NONE] = "",
		[BPE_END_IDLE] = "idle",
		[BPE_END_CLOSED] = "closed",
		[BPE_END_EVICTED] = "evicted",
		[BPE_END_STOP] = "stop",
		[BPE_END_ACTIVE] = "active",
		[BPE_END_DUMPED] = "snapshot",
		[BPE_END_BEGUN] = "begin",
	};

	return end >= 0 && end <= BPE_END_BEGUN ? names[end] : NULL;
}

const char *bpe_evicted_name(int evicted)
{
	static const char *const names[BPE_EVICTED_COUNT] = {
		"single",
		"half_open",
		"closed",
		"alive",
		"crowded",
	};

	return evicted >= 0 && evicted < BPE_EVICTED_COUNT ? names[evicted] : NULL;
}

const char *bpe_timeout_name(int timeout)
{
	static const char *const names[BPE_TIMEOUT_COUNT] = {
		"tcp-opening",
		"tcp-established",
		"tcp-closing",
		"tcp-closed",
		"udp-one-way",
		"udp-two-way",
		"icmp",
		"other",
	};

	return timeout >= 0 && timeout < BPE_TIMEOUT_COUNT ? names[timeout] : NULL;
}
