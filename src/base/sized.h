/* SPDX-License-Identifier: MIT */
/* Structures that a program shares with the library.  The program's header may be older or newer
 * than the library's.  The structures grow at the end only: both have the members within the
 * smaller size. */
#ifndef BPEI_SIZED_H
#define BPEI_SIZED_H

#include "bpfengine.h"

#include <stdbool.h>
#include <stddef.h>

/* Copies a structure of the library to a caller's structure of to_bytes, up to the smaller size.
 * Members that only the caller has become 0. */
void bpei_sized_give(void *to, size_t to_bytes, const void *from, size_t from_bytes);
/* Copies a caller's structure to a structure of the library, which has the defaults.  Both begin
 * with uint32_t struct_size.  init: the function that sets struct_size, for the errors.
 * Returns BPE_OK, or BPE_E_ARGUMENT for a size that no init function sets.  Returns
 * BPE_E_UNSUPPORTED if a member is set that only the caller has. */
int bpei_sized_take(
	void *to, size_t to_bytes, const void *from, const char *init, struct bpe_error *error);
/* Returns whether a caller's structure of from_bytes has only members of the library's structure
 * set: bytes behind own_bytes are 0. */
bool bpei_sized_is_known(const void *from, size_t from_bytes, size_t own_bytes);
/* Copies a record to a caller's record of to_bytes, as bpei_sized_give.  The size in the copy is
 * the smaller size. */
void bpei_flow_give(void *to, size_t to_bytes, const struct bpe_flow *from);
/* Returns the record, if no member of the library's is missing.  Otherwise returns *room, a copy in
 * which the missing members are unknown.  NULL: the record lacks version or size. */
const struct bpe_flow *bpei_flow_whole(const struct bpe_flow *flow, struct bpe_flow *room);

#endif
