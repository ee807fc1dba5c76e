/* SPDX-License-Identifier: MIT */
/* Filters on Linux's sockets (SO_ATTACH_FILTER; Documentation/networking/filter.rst).
 *
 * A program is written for another packet than the kernel's.  The kernel has taken a VLAN tag out
 * of the packet, and the cooked header is built in user space.  The program is moved accordingly:
 * offsets behind the missing bytes are counted without them.  The missing fields are loaded from
 * the kernel's knowledge of the packet (SKF_AD_).  A load of anything else becomes a return which
 * accepts; user space filters these packets again.  On Ethernet the moved program has two parts,
 * for packets with and without a tag.  Pure. */
#include "device/afpacket.h"
#include "filter/opcodes.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN(field) ((uint32_t)(SKF_AD_OFF + (field)))
#define KEEP BPE_MAX_SNAPLEN
#define LEAST_SNAPLEN 64u
#define REFUSALS 8u /* most instructions of write_refusals */
#define TPID_OFFSET 12u

enum shape { PLAIN, TAGGED, COOKED };

/* Bytes of each shape which the kernel's packet lacks. */
static const uint32_t missing_bytes[] = {
	[PLAIN] = 0, [TAGGED] = BPEI_TAG, [COOKED] = BPEI_COOKED_HEADER
};

/* Tables with an element for each instruction. */
struct move_tables {
	uint32_t *places; /* offset in the moved program */
	uint8_t *state;   /* REACHED and A_IS_OTHER */
};

static uint32_t class_of(const struct bpe_insn *i)
{
	return i->code & 7;
}

static uint32_t mode_of(const struct bpe_insn *i)
{
	return i->code & 0xe0;
}

static bool loads_packet(const struct bpe_insn *i)
{
	const uint32_t mode = mode_of(i);

	return class_of(i) <= INSN_LDX &&
	       (mode == MODE_ABS || mode == MODE_IND || mode == MODE_MSH);
}

static uint32_t load_size(const struct bpe_insn *i)
{
	switch (i->code & 0x18) {
	case 0x10:
		return 1;
	case 0x08:
		return 2;
	default:
		return 4;
	}
}

/* Changes *i, a load of `size` bytes at k of the packet, to a load from the kernel's packet.
 * Returns false if the kernel does not have the bytes. */
static bool move_load(enum shape shape, uint32_t k, uint32_t size, struct bpe_insn *i)
{
	static const struct {
		enum shape shape;
		uint32_t k, size;
		uint16_t code;
		uint32_t to;
	} fields[] = { { TAGGED, 12, 2, INSN_LD_ABS_W, KNOWN(SKF_AD_VLAN_TPID) },
		{ TAGGED, 14, 2, INSN_LD_ABS_W, KNOWN(SKF_AD_VLAN_TAG) },
		{ COOKED, 0, 2, INSN_LD_ABS_W, KNOWN(SKF_AD_PROTOCOL) },
		{ COOKED, 2, 2, INSN_LD_IMM, 0 },
		{ COOKED, 4, 4, INSN_LD_ABS_W, KNOWN(SKF_AD_IFINDEX) },
		{ COOKED, 8, 2, INSN_LD_ABS_W, KNOWN(SKF_AD_HATYPE) },
		{ COOKED, 10, 1, INSN_LD_ABS_W, KNOWN(SKF_AD_PKTTYPE) } };
	const uint32_t gap = shape == TAGGED ? TPID_OFFSET : 0; /* the missing bytes begin here */
	const uint32_t missing = missing_bytes[shape];

	if (shape == PLAIN)
		return true;
	if (k >= gap + missing) {
		i->k = k - missing;
		return true;
	}
	if (mode_of(i) == MODE_IND)
		return false; /* an indexed load may reach into the missing bytes */
	if (k + size <= gap)
		return true;
	if (i->code == INSN_LDX_MSH)
		return false;
	for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
		if (fields[f].shape != shape || fields[f].k != k || fields[f].size != size)
			continue;
		i->code = fields[f].code;
		i->k = fields[f].to;
		return true;
	}
	return false;
}

/* ---- Reachable instructions ---- */

/* State of an instruction.  Without A_IS_OTHER, A holds the tag's TPID on every path to the
 * instruction. */
enum { REACHED = 1, A_IS_OTHER = 2 };

