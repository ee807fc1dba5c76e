/* SPDX-License-Identifier: MIT */
/* machorun PROGRAM [ARGUMENT...]: runs an x86_64 Mach-O executable that imports libSystem alone, on
 * Linux x86_64. Segments are mapped, slid by $MACHO_SLIDE (hex, default 0x7000000), rebased and
 * bound (LC_DYLD_INFO opcodes, lazy ones at once), thread-local variables get room in this
 * program's own TLS, initialisers run, and LC_MAIN is called. */
#define _GNU_SOURCE
#include "macho.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Mach-O, by <mach-o/loader.h>'s numbers. */
struct head {
	uint32_t magic, cpu, sub, type, ncmds, size, flags, reserved;
};
struct segment {
	uint32_t cmd, size;
	char name[16];
	uint64_t vmaddr, vmsize, fileoff, filesize;
	uint32_t maxprot, initprot, nsects, flags;
};
struct section {
	char sect[16], seg[16];
	uint64_t addr, size;
	uint32_t offset, align, reloff, nreloc, flags, r1, r2, r3;
};
struct dyld_info {
	uint32_t cmd, size, rebase_off, rebase_size, bind_off, bind_size, weak_off, weak_size,
		lazy_off, lazy_size, export_off, export_size;
};
enum {
	SEGMENT_64 = 0x19,
	LC_MAIN = 0x80000028u,
	DYLD_INFO_ONLY = 0x80000022u,
	FIXUPS = 0x80000034u
};

static uint8_t *file, *base[16];
static const struct segment *seg[16];
static int segs;
static uint64_t slide;
static int missing;

_Noreturn static void die(const char *what, const char *of)
{
	fprintf(stderr, "machorun: %s: %s\n", of, what);
	exit(127);
}

static uint64_t uleb(const uint8_t **p)
{
	uint64_t v = 0;
	for (int s = 0;; s += 7) {
		uint8_t b = *(*p)++;
		v |= (uint64_t)(b & 0x7f) << s;
		if (!(b & 0x80))
			return v;
	}
}

static int64_t sleb(const uint8_t **p)
{
	int64_t v = 0;
	int s = 0;
	uint8_t b;
	do {
		b = *(*p)++;
		v |= (int64_t)(b & 0x7f) << s;
		s += 7;
	} while (b & 0x80);
	return b & 0x40 && s < 64 ? v | -((int64_t)1 << s) : v;
}

static uint64_t *word(int s, uint64_t at)
{
	if (s >= segs || at + 8 > seg[s]->vmsize)
		die("an opcode outside its segment", "binding");
	return (uint64_t *)(void *)(base[s] + at);
}

static unsigned rebase(const uint8_t *p, const uint8_t *end)
{
	int s = 0;
	uint64_t at = 0, n = 0, skip = 0;
	unsigned done = 0;
	while (p < end) {
		uint8_t op = *p & 0xf0;
		uint8_t imm = *p & 0x0f;
		p++;
		skip = 0;
		n = 0;
		switch (op) {
		case 0x00:
			return done;
		case 0x10:
			if (imm != 1)
				die("not a pointer", "rebasing");
			break;
		case 0x20:
			s = imm, at = uleb(&p);
			break;
		case 0x30:
			at += uleb(&p);
			break;
		case 0x40:
			at += imm * 8u;
			break;
		case 0x50:
			n = imm;
			break;
		case 0x60:
			n = uleb(&p);
			break;
		case 0x70:
			n = 1, skip = uleb(&p);
			break;
		case 0x80:
			n = uleb(&p), skip = uleb(&p);
			break;
		default:
			die("an unknown opcode", "rebasing");
		}
		while (n--) {
			*word(s, at) += slide;
			at += 8 + skip;
			done++;
		}
	}
	return done;
}

static unsigned bind(const uint8_t *p, const uint8_t *end, int lazy)
{
	int s = 0;
	uint64_t at = 0, n, skip;
	int64_t addend = 0;
	const char *name = "";
	unsigned done = 0, weak = 0;
	while (p < end) {
		uint8_t op = *p & 0xf0;
		uint8_t imm = *p & 0x0f;
		p++;
		n = skip = 0;
		switch (op) {
		case 0x00:
			if (!lazy)
				return done;
			break;
		case 0x10:
		case 0x30:
			break; /* which library: there is one */
		case 0x20:
			uleb(&p);
			break;
		case 0x40:
			weak = imm & 1, name = (const char *)p;
			p += strlen(name) + 1;
			break;
		case 0x50:
			if (imm != 1)
				die("not a pointer", "binding");
			break;
		case 0x60:
			addend = sleb(&p);
			break;
		case 0x70:
			s = imm, at = uleb(&p);
			break;
		case 0x80:
			at += uleb(&p);
			break;
		case 0x90:
			n = 1;
			break;
		case 0xa0:
			n = 1, skip = uleb(&p);
			break;
		case 0xb0:
			n = 1, skip = imm * 8u;
			break;
		case 0xc0:
			n = uleb(&p), skip = uleb(&p);
			break;
		default:
			die("an unknown opcode", "binding");
		}
		while (n--) {
			void *to = shim_find(name);
			if (!to && !weak)
				fprintf(stderr, "machorun: no shim for %s\n", name), missing++;
			*word(s, at) = to ? (uint64_t)(uintptr_t)to + (uint64_t)addend : 0;
			at += 8 + skip;
			done++;
		}
	}
	return done;
}

