/* SPDX-License-Identifier: MIT */
/* Checks the options of bpfengine together after the command line was read, and completes the
 * options; stateless. */
#include "answers.h"
#include "exports.h"
#include "options.h"

#include <ctype.h>
#include <net/if.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

/* Keeps a notice, which is told once the source is open. */
static void add_notice(struct cli *c, const char *text)
{
	if (c->notice_count < sizeof c->notices / sizeof *c->notices)
		c->notices[c->notice_count++] = text;
}

/* ---- Modes ---- */

static enum cli_mode find_mode(const struct cli *c)
{
	if (c->list || c->numbered || c->list_clocks)
		return CLI_MODE_LIST;
	if (c->explain)
		return CLI_MODE_EXPLAIN;
	return c->dump ? CLI_MODE_DUMP : CLI_MODE_CAPTURE;
}

/* Returns the beginning of the message about an option which the mode does not use. */
static const char *mode_sentence(const struct cli *c)
{
	switch (find_mode(c)) {
	case CLI_MODE_EXPLAIN:
		return "--explain says the filter in words and captures nothing";
	case CLI_MODE_DUMP:
		return "-d prints the filter's program and captures nothing";
	default:
		if (c->numbered)
			return "-D lists interfaces";
		return c->list ? "-L lists interfaces" : "-J lists clocks";
	}
}

/* Refuses an option which the mode of the run does not use.  Returns 0 or EXIT_USAGE after the
 * message. */
static int check_modes(const struct cli *c)
{
	const unsigned mode = find_mode(c);
	char shown[64];

	for (size_t k = 0; k < cli_option_count; k++) {
		const struct option_spec *spec = &cli_option_specs[k];
		const unsigned modes = spec->modes ? spec->modes : CLI_MODE_CAPTURE;

		if (c->uses[k] && !(modes & mode))
			return option_refuse("%s: leave out %s", mode_sentence(c),
				option_shown(shown, sizeof shown, spec));
	}
	return 0;
}

/* Checks the words and the interface of -L, -D and -J.  Returns 0 or EXIT_USAGE after the message.
 */
static int check_list(const struct cli *c)
{
	const char *word = c->words ? *c->words : NULL;
	char line[OPTION_LINE];
	const struct option_edit edit = { option_line_index(word) - 1, 1, "-Q" };
	char letter = 'L';

	if (c->numbered)
		letter = 'D';
	else if (c->list_clocks)
		letter = 'J';
	if (c->numbered && word && (!strcmp(word, "in") || !strcmp(word, "out")))
		return option_answer(option_line_write(line, &edit, 1),
			"-D lists interfaces; OpenBSD's -D %s is -Q %s in here.", word, word);
	if (word)
		return option_refuse("-%c takes no further words, such as \"%s\"", letter, word);
	if (c->numbered && c->engine.interface_name)
		return option_refuse(
			"-D lists all interfaces: leave out -i (-L -i NAME has link types)");
	if (cli_has_several(c))
		return option_refuse("-%c takes one -i", letter);
	return 0;
}

/* Checks the options of -d and --explain.  Returns 0 or EXIT_USAGE after the message. */
static int check_dump_options(const struct cli *c)
{
	const struct bpe_options *o = &c->engine;

	if (o->bpf_abi && c->dump && !c->explain && !o->interface_name)
		return option_refuse("--bpf-abi is for -i bpf:NAME, or for --explain");
	if (o->bpf_device && !o->interface_name)
		return option_refuse("--bpf-device is for -i bpf:NAME");
	return 0;
}

/* ---- Values which need more than the table ---- */

/* Checks the user of -Z.  Returns 0 or EXIT_USAGE after the message. */
static int check_user(const char *user)
{
	const char *colon = user ? strchr(user, ':') : NULL;
	const struct passwd *account;
	uint64_t number;

	if (!user || getpwnam(user))
		return 0;
	if (colon)
		return option_refuse(
			"-Z wants a user without a group (its own groups are taken): -Z %.*s",
			(int)(colon - user), user);
	if (!parse_whole(user, 0, UINT32_MAX, &number))
		return 0;
	account = getpwuid((uid_t)number);
	if (account)
		return option_refuse("-Z wants a name, not a number: -Z %s", account->pw_name);
	return option_refuse("-Z wants a name, not a number, and no user has the number %s", user);
}

/* Returns whether the regular file is a pcapng file.  Packets of pcapng have directions. */
static bool is_pcapng(const char *path)
{
	static const unsigned char magic[4] = { 0x0a, 0x0d, 0x0d, 0x0a };
	unsigned char begin[4] = { 0 };
	struct stat st;
	FILE *file;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	const size_t n = fread(begin, 1, sizeof begin, file);
	fclose(file);
	return n == sizeof begin && !memcmp(begin, magic, sizeof magic);
}

/* Refuses a direction for a source without directions.  Returns 0 or EXIT_USAGE after the message.
 */
