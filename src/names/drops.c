/* SPDX-License-Identifier: MIT */
/* Why the engine drops packets, by the names that reports print.  Pure. */
#include "bpfengine.h"

const char *bpe_drop_name(int drop)
{
	static const char *const names[BPE_DROP_COUNT] = { "ring_full", "stalled", "duplicate" };

	return drop >= 0 && drop < BPE_DROP_COUNT ? names[drop] : NULL;
}
