/* SPDX-License-Identifier: MIT */
/* filter_kernel [PROGRAMS [SEED]]: our machine beside the Linux kernel's, on random programs that
 * both checkers let through: each is attached to a socket (SO_ATTACH_FILTER), random packets are
 * sent to it, and what arrives, and how much of it, is what bpe_filter_run and the prepared program
 * say.  Where the two are meant to differ nothing is made: shifts by X of 32 and more (the kernel's
 * are modulo 32), and offsets from 0x80000000 up, sums that run over among them, which Linux gives
 * meanings of its own. */
#include "filter/decode.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 40
#define PACKETS 12

static uint64_t state;
static uint32_t random_kernel(uint32_t n)
{
	return (uint32_t)((state = state * 6364136223846793005u + 1442695040888963407u) >> 33) % n;
}

static uint32_t random_kernel_number(void)
{
	static const uint32_t some[] = { 0, 1, 2, 4, 6, 8, 14, 20, 63, 64, 255, 0x0800, 0xffff,
		0x7fffffff, 0x80000000u, UINT32_MAX };
	return random_kernel(2)   ? some[random_kernel(sizeof some / sizeof *some)]
	       : random_kernel(3) ? random_kernel(80)
				  : random_kernel(1u << 31);
}

/* A program of n instructions, memory words 0 to 3 set at its beginning. */
static uint32_t make_kernel_expression(struct bpe_insn *p)
{
	static const uint16_t loads[] = { 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0xb1 };
	static const uint16_t alu[] = { 0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x94, 0xa4 };
	static const uint16_t jumps[] = { 0x15, 0x25, 0x35, 0x45 };
	static const uint16_t plain[] = { 0x80, 0x81, 0x84, 0x87 };
	uint32_t n = 6 + random_kernel(MOST - 8);
	uint32_t at = 0;
	for (; at < 4; at++)
		p[at] = (struct bpe_insn){ .code = random_kernel(2) ? 0x02 : 0x03, .k = at };
	while (at < n - 1) {
		struct bpe_insn i = { .k = random_kernel_number() };
		uint32_t left = n - at - 2;
		switch (random_kernel(10)) {
		case 0:
		case 1:
		case 2:
			i.code = loads[random_kernel(7)],
			i.k = random_kernel(8) ? random_kernel(90) : random_kernel(0x7fffffff);
			break;
		case 3:
			i.code = random_kernel(2) ? 0x00 : 0x01,
			i.k = i.code ? random_kernel(100) : i.k;
			break;
		case 4:
			i.code = plain[random_kernel(4)], i.k = 0;
			break;
		case 5:
			i.code = (uint16_t)(random_kernel(2) ? 0x02 + random_kernel(2)
							     : 0x60 + random_kernel(2)),
			i.k = random_kernel(4);
			break;
		case 6:
			if (random_kernel(6) == 0)
				i.code = random_kernel(2) ? 0x64 : 0x74, i.k = random_kernel(32);
			else
				i.code = (uint16_t)(alu[random_kernel(8)] |
						    (random_kernel(3) ? 0 : 8));
			if (i.code & 8)
				i.k = 0;
			else if ((i.code == 0x34 || i.code == 0x94) && !i.k)
				i.k = 7;
			break;
		case 7: /* X stays small */
			if (at + 2 >= n)
				continue;
			p[at++] = (struct bpe_insn){ .code = 0x54, .k = 0x7f };
			i.code = 0x07, i.k = 0;
			break;
		case 8:
			if (random_kernel(6) == 0)
				i.code = 0x06, i.k = random_kernel(3) ? random_kernel(90) : 0;
			else
				i.code = 0x05, i.k = random_kernel(left < 5 ? left + 1 : 5);
			break;
		default:
			i.code = (uint16_t)(jumps[random_kernel(4)] | (random_kernel(4) ? 0 : 8));
			if (i.code & 8)
				i.k = 0;
			i.jt = (uint8_t)random_kernel(left < 9 ? left + 1 : 9),
			i.jf = (uint8_t)random_kernel(left < 9 ? left + 1 : 9);
		}
		p[at++] = i;
	}
	p[at++] =
		(struct bpe_insn){ .code = random_kernel(4) ? 0x06 : 0x16, .k = random_kernel(90) };
	for (uint32_t i = 0; i < at; i++) { /* nobody jumps between the AND and the TAX: X + k,
					       running over, is another place in Linux */
		if (p[i].code == 0x05 && p[i + 1 + p[i].k].code == 0x07)
			p[i].k++;
		if ((p[i].code & 7) != 5 || p[i].code == 0x05)
			continue;
		p[i].jt = (uint8_t)(p[i].jt + (p[i + 1 + p[i].jt].code == 0x07));
		p[i].jf = (uint8_t)(p[i].jf + (p[i + 1 + p[i].jf].code == 0x07));
	}
	return at;
}

int main(int argc, char **argv)
{
	unsigned long programs = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000;
	unsigned long refused = 0;
	unsigned long passed = 0;
	unsigned long failed = 0;
	unsigned long kept = 0;
	int ends[2];
	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 11;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
		return 2;
	for (unsigned long k = 0; k < programs; k++) {
		struct bpe_insn p[MOST + 2];
		uint32_t n = make_kernel_expression(p);
		struct sock_fprog theirs = { .len = (unsigned short)n,
			.filter = (struct sock_filter *)(void *)p };
		if (setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &theirs, sizeof theirs)) {
			if (errno == EINVAL && !(refused++ > programs / 2))
				continue; /* its checker wants memory stored on every way, and more
					   */
			printf("skipped: no program can be attached to a socket here: %s\n",
				strerror(errno));
			return 77;
		}
		const char *wrong = bpei_filter_check(p, n);
		struct bpei_decoded *prepared = wrong ? NULL : bpei_decode(p, n);
		if (wrong || !prepared) {
			printf("program %lu: the kernel takes it, we do not: %s\n", k,
				wrong ? wrong : "no memory");
			failed++;
			continue;
		}
		for (int i = 0; i < PACKETS; i++) {
			uint8_t packet[96], got[96];
			uint32_t size = 1 + random_kernel(sizeof packet);
			for (uint32_t b = 0; b < size; b++)
				packet[b] = (uint8_t)(random_kernel(3)   ? random_kernel(256)
						      : random_kernel(4) ? 0
									 : 0x45);
			uint32_t ours = bpei_filter_run(p, packet, size, size);
			uint32_t again = bpei_decoded_run(prepared, packet, size, size);
			if (send(ends[0], packet, size, 0) != (ssize_t)size && errno != EPERM)
				return 2;
			ssize_t theirs_bytes = recv(ends[1], got, sizeof got, MSG_DONTWAIT);
			if (theirs_bytes < 0)
				theirs_bytes = 0;
			uint32_t ours_bytes = ours < size ? ours : size;
			kept += theirs_bytes > 0;
			if (ours == again && (uint32_t)theirs_bytes == ours_bytes) {
				passed++;
				continue;
			}
			failed++;
			printf("program %lu, packet of %u bytes: the kernel keeps %zd, bpe_filter_run %u, prepared %u\n",
				k, size, theirs_bytes, ours, again);
			for (uint32_t at = 0; failed < 4 && at < n; at++)
				printf("\t{ 0x%02x, %u, %u, 0x%x }\n", p[at].code, p[at].jt,
					p[at].jf, p[at].k);
		}
		bpei_decoded_free(prepared);
	}
	close(ends[0]), close(ends[1]);
	printf("%lu programs, %lu of them refused by the kernel's checker; %lu packets kept\n",
		programs, refused, kept);
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0;
}
