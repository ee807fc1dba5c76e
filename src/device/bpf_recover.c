/* SPDX-License-Identifier: MIT */
/* Failed reads of a BPF node: an interface which went away, a buffer resized by another process,
 * and a node served by another program. */
#include "device/bpf.h"

#include "base/error.h"

#include <errno.h>

#define LEAST_BUFFER 32u
/* Linux does not split reads up to this length. */
#define SERVED_READ_BYTES 983040u

int bpei_bpf_went_away(struct bpei_bpf *b, struct bpe_error *error)
{
	if (!b->options.wait_interface)
		return bpei_fail(error, BPE_E_GONE, "read", 0,
			"interface %s went away while capturing; what came before was delivered",
			b->name);
	b->device.ops->stats(&b->device);
	bpei_bpf_detach(b);
	bpei_notice(&b->options, "interface %s went away: waiting for its return", b->name);
	return 0;
}

/* Adopts the kernel's buffer size.  macOS and NetBSD allow another process with the same descriptor
 * to change the size while the descriptor is detached.  Returns true if the size had changed to a
 * usable value. */
static bool adopt_buffer_size(struct bpei_bpf *b)
{
	uint32_t length = 0;

	if (bpei_bpf_call_u32(b, BPEI_BIOCGBLEN, &length) < 0)
		return false;
	if (length == b->buffer_bytes || length > b->block_bytes || length < LEAST_BUFFER)
		return false;
	b->buffer_bytes = length;
	return true;
}

/* Attaches again with a smaller buffer.  Linux passes a long read on to a served node in pieces of
 * at most a megabyte.  A BPF driver refuses a read which is not as long as the buffer. */
static int reattach_served_node(struct bpei_bpf *b, struct bpe_error *error)
{
	b->options.buffer_bytes = SERVED_READ_BYTES;
	bpei_bpf_detach(b);
	int r = bpei_bpf_attach(b, error);
	if (r >= 0)
		bpei_notice(&b->options, "%s cannot be read in buffers of that size: %zu KiB now",
			b->node, b->buffer_bytes >> 10);
	return r;
}

int bpei_bpf_read_failed(struct bpei_bpf *b, int e, struct bpe_error *error)
{
	const bool is_served = b->options.bpf_device;

	if (e == EINVAL && adopt_buffer_size(b))
		return 0;
	if (e == EINVAL && !b->has_read && b->buffer_bytes > SERVED_READ_BYTES && is_served)
		return reattach_served_node(b, error);
	return bpei_fail(error, BPE_E_IO, "read", e, "%s on %s", b->name, b->node);
}
