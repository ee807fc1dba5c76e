/* SPDX-License-Identifier: MIT */
/* What a batch's source knows of a packet's interface.  Any thread reads: members of the device
 * that are constant, and the names. */
#include "base/sized.h"
#include "device/device.h"

void bpe_write_interface_init_sized(struct bpe_write_interface *interface, size_t bytes)
{
	const struct bpe_write_interface defaults = {
		.struct_size = (uint32_t)bytes, .link_type = 1, .time_digits = 9
	};

	bpei_sized_give(interface, bytes, &defaults, sizeof defaults);
}

int bpe_batch_interface_sized(const struct bpe_batch *batch, uint32_t i,
	struct bpe_write_interface *interface, size_t bytes)
{
	struct bpe_write_interface told;
	const struct bpei_device *device = BPE_HAS(batch, source) ? batch->source : NULL;

	bpe_write_interface_init_sized(&told, sizeof told);
	told.struct_size = (uint32_t)bytes;
	told.interface_id = batch->interface_id[i];
	told.link_type = batch->layers[i].link_type;
	if (device) {
		const char *name = bpei_names_find(&device->names, told.interface_id);

		told.snaplen = device->snaplen;
		told.name = name[0] ? name : NULL;
	}
	bpei_sized_give(interface, bytes, &told, sizeof told);
	return device != NULL;
}
