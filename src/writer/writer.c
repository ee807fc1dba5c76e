/* SPDX-License-Identifier: MIT */
/* Writers of savefiles: the exported functions.  Packets are encoded into memory under a lock, and
 * whole blocks go to the file.  Books: each packet offered is written, or unwritten under a cause,
 * or waits in memory. */
#include "base/error.h"
#include "base/mem.h"
#include "base/sized.h"
#include "bpfengine.h"
#include "write/pcap_out.h"
#include "write/pcapng_out.h"
#include "writer/interfaces.h"
#include "writer/packing.h"
#include "writer/writer_options.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (1u << 20)
#define BLOCK_MOST (BPE_MAX_SNAPLEN + 65536u * 2)

struct bpe_writer {
	pthread_mutex_t lock;
	struct bpe_writer_options o;
	uint32_t format;
	int fd;
	bool owns_fd;
	struct bpei_packer *packer; /* each flush makes a frame; NULL: plain bytes */
	int32_t pcap_link;          /* link type of the pcap file; -1: not known yet */
	struct bpe_error error;     /* the first; status BPE_OK: none */
	uint8_t *bytes;
	size_t used;
	struct bpei_writer_interfaces interfaces;
	struct bpe_writer_stats stats; /* waiting: packets in bytes */
	uint64_t waiting_bytes;
};

/* A packet on its way to the file. */
struct offered_packet {
	struct bpei_packet_out out;
	int64_t time_ns;
	uint32_t link_type, flags;
	const char *comment;
	const struct bpe_batch *batch; /* NULL: of no batch */
	uint32_t number;               /* in the batch */
};

/* ---- The file ---- */