/* Returns true for a comparison of the TPID which no tag fulfils that the kernel takes out
 * (eth_type_vlan in linux/if_vlan.h). */
static bool never_equal(const struct bpe_insn *i, uint8_t state)
{
	return i->code == INSN_JEQ_K && !(state & A_IS_OTHER) && i->k != 0x8100 && i->k != 0x88a8;
}

static bool loads_tpid(const struct bpe_insn *i, enum shape shape)
{
	return shape == TAGGED && i->code == INSN_LD_ABS_H && i->k == TPID_OFFSET;
}

/* Finds the instructions which packets of the shape can reach, and the contents of A there.  A
 * program begins with a comparison of the protocol, and tagged packets never reach the part for
 * untagged packets. */
static void mark_reachable(const struct bpe_insn *p, uint32_t n, enum shape shape, uint8_t *state)
{
	memset(state, 0, n);
	state[0] = REACHED | A_IS_OTHER;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t class = class_of(&p[i]);
		uint8_t on = state[i];

		if (!on || class == INSN_RET)
			continue;
		if (class == INSN_LD)
			on = loads_tpid(&p[i], shape) ? REACHED : REACHED | A_IS_OTHER;
		if (class == INSN_ALU || p[i].code == INSN_TXA)
			on = REACHED | A_IS_OTHER;
		if (p[i].code == INSN_JA) {
			state[i + 1 + p[i].k] |= on;
		} else if (class == INSN_JMP) {
			if (!never_equal(&p[i], on))
				state[i + 1 + p[i].jt] |= on;
			state[i + 1 + p[i].jf] |= on;
		} else {
			state[i + 1] |= on;
		}
	}
}

/* ---- Moving a program ---- */

/* One program on the way to the kernel's packet. */
struct move {
	const struct bpe_insn *program;
	uint32_t length;
	const struct move_tables *tables;
	enum shape shape;
	bool *exact; /* set to false if the moved program accepts more */
};

/* Returns the jump offset in the moved program for a jump from i to `target`. */
static uint32_t moved_jump(const struct move *m, uint32_t i, uint32_t target)
{
	const uint32_t *places = m->tables->places;

	return places[target] - places[i] - 1;
}

static void accept_all(const struct move *m, struct bpe_insn *to)
{
	*to = (struct bpe_insn){ .code = INSN_RET_K, .k = KEEP };
	*m->exact = false;
}

/* Moves a conditional jump.  Returns false if an offset has become too long. */
static bool move_branch(const struct move *m, uint32_t i, struct bpe_insn *to)
{
	const struct bpe_insn *p = &m->program[i];
	const uint32_t yes = moved_jump(m, i, i + 1 + p->jt);
	const uint32_t no = moved_jump(m, i, i + 1 + p->jf);

	if (yes > UINT8_MAX || no > UINT8_MAX)
		return false;
	to->jt = (uint8_t)yes;
	to->jf = (uint8_t)no;
	return true;
}

/* Moves instruction i to *to, and the next place for a load of the length.  Returns false if a jump
 * has become too long. */
static bool move_insn(const struct move *m, uint32_t i, struct bpe_insn *to)
{
	const struct bpe_insn *p = &m->program[i];
	const uint32_t missing = missing_bytes[m->shape];
	const uint8_t state = m->tables->state[i];
	const bool changed = m->shape != PLAIN;

	*to = *p;
	if (!state) {
		*to = (struct bpe_insn){ .code = INSN_RET_K };
		if (p->code == INSN_LD_LEN && changed)
			to[1] = *to;
	} else if (p->code == INSN_LD_LEN && changed) {
		to[1] = (struct bpe_insn){ .code = INSN_ADD_K, .k = missing };
	} else if (loads_packet(p)) {
		if (!move_load(m->shape, p->k, load_size(p), to))
			accept_all(m, to);
	} else if ((p->code == INSN_LDX_LEN || p->code == INSN_RET_A) && changed) {
		accept_all(m, to);
	} else if (p->code == INSN_RET_K && p->k) {
		to->k = p->k > missing ? p->k - missing : 1;
	} else if (p->code == INSN_JA) {
		to->k = moved_jump(m, i, i + 1 + p->k);
	} else if (never_equal(p, state)) {
		*to = (struct bpe_insn){ .code = INSN_JA, .k = moved_jump(m, i, i + 1 + p->jf) };
	} else if (class_of(p) == INSN_JMP) {
		return move_branch(m, i, to);
	}
	return true;
}

