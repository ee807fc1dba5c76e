/* SPDX-License-Identifier: MIT */
/* Opening the device over several sources: the sources of the options, or with "any" all
 * interfaces in the state up. */
#include "device/multi.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/sized.h"
#include "filter/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SOURCES 1024u
#define MOST_INTERFACES 256u   /* of "any" */
#define ROUNDS 64u             /* blocks of the device in flight */
#define UNKNOWN_ID 0x80000000u /* and the source's place: of interfaces without an index */
#define DEFAULT_INTERVAL_NS 1000000

/* ---- A source ---- */

/* Sets the members of a source by the device. */
static void adopt_device(struct bpei_multi *m, struct bpei_multi_source *s)
{
	const struct bpei_device *d = s->device;
	const bool is_socket = d->kernel == &bpei_kernels[BPEI_KERNEL_LINUX];
	const char *name = bpei_device_interface(s->name);
	const uint32_t index = d->kernel ? if_nametoindex(name) : 0;

	s->has_many = d->many_interfaces;
	s->keeps_ids = d->kernel;
	s->ahead = 1;
	if (is_socket && d->max_blocks_in_flight > 3)
		s->ahead = d->max_blocks_in_flight / 2;
	if (d->kernel && !is_socket && m->options.read_mode == BPE_READ_PACED)
		s->pace_ns = m->options.read_interval_ns ? m->options.read_interval_ns
							 : DEFAULT_INTERVAL_NS;
	s->own_id = s->number;
	if (d->kernel)
		s->own_id = index ? index : UNKNOWN_ID | s->number;
	else if (!d->live && !s->has_many)
		s->own_id = m->next_id++;
	if (d->live && !s->has_many)
		bpei_names_add(&m->device.names, s->own_id, name, strlen(name));
}

/* Opens a source without a way to run the filter of all on the link type: no packet passes. */
static int open_shut(struct bpei_multi *m, struct bpei_multi_source *s, struct bpe_options *o,
	const struct bpe_error *why, struct bpe_error *error)
{
	m->refusal = *why;
	o->filter_expression = NULL;
	int r = m->open_source(o, &s->device, error);

	if (r >= 0)
		r = bpei_multi_shut(s->device, error);
	s->is_shut = true;
	if (r >= 0)
		bpei_notice(&m->options,
			"the filter does not fit the link type of %.64s (%s): no packet passes",
			s->name, bpe_link_type_name((int)s->device->link_type));
	return r;
}

/* Returns whether the failure is the filter's. */
static bool is_filter_refused(const struct bpe_options *o, const struct bpe_error *why)
{
	const bool fits = why->status == BPE_E_ARGUMENT || why->status == BPE_E_UNSUPPORTED;

	return o->filter_expression && fits && !strcmp(why->step, "filter");
}

/* Opens the source's device.  An unfit filter of all is no failure. */
static int open_source_device(struct bpei_multi *m, struct bpei_multi_source *s,
	const struct bpe_source *from, struct bpe_error *error)
{
	struct bpe_error why = { .status = BPE_OK };
	struct bpe_options o = m->options;

	o.sources = NULL;
	o.source_count = 0;
	o.interface_name = from->interface_name;
	o.file = from->file;
	if (o.fanout) /* a group has one interface */
		o.fanout_group += s->number;
	if (o.fanout_group > 65535)
		return bpei_fail(error, BPE_E_ARGUMENT, "fanout", 0,
			"group %u plus %u, the place of %.64s, is above 65535: take a lower group",
			m->options.fanout_group, s->number, s->name);
	if (from->filter_expression) {
		o.filter_expression = from->filter_expression;
		o.filter = NULL;
		o.filter_length = 0;
		s->own_filter = true;
	}
	if (m->wants_all)
		o.wait_interface = false; /* the interface is opened anew */
	if (o.read_mode == BPE_READ_THROUGHPUT)
		o.read_mode = BPE_READ_AUTO; /* a blocking read would keep the others waiting */
	int r = m->open_source(&o, &s->device, &why);

	if (r < 0 && !s->own_filter && is_filter_refused(&o, &why))
		return open_shut(m, s, &o, &why, error);
	if (r < 0 && error)
		*error = why;
	return r;
}

/* Adds a source to the device.  Returns BPE_OK or a failure. */
static int add_source(struct bpei_multi *m, const struct bpe_source *from, struct bpe_error *error)
{
	const uint32_t count = bpei_multi_count(m);
	struct bpei_multi_source *s = calloc(1, sizeof *s);
	int r = s ? bpei_columns_new(&s->columns, BPE_BATCH) : BPE_E_MEMORY;

	if (r < 0) {
		bpei_multi_free_source(s);
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for a source");
	}
	s->number = count;
	s->is_file = from->file;
	snprintf(s->name, sizeof s->name, "%s", from->file ? from->file : from->interface_name);
	r = open_source_device(m, s, from, error);
	if (r < 0) {
		bpei_multi_free_source(s);
		return r;
	}
	m->sources[count] = s;
	adopt_device(m, s);
	/* pairs: bpei_multi_count */
	atomic_store_explicit(&m->count, count + 1, memory_order_release);
	return BPE_OK;
}

