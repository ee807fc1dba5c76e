/* SPDX-License-Identifier: MIT */
/* -d, -dd, -ddd: prints the program of a filter as tcpdump does.  --explain: prints the filter's
 * meaning.  Stateless. */
#include "answers.h"

#include <stdlib.h>
#include <string.h>

/* Parts of a classic BPF opcode (struct bpe_insn, bpf(4)). */
enum { CLASS_MASK = 7, CLASS_ALU = 4, CLASS_JUMP = 5, SOURCE_X = 8, JUMP_ALWAYS = 0x05 };
enum { ALU_AND = 0x54, ALU_OR = 0x44, ALU_XOR = 0xa4 };

/* How an instruction's operand is printed. */
enum operand {
	OPERAND_NONE,
	OPERAND_ABSOLUTE, /* [k] */
	OPERAND_INDIRECT, /* [x + k] */
	OPERAND_HEADER,   /* 4*([k]&0xf): the length of an IPv4 header */
	OPERAND_MEMORY,   /* M[k] */
	OPERAND_HEX,
	OPERAND_LENGTH, /* the packet's length */
	OPERAND_DECIMAL
};

static const struct {
	uint16_t code;
	const char *name;
	enum operand operand;
} fixed_instructions[] = {
	{ 0x20, "ld", OPERAND_ABSOLUTE },
	{ 0x28, "ldh", OPERAND_ABSOLUTE },
	{ 0x30, "ldb", OPERAND_ABSOLUTE },
	{ 0x40, "ld", OPERAND_INDIRECT },
	{ 0x48, "ldh", OPERAND_INDIRECT },
	{ 0x50, "ldb", OPERAND_INDIRECT },
	{ 0xb1, "ldxb", OPERAND_HEADER },
	{ 0x60, "ld", OPERAND_MEMORY },
	{ 0x61, "ldx", OPERAND_MEMORY },
	{ 0x02, "st", OPERAND_MEMORY },
	{ 0x03, "stx", OPERAND_MEMORY },
	{ 0x00, "ld", OPERAND_HEX },
	{ 0x01, "ldx", OPERAND_HEX },
	{ 0x80, "ld", OPERAND_LENGTH },
	{ 0x81, "ldx", OPERAND_LENGTH },
	{ 0x06, "ret", OPERAND_DECIMAL },
	{ 0x16, "ret", OPERAND_NONE },
	{ 0x07, "tax", OPERAND_NONE },
	{ 0x87, "txa", OPERAND_NONE },
	{ 0x84, "neg", OPERAND_NONE },
};
enum { FIXED = sizeof fixed_instructions / sizeof *fixed_instructions };

/* Returns the index of the code in fixed_instructions, or FIXED. */
static size_t find_fixed_instruction(uint16_t code)
{
	size_t at = 0;

	while (at < FIXED && fixed_instructions[at].code != code)
		at++;
	return at;
}

static const char *instruction_name(uint16_t code)
{
	static const char *const alu[] = { "add", "sub", "mul", "div", "or", "and", "lsh", "rsh",
		"neg", "mod", "xor" };
	static const char *const jump[] = { "ja", "jeq", "jgt", "jge", "jset" };
	const size_t at = find_fixed_instruction(code);
	const size_t operation = code >> 4;

	if (at < FIXED)
		return fixed_instructions[at].name;
	if (code == JUMP_ALWAYS)
		return "ja";
	if ((code & CLASS_MASK) == CLASS_ALU && operation < sizeof alu / sizeof *alu)
		return alu[operation];
	if ((code & CLASS_MASK) == CLASS_JUMP && operation < sizeof jump / sizeof *jump)
		return jump[operation];
	return "unimp";
}

static void write_operand(char *to, size_t room, const struct bpe_insn *i)
{
	const size_t at = find_fixed_instruction(i->code);
	const bool is_jump = (i->code & CLASS_MASK) == CLASS_JUMP;
	enum operand operand = OPERAND_DECIMAL;

	if (at < FIXED)
		operand = fixed_instructions[at].operand;
	else if (i->code & SOURCE_X) {
		snprintf(to, room, "x");
		return;
	} else if (is_jump || i->code == ALU_AND || i->code == ALU_OR || i->code == ALU_XOR)
		operand = OPERAND_HEX;
	switch (operand) {
	case OPERAND_NONE:
		to[0] = 0;
		break;
	case OPERAND_ABSOLUTE:
		snprintf(to, room, "[%d]", (int)i->k);
		break;
	case OPERAND_INDIRECT:
		snprintf(to, room, "[x + %d]", (int)i->k);
		break;
	case OPERAND_HEADER:
		snprintf(to, room, "4*([%d]&0xf)", (int)i->k);
		break;
	case OPERAND_MEMORY:
		snprintf(to, room, "M[%u]", i->k);
		break;
	case OPERAND_HEX:
		snprintf(to, room, "#0x%x", i->k);
		break;
	case OPERAND_LENGTH:
		snprintf(to, room, "#pktlen");
		break;
	case OPERAND_DECIMAL:
		snprintf(to, room, "#%u", i->k);
		break;
	}
}

