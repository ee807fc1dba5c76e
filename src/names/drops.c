/* SPDX-License-Identifier: MIT */
/* Why the engine drops packets, and a writer leaves packets out, by the names that reports print.
 * Pure. */
#include "bpfengine.h"

const char *bpe_drop_name(int drop)
{
	static const char *const names[BPE_DROP_COUNT] = { "ring_full", "stalled", "duplicate" };

	return drop >= 0 && drop < BPE_DROP_COUNT ? names[drop] : NULL;
}

const char *bpe_unwritten_name(int cause)
{
	static const char *const names[BPE_UNWRITTEN_COUNT] = { "writer_full", "write_error",
		"link_type", "cutoff", "duplicate", "overwritten", "split_files" };

	return cause >= 0 && cause < BPE_UNWRITTEN_COUNT ? names[cause] : NULL;
}
