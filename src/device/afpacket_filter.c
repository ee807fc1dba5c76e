/* SPDX-License-Identifier: MIT */
/* Filters on Linux's sockets (SO_ATTACH_FILTER; Documentation/networking/filter.rst).
 *
 * The kernel's packet is not the one that a program is written for: a VLAN tag has been taken out
 * of it, and the cooked header is built here.  The program is moved accordingly: offsets behind
 * what is missing are counted without it, the missing fields are loaded from what the kernel knows
 * of the packet (SKF_AD_), and a load of anything else becomes a return that accepts; what is let
 * through so is filtered again here.  On Ethernet the program stands there twice, for packets with
 * and without a tag. Pure. */
#include "device/afpacket.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

enum {
	LD_LEN = 0x80,
	LDX_LEN = 0x81,
	LDX_MSH = 0xb1,
	ADD = 0x04,
	LD_IMM = 0x00,
	LD_ABS = 0x20,
	JA = 0x05,
	JEQ = 0x15,
	RET_K = 0x06,
	RET_A = 0x16
};
#define KNOWN(field) ((uint32_t)(SKF_AD_OFF + (field)))
#define KEEP BPE_MAX_SNAPLEN
#define REFUSALS 8u /* instructions that put_refusals makes, at most */

enum { PLAIN, TAGGED, COOKED };

struct work {
	uint32_t *places;
	uint8_t *state;
}; /* of each instruction: where it is in the moved program; enum below */

/* Where `size` bytes at k of the packet are in the kernel's: false: nowhere. */
static bool moved(int shape, uint32_t k, uint32_t size, struct bpe_insn *i)
{
	static const struct {
		int shape;
		uint32_t k, size;
		uint16_t code;
		uint32_t to;
	} fields[] = { { TAGGED, 12, 2, LD_ABS, KNOWN(SKF_AD_VLAN_TPID) },
		{ TAGGED, 14, 2, LD_ABS, KNOWN(SKF_AD_VLAN_TAG) },
		{ COOKED, 0, 2, LD_ABS, KNOWN(SKF_AD_PROTOCOL) }, { COOKED, 2, 2, LD_IMM, 0 },
		{ COOKED, 4, 4, LD_ABS, KNOWN(SKF_AD_IFINDEX) },
		{ COOKED, 8, 2, LD_ABS, KNOWN(SKF_AD_HATYPE) },
		{ COOKED, 10, 1, LD_ABS, KNOWN(SKF_AD_PKTTYPE) } };
	uint32_t gap = shape == TAGGED ? 12 : 0,
		 grown = shape == TAGGED ? BPEI_TAG : BPEI_COOKED_HEADER;
	if (shape == PLAIN)
		return true;
	if (k >= gap + grown)
		return i->k = k - grown, true;
	if ((i->code & 0xe0) == 0x40)
		return false; /* indexed: it may reach into what is missing */
	if (k + size <= gap)
		return true;
	if (i->code == LDX_MSH)
		return false;
	for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
		if (fields[f].shape == shape && fields[f].k == k && fields[f].size == size)
			return i->code = fields[f].code, i->k = fields[f].to, true;
	return false;
}

enum {
	REACHED = 1,
	A_IS_OTHER = 2
}; /* of an instruction; where it is not A_IS_OTHER, A holds the tag's TPID on every way there */

/* The one tag protocol that a comparison asks for, or none: whether it can be true of a tag that
 * the kernel takes out (eth_type_vlan in linux/if_vlan.h). */
static bool never(const struct bpe_insn *i, uint8_t state)
{
	return i->code == JEQ && !(state & A_IS_OTHER) && i->k != 0x8100 && i->k != 0x88a8;
}

/* What can be reached, and with what in A: a program begins by asking for the protocol, and what it
 * does with an untagged packet is none of a tagged one's. */
static void reach(const struct bpe_insn *p, uint32_t n, int shape, uint8_t *state)
{
	memset(state, 0, n);
	state[0] = REACHED | A_IS_OTHER;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t on = state[i];
		uint32_t class = p[i].code & 7;
		if (!on || class == 6)
			continue;
		if (class == 0)
			on = REACHED |
			     (shape == TAGGED && p[i].code == 0x28 && p[i].k == 12 ? 0
										   : A_IS_OTHER);
		if (class == 4 || p[i].code == 0x87)
			on = REACHED | A_IS_OTHER;
		if (p[i].code == JA) {
			state[i + 1 + p[i].k] |= on;
		} else if (class == 5) {
			if (!never(&p[i], on))
				state[i + 1 + p[i].jt] |= on;
			state[i + 1 + p[i].jf] |= on;
		} else {
			state[i + 1] |= on;
		}
	}
}

