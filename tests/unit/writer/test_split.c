/* SPDX-License-Identifier: MIT */
/* A split capture, on a disk in memory: each packet is in one file, bounds hold, and failures lose
 * counted packets alone. */
#include "writer/split.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILES 400
#define FILE_BYTES 20000
#define HEAD "HEAD"

/* ---- A disk in memory ---- */

struct disk_file {
	char name[BPEI_NAME_ROOM];
	char bytes[FILE_BYTES];
	size_t used;
	bool is_open;
};
static struct disk {
	struct disk_file file[FILES];
	int count, open, most_open; /* most_open: at any time */
	int limit;                  /* of descriptors; 0: none */
	int64_t room;               /* bytes until the disk is full; -1: no end */
	int opens;
} disk;

static int open_disk_directory(void *context, int directory, const char *folder)
{
	(void)context, (void)directory;
	cr_assert_str_eq(folder, "d/");
	return 1000;
}

static int open_disk_file(void *context, int directory, const char *name, enum bpei_file_open how)
{
	const bool create = how == BPEI_FILE_CREATE;
	int n = 0;

	(void)context;
	cr_assert_eq(directory, 1000);
	cr_assert_null(strchr(name, '/'));
	cr_assert(create || how == BPEI_FILE_APPEND);
	if (disk.limit && disk.open >= disk.limit)
		return -EMFILE;
	while (n < disk.count && strcmp(disk.file[n].name, name) != 0)
		n++;
	if (create && n < disk.count)
		return -EEXIST;
	if (!create && n == disk.count)
		return -ENOENT;
	cr_assert(n < FILES);
	disk.count += create;
	snprintf(disk.file[n].name, sizeof disk.file[n].name, "%s", name);
	disk.file[n].is_open = true;
	disk.opens++;
	disk.open++;
	disk.most_open = disk.open > disk.most_open ? disk.open : disk.most_open;
	return n;
}

static int64_t write_disk(void *context, int fd, const void *bytes, size_t n, bool stream)
{
	struct disk_file *const f = &disk.file[fd];
	const size_t part = n > 7 ? n / 2 : n;
	size_t take = disk.room >= 0 && (int64_t)part > disk.room ? (size_t)disk.room : part;

	(void)context, (void)stream;
	cr_assert(f->is_open);
	if (!take)
		return -ENOSPC;
	cr_assert(f->used + take <= FILE_BYTES);
	memcpy(f->bytes + f->used, bytes, take);
	f->used += take;
	disk.room -= disk.room >= 0 ? (int64_t)take : 0;
	return (int64_t)take;
}

static int truncate_disk(void *context, int fd, uint64_t bytes)
{
	(void)context;
	cr_assert(disk.file[fd].is_open);
	cr_assert(bytes <= disk.file[fd].used);
	disk.file[fd].used = bytes;
	return 0;
}

static int close_disk(void *context, int fd)
{
	(void)context;
	if (fd == 1000)
		return 0;
	cr_assert(disk.file[fd].is_open);
	disk.file[fd].is_open = false;
	disk.open--;
	return 0;
}

static const struct bpei_file_calls disk_calls = { .open_directory = open_disk_directory,
	.open = open_disk_file,
	.write = write_disk,
	.truncate = truncate_disk,
	.close = close_disk };

/* ---- Chunks ---- */

static uint8_t chunk_bytes[400000];
static struct bpei_chunk chunk = { .bytes = chunk_bytes };
static struct bpei_split *split;
static char notices[1000];

static void keep_notice(void *user, const char *text)
{
	(void)user;
	strcat(notices, text);
}

static void put_split_record(const struct bpei_split_key *key, const char *block)
{
	struct bpei_split_record r = {
		.bytes = (uint32_t)strlen(block), .caplen = 3, .is_packet = key != NULL
	};

	if (key)
		r.key = *key;
	memcpy(chunk.bytes + chunk.used, &r, sizeof r);
	memcpy(chunk.bytes + chunk.used + sizeof r, block, r.bytes);
	chunk.used += sizeof r + r.bytes;
	chunk.packets += r.is_packet;
}