/* Prints instruction k as tcpdump -d does. */
static void print_instruction(FILE *to, const struct bpe_insn *i, uint32_t k)
{
	const char *name = instruction_name(i->code);
	char operand[64];

	write_operand(operand, sizeof operand, i);
	if (i->code == JUMP_ALWAYS)
		fprintf(to, "(%03u) ja       %u\n", k, k + 1 + i->k);
	else if ((i->code & CLASS_MASK) == CLASS_JUMP)
		fprintf(to, "(%03u) %-8s %-16s jt %u\tjf %u\n", k, name, operand, k + 1 + i->jt,
			k + 1 + i->jf);
	else
		fprintf(to, "(%03u) %-8s %s\n", k, name, operand);
}

void cli_print_program(FILE *to, const struct bpe_insn *program, uint32_t n, int style)
{
	if (style > 2)
		fprintf(to, "%u\n", n);
	for (uint32_t k = 0; k < n; k++) {
		const struct bpe_insn *i = &program[k];

		if (style > 2)
			fprintf(to, "%u %u %u %u\n", i->code, i->jt, i->jf, i->k);
		else if (style == 2)
			fprintf(to, "{ 0x%x, %u, %u, 0x%08x },\n", i->code, i->jt, i->jf, i->k);
		else if (style == 1)
			print_instruction(to, i, k);
	}
}

/* ---- --explain, and the source that the filter is for ---- */

/* Returns the interface's name without "if:"; NULL for NULL. */
static const char *skip_if_prefix(const char *name)
{
	return name && !strncmp(name, "if:", 3) ? name + 3 : name;
}

/* Returns the kernel that filters for the interface, or NULL if the program filters itself. */
static const char *native_kernel(const char *interface_name)
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

static const char *filter_or_empty(const struct cli *cli)
{
	const char *expression = cli->engine.filter_expression;

	return expression ? expression : "";
}

static int explain_filter(const struct cli *cli, struct bpe_filter_options how)
{
	const struct bpe_options *o = &cli->engine;
	struct bpe_error error;
	char *text;

	if (o->bpf_abi)
		how.kernel = o->bpf_abi;
	else if (o->interface_name)
		how.kernel = native_kernel(o->interface_name);
	if (bpe_filter_explain(filter_or_empty(cli), &how, &text, &error) < 0) {
		if (!cli_explain_filter(cli))
			program_tell("%s", error.text);
		return EXIT_USAGE;
	}
	fputs(text, stdout);
	bpe_filter_text_free(text);
	return program_end_output("the explanation") ? EXIT_GOOD : EXIT_ERROR;
}

static int compile_and_print(const struct cli *cli, const struct bpe_filter_options *how)
{
	struct bpe_error error;
	struct bpe_insn *program;
	uint32_t n;

	if (bpe_filter_compile_with(filter_or_empty(cli), how, &program, &n, &error) < 0) {
		if (!cli_explain_filter(cli))
			program_tell("%s", error.text);
		return EXIT_USAGE;
	}
	cli_print_program(stdout, program, n, cli->dump);
	bpe_filter_free(program);
	return program_end_output("the program") ? EXIT_GOOD : EXIT_ERROR;
}

/* Returns the number of a link type's name, or `otherwise`. */
static int find_link_type(const char *name, int otherwise)
{
	enum { LINK_TYPES = 512 }; /* more than the numbers that have a name */
	int found = otherwise;

	for (int link = 0; link < LINK_TYPES; link++) {
		const char *known = bpe_link_type_name(link);

		if (known && !strcmp(known, name))
			found = link;
	}
	return found;
}

/* Opens the source to learn the link type.  Returns 0, or an exit code after the message. */
static int ask_link_type(const struct cli *cli, int *link)
{
	struct bpe_options o = cli->engine;
	struct bpe_capture *capture;
	struct bpe_error error;

	o.filter_expression = NULL;
	if (bpe_capture_open(&o, &capture, &error) < 0)
		return cli_explain_failure(cli, &error);
	*link = find_link_type(bpe_capture_link_type(capture), *link);
	bpe_capture_close(capture);
	return 0;
}

int cli_dump_filter(const struct cli *cli)
{
	const struct bpe_options *o = &cli->engine;
	struct bpe_filter_options how;
	int link = o->link_type >= 0 ? o->link_type : 1; /* without a source: Ethernet */
	int code = 0;

	if (o->interface_name || o->file)
		code = ask_link_type(cli, &link);
	if (code)
		return code;
	bpe_filter_options_init(&how);
	how.link_type = link;
	how.snaplen = o->snaplen;
	how.through = o->filter_through;
	how.unoptimized = cli->unoptimized;
	how.has_netmask = bpe_interface_netmask(skip_if_prefix(o->interface_name), &how.netmask);
	return cli->explain ? explain_filter(cli, how) : compile_and_print(cli, &how);
}
