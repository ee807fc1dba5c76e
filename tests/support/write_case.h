/* SPDX-License-Identifier: MIT */
/* For tests of a writer's files: a folder, calls with faults on demand, chunks with numbered
 * packets, and a reader of the disk. */
#ifndef WRITE_CASE_H
#define WRITE_CASE_H

#include "writer/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CASE_PAYLOAD 60u
#define CASE_S INT64_C(1000000000)

/* Calls through to the system, except by the script. */
struct write_case {
	char folder[64];
	int directory;
	int open_files;     /* descriptors opened and not closed */
	long calls;         /* made so far */
	long fail_at;       /* the number of the failing call, from 1; 0: none */
	long fail_for;      /* how many calls from there on; 0: one */
	int fail_with;      /* errno */
	int short_writes;   /* a write takes half */
	int64_t disk_room;  /* bytes before ENOSPC; < 0: no limit */
	uint64_t disk_size; /* for space() */
	int64_t now_ns;     /* calls->now */
	int link_fails;     /* rename without replacing says -EEXIST so often */
	int stuck;          /* waits end without a wait */
	int notices, files_told;
	char notice[600]; /* the latest */
	char last_name[300];
	char all_notices[4096];
	uint64_t told_packets, told_lost;
	int torn_allowed; /* the cut behind the last whole block failed */
};

static struct write_case write_case;

/* Counts a call.  Returns the errno to fail with, or 0. */
static int count_scripted_call(void)
{
	const long number = ++write_case.calls;
	const long last = write_case.fail_at + (write_case.fail_for ? write_case.fail_for : 1);

	if (write_case.fail_at && number >= write_case.fail_at && number < last)
		return write_case.fail_with;
	return 0;
}

#define CASE_FAIL()                                                                                \
	do {                                                                                       \
		const int fails = count_scripted_call();                                           \
		if (fails)                                                                         \
			return -fails;                                                             \
	} while (0)

static int case_open_directory(void *context, int directory, const char *folder)
{
	CASE_FAIL();
	const int fd = bpei_file_calls_real.open_directory(context, directory, folder);
	write_case.open_files += fd >= 0;
	return fd;
}

static int case_open(void *context, int directory, const char *name, enum bpei_file_open how)
{
	CASE_FAIL();
	const int fd = bpei_file_calls_real.open(context, directory, name, how);
	write_case.open_files += fd >= 0;
	return fd;
}

static int case_dup(void *context, int fd)
{
	CASE_FAIL();
	const int copy = bpei_file_calls_real.dup(context, fd);
	write_case.open_files += copy >= 0;
	return copy;
}

static int64_t case_read(void *context, int fd, void *bytes, size_t n)
{
	CASE_FAIL();
	return bpei_file_calls_real.read(context, fd, bytes, n);
}

static int64_t case_write(void *context, int fd, const void *bytes, size_t n, bool stream)
{
	CASE_FAIL();
	if (write_case.short_writes && n > 1)
		n = n / 2;
	if (write_case.disk_room >= 0) {
		if (!write_case.disk_room)
			return -ENOSPC;
		if ((int64_t)n > write_case.disk_room)
			n = (size_t)write_case.disk_room;
		write_case.disk_room -= (int64_t)n;
	}
	return bpei_file_calls_real.write(context, fd, bytes, n, stream);
}

static int case_wait(void *context, int fd, int64_t timeout_ns)
{
	CASE_FAIL();
	if (write_case.stuck)
		return 0;
	return bpei_file_calls_real.wait(context, fd, timeout_ns);
}

static int case_truncate(void *context, int fd, uint64_t bytes)
{
	const int fails = count_scripted_call();
	write_case.torn_allowed |= fails != 0;
	if (fails)
		return -fails;
	return bpei_file_calls_real.truncate(context, fd, bytes);
}

static int case_sync(void *context, int fd)
{
	(void)context;
	(void)fd;
	CASE_FAIL();
	return 0; /* the tests need no disk */
}

static void case_settle(void *context, int fd, uint64_t from, uint64_t to)
{
	bpei_file_calls_real.settle(context, fd, from, to);
}

static int case_close(void *context, int fd)
{
	/* A failed close has closed all the same. */
	write_case.open_files--;
	bpei_file_calls_real.close(context, fd);
	CASE_FAIL();
	return 0;
}

static int case_rename(void *context, int directory, const char *from, const char *to, bool replace)
{
	CASE_FAIL();
	if (!replace && write_case.link_fails-- > 0)
		return -EEXIST;
	return bpei_file_calls_real.rename(context, directory, from, to, replace);
}

static int case_remove(void *context, int directory, const char *name)
{
	CASE_FAIL();
	return bpei_file_calls_real.remove(context, directory, name);
}