static int check_direction(const struct cli *c)
{
	const char *name = c->engine.interface_name;

	if (c->engine.direction == BPE_DIRECTION_BOTH)
		return 0;
	if (c->engine.file && is_pcapng(c->engine.file))
		return option_refuse(
			"-Q is for interfaces. Packets of a pcapng file say their direction: the filter is %s",
			c->engine.direction == BPE_DIRECTION_IN ? "inbound" : "outbound");
	if (c->engine.file)
		return option_refuse(
			"-Q is for interfaces, and a pcap file does not say directions");
	if (!strcmp(name, "synth") || !strncmp(name, "synth:", 6))
		return option_refuse("-Q is for interfaces, and synth is none");
	return 0;
}

/* ---- Flows and threads ---- */

/* Returns an option without effect where --flows is missing, or NULL.  The last two have an effect
 * with targets, too. */
static const char *find_flow_option(const struct cli *c)
{
	static const char *const names[] = { "flows-append", "flows-format", "flows-error",
		"flows-begin", "flow-active", "flows-overload" };
	static const char *const shown[] = { "--flows-append", "--flows-format", "--flows-error",
		"--flows-begin", "--flow-active", "--flows-overload" };
	const size_t count = sizeof names / sizeof *names - (cli_has_targets(c) ? 2 : 0);

	for (size_t k = 0; k < count; k++)
		if (option_is_given(option_current(), names[k]))
			return shown[k];
	return NULL;
}

/* Checks the options of --flows and --top.  Returns 0 or EXIT_USAGE after the message. */
static int check_flow_outputs(const struct cli *c)
{
	const bool flows_on_stdout = c->flows_path && !strcmp(c->flows_path, "-");
	const char *flow_option = find_flow_option(c);
	struct stat st;

	if (c->flows_path && !c->engine.flows)
		return option_refuse("--flows and --no-flows contradict each other");
	if (c->top && !c->engine.flows)
		return option_refuse("--top shows flows: it and --no-flows contradict each other");
	if (c->top && (c->json || flows_on_stdout))
		return option_refuse(
			"--top and %s both want stdout", c->json ? "--json" : "--flows -");
	if (!c->flows_path && !c->table_path && flow_option)
		return option_refuse("%s is for --flows FILE", flow_option);
	if (flows_on_stdout && c->flows_append)
		return option_refuse(
			"--flows-append is for a file, and --flows - is the standard output");
	if (c->flows_append && !stat(c->flows_path, &st) && !S_ISREG(st.st_mode))
		return option_refuse("--flows-append is for a file, and %s is none", c->flows_path);
	if (!c->engine.flows && option_is_given(option_current(), "largest"))
		return option_refuse("--largest is of flows, and --no-flows keeps none");
	if (flows_on_stdout && c->json)
		return option_refuse(
			"--flows - and --json both want stdout: write the flows to a file");
	return 0;
}

/* Checks the options of --spread.  Returns 0 or EXIT_USAGE after the message. */
static int check_spread_options(const struct bpe_options *o)
{
	const bool by_packet =
		o->spread == BPE_SPREAD_SOURCE || o->spread == BPE_SPREAD_DESTINATION;

	if (by_packet && o->flows)
		return option_refuse(
			"--spread source and destination part the directions of a flow: add --no-flows, or use --spread host");
	if (o->spread == BPE_SPREAD_VLAN && o->ignore_vlan)
		return option_refuse("--spread vlan and --ignore-vlan contradict each other");
	if (o->spread == BPE_SPREAD_TUNNEL && o->ignore_tunnel)
		return option_refuse("--spread tunnel and --ignore-tunnel contradict each other");
	if (o->spread_networks && o->spread != BPE_SPREAD_HOST)
		return option_refuse("--spread-networks is for --spread host");
	return 0;
}

/* Returns whether the kernel of the source can be asked to give each packet at once. */
static bool has_read_modes(const struct cli *c)
{
	const char *name = c->engine.interface_name;

	if (!name || !strcmp(name, "synth") || !strncmp(name, "synth:", 6))
		return false;
#ifdef __linux__
	return !strncmp(name, "bpf:", 4);
#else
	return true;
#endif
}

/* Chooses the read mode of --immediate-mode.  Returns 0 or EXIT_USAGE after the message. */
static int complete_immediate(struct cli *c)
{
	if (!c->immediate || !has_read_modes(c))
		return 0;
	if (c->engine.read_mode != BPE_READ_AUTO && c->engine.read_mode != BPE_READ_LATENCY)
		return option_refuse(
			"--immediate-mode is --read-mode latency: leave one of them out");
	c->engine.read_mode = BPE_READ_LATENCY;
	return 0;
}

/* Returns the option which writes to stdout, too, or NULL. */
static const char *find_stdout_option(const struct cli *c)
{
	if (c->top)
		return "--top";
	if (c->json)
		return "--json";
	if (c->events_path && !strcmp(c->events_path, "-"))
		return "--events -";
	return c->flows_path && !strcmp(c->flows_path, "-") ? "--flows -" : NULL;
}

/* Completes the options of --print, and checks them.  A letter about the form of lines
 * prints them.  Returns 0 or EXIT_USAGE after the message. */
