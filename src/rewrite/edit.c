/* SPDX-License-Identifier: MIT */
/* Replaces single addresses of a packet.  Pure. */
#include "rewrite/edit.h"

#include <string.h>

void bpei_edit_changed(struct bpei_edit *e, uint32_t offset, uint32_t n)
{
	if (offset < e->first)
		e->first = offset;
	if (offset + n > e->last)
		e->last = offset + n;
}

/* Returns whether n bytes at offset were captured.  If only some were, they become 0. */
static bool take_edited_bytes(struct bpei_edit *e, uint32_t offset, uint32_t n)
{
	if (bpei_edit_has(e, offset, n)) {
		bpei_edit_changed(e, offset, n);
		return true;
	}
	if (offset < e->caplen) {
		memset(e->to + offset, 0, e->caplen - offset);
		bpei_edit_changed(e, offset, e->caplen - offset);
	}
	return false;
}

void bpei_edit_ip4_address(struct bpei_edit *e, uint32_t offset)
{
	e->addresses++;
	if (take_edited_bytes(e, offset, 4))
		bpei_prefix_ip4(e->prefix, e->from + offset, e->to + offset);
}

void bpei_edit_ip6_address(struct bpei_edit *e, uint32_t offset)
{
	e->addresses++;
	if (take_edited_bytes(e, offset, 16))
		bpei_prefix_ip6(e->prefix, e->from + offset, e->to + offset);
}

void bpei_edit_mac_address(struct bpei_edit *e, uint32_t offset)
{
	if (take_edited_bytes(e, offset, 6))
		bpei_prefix_mac(e->prefix, e->from + offset, e->to + offset);
}

void bpei_edit_quotation(struct bpei_edit *e, uint32_t offset, uint32_t end)
{
	if (offset < end && e->quotations < BPEI_MOST_QUOTATIONS)
		e->quotation[e->quotations++] = (struct bpei_quotation){ offset, end };
}
