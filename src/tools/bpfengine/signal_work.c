/* SPDX-License-Identifier: MIT */
/* The work of SIGUSR1 and SIGUSR2 (run.h); stateless. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* Returns the expression as the filter's file has the text now, to be freed; NULL: none, and why.
 */
static char *read_filter_again(const struct cli *c, char *why, size_t room)
{
	if (c->filter_path)
		return cli_filter_file(c->filter_path, why, room);
	return c->filter ? strdup(c->filter) : NULL;
}

/* Compiles the filter again, since the filter's files may have changed.  The filter stays as it is
 * if a file is missing or wrong. */
static void reread_filter(struct run *r)
{
	struct cli *c = &r->cli;
	struct bpe_error error = { .status = BPE_OK };
	char why[512] = "there is no filter";

	if (c->rights.filter_fixed) {
		run_tell(r,
			"the filter stays as it was: what confines this program does not let it change (--no-confine does)");
		return;
	}
	char *text = read_filter_again(c, why, sizeof why);
	if (!text) {
		run_tell(r, "nothing to read again: %s", why);
		return;
	}
	if (bpe_engine_set_expression(r->engine, text, &error) < 0) {
		const bool may_need_names = c->rights.confined[0] && strstr(error.text, "unknown ");

		run_tell(r, "the filter stays as it was: %s%s", error.text,
			may_need_names
				? "\n(a confined program asks no name server: give numbers, or --no-confine)"
				: "");
	} else if (!c->quiet) {
		run_tell(r, "the filter was read again");
	}
	free(text);
}

/* Asks the engine for records of all flows which are alive. */
static void dump_live_flows(struct run *r)
{
	const int status = bpe_engine_dump_flows(r->engine, NULL, NULL);

	if (status == BPE_E_BUSY)
		run_tell(r, "the flows asked for before are not all written yet: ask again");
	else if (status == BPE_OK && !r->cli.quiet)
		run_tell(r, "the flows that are alive are written to %s", r->cli.flows_shown);
}

void run_handle_sigusr2(struct run *r)
{
	if (!run_signals.rereads)
		return;
	run_signals.rereads = 0;
	const bool has_recorder = run_record_trigger(r);

	if (r->cli.flows)
		dump_live_flows(r);
	if (r->cli.filter || !(r->cli.flows || has_recorder))
		reread_filter(r);
}

void run_handle_sigusr1(struct run *r)
{
	if (!run_signals.reports)
		return;
	run_signals.reports = 0;
	cli_live_clear();
	cli_report_text(stderr, r->engine, &r->cli, NULL);
}
