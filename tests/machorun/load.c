/* SPDX-License-Identifier: MIT */
/* machorun PROGRAM [ARGUMENT...]: runs an x86_64 Mach-O executable that imports libSystem alone, on
 * Linux x86_64.
 *
 * Maps the segments, slid by $MACHO_SLIDE (hex, default 0x7000000).  Rebases and binds pointers by
 * the opcodes of LC_DYLD_INFO; lazy symbols are bound at once.  Thread-local variables get room in
 * this program's own TLS.  Initialisers run, then the entry point of LC_MAIN. */
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

/* Opcodes move a cursor and write pointers there. */
struct cursor {
	int segment;
	uint64_t at;
	uint64_t count, skip; /* pointers to write now, and bytes between two of them */
	int64_t addend;
	const char *name; /* of the symbol */
	unsigned weak;
};

_Noreturn static void stop_load(const char *what, const char *of)
{
	fprintf(stderr, "machorun: %s: %s\n", of, what);
	exit(127);
}

static uint64_t read_uleb(const uint8_t **p)
{
	uint64_t v = 0;
	for (int s = 0;; s += 7) {
		uint8_t b = *(*p)++;
		v |= (uint64_t)(b & 0x7f) << s;
		if (!(b & 0x80))
			return v;
	}
}

static int64_t read_sleb(const uint8_t **p)
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

static uint64_t *find_word(int s, uint64_t at)
{
	if (s >= segs || at + 8 > seg[s]->vmsize)
		stop_load("an opcode outside its segment", "binding");
	return (uint64_t *)(void *)(base[s] + at);
}

static unsigned rebase_words(const uint8_t *p, const uint8_t *end)
{
	struct cursor c = { 0 };
	unsigned done = 0;
	while (p < end) {
		uint8_t op = *p & 0xf0;
		uint8_t imm = *p & 0x0f;
		p++;
		c.skip = 0;
		c.count = 0;
		switch (op) {
		case 0x00:
			return done;
		case 0x10:
			if (imm != 1)
				stop_load("not a pointer", "rebasing");
			break;
		case 0x20:
			c.segment = imm;
			c.at = read_uleb(&p);
			break;
		case 0x30:
			c.at += read_uleb(&p);
			break;
		case 0x40:
			c.at += imm * 8u;
			break;
		case 0x50:
			c.count = imm;
			break;
		case 0x60:
			c.count = read_uleb(&p);
			break;
		case 0x70:
			c.count = 1;
			c.skip = read_uleb(&p);
			break;
		case 0x80:
			c.count = read_uleb(&p);
			c.skip = read_uleb(&p);
			break;
		default:
			stop_load("an unknown opcode", "rebasing");
		}
		for (; c.count; c.count--) {
			*find_word(c.segment, c.at) += slide;
			c.at += 8 + c.skip;
			done++;
		}
	}
	return done;
}

/* Runs a binding opcode and returns the next opcode; the caller writes the c->count pointers. */
static const uint8_t *run_bind_opcode(struct cursor *c, const uint8_t *p)
{
	uint8_t op = *p & 0xf0;
	uint8_t imm = *p & 0x0f;
	p++;
	switch (op) {
	case 0x00:
	case 0x10:
	case 0x30:
		break; /* the number of the library: libSystem is the only library */
	case 0x20:
		read_uleb(&p);
		break;
	case 0x40:
		c->weak = imm & 1;
		c->name = (const char *)p;
		p += strlen(c->name) + 1;
		break;
	case 0x50:
		if (imm != 1)
			stop_load("not a pointer", "binding");
		break;
	case 0x60:
		c->addend = read_sleb(&p);
		break;
	case 0x70:
		c->segment = imm;
		c->at = read_uleb(&p);
		break;
	case 0x80:
		c->at += read_uleb(&p);
		break;
	case 0x90:
		c->count = 1;
		break;
	case 0xa0:
		c->count = 1;
		c->skip = read_uleb(&p);
		break;
	case 0xb0:
		c->count = 1;
		c->skip = imm * 8u;
		break;
	case 0xc0:
		c->count = read_uleb(&p);
		c->skip = read_uleb(&p);
		break;
	default:
		stop_load("an unknown opcode", "binding");
	}
	return p;
}

/* Binds the symbols of a list of opcodes; a lazy list does not end at opcode 0.  Returns the number
 * of pointers written. */
static unsigned bind_symbols(const uint8_t *p, const uint8_t *end, int lazy)
{
	struct cursor c = { .name = "" };
	unsigned done = 0;
	while (p < end) {
		if (!lazy && !(*p & 0xf0))
			return done;
		c.count = 0;
		c.skip = 0;
		p = run_bind_opcode(&c, p);
		for (; c.count; c.count--) {
			void *to = shim_find(c.name);
			if (!to && !c.weak) {
				fprintf(stderr, "machorun: no shim for %s\n", c.name);
				missing++;
			}
			*find_word(c.segment, c.at) =
				to ? (uint64_t)(uintptr_t)to + (uint64_t)c.addend : 0;
			c.at += 8 + c.skip;
			done++;
		}
	}
	return done;
}

/* ---- Thread-local variables.  A descriptor is {thunk, key, offset}; the thunk keeps every
 * register but rax and rdi. ---- */
__thread char tlv_room[256] __attribute__((aligned(64), tls_model("initial-exec"), used));
__asm__(".text\n.globl tlv_thunk\n.type tlv_thunk,@function\ntlv_thunk:\n"
	"\tmovq tlv_room@gottpoff(%rip), %rax\n\taddq %fs:0, %rax\n\taddq 16(%rdi), %rax\n\tret\n");

