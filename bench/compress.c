/* SPDX-License-Identifier: MIT */
/* bench/compress FILE...: measures the forms of compressed savefiles.  The files' bytes are packed
 * as a writer does, in frames of 1 MiB, and unpacked again as a reader does.  Rates are plain bytes
 * by CPU time of a single thread, the median of 5 rounds in turn. */
#include "base/mem.h"
#include "compress/compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME (1u << 20)
#define ROUNDS 5
#define STRETCH (256u << 10)

static const struct setting {
	const char *name;
	enum bpei_packing packing;
	int level;
} settings[] = { { "lz4", BPEI_PACKING_LZ4, 0 }, { "lz4:-5", BPEI_PACKING_LZ4, -5 },
	{ "zstd:-5", BPEI_PACKING_ZSTD, -5 }, { "zstd:-1", BPEI_PACKING_ZSTD, -1 },
	{ "zstd", BPEI_PACKING_ZSTD, 0 }, { "zstd:3", BPEI_PACKING_ZSTD, 3 },
	{ "gzip", BPEI_PACKING_GZIP, 0 }, { "gzip:6", BPEI_PACKING_GZIP, 6 } };
#define SETTINGS (sizeof settings / sizeof *settings)

static uint8_t *plain, *packed, *room;
static size_t plain_bytes, packed_room;
static double pack_seconds[SETTINGS][ROUNDS], unpack_seconds[SETTINGS][ROUNDS];
static double ratio[SETTINGS];

static double read_cpu_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Reads the files behind each other. */
static void load_files(char **paths, int count)
{
	for (int k = 0; k < count; k++) {
		FILE *f = fopen(paths[k], "rb");
		size_t n = 1;

		if (!f) {
			perror(paths[k]);
			exit(1);
		}
		while (n) {
			plain = realloc(plain, plain_bytes + FRAME);
			if (!plain)
				exit(1);
			n = fread(plain + plain_bytes, 1, FRAME, f);
			plain_bytes += n;
		}
		fclose(f);
	}
}

/* Packs all bytes.  Returns the packed length; 0 if the build lacks the form. */
static size_t pack_all(const struct setting *s)
{
	struct bpei_packer *p;
	size_t at = 0;

	if (bpei_packer_open(s->packing, s->level, &p, NULL) < 0)
		return 0;
	for (size_t from = 0; from < plain_bytes; from += FRAME) {
		const size_t left = plain_bytes - from;

		at += bpei_packer_frame(p, plain + from, left < FRAME ? left : FRAME, packed + at,
			packed_room - at);
	}
	bpei_packer_close(p);
	return at;
}

/* Unpacks all bytes, and ends the program if they are not those that were packed. */
static void unpack_all(size_t n)
{
	struct bpei_unpacker u;
	struct bpei_codec_step s = { .in = packed, .in_bytes = n };
	size_t at = 0;
	int status = BPE_OK;

	bpei_unpacker_init(&u);
	while (status == BPE_OK) {
		s.out = room;
		s.out_bytes = STRETCH;
		status = bpei_unpacker_step(&u, &s, true);
		at += STRETCH - s.out_bytes;
	}
	bpei_unpacker_free(&u);
	if (status != BPE_E_END || at != plain_bytes) {
		fprintf(stderr, "unpacked %zu of %zu bytes: %d\n", at, plain_bytes, status);
		exit(1);
	}
}

static void run_setting(size_t k, int round)
{
	const double begin = read_cpu_clock();
	const size_t n = pack_all(&settings[k]);
	const double middle = read_cpu_clock();

	if (!n)
		return;
	unpack_all(n);
	pack_seconds[k][round] = middle - begin;
	unpack_seconds[k][round] = read_cpu_clock() - middle;
	ratio[k] = (double)plain_bytes / (double)n;
}

static int compare_seconds(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Returns the rate of the median round in MB/s. */
static double find_median_rate(double *seconds)
{
	qsort(seconds, ROUNDS, sizeof *seconds, compare_seconds);
	return (double)plain_bytes / seconds[ROUNDS / 2] * 1e-6;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: bench_compress FILE...\n");
		return 2;
	}
	load_files(argv + 1, argc - 1);
	packed_room = 2 * plain_bytes + (64u << 20);
	packed = bpei_mem_map(packed_room, 0);
	room = malloc(STRETCH);
	if (!packed || !room)
		return 1;
	for (int round = 0; round < ROUNDS; round++)
		for (size_t k = 0; k < SETTINGS; k++)
			run_setting(k, round);
	printf("%zu plain bytes, frames of 1 MiB\n", plain_bytes);
	printf("%-10s %8s %12s %14s\n", "form", "ratio", "pack MB/s", "unpack MB/s");
	for (size_t k = 0; k < SETTINGS; k++)
		if (ratio[k] > 0)
			printf("%-10s %8.2f %12.0f %14.0f\n", settings[k].name, ratio[k],
				find_median_rate(pack_seconds[k]),
				find_median_rate(unpack_seconds[k]));
	bpei_mem_unmap(packed, packed_room);
	free(plain);
	free(room);
	return 0;
}