static int case_state(void *context, int fd, struct bpei_file_state *state)
{
	CASE_FAIL();
	return bpei_file_calls_real.state(context, fd, state);
}

static int case_state_of(
	void *context, int directory, const char *name, struct bpei_file_state *state)
{
	CASE_FAIL();
	return bpei_file_calls_real.state_of(context, directory, name, state);
}

static int case_space(void *context, int directory, uint64_t *bytes, uint64_t *free_bytes)
{
	(void)context;
	(void)directory;
	CASE_FAIL();
	*bytes = write_case.disk_size;
	*free_bytes =
		write_case.disk_room < 0 ? write_case.disk_size : (uint64_t)write_case.disk_room;
	return 0;
}

static int case_lock(void *context, int fd)
{
	CASE_FAIL();
	return bpei_file_calls_real.lock(context, fd);
}

static int64_t case_now(void *context)
{
	(void)context;
	return write_case.now_ns;
}

static const struct bpei_file_calls case_calls = { .open_directory = case_open_directory,
	.open = case_open,
	.dup = case_dup,
	.read = case_read,
	.write = case_write,
	.wait = case_wait,
	.truncate = case_truncate,
	.sync = case_sync,
	.settle = case_settle,
	.close = case_close,
	.rename = case_rename,
	.remove = case_remove,
	.state = case_state,
	.state_of = case_state_of,
	.space = case_space,
	.lock = case_lock,
	.now = case_now };

/* ---- The folder ---- */

/* Makes an empty folder and forgets the script. */
static inline void case_begin(void)
{
	memset(&write_case, 0, sizeof write_case);
	strcpy(write_case.folder, "/tmp/bpe_files_XXXXXX");
	write_case.disk_room = -1;
	write_case.disk_size = UINT64_C(1) << 40;
	write_case.now_ns = CASE_S;
	write_case.directory = -1;
	if (mkdtemp(write_case.folder))
		write_case.directory = open(write_case.folder, O_RDONLY | O_DIRECTORY);
}

/* Calls fn for each name in the folder. */
static inline int case_each(void (*fn)(const char *name, void *user), void *user)
{
	DIR *all = opendir(write_case.folder);
	int n = 0;

	for (struct dirent *e = all ? readdir(all) : NULL; e; e = readdir(all)) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		n++;
		if (fn)
			fn(e->d_name, user);
	}
	if (all)
		closedir(all);
	return n;
}

static inline void remove_entry(const char *name, void *user)
{
	(void)user;
	unlinkat(write_case.directory, name, 0);
}

static inline void case_clear(void)
{
	case_each(remove_entry, NULL);
}

static inline void case_end(void)
{
	case_clear();
	close(write_case.directory);
	rmdir(write_case.folder);
}