/* The facts of the load commands. */
struct image {
	const char *path;
	const struct dyld_info *dyld;
	uint64_t entry, text;
	uint64_t tlv_lo, tlv_hi; /* the template of thread-local variables */
	void (**inits)(int, char **, char **);
	size_t init_count;
};

static const struct head *open_image(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		stop_load(strerror(errno), path);
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		stop_load(strerror(errno), path);
	close(fd);
	const struct head *h = (const void *)file;
	if (h->magic == 0xbebafeca)
		stop_load("a universal binary: take its x86_64 half", path);
	if (h->magic != 0xfeedfacf || h->cpu != 0x01000007 || h->type != 2)
		stop_load("not an x86_64 Mach-O executable", path);
	slide = strtoull(getenv("MACHO_SLIDE") ? getenv("MACHO_SLIDE") : "0x7000000", NULL, 16) &
		~(uint64_t)4095;
	if (!(h->flags & 0x200000))
		slide = 0; /* MH_PIE */
	return h;
}

static void map_segment(struct image *image, const struct segment *g)
{
	if (segs == 16)
		stop_load("too many segments", image->path);
	seg[segs] = g;
	if (!g->initprot && !g->filesize) { /* __PAGEZERO */
		segs++;
		return;
	}
	size_t bytes = (g->vmsize + 4095) & ~(uint64_t)4095;
	base[segs] = mmap((void *)(uintptr_t)(g->vmaddr + slide), bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (base[segs] == MAP_FAILED)
		stop_load(strerror(errno), g->name);
	memcpy(base[segs], file + g->fileoff, g->filesize);
	if (!strcmp(g->name, "__TEXT"))
		image->text = g->vmaddr + slide;
	segs++;
}

static void map_image(struct image *image, const struct head *h)
{
	const uint8_t *c = file + sizeof *h;
	for (uint32_t i = 0; i < h->ncmds; i++, c += ((const uint32_t *)(const void *)c)[1]) {
		uint32_t cmd = *(const uint32_t *)(const void *)c;
		if (cmd == DYLD_INFO_ONLY || cmd == 0x22)
			image->dyld = (const void *)c;
		if (cmd == FIXUPS)
			stop_load("chained fixups: not written (zig's linker makes none)",
				image->path);
		if (cmd == LC_MAIN)
			image->entry = *(const uint64_t *)(const void *)(c + 8);
		if (cmd == SEGMENT_64)
			map_segment(image, (const void *)c);
	}
	if (!image->dyld || !image->entry || !image->text)
		stop_load("no LC_DYLD_INFO, LC_MAIN or __TEXT", image->path);
}

/* Finds the thread-local variables and the initialisers. */
static void find_sections(struct image *image)
{
	for (int i = 0; i < segs; i++) {
		const struct section *s = (const void *)(seg[i] + 1);
		for (uint32_t k = 0; k < seg[i]->nsects; k++, s++) {
			uint32_t kind = s->flags & 0xff;
			if (kind == 0x11 || kind == 0x12) { /* the template: initialised, zero */
				if (kind == 0x11 && s->size)
					stop_load("initialised thread-locals: not written",
						image->path);
				if (!image->tlv_lo)
					image->tlv_lo = s->addr;
				image->tlv_hi = s->addr + s->size;
			}
			if (kind == 9) {
				image->inits = (void *)(uintptr_t)(s->addr + slide);
				image->init_count = s->size / 8;
			}
		}
	}
	if (image->tlv_hi - image->tlv_lo > sizeof tlv_room)
		stop_load("too many thread-locals", image->path);
}

static int find_protection(const struct segment *g)
{
	int protection = 0;
	if (g->initprot & 1)
		protection |= PROT_READ;
	if (g->initprot & 2 && !(g->flags & 0x10)) /* SG_READ_ONLY */
		protection |= PROT_WRITE;
	if (g->initprot & 4)
		protection |= PROT_EXEC;
	return protection;
}

static void protect_segments(void)
{
	for (int i = 0; i < segs; i++)
		if (base[i] && mprotect(base[i], (seg[i]->vmsize + 4095) & ~(uint64_t)4095,
				       find_protection(seg[i])))
			stop_load(strerror(errno), seg[i]->name);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		stop_load("usage: machorun PROGRAM [ARGUMENT...]", "machorun");
	struct image image = { .path = argv[1] };
	map_image(&image, open_image(argv[1]));
	const struct dyld_info *dyld = image.dyld;
	shim_start();
	unsigned rebased =
		rebase_words(file + dyld->rebase_off, file + dyld->rebase_off + dyld->rebase_size);
	unsigned bound =
		bind_symbols(file + dyld->bind_off, file + dyld->bind_off + dyld->bind_size, 0);
	unsigned lazies =
		bind_symbols(file + dyld->lazy_off, file + dyld->lazy_off + dyld->lazy_size, 1);
	if (dyld->weak_size)
		stop_load("weak binding: not written", argv[1]);
	if (missing)
		stop_load("symbols are missing", argv[1]);
	find_sections(&image);
	protect_segments();
	note("mapped %d segments, slide 0x%llx, %u rebased, %u bound, %u lazily, %zu initialisers, "
	     "%llu bytes of thread-locals",
		segs, (unsigned long long)slide, rebased, bound, lazies, image.init_count,
		(unsigned long long)(image.tlv_hi - image.tlv_lo));
	extern char **environ;
	char *apple[] = { argv[1], NULL };
	for (size_t i = 0; i < image.init_count; i++)
		image.inits[i](argc - 1, argv + 1, environ);
	int (*start)(int, char **, char **, char **) =
		(void *)(uintptr_t)(image.text + image.entry);
	errno = 0;
	return start(argc - 1, argv + 1, environ, apple);
}
