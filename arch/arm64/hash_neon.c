/* SPDX-License-Identifier: MIT */
/* Keys whose hash is not parse's any more (fragments on their first one's flow) are few: scalar's.
 * Pure. */
#include "arch/arch.h"

void bpei_hash_neon(const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed)
{
	bpei_hash_scalar(columns, n, seed);
}