/* The program for packets of that shape, of at most 2 * n instructions: how many; 0: a jump has
 * become too long. */
static uint32_t move(const struct bpe_insn *p, uint32_t n, int shape, struct bpe_insn *to,
	const struct work *w, bool *exact)
{
	const uint32_t grown = shape == TAGGED   ? BPEI_TAG
			       : shape == COOKED ? BPEI_COOKED_HEADER
						 : 0;
	const struct bpe_insn accept = { .code = RET_K, .k = KEEP };
	uint32_t at = 0;
	uint32_t *places = w->places;
	uint8_t *state = w->state;
	reach(p, n, shape, state);
	for (uint32_t i = 0; i < n; i++) {
		places[i] = at;
		at += 1 + (shape != PLAIN && p[i].code == LD_LEN);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct bpe_insn *o = &to[places[i]];
		uint32_t mode = p[i].code & 0xe0, size = (p[i].code & 0x18) == 0x10   ? 1
							 : (p[i].code & 0x18) == 0x08 ? 2
										      : 4;
		*o = p[i];
		if (!state[i]) {
			*o = (struct bpe_insn){ .code = RET_K };
			if (p[i].code == LD_LEN && shape != PLAIN)
				o[1] = *o;
		} else if (p[i].code == LD_LEN && shape != PLAIN) {
			o[1] = (struct bpe_insn){ .code = ADD, .k = grown };
		} else if ((p[i].code & 7) <= 1 && (mode == 0x20 || mode == 0x40 || mode == 0xa0)) {
			if (!moved(shape, p[i].k, size, o))
				*o = accept, *exact = false;
		} else if ((p[i].code == LDX_LEN || p[i].code == RET_A) && shape != PLAIN) {
			*o = accept, *exact = false;
		} else if (p[i].code == RET_K && p[i].k) {
			o->k = p[i].k > grown ? p[i].k - grown : 1;
		} else if (p[i].code == JA) {
			o->k = places[i + 1 + p[i].k] - places[i] - 1;
		} else if (never(&p[i], state[i])) {
			*o = (struct bpe_insn){ .code = JA,
				.k = places[i + 1 + p[i].jf] - places[i] - 1 };
		} else if ((p[i].code & 7) == 5) {
			uint32_t yes = places[i + 1 + p[i].jt] - places[i] - 1,
				 no = places[i + 1 + p[i].jf] - places[i] - 1;
			if (yes > 255 || no > 255)
				return 0;
			o->jt = (uint8_t)yes, o->jf = (uint8_t)no;
		}
	}
	return at;
}

static uint32_t put(struct bpe_insn *to, uint32_t at, const struct bpe_insn *insns, size_t bytes)
{
	memcpy(to + at, insns, bytes);
	return at + (uint32_t)(bytes / sizeof *insns);
}

/* With a tag in the kernel's hands: `tagged` of the instructions that follow; then the others. */
static uint32_t ethernet(const struct bpe_insn *p, uint32_t n, struct bpe_insn *to,
	const struct work *w, bool *exact)
{
	bool tagged_exact = true;
	uint32_t at = 4, tagged = move(p, n, TAGGED, to + at, w, &tagged_exact);
	if (!tagged)
		to[at] = (struct bpe_insn){ .code = RET_K, .k = KEEP }, tagged = 1,
		tagged_exact = false;
	const struct bpe_insn begin[] = { { LD_ABS, 0, 0, KNOWN(SKF_AD_VLAN_TAG_PRESENT) },
		{ JEQ, 0, 1, 0 }, { JA, 0, 0, tagged + 1 }, { LD_IMM, 0, 0, 0 } };
	const struct bpe_insn clear = { LD_IMM, 0, 0, 0 }; /* a program begins with A = 0 */
	put(to, 0, begin, sizeof begin);
	at = put(to, at + tagged, &clear, sizeof clear);
	*exact &= tagged_exact;
	return at + move(p, n, PLAIN, to + at, w, exact);
}

/* What no program of a user says: the direction that was asked for, and each packet once.  A
 * loopback interface gives each packet twice, going out and coming in.  "any" has it beside other
 * interfaces, so the socket cannot leave out all that goes out (PACKET_IGNORE_OUTGOING): of
 * loopback alone it is refused here.  Returns how many instructions. */
