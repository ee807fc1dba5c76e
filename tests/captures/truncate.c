/* SPDX-License-Identifier: MIT */
/* truncate [DIRECTORY [SEED]]: reads every capture of DIRECTORY/index.tsv, whole and cut.  The cuts
 * are each byte of the first 200 and 200 random places, read mapped and, for some cuts, through a
 * pipe.  Every packet that is whole before the cut is delivered unchanged, no other packet is, and
 * the status of the end is right.  Then every packet is cut at each of the first bytes and parsed
 * at the edge of a page without access.
 *
 * A reader in this file (below) finds the ends of records.  The reader looks at one byte at a time
 * and shares no code with the device.  The cuts of a file go from the last to the first, so a
 * single copy is made and then only shortened.  The last line is "N passed, N failed", counted in
 * files.  Exit code 77 (skipped): there are no captures. */
#include "base/mem.h"
#include "records/batch.h"
#include "device/device.h"
#include "layers_check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_BYTES 200u
#define RANDOM_CUTS 200u
#define PIPE_CUTS 8u     /* cuts of each file read through a pipe, too */
#define PACKET_CUTS 160u /* the parser gets each packet cut at these bytes */
#define GUARDED 262144u

struct record {
	size_t data, end;
	uint32_t caplen, wirelen, link_type;
};

struct capture {
	uint8_t *bytes;
	size_t length;
	size_t head; /* bytes of the file's header: a shorter file is no savefile */
	struct record *records;
	size_t count, room;
	uint8_t *edge; /* edge[n]: a cut to n bytes leaves nothing torn */
};

static struct bpei_columns columns;
static struct bpei_block block;
static uint8_t *guard; /* GUARDED bytes; a page without access follows */
static unsigned long long runs, parsed;

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Reads a number of n bytes, big-endian or little-endian. */
static uint32_t load_number(const uint8_t *p, unsigned n, bool big)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < n; i++)
		v |= (uint32_t)p[i] << 8 * (big ? n - 1 - i : i);
	return v;
}

static bool add_truncation(struct capture *c, struct record r)
{
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 256;
		void *more = realloc(c->records, c->room * sizeof r);
		if (!more)
			return false;
		c->records = more;
	}
	c->records[c->count++] = r;
	return true;
}

static bool read_pcap(struct capture *c)
{
	const uint8_t *b = c->bytes;
	if (c->length < 24)
		return false;
	bool big = b[0] == 0xa1;
	uint32_t magic = load_number(b, 4, big);
	uint32_t header = magic == 0xa1b2cd34 ? 24 : 16;
	uint32_t minor = load_number(b + 6, 2, big);
	uint32_t snaplen = load_number(b + 16, 4, big);
	uint32_t link_type = load_number(b + 20, 4, big) & 0x03ffffff;
	if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d && magic != 0xa1b2cd34)
		return false;
	c->edge[c->head = 24] = 1;
	for (size_t at = 24; at < c->length;) {
		if (c->length - at < header)
			return false;
		uint32_t caplen = load_number(b + at + 8, 4, big);
		uint32_t wirelen = load_number(b + at + 12, 4, big);
		if (minor < 3 || (minor == 3 && caplen > wirelen)) {
			uint32_t t = caplen;
			caplen = wirelen;
			wirelen = t;
		}
		if (c->length - at - header < caplen)
			return false;
		struct record r = { at + header, at + header + caplen, caplen, wirelen, link_type };
		if (snaplen && snaplen < 0x80000000u && r.caplen > snaplen)
			r.caplen = snaplen;
		if (!add_truncation(c, r))
			return false;
		c->edge[at = r.end] = 1;
	}
	return true;
}

static bool read_pcapng(struct capture *c)
{
	struct {
		uint32_t link_type, snaplen;
	} interfaces[256];
	uint32_t known = 0;
	bool big = false;
	for (size_t at = 0; at < c->length;) {
		const uint8_t *b = c->bytes + at;
		if (c->length - at < 12)
			return false;
		uint32_t type = load_number(b, 4, big);
		if (type == 0x0a0d0d0a) {
			big = b[8] == 0x1a;
			known = 0;
		}
		uint32_t length = load_number(b + 4, 4, big);
		if (length < 12 || length > c->length - at)
			return false;
		if (!at)
			c->head = length;
		size_t end = at + length;
		struct record r = { 0, end, 0, 0, 0 };
		if (type == 1 && known < 256) {
			interfaces[known].link_type = load_number(b + 8, 2, big);
			interfaces[known++].snaplen = load_number(b + 12, 4, big);
		} else if (type == 2 || type == 6) {
			uint32_t from =
				type == 6 ? load_number(b + 8, 4, big) : load_number(b + 8, 2, big);
			if (from >= known)
				return false;
			r.data = at + 28;
			r.caplen = load_number(b + 20, 4, big);
			r.wirelen = load_number(b + 24, 4, big);
			r.link_type = interfaces[from].link_type;
		} else if (type == 3) {
			if (!known)
				return false;
			r.data = at + 12;
			r.caplen = r.wirelen = load_number(b + 8, 4, big);
			if (interfaces[0].snaplen && interfaces[0].snaplen < r.caplen)
				r.caplen = interfaces[0].snaplen;
			r.link_type = interfaces[0].link_type;
		}
		if (r.data && !add_truncation(c, r))
			return false;
		c->edge[at = end] = 1;
	}
	return true;
}

