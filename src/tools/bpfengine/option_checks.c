/* SPDX-License-Identifier: MIT */
/* Checks the options of bpfengine together after the command line was read, and completes the
 * options; stateless. */
#include "cli.h"
#include "options.h"

#include <string.h>

/* Checks the options of --flows and --top.  Returns 0 or EXIT_USAGE after the message. */
static int check_flow_outputs(const struct cli *c)
{
	const bool flows_on_stdout = c->flows_path && !strcmp(c->flows_path, "-");
	const bool has_flow_option = c->flows_format || c->flows_stop || c->flows_append ||
				     c->engine.record_overload || c->engine.record_begins;

	if (c->flows_path && !c->engine.flows)
		return option_refuse("--flows and --no-flows contradict each other");
	if (c->top && !c->engine.flows)
		return option_refuse("--top shows flows: it and --no-flows contradict each other");
	if (c->top && (c->json || flows_on_stdout))
		return option_refuse(
			"--top and %s both want stdout", c->json ? "--json" : "--flows -");
	if (!c->flows_path && has_flow_option)
		return option_refuse(
			"--flows-begin, --flows-append, --flows-format, --flows-error and --flows-overload are for --flows FILE");
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

/* Returns the option that writes to stdout, too, or NULL. */
static const char *find_stdout_option(const struct cli *c)
{
	if (c->top)
		return "--top";
	if (c->json)
		return "--json";
	return c->flows_path && !strcmp(c->flows_path, "-") ? "--flows -" : NULL;
}

/* Completes the options of --print, and checks them.  A letter that says how packets are printed
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

/* Checks the options together, and completes the options.  Returns 0 or EXIT_USAGE after the
 * message. */
int cli_check_options(struct cli *c)
{
	const struct bpe_options *o = &c->engine;

	if ((c->dump || c->explain) && !(o->interface_name && o->file))
		return 0;
	if (o->interface_name && o->file)
		return option_refuse("give -i or -r, not both");
	if (!o->interface_name && !o->file)
		return option_refuse(
			"no source: give -i INTERFACE (bpfengine -L lists them), -r FILE, or -i synth");
	if (c->flows_format == BPE_FORMAT_ZEEK)
		c->engine.flow_lengths = true;
	int code = check_flow_outputs(c);

	if (!code)
		code = check_spread_options(o);
	return code ? code : complete_print(c);
}