static uint32_t put_refusals(const struct bpei_tpacket *how, struct bpe_insn *to)
{
	static const struct bpe_insn ask = { LD_ABS, 0, 0, KNOWN(SKF_AD_PKTTYPE) },
				     clear = { LD_IMM, 0, 0, 0 },
				     incoming[] = { { JEQ, 0, 1, PACKET_OUTGOING },
					     { RET_K, 0, 0, 0 } },
				     outgoing[] = { { JEQ, 1, 0, PACKET_OUTGOING },
					     { RET_K, 0, 0, 0 } },
				     twice[] = { { JEQ, 0, 3, PACKET_OUTGOING },
					     { LD_ABS, 0, 0, KNOWN(SKF_AD_HATYPE) },
					     { JEQ, 0, 1, ARPHRD_LOOPBACK }, { RET_K, 0, 0, 0 } };
	uint32_t at = put(to, 0, &ask, sizeof ask);
	if (how->direction == BPE_DIRECTION_IN)
		at = put(to, at, incoming, sizeof incoming);
	if (how->direction == BPE_DIRECTION_OUT)
		at = put(to, at, outgoing, sizeof outgoing);
	if (how->cooked && how->skip_outgoing)
		at = put(to, at, twice, sizeof twice);
	return at > 1 ? put(to, at, &clear, sizeof clear) : 0; /* a program begins with A = 0 */
}

static uint32_t cooked(const struct bpe_insn *p, uint32_t n, struct bpe_insn *to,
	const struct work *w, bool *exact)
{
	static const struct bpe_insn begin[] = { { LD_ABS, 0, 0, KNOWN(SKF_AD_VLAN_TAG_PRESENT) },
		{ JEQ, 0, 3, 0 }, { LD_ABS, 0, 0, KNOWN(SKF_AD_PROTOCOL) }, { JEQ, 1, 0, 0x8100 },
		{ JEQ, 0, 1, 0x88a8 }, { RET_K, 0, 0, KEEP }, { LD_IMM, 0, 0, 0 } };
	uint32_t at = put(to, 0, begin, sizeof begin), made = move(p, n, COOKED, to + at, w, exact);
	*exact = false; /* tagged packets are let through */
	return made ? at + made : 0;
}

uint32_t bpei_tpacket_filter_none(
	const struct bpei_tpacket *how, uint32_t snaplen, struct bpe_insn *to)
{
	const bool cut = snaplen < BPE_MAX_SNAPLEN;
	uint32_t n = put_refusals(how, to);
	if (cut || n)
		to[n++] = (struct bpe_insn){ .code = RET_K,
			.k = !cut           ? KEEP
			     : snaplen < 64 ? 64
					    : snaplen };
	return n;
}

int bpei_tpacket_filter(const struct bpei_tpacket *how, const struct bpei_filter *filter,
	struct bpei_kernel_program *fit)
{
	struct bpei_kernel_program f;
	const struct bpei_kernel *linux_kernel =
		&bpei_kernels[BPEI_KERNEL_LINUX]; /* given a fourth: the program may stand there
						     twice, and grow twofold */
	if (bpei_filter_fit(linux_kernel, filter, linux_kernel->given, KEEP, &f) < 0)
		return BPE_E_MEMORY;
	struct bpe_insn *to = malloc((4 * (size_t)f.length + 16 + REFUSALS) * sizeof *to);
	struct work w = { malloc(f.length * sizeof *w.places), malloc(f.length) };
	if (!to || !w.places || !w.state) {
		free(to), free(w.places), free(w.state), free(f.program);
		return BPE_E_MEMORY;
	}
	fit->exact = f.exact;
	fit->why = f.why;
	const uint32_t before = put_refusals(how, to);
	struct bpe_insn *own = to + before;
	if (how->cooked)
		fit->length = cooked(f.program, f.length, own, &w, &fit->exact);
	else if (how->link_type == BPEI_TPACKET_ETHERNET)
		fit->length = ethernet(f.program, f.length, own, &w, &fit->exact);
	else
		fit->length = move(f.program, f.length, PLAIN, own, &w, &fit->exact);
	if (!fit->length)
		own[fit->length++] = (struct bpe_insn){ .code = RET_K, .k = KEEP };
	for (uint32_t i = 0; !fit->exact && i < fit->length;
		i++) /* what is filtered again is wanted whole */
		if (own[i].code == RET_A || (own[i].code == RET_K && own[i].k))
			own[i] = (struct bpe_insn){ .code = RET_K, .k = KEEP };
	fit->length += before;
	free(w.places), free(w.state), free(f.program);
	fit->program = to;
	return BPE_OK;
}