/* Writes the program for packets of a shape, at most 2 * n instructions.  Returns how many; 0: a
 * jump has become too long. */
static uint32_t move_program(const struct bpe_insn *p, uint32_t n, enum shape shape,
	struct bpe_insn *to, const struct move_tables *tables, bool *exact)
{
	const struct move m = { p, n, tables, shape, exact };
	uint32_t at = 0;

	mark_reachable(p, n, shape, tables->state);
	for (uint32_t i = 0; i < n; i++) {
		tables->places[i] = at;
		at += 1 + (shape != PLAIN && p[i].code == INSN_LD_LEN);
	}
	for (uint32_t i = 0; i < n; i++)
		if (!move_insn(&m, i, &to[tables->places[i]]))
			return 0;
	return at;
}

/* ---- Whole programs ---- */

/* Copies instructions to to[at].  Returns the place behind them. */
static uint32_t append_insns(
	struct bpe_insn *to, uint32_t at, const struct bpe_insn *insns, size_t bytes)
{
	memcpy(to + at, insns, bytes);
	return at + (uint32_t)(bytes / sizeof *insns);
}

/* Writes a program of two parts: for packets with a tag in the kernel's hands, and for others. */
static uint32_t move_ethernet(const struct bpe_insn *p, uint32_t n, struct bpe_insn *to,
	const struct move_tables *tables, bool *exact)
{
	bool tagged_exact = true;
	uint32_t at = 4;
	uint32_t tagged = move_program(p, n, TAGGED, to + at, tables, &tagged_exact);

	if (!tagged) {
		to[at] = (struct bpe_insn){ .code = INSN_RET_K, .k = KEEP };
		tagged = 1;
		tagged_exact = false;
	}
	const struct bpe_insn begin[] = { { INSN_LD_ABS_W, 0, 0, KNOWN(SKF_AD_VLAN_TAG_PRESENT) },
		{ INSN_JEQ_K, 0, 1, 0 }, { INSN_JA, 0, 0, tagged + 1 }, { INSN_LD_IMM, 0, 0, 0 } };
	const struct bpe_insn clear = { INSN_LD_IMM, 0, 0, 0 }; /* a program begins with A = 0 */
	append_insns(to, 0, begin, sizeof begin);
	at = append_insns(to, at + tagged, &clear, sizeof clear);
	*exact &= tagged_exact;
	return at + move_program(p, n, PLAIN, to + at, tables, exact);
}

/* Writes the program for packets with a cooked header.  Tagged packets are accepted. */
static uint32_t move_cooked(const struct bpe_insn *p, uint32_t n, struct bpe_insn *to,
	const struct move_tables *tables, bool *exact)
{
	static const struct bpe_insn begin[] = {
		{ INSN_LD_ABS_W, 0, 0, KNOWN(SKF_AD_VLAN_TAG_PRESENT) }, { INSN_JEQ_K, 0, 3, 0 },
		{ INSN_LD_ABS_W, 0, 0, KNOWN(SKF_AD_PROTOCOL) }, { INSN_JEQ_K, 1, 0, 0x8100 },
		{ INSN_JEQ_K, 0, 1, 0x88a8 }, { INSN_RET_K, 0, 0, KEEP }, { INSN_LD_IMM, 0, 0, 0 }
	};
	const uint32_t at = append_insns(to, 0, begin, sizeof begin);
	const uint32_t made = move_program(p, n, COOKED, to + at, tables, exact);

	*exact = false;
	return made ? at + made : 0;
}

/* Writes the instructions for the chosen direction, and for each packet to appear once.  A loopback
 * interface gives each packet twice, going out and coming in.  "any" has loopback beside other
 * interfaces, so the socket cannot leave out all outgoing packets (PACKET_IGNORE_OUTGOING): the
 * program rejects those of loopback alone.  Returns how many instructions. */
