/* SPDX-License-Identifier: MIT */
/* Choosing the backend by the options' source; stateless. */
#include "base/error.h"
#include "device/device.h"
#include "device/multi.h"
#include "filter/kernel.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* Returns true if traffic is to be generated.  An interface that is called synth takes precedence
 * over "synth". */
static bool wants_generated_traffic(const struct bpe_options *o)
{
	if (bpei_source_is_synth_only(o->interface_name))
		return true;
	if (!bpei_source_is_synth_name(o->interface_name))
		return false;
	if (!if_nametoindex(o->interface_name))
		return true;
	bpei_notice(o,
		"synth is an interface here, which is captured (generated traffic is -i synth:)");
	return false;
}

static int open_backend(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	if (o->source_count)
		return bpei_multi_open(o, bpei_device_open, device, error);
	if (o->push)
		return bpei_push_open(o, device, error);
	if (o->file || o->memory)
		return bpei_savefile_open(o, device, error);
	if (!o->interface_name)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "a source is wanted");
	if (!o->interface_name[0])
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"the interface's name is empty (bpfengine -L lists them)");
	if (wants_generated_traffic(o))
		return bpei_synth_open(o, device, error);
#ifdef BPEI_HAVE_AFPACKET
	if (strncmp(o->interface_name, "bpf:", 4))
		return bpei_afpacket_open(o, device, error);
#else
	if (!strcmp(o->interface_name, "any"))
		return bpei_multi_open(o, bpei_device_open, device, error);
#endif
	return bpei_bpf_open(o, device, error);
}

/* Compiles and installs the options' expression. */
static int install_expression(
	struct bpei_device *d, const struct bpe_options *o, struct bpe_error *error)
{
	struct bpei_filter f;
	int r = bpei_device_compile(
		d, o->filter_expression, o->snaplen, o->filter_through, &f, error);

	if (r < 0)
		return r;
	r = bpei_device_set_expression(d, o->filter_expression, o->filter_through, &f, error);
	free(f.program);
	free(f.wide);
	return r;
}

/* Reads the netmask as tcpdump does: the mask of the interface's first IPv4 address. */
static void read_netmask(struct bpei_device *d, const char *name)
{
	d->has_netmask = bpe_interface_netmask(bpei_device_interface(name), &d->netmask);
}

int bpei_device_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_device *d = NULL;
	int r = open_backend(o, &d, error);

	if (r < 0)
		return r;
	if (d->ops == &bpei_multi_ops) { /* each source has its filter and its netmask */
		*device = d;
		return BPE_OK;
	}
	if (o->interface_name && d->kernel)
		read_netmask(d, o->interface_name);
	if (o->direction != BPE_DIRECTION_BOTH && !d->kernel && !o->push)
		r = bpei_fail(error, BPE_E_UNSUPPORTED, "direction", 0,
			"a direction can be chosen on interfaces and of pushed packets, not on %s",
			d->source);
	else if (o->filter_expression)
		r = install_expression(d, o, error);
	else if (o->filter && !d->ops->set_filter) /* other backends installed the filter */
		r = bpei_device_set_filter(d, o->filter, o->filter_length, error);
	if (r < 0)
		bpei_device_close(d);
	else
		*device = d;
	return r < 0 ? r : BPE_OK;
}