/* Writes the waiting bytes.  Packets without a place in the file count as unwritten. */
static void flush_bytes(struct bpe_writer *w)
{
	const void *bytes = w->bytes;
	size_t length = w->used;
	size_t at = 0;

	if (w->packer && w->used && bpei_packer_pack(w->packer, w->bytes, w->used, &bytes, &length))
		bpei_fail(&w->error, BPE_E_MEMORY, "compress", 0, "no memory to compress");
	while (at < length && w->error.status == BPE_OK) {
		const ssize_t n = write(w->fd, (const uint8_t *)bytes + at, length - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			bpei_fail(&w->error, BPE_E_IO, "write", errno, "cannot write to %s",
				w->o.path ? w->o.path : "the file");
		else
			at += (size_t)n;
	}
	w->stats.file_bytes += at;
	if (w->error.status == BPE_OK) {
		w->stats.written += w->stats.waiting;
		w->stats.captured_bytes += w->waiting_bytes;
	} else {
		w->stats.errors += w->used > 0;
		w->stats.unwritten[BPE_UNWRITTEN_ERROR] += w->stats.waiting;
	}
	w->stats.waiting = 0;
	w->waiting_bytes = 0;
	w->used = 0;
}

/* Returns where `bytes` can be put. */
static uint8_t *make_chunk_room(struct bpe_writer *w, size_t bytes)
{
	if (BUFFER_BYTES - w->used < bytes)
		flush_bytes(w);
	return w->bytes + w->used;
}

static int open_file(struct bpe_writer *w, struct bpe_error *error)
{
	const int directory = w->o.directory < 0 ? AT_FDCWD : w->o.directory;

	w->fd = w->o.fd;
	w->stats.files = 1;
	if (w->fd >= 0)
		return BPE_OK;
	if (!strcmp(w->o.path, "-")) {
		w->fd = STDOUT_FILENO;
		return BPE_OK;
	}
	w->fd = openat(
		directory, w->o.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd < 0)
		return bpei_fail(error, bpei_status_of(errno), "open", errno, "cannot write to %s",
			w->o.path);
	w->owns_fd = true;
	return BPE_OK;
}

/* ---- Blocks ---- */

static void put_section(struct bpe_writer *w)
{
	const struct bpei_section_out section = { .comment = w->o.comment,
		.hardware = w->o.hardware,
		.os = w->o.os,
		.application = w->o.application };

	w->used += bpei_section_put(make_chunk_room(w, BLOCK_MOST), BLOCK_MOST, &section);
}

/* Writes the block of an interface, or the head of a pcap file. */
static void put_interface(struct bpe_writer *w, struct bpei_writer_interface *interface)
{
	uint8_t *to = make_chunk_room(w, BLOCK_MOST);

	interface->place = w->interfaces.in_section++;
	interface->in_section = true;
	if (w->format == BPE_WRITE_PCAPNG) {
		w->used += bpei_interfaces_put(to, BLOCK_MOST, interface, w->o.snaplen);
		return;
	}
	bpei_pcap_put_header(to, w->format == BPE_WRITE_PCAP_NS,
		(uint32_t)interface->told.link_type, w->o.snaplen ? w->o.snaplen : BPE_MAX_SNAPLEN);
	w->used += BPEI_PCAP_OUT_HEADER;
	w->pcap_link = interface->told.link_type;
}

/* Returns the interface of a packet, with its block in the file; NULL: no memory, or a pcap file of
 * another link type. */
static struct bpei_writer_interface *find_written_interface(
	struct bpe_writer *w, const struct offered_packet *p)
{
	const int32_t link_type = (int32_t)p->link_type;
	struct bpei_writer_interface *found =
		bpei_interfaces_find(&w->interfaces, p->out.interface_id, link_type);
	struct bpe_write_interface told;

	if (!found) {
		bpe_write_interface_init(&told);
		told.interface_id = p->out.interface_id;
		told.link_type = link_type;
		if (p->batch)
			bpe_batch_interface(p->batch, p->number, &told);
		found = bpei_interfaces_add(&w->interfaces, &told);
	}
	if (!found)
		return NULL;
	found->is_used = true;
	const bool is_other = w->pcap_link >= 0 && w->pcap_link != link_type;

	if (is_other)
		return NULL;
	if (!found->in_section && (w->format == BPE_WRITE_PCAPNG || w->pcap_link < 0))
		put_interface(w, found);
	return found;
}

/* Writes the statistics of each interface of the file. */
static void put_statistics(struct bpe_writer *w)
{
	for (uint32_t k = 0; k < w->interfaces.count; k++) {
		const struct bpei_writer_interface *interface = &w->interfaces.list[k];

		if (interface->in_section && w->format == BPE_WRITE_PCAPNG)
			w->used += bpei_interfaces_put_counts(make_chunk_room(w, BLOCK_MOST),
				BLOCK_MOST, interface, interface->last_ns);
	}
}

/* Encodes a packet; out.interface_id is the source's on entry. */
static void encode_packet(struct bpe_writer *w, struct offered_packet *p)
{
	struct bpei_writer_interface *interface = find_written_interface(w, p);
	const struct bpei_packet_extra extra = {
		.has = p->flags ? BPEI_HAS_FLAGS : 0, .flags = p->flags, .comment = p->comment
	};

	if (!interface) {
		w->stats.unwritten[BPE_UNWRITTEN_LINK]++;
		return;
	}
	if (w->o.snaplen && p->out.caplen > w->o.snaplen)
		p->out.caplen = w->o.snaplen;
	uint8_t *to = make_chunk_room(w, BLOCK_MOST);

	p->out.interface_id = interface->place;
	p->out.stamp = bpei_stamp(p->time_ns, (uint8_t)interface->told.time_digits);
	if (w->format != BPE_WRITE_PCAPNG)
		w->used += bpei_pcap_put_packet(to, w->format == BPE_WRITE_PCAP_NS, p->time_ns,
			p->out.data, p->out.caplen, p->out.wirelen);
	else if (p->comment)
		w->used += bpei_packet_put(to, BLOCK_MOST, &p->out, &extra);
	else
		w->used += bpei_packet_put_plain(to, &p->out, p->flags);
	interface->written++;
	interface->last_ns = p->time_ns;
	w->stats.waiting++;
	w->waiting_bytes += p->out.caplen;
}

/* ---- Exported functions ---- */

/* Copies the options' strings.  Returns false without memory. */
static bool copy_strings(struct bpe_writer_options *o)
{
	const char **const texts[] = { &o->path, &o->application, &o->comment, &o->hardware,
		&o->os };
	bool good = true;

	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		if (*texts[k])
			good &= (*texts[k] = strdup(*texts[k])) != NULL;
	return good;
}

static void free_writer(struct bpe_writer *w)
{
	if (w->owns_fd)
		close(w->fd);
	bpei_mem_free_const(w->o.path);
	bpei_mem_free_const(w->o.application);
	bpei_mem_free_const(w->o.comment);
	bpei_mem_free_const(w->o.hardware);
	bpei_mem_free_const(w->o.os);
	bpei_interfaces_free(&w->interfaces);
	bpei_packer_close(w->packer);
	free(w->bytes);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int bpe_writer_open(const struct bpe_writer_options *options, struct bpe_writer **writer,
	struct bpe_error *error)
{
	struct bpe_writer_options o;
	int status = bpei_writer_options_check(&o, options, error);

	if (status != BPE_OK)
		return status;
	struct bpe_writer *w = calloc(1, sizeof *w);

	if (!w)
		return bpei_fail(error, BPE_E_MEMORY, "writer", 0, "no memory for a writer");
	pthread_mutex_init(&w->lock, NULL);
	w->o = o;
	w->format = bpei_writer_format(&o);
	w->fd = w->pcap_link = -1;
	w->bytes = malloc(BUFFER_BYTES);
	if (!copy_strings(&w->o) || !w->bytes)
		status = bpei_fail(error, BPE_E_MEMORY, "writer", 0, "no memory for a writer");
	else
		status = bpei_writer_packer_open(&o, &w->packer, error);
	if (status == BPE_OK)
		status = open_file(w, error);
	if (status != BPE_OK) {
		free_writer(w);
		return status;
	}
	if (w->format == BPE_WRITE_PCAPNG)
		put_section(w);
	*writer = w;
	return BPE_OK;
}

/* Returns the status of a call with packets. */
static int answer_offer(struct bpe_writer *w)
{
	if (w->o.packet_buffered)
		flush_bytes(w);
	return w->error.status;
}

int bpe_writer_batch(
	struct bpe_writer *w, const struct bpe_batch *batch, uint32_t first, uint32_t count)
{
	if (first > batch->count || count > batch->count - first)
		return BPE_E_ARGUMENT;
	const uint32_t *keep = BPE_HAS(batch, keep) ? batch->keep : NULL;

	pthread_mutex_lock(&w->lock);
	w->stats.offered += count;
	for (uint32_t i = first; i < first + count; i++) {
		struct offered_packet p = { .out = { .data = batch->data[i],
						    .interface_id = batch->interface_id[i],
						    .caplen = batch->caplen[i],
						    .wirelen = batch->wirelen[i] },
			.time_ns = batch->time_ns[i],
			.link_type = batch->layers[i].link_type,
			.batch = batch,
			.number = i };

		if (keep && keep[i] < p.out.caplen)
			p.out.caplen = keep[i];
		if (batch->layers[i].flags & BPE_PKT_OUTGOING)
			p.flags = BPEI_EPB_OUT;
		if (keep && !keep[i])
			w->stats.unwritten[BPE_UNWRITTEN_CUTOFF]++;
		else
			encode_packet(w, &p);
	}
	const int status = answer_offer(w);

	pthread_mutex_unlock(&w->lock);
	return status;
}

int bpe_writer_packet_sized(struct bpe_writer *w, const struct bpe_packet *packet,
	size_t packet_bytes, size_t meta_bytes, const char *comment)
{
	struct bpe_packet own;

	(void)meta_bytes;
	bpe_packet_init(&own);
	memcpy(&own, packet, packet_bytes < sizeof own ? packet_bytes : sizeof own);
	if ((own.caplen && !own.data) || own.link_type > 65535 || own.link_type < -1 ||
		own.direction > BPE_DIRECTION_OUT)
		return BPE_E_ARGUMENT;
	struct offered_packet p = { .out = { .data = own.data,
					    .interface_id = own.interface_id,
					    .caplen = own.caplen,
					    .wirelen = own.wirelen },
		.time_ns = own.time_ns,
		.link_type = own.link_type < 0 ? 1 : (uint32_t)own.link_type,
		.flags = own.direction,
		.comment = comment };

	if (p.out.caplen > BPE_MAX_SNAPLEN)
		p.out.caplen = BPE_MAX_SNAPLEN;
	pthread_mutex_lock(&w->lock);
	w->stats.offered++;
	encode_packet(w, &p);
	const int status = answer_offer(w);

	pthread_mutex_unlock(&w->lock);
	return status;
}

int bpe_writer_interface(struct bpe_writer *w, const struct bpe_write_interface *interface)
{
	struct bpe_write_interface own;
	struct bpe_error error;

	bpe_write_interface_init(&own);
	const int status =
		bpei_sized_take(&own, sizeof own, interface, "bpe_write_interface_init", &error);

	if (status != BPE_OK)
		return status;
	if (own.link_type < 0 || own.link_type > 65535 || !own.time_digits || own.time_digits > 9)
		return BPE_E_ARGUMENT;
	pthread_mutex_lock(&w->lock);
	const struct bpei_writer_interface *known =
		bpei_interfaces_find(&w->interfaces, own.interface_id, own.link_type);
	int answer = BPE_OK;

	if (known && known->is_used)
		answer = BPE_E_STATE;
	else if (!bpei_interfaces_add(&w->interfaces, &own))
		answer = BPE_E_MEMORY;
	pthread_mutex_unlock(&w->lock);
	return answer;
}

int bpe_writer_counts_sized(
	struct bpe_writer *w, uint32_t interface_id, const struct bpe_stats *stats, size_t bytes)
{
	pthread_mutex_lock(&w->lock);
	struct bpei_writer_interface *interface =
		bpei_interfaces_find(&w->interfaces, interface_id, -1);

	if (interface) {
		bpei_sized_give(&interface->counts, sizeof interface->counts, stats, bytes);
		interface->has_counts = true;
	}
	pthread_mutex_unlock(&w->lock);
	return interface ? BPE_OK : BPE_E_ARGUMENT;
}

int bpe_writer_name(
	struct bpe_writer *w, const uint8_t addr[16], uint32_t ip_version, const char *name)
{
	struct bpei_block_out out;

	if (ip_version != 4 && ip_version != 6)
		return BPE_E_ARGUMENT;
	pthread_mutex_lock(&w->lock);
	if (w->format == BPE_WRITE_PCAPNG) {
		bpei_names_begin(&out, make_chunk_room(w, BLOCK_MOST), BLOCK_MOST);
		if (bpei_names_put(&out, addr, (int)ip_version, name))
			w->used += bpei_names_finish(&out);
	}
	pthread_mutex_unlock(&w->lock);
	return BPE_OK;
}

int bpe_writer_rotate(struct bpe_writer *w)
{
	(void)w;
	return BPE_E_UNSUPPORTED;
}

int bpe_writer_trigger(struct bpe_writer *w, int64_t after_ns)
{
	(void)w, (void)after_ns;
	return BPE_E_STATE;
}

void bpe_writer_stats_sized(struct bpe_writer *w, struct bpe_writer_stats *stats, size_t bytes)
{
	pthread_mutex_lock(&w->lock);
	bpei_sized_give(stats, bytes, &w->stats, sizeof w->stats);
	pthread_mutex_unlock(&w->lock);
}

int bpe_writer_tick(struct bpe_writer *w)
{
	pthread_mutex_lock(&w->lock);
	flush_bytes(w);
	const int status = w->error.status;

	pthread_mutex_unlock(&w->lock);
	return status;
}

int bpe_writer_close(struct bpe_writer *w, struct bpe_error *error)
{
	if (!w)
		return BPE_OK;
	if (w->format != BPE_WRITE_PCAPNG && w->pcap_link < 0)
		find_written_interface(w, &(struct offered_packet){ .link_type = 1 });
	put_statistics(w);
	flush_bytes(w);
	if (w->owns_fd && close(w->fd) && w->error.status == BPE_OK)
		bpei_fail(&w->error, BPE_E_IO, "close", errno, "cannot write to %s", w->o.path);
	w->owns_fd = false;
	const int status = w->error.status;

	if (status != BPE_OK && error)
		*error = w->error;
	free_writer(w);
	return status;
}