static uint32_t write_refusals(const struct bpei_tpacket *how, struct bpe_insn *to)
{
	static const struct bpe_insn load = { INSN_LD_ABS_W, 0, 0, KNOWN(SKF_AD_PKTTYPE) };
	static const struct bpe_insn clear = { INSN_LD_IMM, 0, 0, 0 };
	static const struct bpe_insn incoming[] = { { INSN_JEQ_K, 0, 1, PACKET_OUTGOING },
		{ INSN_RET_K, 0, 0, 0 } };
	static const struct bpe_insn outgoing[] = { { INSN_JEQ_K, 1, 0, PACKET_OUTGOING },
		{ INSN_RET_K, 0, 0, 0 } };
	static const struct bpe_insn once[] = { { INSN_JEQ_K, 0, 3, PACKET_OUTGOING },
		{ INSN_LD_ABS_W, 0, 0, KNOWN(SKF_AD_HATYPE) },
		{ INSN_JEQ_K, 0, 1, ARPHRD_LOOPBACK }, { INSN_RET_K, 0, 0, 0 } };
	uint32_t at = append_insns(to, 0, &load, sizeof load);

	if (how->direction == BPE_DIRECTION_IN)
		at = append_insns(to, at, incoming, sizeof incoming);
	if (how->direction == BPE_DIRECTION_OUT)
		at = append_insns(to, at, outgoing, sizeof outgoing);
	if (how->cooked && how->skip_outgoing)
		at = append_insns(to, at, once, sizeof once);
	/* A program begins with A = 0. */
	return at > 1 ? append_insns(to, at, &clear, sizeof clear) : 0;
}

uint32_t bpei_tpacket_filter_none(
	const struct bpei_tpacket *how, uint32_t snaplen, struct bpe_insn *to)
{
	const bool cut = snaplen < BPE_MAX_SNAPLEN;
	uint32_t n = write_refusals(how, to);
	uint32_t keep = KEEP;

	if (cut)
		keep = snaplen < LEAST_SNAPLEN ? LEAST_SNAPLEN : snaplen;
	if (cut || n)
		to[n++] = (struct bpe_insn){ .code = INSN_RET_K, .k = keep };
	return n;
}

/* Makes all accepting returns keep the whole packet, which user space filters again. */
static void keep_whole_packets(struct bpe_insn *program, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		if (program[i].code == INSN_RET_A ||
			(program[i].code == INSN_RET_K && program[i].k))
			program[i] = (struct bpe_insn){ .code = INSN_RET_K, .k = KEEP };
}

/* Writes the moved program behind the refusals. */
static void write_program(const struct bpei_tpacket *how, const struct bpei_kernel_program *f,
	const struct move_tables *tables, struct bpei_kernel_program *fit)
{
	const uint32_t before = write_refusals(how, fit->program);
	struct bpe_insn *own = fit->program + before;

	if (how->cooked)
		fit->length = move_cooked(f->program, f->length, own, tables, &fit->exact);
	else if (how->link_type == BPEI_TPACKET_ETHERNET)
		fit->length = move_ethernet(f->program, f->length, own, tables, &fit->exact);
	else
		fit->length = move_program(f->program, f->length, PLAIN, own, tables, &fit->exact);
	if (!fit->length)
		own[fit->length++] = (struct bpe_insn){ .code = INSN_RET_K, .k = KEEP };
	if (!fit->exact)
		keep_whole_packets(own, fit->length);
	fit->length += before;
}

int bpei_tpacket_filter(const struct bpei_tpacket *how, const struct bpei_filter *filter,
	struct bpei_kernel_program *fit)
{
	struct bpei_kernel_program f;
	/* `given` is a fourth of the kernel's limit: the program may be doubled by two parts, and
	 * again by moving. */
	const struct bpei_kernel *linux_kernel = &bpei_kernels[BPEI_KERNEL_LINUX];

	if (bpei_filter_fit(linux_kernel, filter, linux_kernel->given, KEEP, &f) < 0)
		return BPE_E_MEMORY;
	struct bpe_insn *to = malloc((4 * (size_t)f.length + 16 + REFUSALS) * sizeof *to);
	struct move_tables tables = { malloc(f.length * sizeof *tables.places), malloc(f.length) };
	const bool has_memory = to && tables.places && tables.state;
	if (has_memory) {
		fit->exact = f.exact;
		fit->why = f.why;
		fit->program = to;
		write_program(how, &f, &tables, fit);
	} else {
		free(to);
	}
	free(tables.places);
	free(tables.state);
	free(f.program);
	return has_memory ? BPE_OK : BPE_E_MEMORY;
}