static int complete_print(struct cli *c)
{
	const char *other = find_stdout_option(c);

	if (c->colors && !c->top)
		c->prints = true;
	if (c->prints && !c->print.form)
		c->print.form = PRINT_OWN;
	c->print.verbose = c->verbose;
	if (c->with_ssh && !c->print.form && !c->top)
		return option_refuse(
			"--with-ssh is for --print and --top: other runs leave out no connection");
	if (c->print.lines_a_second && !c->print.form)
		return option_refuse("--print-rate is for --print");
	if (!c->print.form)
		return complete_immediate(c);
	if (other)
		return option_refuse(
			"packets are printed on stdout, where %s writes, too: leave one of them out",
			other);
	if (c->engine.workers > 0)
		return option_refuse(
			"packets are printed in their order by one thread: leave out --workers %d",
			c->engine.workers);
	c->engine.workers = 0;
	return complete_immediate(c);
}

/* Checks --count, which prints nothing but a number.  Returns 0 or EXIT_USAGE after the message. */
static int check_count(const struct cli *c)
{
	const char *other = find_stdout_option(c);

	if (!c->counts)
		return 0;
	if (c->print.form)
		other = "the printing of packets";
	if (other)
		return option_refuse(
			"--count prints the number of packets alone: leave out %s", other);
	return 0;
}

/* Keeps notices about options without effect.  The text of the last is made here. */
static void tell_unused(struct cli *c)
{
	const char *name = c->engine.interface_name;
	const char *colon = name ? strchr(name, ':') : NULL;
	char real[IF_NAMESIZE];

	if (option_tell_repeated(option_current(), c->repeated, sizeof c->repeated))
		add_notice(c, c->repeated);
	if (c->unoptimized)
		add_notice(c, "-O is for -d: the filter of a capture is optimized");
	if (c->engine.filter_through && !c->filter)
		add_notice(c, "--through is for a filter, and there is none");
	if (!colon || !if_nametoindex(name) || !if_indextoname(if_nametoindex(name), real) ||
		!strcmp(real, name))
		return;
	snprintf(c->notice_text, sizeof c->notice_text,
		"%s is an address of %s: all packets of %s are captured (a filter chooses: host ADDRESS)",
		name, real, real);
	add_notice(c, c->notice_text);
}

/* Takes "synth" as an interface if the system has an interface "synth".  Generated traffic is
 * "synth:" then. */
static void choose_synth(struct cli *c)
{
	if (!c->engine.interface_name || strcmp(c->engine.interface_name, "synth"))
		return;
	if (!if_nametoindex("synth"))
		return;
	c->engine.interface_name = "if:synth";
	add_notice(c,
		"synth is an interface here, which is captured (generated traffic is -i synth:)");
}

/* Takes the number of -D as the interface, unless an interface has the number as name. */
static void choose_number(struct cli *c)
{
	const char *name = c->engine.interface_name;

	if (!name || !*name || name[strspn(name, "0123456789")] || if_nametoindex(name))
		return;
	cli_interface_number(c->numbered_interface, sizeof c->numbered_interface, name);
	if (*c->numbered_interface)
		c->engine.interface_name = c->numbered_interface;
}

/* Checks the options of a capture.  Returns 0 or EXIT_USAGE after the message. */
static int check_capture_options(struct cli *c)
{
	const struct bpe_options *o = &c->engine;
	int code;

	if (!o->interface_name && !o->file)
		return cli_answer_no_source(c, c->words);
	if (o->file && !strcmp(o->file, "-") && c->filter_on_input)
		return option_refuse("-r - and -F - both read the standard input");
	if (option_is_given(option_current(), "promiscuous") &&
		option_is_given(option_current(), "no-promiscuous-mode"))
		return option_refuse("-p and --promiscuous contradict each other");
	if (o->checksums && c->print.no_checksums)
		return option_refuse("-K and --checksums contradict each other");
	/* The counts of Zeek are bytes of IP. */
	if (c->flows_format == BPE_FORMAT_ZEEK)
		c->engine.flow_lengths = true;
	code = cli_check_write_options(c);
	if (!code)
		code = check_direction(c);
	if (!code)
		code = check_user(c->user);
	if (!code)
		code = cli_complete_tables(c);
	if (!code)
		code = check_flow_outputs(c);
	if (!code)
		code = check_spread_options(o);
	if (!code)
		code = complete_print(c);
	if (!code)
		code = cli_complete_names(c);
	if (!code)
		code = check_count(c);
	if (!code)
		code = cli_check_packet_output(c);
	if (!code)
		tell_unused(c);
	return code;
}

int cli_check_options(struct cli *c)
{
	const enum cli_mode mode = find_mode(c);
	int code = check_modes(c);

	if (code)
		return code;
	if (mode == CLI_MODE_LIST)
		return check_list(c);
	code = cli_sources_check(c);
	if (code)
		return code;
	choose_number(c);
	choose_synth(c);
	return mode == CLI_MODE_CAPTURE ? check_capture_options(c) : check_dump_options(c);
}
