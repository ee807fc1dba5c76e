/* SPDX-License-Identifier: MIT */
/* Choosing the backend by the options' source; stateless. */
#include "base/error.h"
#include "device/device.h"
#include "filter/prepare.h"

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

static int filter_by_words(struct bpei_device *d, const struct bpe_options *o, struct bpe_error *error)
{
	struct bpe_insn *program;
	uint32_t length;
	const struct bpe_filter_options how = { .link_type = (int32_t)d->link_type, .snaplen = o->snaplen, .through = o->filter_through };
	int r = bpe_filter_compile_with(o->filter_expression, &how, &program, &length, error);
	if (r < 0) return r;
	r = bpei_device_set_filter(d, program, length, error);
	bpe_filter_free(program);
	if (r < 0 || d->ops->set_filter) return r;
	d->expression = o->filter_expression;
	d->filter_link = d->link_type;
	d->filter_snaplen = o->snaplen;
	d->filter_through = o->filter_through;
	return BPE_OK;
}

/* Packets of another link type have come.  An expression that cannot be compiled for it lets none of them through. */
static void filter_for(struct bpei_device *d, uint32_t link_type)
{
	struct bpe_insn *program;
	uint32_t length;
	d->filter_link = link_type;
	const struct bpe_filter_options how = { .link_type = (int32_t)link_type, .snaplen = d->filter_snaplen, .through = d->filter_through };
	d->filter_none = true;
	if (bpe_filter_compile_with(d->expression, &how, &program, &length, NULL) < 0) return;
	d->filter_none = bpei_device_set_filter(d, program, length, NULL) < 0;
	bpe_filter_free(program);
}

int bpei_device_open(const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_device *d = NULL;
	int r = choose(o, &d, error);
	if (r < 0) return r;
	if (o->direction != BPE_DIRECTION_BOTH && strcmp(d->ops->name, "bpf"))
		r = bpei_fail(error, BPE_E_UNSUPPORTED, "direction", 0, "a direction can be chosen on BPF devices only, not on %s", o->file ? o->file : o->interface_name);
	else if (o->filter_expression) r = filter_by_words(d, o, error);
	else if (o->filter && !d->ops->set_filter) r = bpei_device_set_filter(d, o->filter, o->filter_length, error);	/* else it has it */
	if (r < 0) bpei_device_close(d);
	else *device = d;
	return r < 0 ? r : BPE_OK;
}

int bpei_device_set_filter(struct bpei_device *d, const struct bpe_insn *filter, uint32_t length, struct bpe_error *error)
{
	struct bpei_prepared *copy = NULL;
	if (d->ops->set_filter) return d->ops->set_filter(d, filter, length, error);
	if (length) {
		copy = bpei_prepare(filter, length);
		if (!copy) return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions", length);
	}
	bpei_prepared_free(d->filter);
	d->filter = copy;
	d->filter_none = false;
	return BPE_OK;
}

void bpei_device_close(struct bpei_device *d)
{
	if (!d) return;
	bpei_prepared_free(d->filter);
	d->ops->close(d);
}

uint32_t bpei_device_walk_filtered(struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	for (;;) {
		uint32_t n = d->ops->walk(d, b, c, max), kept = 0;
		if (!n) return 0;
		if (d->expression && b->link_type != d->filter_link) filter_for(d, b->link_type);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t keep = d->filter_none ? 0 : bpei_prepared_run(d->filter, c->data[i], c->wirelen[i], c->caplen[i]);
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