/* ---- "any" ---- */

/* Returns whether an interface is captured already, or was and has ended. */
static bool has_interface(const struct bpei_multi *m, const char *name)
{
	for (uint32_t k = 0; k < bpei_multi_count(m); k++)
		if (!strcmp(m->sources[k]->name, name) && !bpei_multi_has_ended(m->sources[k]))
			return true;
	return false;
}

/* Returns whether a failure to open the interface was told; notes the interface. */
static bool was_told(struct bpei_multi *m, const char *name)
{
	for (uint32_t k = 0; k < m->told_count; k++)
		if (!strcmp(m->told[k], name))
			return true;
	if (m->told_count < BPEI_MULTI_TOLD)
		snprintf(m->told[m->told_count++], sizeof *m->told, "%s", name);
	return false;
}

/* Opens an interface of "any". */
static void open_interface(struct bpei_multi *m, const struct bpe_interface *i, bool is_new)
{
	/* options are borrowed: the source keeps the name */
	char *name = strdup(i->name);
	const struct bpe_source from = { .interface_name = name };
	struct bpe_error why = { .status = BPE_OK };

	if (!name)
		return;
	if (add_source(m, &from, &why) < 0) {
		free(name);
		if (!was_told(m, i->name))
			bpei_notice(&m->options, "%s is left out: %s", i->name, why.text);
		return;
	}
	m->sources[bpei_multi_count(m) - 1]->kept_name = name;
	if (is_new)
		bpei_notice(&m->options, "interface %s has come: it is captured, too", i->name);
}

/* Opens the interfaces in the state up, if not captured.  Returns BPE_OK, or the failure to list.
 */
static int open_interfaces(struct bpei_multi *m, bool is_new, struct bpe_error *error)
{
	struct bpe_interface *all = NULL;
	const int count = bpe_interfaces_list(&all, error);

	for (int k = 0; k < count; k++) {
		const bool is_up = all[k].flags & BPE_IF_UP;

		if (!is_up || !bpei_multi_is_for_any(all[k].name) || has_interface(m, all[k].name))
			continue;
		if (bpei_multi_count(m) < m->room)
			open_interface(m, &all[k], is_new);
		else if (!was_told(m, all[k].name))
			bpei_notice(&m->options, "%s is left out: %u interfaces were captured",
				all[k].name, m->room);
	}
	bpe_interfaces_free(all);
	return count < 0 ? count : BPE_OK;
}

/* Opens the interfaces which came since. */
static void open_newcomers(struct bpei_multi *m)
{
	struct bpe_error why;

	if (open_interfaces(m, true, &why) < 0 && !was_told(m, "list"))
		bpei_notice(&m->options, "interfaces that come are not seen: %s", why.text);
}

bool bpei_multi_is_for_any(const char *name)
{
	return strncmp(name, "synth", 5) != 0 && strncmp(name, "pktap", 5) != 0 &&
	       strncmp(name, "iptap", 5) != 0 && strcmp(name, "any") != 0;
}

/* ---- The device ---- */

/* Allocates the lists. */
static int allocate_multi(struct bpei_multi *m, struct bpe_error *error)
{
	m->sources = calloc(m->room, sizeof *m->sources);
	m->merge.heap = calloc(m->room, sizeof *m->merge.heap);
	m->polled = calloc(m->room + 1, sizeof *m->polled);
	m->told = calloc(BPEI_MULTI_TOLD, sizeof *m->told);
	if (!m->sources || !m->merge.heap || !m->polled || !m->told)
		return bpei_fail(
			error, BPE_E_MEMORY, "open", 0, "no memory for %u sources", m->room);
	if (bpei_fd_pipe(m->wake, true))
		return bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe");
	return BPE_OK;
}

/* Checks the filter of all: at least a source must take the filter, unless all have another. */
static int check_refusals(const struct bpei_multi *m, struct bpe_error *error)
{
	bool is_taken = m->refusal.status == BPE_OK;

	for (uint32_t k = 0; k < bpei_multi_count(m); k++)
		is_taken |= !m->sources[k]->own_filter && !m->sources[k]->is_shut;
	if (!is_taken && error)
		*error = m->refusal;
	return is_taken ? BPE_OK : m->refusal.status;
}

/* Copies source k of the options and checks the copy.  Elements have the caller's size. */
static int take_source(
	const struct bpe_options *o, uint64_t k, struct bpe_source *to, struct bpe_error *error)
{
	const size_t stride = o->sources[0].struct_size;
	const char *from = (const char *)o->sources + k * stride;

	*to = (struct bpe_source){ .struct_size = sizeof *to };
	const int r = bpei_sized_take(to, sizeof *to, from, "sizeof(struct bpe_source)", error);

	if (r < 0)
		return r;
	if (!to->interface_name == !to->file)
		return bpei_fail(error, BPE_E_ARGUMENT, "sources", 0,
			"source %llu needs interface_name or file, and not both",
			(unsigned long long)k);
	return BPE_OK;
}