/* Puts a packet of flow `id`. */
static void put_flow_packet(uint32_t id, const char *block)
{
	struct bpei_split_key key;

	memset(&key, 0, sizeof key);
	key.kind = BPEI_SPLIT_OF_FLOW;
	key.ip_version = 4;
	key.ip_proto = 6;
	key.port[1] = 80;
	key.addr[0][0] = (uint8_t)id;
	key.addr[0][1] = (uint8_t)(id >> 8);
	put_split_record(&key, block);
}

/* Adds the chunk. */
static struct bpei_split_lost add_chunk(void)
{
	const struct bpei_split_lost lost = bpei_split_add(split, &chunk);

	chunk.used = 0;
	chunk.packets = 0;
	return lost;
}

static void open_split(uint32_t most_open, uint32_t most_files, uint64_t most_bytes)
{
	const struct bpei_split_options o = { .calls = &disk_calls,
		.path = "d/x.pcapng",
		.directory = -1,
		.most_open = most_open,
		.most_files = most_files,
		.most_bytes = most_bytes,
		.on_notice = keep_notice };
	struct bpe_error error;

	memset(&disk, 0, sizeof disk);
	disk.room = -1;
	notices[0] = 0;
	cr_assert_eq(bpei_split_open(&split, &o, &error), BPE_OK);
	put_split_record(NULL, HEAD);
}

/* Closes, and checks the descriptors. */
static void close_split(int status)
{
	struct bpe_error error;

	cr_expect_eq(bpei_split_close(split, &error), status);
	cr_expect_eq(disk.open, 0);
}

/* ---- Cases ---- */

Test(split, each_flow_has_a_file)
{
	open_split(4, 1000, 1 << 20);
	for (int round = 0; round < 20; round++)
		for (uint32_t id = 0; id < 100; id++) {
			char block[32];

			snprintf(block, sizeof block, "<%u.%d>", id, round);
			put_flow_packet(id, block);
		}
	cr_expect_eq(add_chunk().error, 0);
	cr_expect_eq(bpei_split_counts(split)->waiting, 2000);
	cr_expect_eq(disk.opens, 0); /* small writes gather */
	bpei_split_flush(split);
	cr_expect_eq(disk.count, 100);
	cr_expect_eq(disk.opens, 100);
	cr_expect_eq(disk.most_open, 4);
	cr_expect_eq(bpei_split_counts(split)->packets, 2000);
	cr_expect_eq(bpei_split_counts(split)->captured_bytes, 6000);
	cr_expect_eq(bpei_split_counts(split)->bytes, 0);
	for (int n = 0; n < disk.count; n++) {
		const struct disk_file *f = &disk.file[n];
		unsigned a;
		unsigned b;
		char want[1000] = HEAD;

		cr_assert_eq(sscanf(f->name, "x-tcp_%u.%u.0.0_0_0.0.0.0_80.pcapng", &a, &b), 2,
			"%s", f->name);
		for (int round = 0; round < 20; round++)
			sprintf(want + strlen(want), "<%u.%d>", a, round);
		cr_expect(f->used == strlen(want) && !memcmp(f->bytes, want, f->used), "%s", want);
	}
	close_split(BPE_OK);
}

Test(split, memory_is_bounded)
{
	open_split(8, 1000, 50 * 1024);
	for (uint32_t id = 0; id < 300; id++) {
		put_flow_packet(id, "packet");
		cr_expect_eq(add_chunk().error, 0);
		cr_expect_leq(bpei_split_counts(split)->bytes, 50 * 1024);
	}
	bpei_split_flush(split);
	cr_expect_eq(disk.count, 300);
	for (int n = 0; n < 300; n++)
		cr_expect_eq(disk.file[n].used, 10);
	close_split(BPE_OK);
}

Test(split, a_file_is_appended_to)
{
	open_split(1, 1000, 1 << 20);
	for (int round = 0; round < 3; round++) {
		put_flow_packet(1, "a");
		put_flow_packet(2, "b");
		add_chunk();
		bpei_split_flush(split);
		put_split_record(NULL, "+"); /* another interface */
	}
	cr_expect_eq(disk.count, 2);
	cr_expect_eq(disk.opens, 6);
	cr_expect(!memcmp(disk.file[0].bytes, HEAD "a+a+a", 9));
	cr_expect(!memcmp(disk.file[1].bytes, HEAD "b+b+b", 9));
	close_split(BPE_OK);
}

