/* SPDX-License-Identifier: MIT */
/* -d, -dd, -ddd: a filter's program as tcpdump prints it; --explain: what it means. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static void operand(char *to, size_t room, const struct bpe_insn *i)
{
	switch (i->code) {
	case 0x20:
	case 0x28:
	case 0x30:
		snprintf(to, room, "[%d]", (int)i->k);
		break;
	case 0x40:
	case 0x48:
	case 0x50:
		snprintf(to, room, "[x + %d]", (int)i->k);
		break;
	case 0xb1:
		snprintf(to, room, "4*([%d]&0xf)", (int)i->k);
		break;
	case 0x60:
	case 0x61:
	case 0x02:
	case 0x03:
		snprintf(to, room, "M[%u]", i->k);
		break;
	case 0x00:
	case 0x01:
		snprintf(to, room, "#0x%x", i->k);
		break;
	case 0x80:
	case 0x81:
		snprintf(to, room, "#pktlen");
		break;
	case 0x06:
		snprintf(to, room, "#%u", i->k);
		break;
	case 0x07:
	case 0x87:
	case 0x84:
	case 0x16:
		to[0] = 0;
		break;
	default:
		if (i->code & 8)
			snprintf(to, room, "x");
		else if ((i->code & 7) == 5 || i->code == 0x54 || i->code == 0x44 ||
			 i->code == 0xa4)
			snprintf(to, room, "#0x%x", i->k);
		else
			snprintf(to, room, "#%u", i->k);
	}
}

static const char *operation(uint16_t code)
{
	static const struct {
		uint16_t code;
		const char *name;
	} names[] = { { 0x20, "ld" }, { 0x28, "ldh" }, { 0x30, "ldb" }, { 0x40, "ld" },
		{ 0x48, "ldh" }, { 0x50, "ldb" }, { 0x00, "ld" }, { 0x01, "ldx" }, { 0x60, "ld" },
		{ 0x61, "ldx" }, { 0x80, "ld" }, { 0x81, "ldx" }, { 0xb1, "ldxb" }, { 0x02, "st" },
		{ 0x03, "stx" }, { 0x06, "ret" }, { 0x16, "ret" }, { 0x07, "tax" }, { 0x87, "txa" },
		{ 0x84, "neg" }, { 0x05, "ja" } };
	static const char *const alu[] = { "add", "sub", "mul", "div", "or", "and", "lsh", "rsh",
		"neg", "mod", "xor" };
	static const char *const jump[] = { "ja", "jeq", "jgt", "jge", "jset" };
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (names[k].code == code)
			return names[k].name;
	if ((code & 7) == 4 && code >> 4 < 11)
		return alu[code >> 4];
	if ((code & 7) == 5 && code >> 4 < 5)
		return jump[code >> 4];
	return "unimp";
}

void cli_program(FILE *to, const struct bpe_insn *program, uint32_t n, int style)
{
	if (style > 2)
		fprintf(to, "%u\n", n);
	for (uint32_t k = 0; k < n; k++) {
		const struct bpe_insn *i = &program[k];
		char what[64];
		if (style > 2)
			fprintf(to, "%u %u %u %u\n", i->code, i->jt, i->jf, i->k);
		else if (style == 2)
			fprintf(to, "{ 0x%x, %u, %u, 0x%08x },\n", i->code, i->jt, i->jf, i->k);
		if (style != 1)
			continue;
		operand(what, sizeof what, i);
		if (i->code == 0x05)
			fprintf(to, "(%03u) ja       %u\n", k, k + 1 + i->k);
		else if ((i->code & 7) == 5)
			fprintf(to, "(%03u) %-8s %-16s jt %u\tjf %u\n", k, operation(i->code), what,
				k + 1 + i->jt, k + 1 + i->jf);
		else
			fprintf(to, "(%03u) %-8s %s\n", k, operation(i->code), what);
	}
}

static const char *without_if(const char *name)
{
	return name && !strncmp(name, "if:", 3) ? name + 3 : name;
}

/* The kernel that filters for the interface; NULL: none, or any. */
static const char *native(const char *interface_name)
{
	if (!strcmp(interface_name, "synth") || !strncmp(interface_name, "synth:", 6))
		return NULL;
#if defined(__linux__)
	return strncmp(interface_name, "bpf:", 4) ? "linux" : "macos";
#elif defined(__FreeBSD__)
	return "freebsd";
#elif defined(__NetBSD__)
	return "netbsd";
#elif defined(__OpenBSD__)
	return "openbsd";
#else
	return "macos";
#endif
}

static int explain(const struct cli *cli, struct bpe_filter_options how)
{
	const struct bpe_options *o = &cli->engine;
	struct bpe_error error;
	char *text;
	if (o->bpf_abi)
		how.kernel = o->bpf_abi;
	else if (o->interface_name)
		how.kernel = native(o->interface_name);
	if (bpe_filter_explain(
		    o->filter_expression ? o->filter_expression : "", &how, &text, &error) < 0) {
		program_tell("%s", error.text);
		return EXIT_USAGE;
	}
	fputs(text, stdout);
	bpe_filter_text_free(text);
	return program_end_output("the explanation") ? EXIT_GOOD : EXIT_ERROR;
}

/* Compiles for the source's link type (Ethernet where there is none) and prints: 0 or an exit code.
 */
int cli_program_print(const struct cli *cli)
{
	struct bpe_options o = cli->engine;
	struct bpe_capture *capture;
	struct bpe_error error;
	struct bpe_insn *program;
	uint32_t n;
	int link = o.link_type >= 0 ? o.link_type : 1;
	if (o.interface_name || o.file) {
		o.filter_expression = NULL;
		if (bpe_capture_open(&o, &capture, &error) < 0) {
			program_tell("%s", error.text);
			return error.status == BPE_E_RIGHTS ? EXIT_RIGHTS : EXIT_SOURCE;
		}
		for (int l = 0; l < 512; l++)
			if (bpe_link_type_name(l) &&
				!strcmp(bpe_link_type_name(l), bpe_capture_link_type(capture)))
				link = l;
		bpe_capture_close(capture);
	}
	struct bpe_filter_options how;
	bpe_filter_options_init(&how);
	how.link_type = link, how.snaplen = o.snaplen, how.through = o.filter_through,
	how.unoptimized = cli->unoptimized;
	how.has_netmask = bpe_interface_netmask(without_if(o.interface_name), &how.netmask);
	if (cli->explain)
		return explain(cli, how);
	if (bpe_filter_compile_with(
		    cli->engine.filter_expression ? cli->engine.filter_expression : "", &how,
		    &program, &n, &error) < 0) {
		program_tell("%s", error.text);
		return EXIT_USAGE;
	}
	cli_program(stdout, program, n, cli->dump);
	bpe_filter_free(program);
	return program_end_output("the program") ? EXIT_GOOD : EXIT_ERROR;
}