/* Checks the kind of all sources: interfaces or savefiles, not both. */
static int check_kinds(const struct bpei_multi *m, struct bpe_error *error)
{
	for (uint32_t k = 1; k < bpei_multi_count(m); k++) {
		const struct bpei_multi_source *s = m->sources[k];

		if (s->is_file != m->sources[0]->is_file)
			return bpei_fail(error, BPE_E_ARGUMENT, "sources", 0,
				"savefiles and interfaces cannot be read together: %.64s and %.64s",
				m->sources[0]->name, s->name);
	}
	return BPE_OK;
}

/* Opens the sources of the options. */
static int open_sources(struct bpei_multi *m, struct bpe_error *error)
{
	const struct bpe_options *o = &m->options;
	int r = BPE_OK;

	for (uint64_t k = 0; k < o->source_count && r >= 0; k++) {
		struct bpe_source from;

		r = take_source(o, k, &from, error);
		if (r >= 0)
			r = add_source(m, &from, error);
	}
	if (r >= 0)
		r = check_kinds(m, error);
	return r < 0 ? r : check_refusals(m, error);
}

/* Writes the names of the sources as "a, b and 3 more". */
static void describe_sources(struct bpei_multi *m)
{
	const uint32_t count = bpei_multi_count(m);
	char *to = m->device.source;
	const size_t room = sizeof m->device.source;
	const char *what = count && m->sources[0]->is_file ? "savefiles" : "interfaces";
	size_t used = (size_t)snprintf(to, room, "%u %s", count, what);

	for (uint32_t k = 0; k < count && used < room; k++) {
		if (used + strlen(m->sources[k]->name) + 16 > room) {
			snprintf(to + used, room - used, " and %u more", count - k);
			return;
		}
		used += (size_t)snprintf(
			to + used, room - used, "%s%s", k ? ", " : ": ", m->sources[k]->name);
	}
}

/* Sets the members of the device by the sources. */
static void publish_multi(struct bpei_multi *m)
{
	struct bpei_device *d = &m->device;
	const uint32_t count = bpei_multi_count(m);

	d->live = m->wants_all;
	d->timeless = true;
	for (uint32_t k = 0; k < count; k++) {
		const struct bpei_device *from = m->sources[k]->device;

		d->live |= from->live;
		d->has_meta |= from->has_meta;
		d->source_bytes += from->source_bytes;
		if (!d->kernel)
			d->kernel = from->kernel;
	}
	d->timeless = !d->live;
	for (uint32_t k = 0; k < count; k++)
		if (!m->sources[k]->device->live && !m->sources[k]->device->source_bytes)
			d->source_bytes = 0;
	if (count) {
		d->link_type = m->sources[0]->device->link_type;
		d->kernel_insns = m->sources[0]->device->kernel_insns;
		d->netmask = m->sources[0]->device->netmask;
		d->has_netmask = m->sources[0]->device->has_netmask;
	}
	describe_sources(m);
	d->ops->stats(d); /* so kernel_known is right from the beginning */
}

static int open_multi(struct bpei_multi *m, struct bpe_error *error)
{
	int r = allocate_multi(m, error);

	if (r < 0)
		return r;
	if (!m->wants_all)
		return open_sources(m, error);
	r = open_interfaces(m, false, error);
	if (r < 0)
		return r;
	if (bpei_multi_count(m))
		return check_refusals(m, error);
	return bpei_fail(error, BPE_E_RIGHTS, "open", 0,
		"no interface that is up can be opened (the notices say why); a name with -i has an answer of its own");
}

int bpei_multi_open(const struct bpe_options *o, bpei_device_opener *open_source,
	struct bpei_device **device, struct bpe_error *error)
{
	if (o->source_count > MOST_SOURCES)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "at most %u sources, not %llu",
			MOST_SOURCES, (unsigned long long)o->source_count);
	struct bpei_multi *m = calloc(1, sizeof *m);
	if (!m)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	m->device.ops = &bpei_multi_ops;
	m->open_source = open_source;
	m->look_around = open_newcomers;
	m->device.told.find = bpei_multi_find_source;
	m->device.told.at = bpei_multi_source_at;
	m->device.fd = -1;
	m->device.maps_blocks = true;
	m->device.many_interfaces = true;
	m->device.walk_cuts = true; /* the sources cut */
	m->device.max_blocks_in_flight = ROUNDS;
	m->device.snaplen = o->snaplen;
	m->options = *o;
	m->wants_all = !o->source_count;
	m->watches = m->wants_all && o->wait_interface;
	m->room = m->wants_all ? MOST_INTERFACES : (uint32_t)o->source_count;
	m->wake[0] = -1;
	m->wake[1] = -1;
	int r = open_multi(m, error);
	if (r < 0) {
		bpei_device_close(&m->device);
		return r;
	}
	publish_multi(m);
	m->is_open = true;
	*device = &m->device;
	return BPE_OK;
}
