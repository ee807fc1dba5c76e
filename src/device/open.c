/* SPDX-License-Identifier: MIT */
/* Choosing the backend by the options' source; stateless. */
#include "base/error.h"
#include "names/numbers.h"
#include "records/walk.h"
#include "device/device.h"
#include "filter/kernel.h"
#include "filter/decode.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bpei_notice(const struct bpe_options *options, const char *format, ...)
{
	char text[256];
	va_list args;
	if (!options->on_notice)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	options->on_notice(options->user, text);
}

void bpei_notice_down(const struct bpe_options *options, const char *name)
{
	bpei_notice(options, "interface %.64s is down: nothing will arrive until it is up", name);
}

const char *bpei_device_interface(const char *source)
{
	if (!strncmp(source, "if:", 3))
		return source + 3;
	return strncmp(source, "bpf:", 4) ? source : source + 4;
}

bool bpei_device_name_is_taken(const char *name)
{
	static const char *const before[] = { "if:", "bpf:", "synth:" };
	for (size_t i = 0; i < sizeof before / sizeof *before; i++)
		if (!strncmp(name, before[i], strlen(before[i])))
			return true;
#ifdef BPEI_HAVE_AFPACKET
	if (!strcmp(name, "any"))
		return true;
#endif
	return !strcmp(name, "synth");
}

/* Whether traffic is to be made up.  An interface that is called synth comes first: whoever has it
 * means it. */
static bool is_generated(const struct bpe_options *o)
{
	if (!strncmp(o->interface_name, "synth:", 6))
		return true;
	if (strcmp(o->interface_name, "synth"))
		return false;
	if (!if_nametoindex("synth"))
		return true;
	bpei_notice(o,
		"synth is an interface here, which is captured (generated traffic is -i synth:)");
	return false;
}

static int choose(const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	if (!o->interface_name == !o->file)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"exactly one source is wanted: an interface or a savefile");
	if (o->file)
		return bpei_savefile_open(o, device, error);
	if (!o->interface_name[0])
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0,
			"the interface's name is empty (bpfengine -L lists them)");
	if (is_generated(o))
		return bpei_synth_open(o, device, error);
#ifdef BPEI_HAVE_AFPACKET
	if (strncmp(o->interface_name, "bpf:", 4))
		return bpei_afpacket_open(o, device, error);
#endif
	return bpei_bpf_open(o, device, error);
}

#define PKTAP_ROOM 256u /* a snapshot length counts the PKTAP header */

/* Words on the way of a packet mean something where a device tells it. */
static bool asks_way(const struct bpei_device *d, const char *expression)
{
	return d->is_directed && strstr(expression, "bound");
}

int bpei_device_compile(const struct bpei_device *d, const char *expression, uint32_t snaplen,
	uint32_t through, struct bpei_filter *filter, struct bpe_error *error)
{
	struct bpe_filter_options how = { .link_type = (int32_t)d->link_type,
		.snaplen = snaplen + (d->link_type == LINK_PKTAP ? PKTAP_ROOM : 0),
		.through = through,
		.netmask = d->netmask,
		.has_netmask = d->has_netmask };
	const uint32_t most = d->kernel ? d->kernel_insns : UINT32_MAX;
	if (asks_way(d, expression)) /* it is right if packets of some way may match */
		for (how.way = BPE_WAY_IN; how.way <= BPE_WAY_OUT; how.way++)
			if (bpei_compile_for(expression, &how, d->kernel, most, filter, NULL) >= 0)
				return BPE_OK;
	how.way = asks_way(d, expression) ? BPE_WAY_UNKNOWN : BPE_WAY_NOT_TOLD;
	return bpei_compile_for(expression, &how, d->kernel, most, filter, error);
}

int bpei_device_filter_here(struct bpei_device *d, const struct bpe_insn *program, uint32_t length)
{
	struct bpei_decoded *copy = length ? bpei_decode(program, length) : NULL;
	if (length && !copy)
		return BPE_E_MEMORY;
	bpei_decoded_free(d->filter);
	d->filter = copy;
	d->filter_none = false;
	return BPE_OK;
}

static int set(struct bpei_device *d, const struct bpei_filter *f, struct bpe_error *error)
{
	if (d->ops->set_filter)
		return d->ops->set_filter(d, f, error);
	int r = bpei_device_filter_here(d, f->program, f->length);
	return r < 0 ? bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			       f->length)
		     : r;
}

/* ---- Programs by the packets' way ---- */

struct bpei_directed {
	struct bpei_decoded *way[BPEI_WAYS];
}; /* NULL: lets nothing through */

static void forget_directed(struct bpei_device *d)
{
	for (int k = 0; d->directed && k < BPEI_WAYS; k++)
		bpei_decoded_free(d->directed->way[k]);
	free(d->directed);
	d->directed = NULL;
}

/* An expression that asks for the way has a program for the packets of each.  BPE_OK or
 * BPE_E_MEMORY. */
static int make_directed(
	struct bpei_device *d, const char *expression, uint32_t through, uint32_t link_type)
{
	struct bpei_directed *made = calloc(1, sizeof *made);
	if (!made)
		return BPE_E_MEMORY;
	for (uint32_t k = 0; k < BPEI_WAYS; k++) {
		struct bpei_filter f;
		const struct bpe_filter_options how = { .link_type = (int32_t)link_type,
			.through = through,
			.netmask = d->netmask,
			.has_netmask = d->has_netmask,
			.way = BPE_WAY_UNKNOWN + k };
		if (bpei_compile_for(expression, &how, NULL, UINT32_MAX, &f, NULL) < 0)
			continue; /* it rejects all of them */
		made->way[k] = bpei_decode(f.program, f.length);
		free(f.program), free(f.wide);
	}
	forget_directed(d);
	d->directed = made;
	return BPE_OK;
}
_Static_assert(BPE_WAY_IN - BPE_WAY_UNKNOWN == BPEI_WAY_IN &&
		       BPE_WAY_OUT - BPE_WAY_UNKNOWN == BPEI_WAY_OUT,
	"make_directed");