Test(split, files_are_bounded)
{
	open_split(4, 10, 1 << 20);
	for (uint32_t id = 0; id < 50; id++)
		put_flow_packet(id, "p");
	for (uint32_t id = 0; id < 10; id++)
		put_flow_packet(id, "q"); /* existing files go on */
	cr_expect_eq(add_chunk().files, 40);
	bpei_split_flush(split);
	cr_expect_eq(disk.count, 10);
	cr_expect_eq(bpei_split_counts(split)->packets, 20);
	cr_expect(strstr(notices, "split_files") && strstr(notices, "10 files"), "%s", notices);
	close_split(BPE_OK);
}

Test(split, descriptors_run_out)
{
	open_split(64, 1000, 1 << 20);
	disk.limit = 3;
	for (uint32_t id = 0; id < 20; id++)
		put_flow_packet(id, "p");
	add_chunk();
	cr_expect_eq(bpei_split_flush(split).error, 0);
	cr_expect_eq(disk.count, 20);
	close_split(BPE_OK);
}

Test(split, a_full_disk_loses_whole_packets)
{
	struct bpei_split_lost lost;

	open_split(4, 1000, 1 << 20);
	disk.room = 3 * 10 + 5; /* three files, and a part of the fourth */
	for (uint32_t id = 0; id < 8; id++)
		put_flow_packet(id, "packet");
	add_chunk();
	lost = bpei_split_flush(split);
	cr_expect_eq(lost.error, 5);
	cr_expect_eq(bpei_split_counts(split)->packets, 3);
	for (int n = 0; n < disk.count; n++)
		cr_expect(disk.file[n].used == 10 || !disk.file[n].used, "%zu", disk.file[n].used);
	disk.room = -1; /* room again: the files go on, with their heads */
	for (uint32_t id = 0; id < 8; id++)
		put_flow_packet(id, "later");
	add_chunk();
	cr_expect_eq(bpei_split_flush(split).error, 0);
	for (int n = 0; n < disk.count; n++)
		cr_expect(!memcmp(disk.file[n].bytes, HEAD, 4));
	cr_expect_eq(bpei_split_counts(split)->packets, 11);
	close_split(BPE_E_IO);
}

Test(split, nothing_is_overwritten)
{
	open_split(4, 1000, 1 << 20);
	strcpy(disk.file[0].name, "x-tcp_0.0.0.0_0_0.0.0.0_80.pcapng");
	strcpy(disk.file[1].name, "x-tcp_0.0.0.0_0_0.0.0.0_80-2.pcapng");
	disk.count = 2;
	put_flow_packet(0, "p");
	add_chunk();
	bpei_split_flush(split);
	cr_expect_eq(disk.count, 3);
	cr_expect_str_eq(disk.file[2].name, "x-tcp_0.0.0.0_0_0.0.0.0_80-3.pcapng");
	cr_expect_eq(disk.file[0].used + disk.file[1].used, 0);
	close_split(BPE_OK);
}

Test(split, names_are_safe)
{
	struct bpei_split_key key;
	char words[BPEI_SPLIT_WORDS];

	memset(&key, 0, sizeof key);
	cr_expect_eq(bpei_split_words(&key, words), 5);
	cr_expect_str_eq(words, "other");
	key.kind = BPEI_SPLIT_OF_PROCESS;
	key.pid = -7;
	memset(key.comm, '/', sizeof key.comm); /* no 0 behind */
	memcpy(key.comm, "../a b\n\xff", 8);
	bpei_split_words(&key, words);
	cr_expect_str_eq(words, "-.-a-b--------------------------_4294967289");
	memset(&key, 0xff, sizeof key);
	key.kind = BPEI_SPLIT_OF_FLOW;
	key.ip_version = 6;
	cr_expect_lt(bpei_split_words(&key, words), BPEI_SPLIT_WORDS - 30);
	cr_expect_null(strpbrk(words, "/:\\ "));
	key.kind = BPEI_SPLIT_OF_HOST;
	memset(key.addr, 0, sizeof key.addr);
	bpei_split_words(&key, words);
	cr_expect_str_eq(words, "--");
}
