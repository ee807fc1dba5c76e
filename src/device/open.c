/* SPDX-License-Identifier: MIT */
/* Choosing the backend by the options' source; stateless. */
#include "base/error.h"
#include "device/device.h"
#include "filter/filter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bpei_notice(const struct bpe_options *options, const char *format, ...)
{
	char text[256];
	va_list args;
	if (!options->on_notice) return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	options->on_notice(options->user, text);
}

static int choose(const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	if (!o->interface_name == !o->file)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "exactly one source is wanted: an interface or a savefile");
	if (o->file) return bpei_savefile_open(o, device, error);
	if (!o->interface_name[0]) return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "the interface's name is empty (bpfengine -L lists them)");
	if (!strcmp(o->interface_name, "synth") || !strncmp(o->interface_name, "synth:", 6)) return bpei_synth_open(o, device, error);
#ifdef BPEI_HAVE_AFPACKET
	if (strncmp(o->interface_name, "bpf:", 4)) return bpei_afpacket_open(o, device, error);
#endif
	return bpei_bpf_open(o, device, error);
}

int bpei_device_open(const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	int r = choose(o, device, error);
	if (r >= 0 && o->direction != BPE_DIRECTION_BOTH && strcmp((*device)->ops->name, "bpf")) {
		bpei_device_close(*device);
		return bpei_fail(error, BPE_E_UNSUPPORTED, "direction", 0, "a direction can be chosen on BPF devices only, not on %s", o->file ? o->file : o->interface_name);
	}
	if (r < 0 || !o->filter || (*device)->ops->set_filter) return r;	/* who can filter has the filter already */
	r = bpei_device_set_filter(*device, o->filter, o->filter_length, error);
	if (r < 0) bpei_device_close(*device);
	return r;
}

int bpei_device_set_filter(struct bpei_device *d, const struct bpe_insn *filter, uint32_t length, struct bpe_error *error)
{
	struct bpe_insn *copy = NULL;
	if (d->ops->set_filter) return d->ops->set_filter(d, filter, length, error);
	if (length) {
		copy = malloc(length * sizeof *copy);
		if (!copy) return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions", length);
		memcpy(copy, filter, length * sizeof *copy);
	}
	free(d->filter);
	d->filter = copy;
	return BPE_OK;
}

void bpei_device_close(struct bpei_device *d)
{
	if (!d) return;
	free(d->filter);
	d->ops->close(d);
}

uint32_t bpei_device_walk_filtered(struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	for (;;) {
		uint32_t n = d->ops->walk(d, b, c, max), kept = 0;
		if (!n) return 0;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t keep = bpei_filter_run(d->filter, c->data[i], c->wirelen[i], c->caplen[i]);
			if (!keep) continue;
			if (keep < c->caplen[i]) c->caplen[i] = keep;
			if (kept != i) {
				c->data[kept] = c->data[i], c->time_ns[kept] = c->time_ns[i], c->caplen[kept] = c->caplen[i];
				c->wirelen[kept] = c->wirelen[i], c->interface_id[kept] = c->interface_id[i];
				c->layers[kept].flags = c->layers[i].flags, c->meta[kept] = c->meta[i];
			}
			kept++;
		}
		bpei_counter_add(&d->filtered, n - kept);
		if (kept) return kept;
	}
}