static void forget_expression(struct bpei_device
		*d) /* else packets of another link type would bring the old filter back */
{
	forget_directed(d);
	free(d->expression);
	d->expression = NULL;
}

int bpei_device_set_filter(struct bpei_device *d, const struct bpe_insn *filter, uint32_t length,
	struct bpe_error *error)
{
	int r = set(d,
		&(struct bpei_filter){
			.program = (struct bpe_insn *)(uintptr_t)filter, .length = length },
		error); /* copied */
	if (r >= 0)
		forget_expression(d);
	return r;
}

int bpei_device_set_expression(struct bpei_device *d, const char *expression, uint32_t through,
	const struct bpei_filter *f, struct bpe_error *error)
{
	char *copy = strdup(expression);
	if (!copy)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filter");
	int r = set(d, f, error);
	if (r < 0) {
		free(copy);
		return r;
	}
	forget_expression(d);
	d->expression = copy;
	d->filter_link = d->link_type;
	d->filter_through = through;
	if (asks_way(d, expression) && make_directed(d, expression, through, d->link_type) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filter");
	return r;
}

static int filter_by_words(
	struct bpei_device *d, const struct bpe_options *o, struct bpe_error *error)
{
	struct bpei_filter f;
	int r = bpei_device_compile(
		d, o->filter_expression, o->snaplen, o->filter_through, &f, error);
	if (r < 0)
		return r;
	r = bpei_device_set_expression(d, o->filter_expression, o->filter_through, &f, error);
	free(f.program), free(f.wide);
	return r;
}

/* Packets of another link type have come.  An expression that cannot be compiled for it lets none
 * of them through. */
static void filter_for(struct bpei_device *d, uint32_t link_type)
{
	struct bpei_filter f;
	const struct bpe_filter_options how = { .link_type = (int32_t)link_type,
		.through = d->filter_through,
		.netmask = d->netmask,
		.has_netmask = d->has_netmask };
	d->filter_link = link_type;
	d->filter_none = true;
	if (d->directed) {
		if (make_directed(d, d->expression, d->filter_through, link_type) < 0)
			forget_directed(d);
		return;
	}
	if (bpei_compile_for(d->expression, &how, NULL, UINT32_MAX, &f, NULL) < 0)
		return;
	d->filter_none = bpei_device_filter_here(d, f.program, f.length) < 0;
	free(f.program), free(f.wide);
}

/* Fills the netmask in as tcpdump asks for it: that of the interface's first IPv4 address. */
static void ask_netmask(struct bpei_device *d, const char *name)
{
	d->has_netmask = bpe_interface_netmask(bpei_device_interface(name), &d->netmask);
}

int bpei_device_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	struct bpei_device *d = NULL;
	int r = choose(o, &d, error);
	if (r < 0)
		return r;
	if (o->interface_name && d->kernel)
		ask_netmask(d, o->interface_name);
	if (o->direction != BPE_DIRECTION_BOTH && !d->kernel)
		r = bpei_fail(error, BPE_E_UNSUPPORTED, "direction", 0,
			"a direction can be chosen on interfaces only, not on %s",
			o->file ? o->file : o->interface_name);
	else if (o->filter_expression)
		r = filter_by_words(d, o, error);
	else if (o->filter && !d->ops->set_filter)
		r = bpei_device_set_filter(
			d, o->filter, o->filter_length, error); /* else it has it */
	if (r < 0)
		bpei_device_close(d);
	else
		*device = d;
	return r < 0 ? r : BPE_OK;
}

void bpei_device_close(struct bpei_device *d)
{
	if (!d)
		return;
	bpei_decoded_free(d->filter);
	forget_directed(d);
	free(d->expression);
	bpei_names_free(&d->names);
	d->ops->close(d);
}

/* Bytes to keep of packet i. */
static uint32_t filter_packet(const struct bpei_device *d, const struct bpei_columns *c, uint32_t i)
{
	const struct bpei_decoded *p = d->directed ? d->directed->way[c->meta[i]] : d->filter;
	if (d->directed ? !p : d->filter_none)
		return 0;
	return p ? bpei_decoded_run(p, c->data[i], c->wirelen[i], c->caplen[i]) : UINT32_MAX;
}

uint32_t bpei_device_walk_filtered(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	for (;;) {
		uint32_t n = d->ops->walk(d, b, c, max), kept = 0;
		if (!n)
			return 0;
		if (d->expression && b->link_type != d->filter_link)
			filter_for(d, b->link_type);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t keep = filter_packet(d, c, i);
			if (!keep)
				continue;
			if (keep > d->snaplen)
				keep = d->snaplen;
			if (keep < c->caplen[i])
				c->caplen[i] = keep;
			if (kept != i) {
				c->data[kept] = c->data[i], c->time_ns[kept] = c->time_ns[i],
				c->caplen[kept] = c->caplen[i];
				c->wirelen[kept] = c->wirelen[i],
				c->interface_id[kept] = c->interface_id[i];
				c->outgoing[kept] = c->outgoing[i], c->meta[kept] = c->meta[i];
			}
			kept++;
		}
		if (kept < n)
			bpei_counter_add(&d->filtered, n - kept);
		if (kept)
			return kept;
	}
}
