/* SPDX-License-Identifier: MIT */
/* A run with the live view (run.h); stateless. */
#include "exports.h"
#include "run.h"

/* Minds SIGTSTP and SIGCONT. */
static void handle_view_signals(struct run *r)
{
	if (run_signals.suspends) {
		run_signals.suspends = 0;
		run_signals.continues = 0;
		top_view_suspend(r->view);
	}
	if (run_signals.continues) {
		run_signals.continues = 0;
		top_view_redraw(r->view);
	}
}

static bool is_duration_over(const struct run *r)
{
	struct bpe_stats s;

	if (!r->cli.duration_ns)
		return false;
	bpe_engine_stats(r->engine, &s);
	return (int64_t)s.elapsed_ns >= r->cli.duration_ns;
}

void run_top_view(struct run *r)
{
	bool is_ended = false;

	r->view_has_terminal = true;
	top_view_start(r->view, r->engine);
	while (!is_duration_over(r)) {
		if (!is_ended && bpe_engine_wait(r->engine, 0)) {
			is_ended = true;
			if (bpe_engine_result(r->engine, NULL) < 0)
				break;
		}
		if (run_signals.stops || !top_view_step(r->view, is_ended))
			break;
		handle_view_signals(r);
		run_handle_sigusr2(r);
		run_write_look(r);
		run_export_look(r);
	}
	if (r->cli.flows)
		cli_flows_ending(r->cli.flows);
	if (r->cli.events)
		cli_flows_ending(r->cli.events);
	if (r->cli.exports)
		cli_exports_ending(r->cli.exports);
	bpe_engine_stop(r->engine);
	while (!bpe_engine_wait(r->engine, -1))
		continue;
	r->view_has_terminal = false;
	top_view_close(r->view);
	r->view = NULL;
}
