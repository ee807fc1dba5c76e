/* SPDX-License-Identifier: MIT */
/* The filter of a BPF device: in the kernel where the kernel takes the filter, in user space for
 * the rest.
 *
 * A copy of the user's filter is kept, since an interface needs the filter again when it comes
 * back. The kernel gets a version within the kernel's instructions and limits: the whole filter, or
 * a wider filter, or a program which accepts all packets. */
#include "device/bpf.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_BUFFERS 2u /* of each descriptor */
#define KEEP_ALL (BPE_MAX_SNAPLEN + BPEI_PKTAP_ROOM)

int bpei_bpf_keep_filter(struct bpei_bpf *b, const struct bpei_filter *filter)
{
	struct bpe_insn *copy = NULL;
	struct bpei_kernel_program fit = { .length = 0 };
	uint32_t length = filter->length;

	if (length) {
		copy = malloc(length * sizeof *copy);
		if (!copy || bpei_filter_fit(b->device.kernel, filter, b->device.kernel_insns,
				     KEEP_ALL, &fit) < 0) {
			free(copy);
			return BPE_E_MEMORY;
		}
		memcpy(copy, filter->program, length * sizeof *copy);
	}
	if (bpei_device_filter_here(&b->device, copy, length) < 0) {
		free(copy);
		free(fit.program);
		return BPE_E_MEMORY;
	}
	free(b->filter);
	free(b->fit.program);
	b->filter = copy;
	b->fit = fit;
	b->filter_length = length;
	return BPE_OK;
}

/* Returns the length to accept of each packet: all where a filter runs here. */
static uint32_t accepted_length(const struct bpei_bpf *b)
{
	if (b->filter)
		return UINT32_MAX;
	return b->options.snaplen + (b->walk.pktap ? BPEI_PKTAP_ROOM : 0);
}

/* Installs the filter by `call`, BIOCSETF or BIOCSETFNR; a program which accepts all packets where
 * the kernel refuses the filter.  Returns >= 0 or -errno. */
static int install_by(struct bpei_bpf *b, enum bpei_bpf_call call)
{
	struct bpe_insn accept = { .code = 0x06, .k = accepted_length(b) };
	struct {
		uint32_t length;
		const struct bpe_insn *insns;
	} program = { b->fit.length, b->fit.program };
	int r;

	b->kernel_filters = false;
	b->kernel_narrows = false;
	if (b->filter) {
		r = bpei_bpf_call(b, call, &program);
		if (r != -EINVAL) {
			b->kernel_filters = r >= 0 && b->fit.exact;
			b->kernel_narrows = r >= 0 && !b->fit.exact;
			return r;
		}
	}
	program.length = 1;
	program.insns = &accept;
	r = bpei_bpf_call(b, call, &program);
	/* FreeBSD's net.bpf.optimize_writers takes a first program of this form for a writer's, and
	 * shows the descriptor no packets. */
	return r >= 0 && b->abi->system == BPEI_FREEBSD ? bpei_bpf_call(b, call, &program) : r;
}

int bpei_bpf_install(struct bpei_bpf *b)
{
	return install_by(b, BPEI_BIOCSETF);
}

/* Reports to the user if the kernel does not run the whole filter. */
static void notice_filter(struct bpei_bpf *b)
{
	if (!b->filter || b->kernel_filters)
		return;
	if (!b->kernel_narrows)
		bpei_notice(&b->options,
			"the kernel does not take the filter: it runs here, and the kernel's counts are of all packets");
	else
		bpei_notice(&b->options,
			"the kernel has a wider filter of %u instructions (%s), the rest is filtered here",
			b->fit.length, b->fit.why ? b->fit.why : "it has no whole one");
}

int bpei_bpf_filter_attached(struct bpei_bpf *b)
{
	const bool here = b->filter && !b->kernel_filters;

	notice_filter(b);
	return bpei_device_filter_here(&b->device, b->filter, here ? b->filter_length : 0);
}

/* Replaces the filter without emptying the kernel's buffers (BIOCSETFNR).  The buffers then hold
 * packets which the old filter accepted, so the new filter runs here until they have been read.
 * NetBSD has no such request: there the packets in the buffers are lost, which a notice reports. */
int bpei_bpf_set_filter(
	struct bpei_device *d, const struct bpei_filter *filter, struct bpe_error *error)
{
	struct bpei_bpf *b = bpei_bpf_of(d);
	bool keeps = b->abi->call[BPEI_BIOCSETFNR];

	if (bpei_bpf_keep_filter(b, filter) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			filter->length);
	if (b->fd < 0)
		return BPE_OK; /* the interface is away: attaching will install the filter */
	d->ops->stats(d);
	int r = install_by(b, keeps ? BPEI_BIOCSETFNR : BPEI_BIOCSETF);
	if (r == -EINVAL && keeps && !b->zero_copy) { /* macOS before 10.9 */
		r = install_by(b, BPEI_BIOCSETF);
		keeps = false;
	}
	if (!keeps) {
		bpei_bpf_counters_zeroed(b);
		bpei_notice(&b->options,
			"%s empties its buffers when the filter changes: what was in them is lost",
			b->abi->title);
	}
	if (r < 0)
		return bpei_fail(error, bpei_status_of(-r), keeps ? "BIOCSETFNR" : "BIOCSETF", -r,
			"%s", b->name);
	notice_filter(b);
	if (b->kernel_filters) /* even then the current block needs the filter */
		bpei_device_filter_until(d, keeps ? KERNEL_BUFFERS : 0);
	return BPE_OK;
}