static inline void case_put(const char *name, const char *text)
{
	const int fd = openat(write_case.directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

/* Returns the bytes of a file with a 0 behind, for free(); *n is -1 if there is none. */
static inline char *case_get(const char *name, long *n)
{
	const int fd = openat(write_case.directory, name, O_RDONLY);
	struct stat st;

	*n = -1;
	if (fd < 0 || fstat(fd, &st))
		return NULL;
	char *bytes = malloc((size_t)st.st_size + 1);
	*n = bytes ? read(fd, bytes, (size_t)st.st_size) : -1;
	close(fd);
	if (bytes && *n >= 0)
		bytes[*n] = 0;
	return bytes;
}

static inline int case_has(const char *name)
{
	struct stat st;

	return !fstatat(write_case.directory, name, &st, AT_SYMLINK_NOFOLLOW);
}

/* ---- Chunks ---- */

struct case_chunk {
	struct bpei_chunk chunk;
	uint8_t bytes[16384];
};

static inline void put_word(struct case_chunk *c, uint32_t word)
{
	memcpy(c->bytes + c->chunk.used, &word, 4);
	c->chunk.used += 4;
}

static inline void put_block(struct case_chunk *c, uint32_t type, const void *body, uint32_t n)
{
	put_word(c, type);
	put_word(c, 12 + n);
	memcpy(c->bytes + c->chunk.used, body, n);
	c->chunk.used += n;
	put_word(c, 12 + n);
}

static inline void put_interface_block(struct case_chunk *c)
{
	const uint32_t interface[2] = { 1, 65535 }; /* Ethernet */

	put_block(c, 1, interface, sizeof interface);
	c->chunk.describes = true;
}

/* Begins a chunk; starts: with a file's header and an interface. */
static inline void chunk_begin(struct case_chunk *c, bool pcapng, bool starts)
{
	const uint32_t section[4] = { 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX };
	const uint32_t pcap[6] = { 0xa1b23c4d, 4 << 16 | 2, 0, 0, 65535, 1 };

	memset(&c->chunk, 0, sizeof c->chunk);
	c->chunk.bytes = c->bytes;
	c->chunk.starts_file = starts;
	c->chunk.opened_ns = CASE_S * 1720958477;
	if (starts && pcapng) {
		put_block(c, 0x0a0d0d0a, section, sizeof section);
		put_interface_block(c);
	} else if (starts) {
		memcpy(c->bytes, pcap, sizeof pcap);
		c->chunk.used = sizeof pcap;
	}
}

/* Adds a packet with a number, of the first interface. */
static inline void chunk_packet(struct case_chunk *c, bool pcapng, uint32_t number)
{
	uint32_t body[5 + CASE_PAYLOAD / 4] = { 0, 0, number, CASE_PAYLOAD, CASE_PAYLOAD };

	for (uint32_t i = 5; i < 5 + CASE_PAYLOAD / 4; i++)
		body[i] = number;
	if (pcapng) {
		put_block(c, 6, body, sizeof body);
	} else {
		memcpy(c->bytes + c->chunk.used, body + 1, sizeof body - 4);
		c->chunk.used += sizeof body - 4;
	}
	if (!c->chunk.packets)
		c->chunk.first_ns = number;
	c->chunk.last_ns = number;
	c->chunk.packets++;
	c->chunk.captured_bytes += CASE_PAYLOAD;
}

/* ---- The disk ---- */

struct case_found {
	uint64_t packets, sum, files, torn;
	uint32_t seen[4096]; /* how often each number was found */
};

/* Returns the length of the block at p, or 0; *packet is its number or 0. */
static inline size_t next_block(
	const uint8_t *p, size_t left, uint32_t *packet, uint32_t *interfaces)
{
	uint32_t head[2];
	uint32_t tail;

	*packet = 0;
	if (left < 12)
		return 0;
	memcpy(head, p, 8);
	if (head[1] < 12 || head[1] > left)
		return 0;
	memcpy(&tail, p + head[1] - 4, 4);
	if (tail != head[1])
		return 0;
	if (head[0] == 0x0a0d0d0a)
		*interfaces = 0;
	*interfaces += head[0] == 1;
	if (head[0] == 6) {
		uint32_t interface;
		memcpy(&interface, p + 8, 4);
		memcpy(packet, p + 16, 4);
		if (interface >= *interfaces)
			return 0;
	}
	return head[1];
}

/* Counts the packets of a file; bytes behind the last whole block are torn. */
static inline void read_found(const char *name, void *user)
{
	struct case_found *found = user;
	uint32_t interfaces = 0;
	uint32_t magic = 0;
	long n = 0;
	size_t at = 0;

	if (strstr(name, "foreign") || strstr(name, ".jsonl"))
		return;
	uint8_t *bytes = (uint8_t *)case_get(name, &n);
	found->files++;
	if (n >= 24)
		memcpy(&magic, bytes, 4);
	const bool pcap = magic == 0xa1b23c4d;
	if (pcap)
		at = 24;
	while (n > 0 && at < (size_t)n) {
		uint32_t number = 0;
		size_t length = 16 + CASE_PAYLOAD;
		if (!pcap)
			length = next_block(bytes + at, (size_t)n - at, &number, &interfaces);
		else if ((size_t)n - at >= length)
			memcpy(&number, bytes + at + 4, 4);
		if (!length || length > (size_t)n - at)
			break;
		at += length;
		if (!number)
			continue;
		found->packets++;
		found->sum += number;
		found->seen[number % 4096]++;
	}
	found->torn += n > 0 && at < (size_t)n;
	free(bytes);
}

static inline void case_notice(void *user, const char *text)
{
	(void)user;
	write_case.notices++;
	snprintf(write_case.notice, sizeof write_case.notice, "%s", text);
	const size_t at = strlen(write_case.all_notices);
	snprintf(write_case.all_notices + at, sizeof write_case.all_notices - at, "%s\n", text);
}

static inline void case_file(void *user, const struct bpe_written_file *file)
{
	(void)user;
	write_case.files_told++;
	snprintf(write_case.last_name, sizeof write_case.last_name, "%s", file->name);
	write_case.told_packets += file->packets;
	write_case.told_lost += file->unwritten[BPE_UNWRITTEN_ERROR];
}

/* Returns options for files of the case's folder. */
static inline struct bpei_files_options case_options(const char *path)
{
	return (struct bpei_files_options){ .calls = &case_calls,
		.path = path,
		.directory = write_case.directory,
		.fd = -1,
		.style = BPEI_NAMES_OWN,
		.times = true,
		.pcapng = true,
		.on_file = case_file,
		.on_notice = case_notice };
}

#endif
