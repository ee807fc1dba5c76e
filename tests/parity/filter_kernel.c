/* SPDX-License-Identifier: MIT */
/* filter_kernel [PROGRAMS [SEED]]: our interpreters beside the Linux kernel's, on random programs
 * accepted by both checks.  Each program is attached to a socket (SO_ATTACH_FILTER), and random
 * packets are sent to the socket.  The bytes that arrive equal the verdict of bpe_filter_run and of
 * the decoded program.  Programs with intended differences are not made: shifts by X of 32 and
 * more, which the kernel takes modulo 32, and offsets from 0x80000000 on, which have a meaning of
 * their own in Linux. */
#include "filter/decode.h"
#include "filter/opcodes.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 40
#define PACKETS 12
#define SKIPPED 77 /* exit status */

static uint64_t state;

static uint32_t pick_below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static uint32_t pick_number(void)
{
	static const uint32_t some[] = { 0, 1, 2, 4, 6, 8, 14, 20, 63, 64, 255, 0x0800, 0xffff,
		0x7fffffff, 0x80000000u, UINT32_MAX };

	if (pick_below(2))
		return some[pick_below(sizeof some / sizeof *some)];
	return pick_below(pick_below(3) ? 80 : 1u << 31);
}

static uint8_t pick_target(uint32_t left)
{
	return (uint8_t)pick_below(left < 9 ? left + 1 : 9);
}

/* ---- Programs ---- */

static struct bpe_insn make_packet_load(void)
{
	static const uint16_t loads[] = { INSN_LD_ABS_W, INSN_LD_ABS_H, INSN_LD_ABS_B,
		INSN_LD_IND_W, INSN_LD_IND_H, INSN_LD_IND_B, INSN_LDX_MSH };

	return (struct bpe_insn){ .code = loads[pick_below(7)],
		.k = pick_below(pick_below(8) ? 90 : 0x7fffffff) };
}

static struct bpe_insn make_arithmetic(void)
{
	static const uint16_t ops[] = { INSN_ADD_K, INSN_SUB_K, INSN_MUL_K, INSN_DIV_K, INSN_OR_K,
		INSN_AND_K, INSN_MOD_K, INSN_XOR_K };
	struct bpe_insn i = { .k = pick_number() };

	if (pick_below(6) == 0) {
		i.code = pick_below(2) ? INSN_LSH_K : INSN_RSH_K;
		i.k = pick_below(32);
		return i;
	}
	i.code = ops[pick_below(8)];
	if (!pick_below(3)) {
		i.code |= INSN_X;
		i.k = 0;
	} else if ((i.code == INSN_DIV_K || i.code == INSN_MOD_K) && !i.k) {
		i.k = 7;
	}
	return i;
}

static struct bpe_insn make_jump(uint32_t left)
{
	static const uint16_t jumps[] = { INSN_JEQ_K, INSN_JGT_K, INSN_JGE_K, INSN_JSET_K };
	struct bpe_insn i = { .code = jumps[pick_below(4)], .k = pick_number() };

	if (!pick_below(4)) {
		i.code |= INSN_X;
		i.k = 0;
	}
	i.jt = pick_target(left);
	i.jf = pick_target(left);
	return i;
}

static struct bpe_insn make_end_or_skip(uint32_t left)
{
	if (pick_below(6) == 0)
		return (struct bpe_insn){ .code = INSN_RET_K,
			.k = pick_below(3) ? pick_below(90) : 0 };
	return (struct bpe_insn){ .code = INSN_JA, .k = pick_below(left < 5 ? left + 1 : 5) };
}

static struct bpe_insn make_memory_access(void)
{
	static const uint16_t accesses[] = { INSN_ST, INSN_STX, INSN_LD_MEM, INSN_LDX_MEM };

	return (struct bpe_insn){ .code = accesses[pick_below(4)], .k = pick_below(4) };
}

/* Returns a random instruction; `left` instructions follow. */
static struct bpe_insn make_insn(uint32_t left)
{
	static const uint16_t plain[] = { INSN_LD_LEN, INSN_LDX_LEN, INSN_NEG, INSN_TXA };

	switch (pick_below(9)) {
	case 0:
	case 1:
	case 2:
		return make_packet_load();
	case 3:
		if (pick_below(2))
			return (struct bpe_insn){ .code = INSN_LD_IMM, .k = pick_number() };
		return (struct bpe_insn){ .code = INSN_LDX_IMM, .k = pick_below(100) };
	case 4:
		return (struct bpe_insn){ .code = plain[pick_below(4)] };
	case 5:
		return make_memory_access();
	case 6:
		return make_arithmetic();
	case 7:
		return make_end_or_skip(left);
	default:
		return make_jump(left);
	}
}

/* Moves jumps to a TAX, between the AND and the TAX, behind it: Linux gives a meaning of its own to
 * X + k that overflows. */