static bool load_truncated(struct capture *c, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	*c = (struct capture){ .bytes = NULL };
	if (fd < 0 || fstat(fd, &st))
		return false;
	c->length = (size_t)st.st_size;
	c->bytes = malloc(c->length + 1);
	c->edge = calloc(c->length + 1, 1);
	bool good = c->bytes && c->edge && c->length >= 4 &&
		    read(fd, c->bytes, c->length) == st.st_size;
	close(fd);
	return good &&
	       (load_number(c->bytes, 4, false) == 0x0a0d0d0a ? read_pcapng(c) : read_pcap(c));
}

static void unload_truncated(struct capture *c)
{
	free(c->bytes);
	free(c->edge);
	free(c->records);
}

/* Compares packets [from, from + n) of the walk with the records; returns a difference or NULL. */
static const char *batch_differs(const struct capture *c, size_t from, uint32_t n)
{
	if (n > BPE_BATCH)
		return "a batch of more than 64";
	bpei_parse_scalar(&columns, n, block.link_type, NULL);
	parsed += n;
	for (uint32_t i = 0; i < n; i++) {
		if (from + i >= c->count)
			return "more packets than there are";
		const struct record *r = &c->records[from + i];
		if (columns.caplen[i] != r->caplen || columns.wirelen[i] != r->wirelen)
			return "another length";
		if (block.link_type != r->link_type)
			return "another link type";
		if (columns.data[i] < block.bytes ||
			columns.data[i] + r->caplen > block.bytes + block.length)
			return "bytes that lie outside the block";
		if (memcmp(columns.data[i], c->bytes + r->data, r->caplen))
			return "other bytes";
		const char *wrong =
			layers_wrong(&columns.layers[i], &columns.key[i], r->caplen, r->link_type);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* Reads path to the end; returns the difference or NULL, the number of packets and the status. */
static const char *run_truncated(const struct capture *c, const char *path, uint32_t block_bytes,
	size_t *packets, int *status) BPEI_READER
{
	const struct bpe_options options = {
		.file = path, .snaplen = BPE_MAX_SNAPLEN, .block_bytes = block_bytes
	};
	struct bpei_device *device = NULL;
	struct bpe_error error = { .status = 0 };
	const char *wrong = NULL;
	size_t most_fills = c->length * 4 + 1000;
	size_t fills = 0;
	runs++;
	*packets = 0;
	*status = bpei_device_open(&options, &device, &error);
	if (*status < 0)
		return error.status != *status || !error.text[0] ? "a refusal without a text"
								 : NULL;
	if (!device->maps_blocks && device->block_bytes > block.memory_bytes) {
		bpei_mem_unmap(block.memory, block.memory_bytes);
		block.memory = bpei_mem_map(block.memory_bytes = device->block_bytes, 0);
	}
	for (;;) {
		*status = bpei_device_fill(device, &block, -1, &error);
		if (*status < 0)
			break;
		if (++fills > most_fills) {
			wrong = "it never ends";
			break;
		}
		if (!*status)
			continue;
		for (uint32_t n;
			!wrong && (n = bpei_device_walk(device, &block, &columns, BPE_BATCH));
			*packets += n)
			wrong = batch_differs(c, *packets, n);
		bpei_device_done(device, &block);
		if (wrong)
			break;
	}
	if (!wrong && *status != BPE_E_END && (error.status != *status || !error.text[0]))
		wrong = "an end without a text";
	if (!wrong && bpei_device_fill(device, &block, 0, &error) != *status)
		wrong = "another end when asked again";
	bpei_device_close(device);
	return wrong;
}

struct writer {
	int fd;
	const uint8_t *bytes;
	size_t length;
	uint64_t random;
};

static void *write_whole_prefix(void *user)
{
	struct writer *w = user;
	for (size_t at = 0; at < w->length;) {
		size_t most =
			next_random(&w->random) % 3 ? next_random(&w->random) % 100 + 1 : 65536;
		ssize_t n =
			write(w->fd, w->bytes + at, most < w->length - at ? most : w->length - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	close(w->fd);
	return NULL;
}

static const char *run_truncated_pipe(const struct capture *c, size_t cut, uint64_t random,
	size_t *packets, int *status) BPEI_READER
{
	int ends[2];
	pthread_t thread;
	if (pipe(ends))
		return "no pipe";
	struct writer w = { ends[1], c->bytes, cut, random };
	if (dup2(ends[0], STDIN_FILENO) < 0 || close(ends[0]) ||
		pthread_create(&thread, NULL, write_whole_prefix, &w))
		return "no pipe";
	const char *wrong = run_truncated(c, "-", 0, packets, status);
	close(STDIN_FILENO); /* a writer with bytes left gets EPIPE */
	pthread_join(thread, NULL);
	if (open("/dev/null", O_RDONLY) != STDIN_FILENO)
		return "no standard input";
	return wrong;
}

static bool record_is_zero(const struct capture *c, size_t from, size_t to)
{
	while (from < to && !c->bytes[from])
		from++;
	return from == to;
}

/* Returns how many of the `whole` records before a cut are delivered.  If only zeros follow a
 * packet, the zeros are damage, even if the file goes on behind the zeros. */
static size_t count_before_zeros(const struct capture *c, size_t cut, size_t whole)
{
	size_t k = whole;
	while (k && !c->records[k - 1].caplen)
		k--; /* records which may be zeros */
	const size_t from = k ? c->records[k - 1].end : c->head;
	const size_t least = k ? 16 : 32;
	return k < whole && cut - from >= least && record_is_zero(c, from, cut) ? k : whole;
}

static bool check_truncation(const struct capture *c, const char *name, const char *how, size_t cut,
	const char *wrong, size_t packets, int status)
{
	size_t low = 0;
	size_t high = c->count;
	while (low < high) { /* count the records up to the cut */
		size_t middle = (low + high) / 2;
		if (c->records[middle].end <= cut)
			low = middle + 1;
		else
			high = middle;
	}
	int expected = c->edge[cut] ? BPE_E_END : BPE_E_TORN;
	if (cut < c->head)
		expected = BPE_E_FORMAT;
	const size_t shown = count_before_zeros(c, cut, low);
	if (shown < low) {
		expected = BPE_E_FORMAT;
		low = shown;
	}
	if (!wrong && packets == low && status == expected)
		return true;
	printf("%s, %s, cut to %zu bytes: %s; %zu packets where %zu are whole, end %d where %d fits\n",
		name, how, cut, wrong ? wrong : "not as expected", packets, low, status, expected);
	return false;
}

static int order_descending(const void *a, const void *b)
{
	size_t x = *(const size_t *)a;
	size_t y = *(const size_t *)b;
	return (x < y) - (x > y);
}

static bool check_cuts(
	const struct capture *c, const char *name, const char *copy, uint64_t random) BPEI_READER
{
	size_t cut[1 + FIRST_BYTES + RANDOM_CUTS], n = 0, packets;
	int status, fd = open(copy, O_WRONLY | O_TRUNC);
	bool good = fd >= 0 && write(fd, c->bytes, c->length) == (ssize_t)c->length;
	if (!good)
		printf("%s: no copy at %s\n", name, copy);
	cut[n++] = c->length;
	for (size_t i = 0; i < FIRST_BYTES && i < c->length; i++)
		cut[n++] = i;
	for (size_t i = 0; i < RANDOM_CUTS; i++)
		cut[n++] = (size_t)(next_random(&random) % (c->length + 1));
	qsort(cut, n, sizeof *cut, order_descending);
	for (size_t i = 0; i < n && good; i++) {
		if (i && cut[i] == cut[i - 1])
			continue;
		if (ftruncate(fd, (off_t)cut[i])) {
			printf("%s: ftruncate failed\n", name);
			good = false;
			break;
		}
		const char *wrong = run_truncated(c, copy,
			i % 2 ? 1 + (uint32_t)(next_random(&random) % 3000) : 0, &packets, &status);
		good &= check_truncation(c, name, "mapped", cut[i], wrong, packets, status);
		if (i && next_random(&random) % n >= PIPE_CUTS)
			continue;
		wrong = run_truncated_pipe(c, cut[i], random, &packets, &status);
		good &= check_truncation(c, name, "by pipe", cut[i], wrong, packets, status);
	}
	close(fd);
	return good;
}

/* Parses every packet at the edge of the guarded memory, whole and cut at each of the first bytes.
 * Each is parsed twice, into memory filled with zeros and with ones. */
static bool map_guarded_copy(const struct capture *c, const char *name)
{
	for (size_t r = 0; r < c->count; r++) {
		const struct record *p = &c->records[r];
		if (p->caplen > GUARDED)
			continue;
		for (uint32_t cut = 0; cut <= p->caplen;
			cut = cut < PACKET_CUTS || cut == p->caplen ? cut + 1 : p->caplen) {
			struct bpe_layers layers[2];
			struct bpe_key keys[2];
			uint8_t *at = guard + GUARDED - cut;
			memcpy(at, c->bytes + p->data, cut);
			for (int i = 0; i < 2; i++) {
				columns.data[0] = at;
				columns.caplen[0] = cut;
				columns.wirelen[0] = p->wirelen;
				memset(&columns.layers[0], i ? 0xff : 0, sizeof *columns.layers);
				memset(&columns.key[0], i ? 0xff : 0, sizeof *columns.key);
				columns.outgoing[0] = 0;
				bpei_parse_scalar(&columns, 1, p->link_type, NULL);
				layers[i] = columns.layers[0];
				keys[i] = columns.key[0];
			}
			parsed += 2;
			const char *wrong = layers_wrong(&layers[0], &keys[0], cut, p->link_type);
			if (!wrong && memcmp(&layers[0], &layers[1], sizeof layers[0]))
				wrong = "a field of layers was not written";
			if (!wrong && layers[0].flags & BPE_PKT_KEY &&
				memcmp(&keys[0], &keys[1], sizeof keys[0]))
				wrong = "a field of the key was not written";
			if (!wrong)
				continue;
			printf("%s: packet %zu cut to %u bytes: %s\n", name, r + 1, cut, wrong);
			return false;
		}
	}
	return true;
}

static bool test_capture_truncated(const char *directory, const char *name,
	unsigned long long packets, unsigned long long captured, unsigned long long wire,
	const char *copy, uint64_t random) BPEI_READER
{
	char path[4096];
	struct capture c;
	unsigned long long captured_here = 0;
	unsigned long long wire_here = 0;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	bool good = load_truncated(&c, path);
	for (size_t i = 0; i < c.count; i++) {
		captured_here += c.records[i].caplen;
		wire_here += c.records[i].wirelen;
	}
	if (!good || c.count != packets || captured_here != captured || wire_here != wire) {
		printf("%s: this test's own reader finds %zu packets, %llu and %llu bytes, the index says %llu, %llu and %llu\n",
			name, c.count, captured_here, wire_here, packets, captured, wire);
		good = false;
	}
	good = good && check_cuts(&c, name, copy, random) && map_guarded_copy(&c, name);
	unload_truncated(&c);
	return good;
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "../shared/captures";
	const char *seed_text = argc > 2 ? argv[2] : "20240229";
	char path[4096], line[1024], name[512], copy[64];
	uint64_t seed = strtoull(seed_text, NULL, 0);
	unsigned long passed = 0, failed = 0;
	unsigned long long packets, captured, wire;

	snprintf(path, sizeof path, "%s/index.tsv", directory);
	FILE *index = fopen(path, "r");
	if (!index) {
		printf("skipped: no captures at %s\n", directory);
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	snprintf(copy, sizeof copy, "%s/truncate.XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	int fd = mkstemp(copy);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *area =
		mmap(NULL, GUARDED + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	if (fd < 0 || area == MAP_FAILED || mprotect(area + GUARDED, page, PROT_NONE) ||
		bpei_columns_new(&columns, BPE_BATCH) < 0) {
		printf("no memory, or no place for a copy: %s\n0 passed, 1 failed\n", copy);
		return 1;
	}
	close(fd);
	guard = area;
	printf("seed %llu\n", (unsigned long long)seed);
	bpei_role_enter(&bpei_reader_role);
	for (uint64_t k = 0; fgets(line, sizeof line, index); k++) {
		uint64_t random = seed ^ k << 32;
		if (sscanf(line, "%511[^\t]\t%*[^\t]\t%llu\t%llu\t%llu", name, &packets, &captured,
			    &wire) != 4)
			continue; /* the first line, which names the columns */
		if (test_capture_truncated(directory, name, packets, captured, wire, copy, random))
			passed++;
		else
			failed++;
	}
	bpei_role_leave(&bpei_reader_role);
	fclose(index);
	unlink(copy);
	bpei_mem_unmap(block.memory, block.memory_bytes);
	bpei_columns_free(&columns, BPE_BATCH);
	munmap(area, GUARDED + page);
	printf("%llu cut files read, %llu packets parsed\n%lu passed, %lu failed\n", runs, parsed,
		passed, failed);
	return failed || !passed ? 1 : 0;
}