/* ---- Thread-local variables: {thunk, key, offset}; the thunk keeps every register but rax and
 * rdi. ---- */
__thread char tlv_room[256] __attribute__((aligned(64), tls_model("initial-exec"), used));
__asm__(".text\n.globl tlv_thunk\n.type tlv_thunk,@function\ntlv_thunk:\n"
	"\tmovq tlv_room@gottpoff(%rip), %rax\n\taddq %fs:0, %rax\n\taddq 16(%rdi), %rax\n\tret\n");

int main(int argc, char **argv)
{
	if (argc < 2)
		die("usage: machorun PROGRAM [ARGUMENT...]", "machorun");
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		die(strerror(errno), argv[1]);
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		die(strerror(errno), argv[1]);
	close(fd);
	const struct head *h = (const void *)file;
	if (h->magic == 0xbebafeca)
		die("a universal binary: take its x86_64 half", argv[1]);
	if (h->magic != 0xfeedfacf || h->cpu != 0x01000007 || h->type != 2)
		die("not an x86_64 Mach-O executable", argv[1]);
	slide = strtoull(getenv("MACHO_SLIDE") ? getenv("MACHO_SLIDE") : "0x7000000", NULL, 16) &
		~(uint64_t)4095;
	if (!(h->flags & 0x200000))
		slide = 0; /* MH_PIE */
	const struct dyld_info *dyld = NULL;
	uint64_t entry = 0, text = 0;
	const uint8_t *c = file + sizeof *h;
	for (uint32_t i = 0; i < h->ncmds; i++, c += ((const uint32_t *)(const void *)c)[1]) {
		uint32_t cmd = *(const uint32_t *)(const void *)c;
		if (cmd == DYLD_INFO_ONLY || cmd == 0x22)
			dyld = (const void *)c;
		if (cmd == FIXUPS)
			die("chained fixups: not written (zig's linker makes none)", argv[1]);
		if (cmd == LC_MAIN)
			entry = *(const uint64_t *)(const void *)(c + 8);
		if (cmd != SEGMENT_64)
			continue;
		const struct segment *g = (const void *)c;
		if (segs == 16)
			die("too many segments", argv[1]);
		seg[segs] = g;
		if (!g->initprot && !g->filesize) {
			segs++;
			continue;
		} /* __PAGEZERO */
		size_t bytes = (g->vmsize + 4095) & ~(uint64_t)4095;
		base[segs] =
			mmap((void *)(uintptr_t)(g->vmaddr + slide), bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (base[segs] == MAP_FAILED)
			die(strerror(errno), g->name);
		memcpy(base[segs], file + g->fileoff, g->filesize);
		if (!strcmp(g->name, "__TEXT"))
			text = g->vmaddr + slide;
		segs++;
	}
	if (!dyld || !entry || !text)
		die("no LC_DYLD_INFO, LC_MAIN or __TEXT", argv[1]);
	shim_start();
	unsigned rebased =
		rebase(file + dyld->rebase_off, file + dyld->rebase_off + dyld->rebase_size);
	unsigned bound = bind(file + dyld->bind_off, file + dyld->bind_off + dyld->bind_size, 0);
	unsigned lazies = bind(file + dyld->lazy_off, file + dyld->lazy_off + dyld->lazy_size, 1);
	if (dyld->weak_size)
		die("weak binding: not written", argv[1]);
	if (missing)
		die("symbols are missing", argv[1]);
	uint64_t tlv_lo = 0, tlv_hi = 0;
	void (**inits)(int, char **, char **) = NULL;
	size_t init_count = 0;
	for (int i = 0; i < segs; i++) {
		const struct section *s = (const void *)(seg[i] + 1);
		for (uint32_t k = 0; k < seg[i]->nsects; k++, s++) {
			uint32_t kind = s->flags & 0xff;
			if (kind == 0x11 || kind == 0x12) { /* the template: initialised, zero */
				if (kind == 0x11 && s->size)
					die("initialised thread-locals: not written", argv[1]);
				if (!tlv_lo)
					tlv_lo = s->addr;
				tlv_hi = s->addr + s->size;
			}
			if (kind == 9) {
				inits = (void *)(uintptr_t)(s->addr + slide);
				init_count = s->size / 8;
			}
		}
	}
	if (tlv_hi - tlv_lo > sizeof tlv_room)
		die("too many thread-locals", argv[1]);
	for (int i = 0; i < segs; i++)
		if (base[i] && mprotect(base[i], (seg[i]->vmsize + 4095) & ~(uint64_t)4095,
				       (seg[i]->initprot & 1 ? PROT_READ : 0) |
					       (seg[i]->initprot & 2 && !(seg[i]->flags & 0x10)
							       ? PROT_WRITE
							       : 0) |
					       (seg[i]->initprot & 4 ? PROT_EXEC : 0)))
			die(strerror(errno), seg[i]->name);
	note("mapped %d segments, slide 0x%llx, %u rebased, %u bound, %u lazily, %zu initialisers, "
	     "%llu bytes of thread-locals",
		segs, (unsigned long long)slide, rebased, bound, lazies, init_count,
		(unsigned long long)(tlv_hi - tlv_lo));
	extern char **environ;
	char *apple[] = { argv[1], NULL };
	for (size_t i = 0; i < init_count; i++)
		inits[i](argc - 1, argv + 1, environ);
	int (*start)(int, char **, char **, char **) = (void *)(uintptr_t)(text + entry);
	errno = 0;
	return start(argc - 1, argv + 1, environ, apple);
}