static void keep_x_small(struct bpe_insn *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (p[i].code == INSN_JA && p[i + 1 + p[i].k].code == INSN_TAX)
			p[i].k++;
		if (!bpei_insn_is_jump(&p[i]) || p[i].code == INSN_JA)
			continue;
		p[i].jt = (uint8_t)(p[i].jt + (p[i + 1 + p[i].jt].code == INSN_TAX));
		p[i].jf = (uint8_t)(p[i].jf + (p[i + 1 + p[i].jf].code == INSN_TAX));
	}
}

/* Writes a program, which sets memory words 0 to 3 at the begin.  Returns the length. */
static uint32_t make_kernel_program(struct bpe_insn *p)
{
	const uint32_t n = 6 + pick_below(MOST - 8);
	uint32_t at = 0;

	for (; at < 4; at++)
		p[at] = (struct bpe_insn){ .code = pick_below(2) ? INSN_ST : INSN_STX, .k = at };
	while (at < n - 1) {
		if (pick_below(10) == 0) {
			if (at + 2 >= n)
				continue;
			p[at++] = (struct bpe_insn){ .code = INSN_AND_K, .k = 0x7f };
			p[at++] = (struct bpe_insn){ .code = INSN_TAX };
		} else {
			p[at] = make_insn(n - at - 2);
			at++;
		}
	}
	p[at++] = (struct bpe_insn){ .code = pick_below(4) ? INSN_RET_K : INSN_RET_A,
		.k = pick_below(90) };
	keep_x_small(p, at);
	return at;
}

/* ---- Comparison ---- */

static unsigned long refused, passed, failed, kept;
static int ends[2]; /* the sender's socket and the filter's */

static void print_program(const struct bpe_insn *p, uint32_t n)
{
	for (uint32_t at = 0; at < n; at++)
		printf("\t{ 0x%02x, %u, %u, 0x%x }\n", p[at].code, p[at].jt, p[at].jf, p[at].k);
}

/* Sends a packet through the attached program, and compares the bytes that arrive. */
static void compare_packet(
	unsigned long k, const struct bpe_insn *p, uint32_t n, const struct bpei_decoded *decoded)
{
	uint8_t packet[96], got[96];
	const uint32_t size = 1 + pick_below(sizeof packet);

	for (uint32_t b = 0; b < size; b++) {
		const uint32_t rare = pick_below(4) ? 0 : 0x45;

		packet[b] = (uint8_t)(pick_below(3) ? pick_below(256) : rare);
	}
	const uint32_t ours = bpei_filter_run(p, packet, size, size);
	const uint32_t again = bpei_decoded_run(decoded, packet, size, size);
	if (send(ends[0], packet, size, 0) != (ssize_t)size && errno != EPERM)
		exit(2);
	ssize_t theirs_bytes = recv(ends[1], got, sizeof got, MSG_DONTWAIT);
	if (theirs_bytes < 0)
		theirs_bytes = 0;
	const uint32_t ours_bytes = ours < size ? ours : size;
	kept += theirs_bytes > 0;
	if (ours == again && (uint32_t)theirs_bytes == ours_bytes) {
		passed++;
		return;
	}
	failed++;
	printf("program %lu, packet of %u bytes: the kernel keeps %zd, bpe_filter_run %u, prepared %u\n",
		k, size, theirs_bytes, ours, again);
	if (failed < 4)
		print_program(p, n);
}

/* Attaches the program to the socket.  Returns false if the kernel refuses the program, for example
 * since a memory word is not stored on every path. */
static bool attach_program(struct bpe_insn *p, uint32_t n, unsigned long refused_most)
{
	const struct sock_fprog theirs = { .len = (unsigned short)n,
		.filter = (struct sock_filter *)(void *)p };

	if (!setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &theirs, sizeof theirs))
		return true;
	if (errno == EINVAL && !(refused++ > refused_most))
		return false;
	printf("skipped: no program can be attached to a socket here: %s\n", strerror(errno));
	exit(SKIPPED);
}

int main(int argc, char **argv)
{
	const unsigned long programs = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 11;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
		return 2;
	for (unsigned long k = 0; k < programs; k++) {
		struct bpe_insn p[MOST + 2];
		const uint32_t n = make_kernel_program(p);

		if (!attach_program(p, n, programs / 2))
			continue;
		const char *wrong = bpei_filter_check(p, n);
		struct bpei_decoded *decoded = wrong ? NULL : bpei_decode(p, n);
		if (!decoded) {
			printf("program %lu: the kernel takes it, we do not: %s\n", k,
				wrong ? wrong : "no memory");
			failed++;
			continue;
		}
		for (int i = 0; i < PACKETS; i++)
			compare_packet(k, p, n, decoded);
		bpei_decoded_free(decoded);
	}
	close(ends[0]);
	close(ends[1]);
	printf("%lu programs, %lu of them refused by the kernel's checker; %lu packets kept\n",
		programs, refused, kept);
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0;
}
