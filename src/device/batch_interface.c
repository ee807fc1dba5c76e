/* SPDX-License-Identifier: MIT */
/* What a batch's source knows of a packet's interface.  Any thread reads: members of the device
 * that are constant, and the names. */
#include "base/sized.h"
#include "device/device.h"
#include "filter/kernel.h"
#include "records/pcapng_kept.h"

#include <string.h>

/* Fills in what a pcapng file says of the interface. */
static void tell_kept_interface(
	struct bpe_write_interface *told, const struct bpei_kept_interface *kept, uint32_t snaplen)
{
	told->snaplen = kept->snaplen;
	if (snaplen < BPE_MAX_SNAPLEN && (!told->snaplen || snaplen < told->snaplen))
		told->snaplen = snaplen;
	told->name = kept->name;
	told->description = kept->description;
	told->hardware = kept->hardware;
	told->os = kept->os;
	told->filter_text = kept->filter_text;
	told->filter = (const struct bpe_insn *)(const void *)kept->program;
	told->filter_length = kept->program_length;
	told->speed = kept->speed;
	told->time_digits = kept->digits;
	told->has_mac = kept->has_mac;
	memcpy(told->mac, kept->mac, sizeof told->mac);
}

void bpe_write_interface_init_sized(struct bpe_write_interface *interface, size_t bytes)
{
	const struct bpe_write_interface defaults = {
		.struct_size = (uint32_t)bytes, .link_type = 1, .time_digits = 9
	};

	bpei_sized_give(interface, bytes, &defaults, sizeof defaults);
}

/* Returns the name of a source's only interface, or "". */
static const char *find_only_name(const struct bpei_names *names)
{
	struct bpei_names *all = (struct bpei_names *)(uintptr_t)names;

	/* pairs: bpei_names_add */
	if (atomic_load_explicit(&all->count, memory_order_acquire) != 1)
		return "";
	return names->of[0].name;
}

int bpe_batch_interface_sized(const struct bpe_batch *batch, uint32_t i,
	struct bpe_write_interface *interface, size_t bytes)
{
	struct bpe_write_interface told;
	const struct bpei_device *device = NULL;

	if (BPE_HAS(batch, source))
		device = (const struct bpei_device *)batch->source;
	bpe_write_interface_init_sized(&told, sizeof told);
	told.struct_size = (uint32_t)bytes;
	told.interface_id = batch->interface_id[i];
	told.link_type = batch->layers[i].link_type;
	if (device) {
		const char *name = bpei_names_find(&device->names, told.interface_id);

		told.snaplen = device->snaplen;
		if (!name[0] && device->live && !device->many_interfaces)
			name = find_only_name(&device->names);
		told.name = name[0] ? name : NULL;
		told.directions = device->kernel == &bpei_kernels[BPEI_KERNEL_LINUX];
	}
	const struct bpei_kept_interface *kept = bpei_batch_kept_interface(batch, i);

	if (kept)
		tell_kept_interface(&told, kept, device->snaplen);
	bpei_sized_give(interface, bytes, &told, sizeof told);
	return device != NULL;
}
