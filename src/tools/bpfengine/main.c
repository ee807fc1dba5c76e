/* SPDX-License-Identifier: MIT */
/* The program: reads options, runs, reports.  Rights are given up between the opening of the source
 * and the start of the engine's threads (rights.h). */
#include "answers.h"
#include "extcap.h"
#include "exports.h"
#include "run.h"
#include "tools/crypto/crypto.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- Records ---- */

static void on_flow_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	struct run *r = user;

	(void)worker;
	if (r->cli.flows)
		cli_flows_record(r->cli.flows, flow);
	if (r->cli.exports)
		cli_exports_record(r->cli.exports, flow);
	if (r->view)
		top_view_record(r->view, flow);
}

static void on_flow_event(void *user, const struct bpe_event *event)
{
	struct run *r = user;

	cli_flows_event(r->cli.events, event);
}

/* ---- Before the run ---- */

/* Makes the flow file, gives up rights, and empties the flow file.  Returns 0 or an exit code. */
static int prepare_outputs(struct run *r)
{
	struct cli *c = &r->cli;
	int code;

	if (c->flows && (code = cli_flows_make(c->flows)))
		return code;
	if (c->events && (code = cli_flows_make(c->events)))
		return code;
	cli_flows_prepare_rotation(c, c->flows, c->flows_shown);
	cli_flows_prepare_rotation(c, c->events, c->events_shown);
	code = cli_write_make(c);
	if (!code)
		code = cli_load_key(c);
	if (!code)
		code = cli_rights_give_up(c);
	if (code)
		return code;
	/* Until here a signal ends the program in the default way, as there is nothing to report */
	run_watch_signals(r);
	code = run_write_begin(r);
	if (code)
		return code;
	if (c->flows)
		code = cli_flows_begin(c->flows, r->engine);
	if (c->events && !code)
		code = cli_flows_begin(c->events, r->engine);
	if (c->exports && !code)
		code = cli_exports_begin(c->exports);
	return code;
}

/* Prints an error of the engine.  The internal step helps who looks for a fault of the program. */
static void tell_engine_error(const struct cli *c, const struct bpe_error *error)
{
	if (c->verbose)
		program_tell("%s: %s", error->step, error->text);
	else
		program_tell("%s", error->text);
}

/* Counts a batch of a savefile for --stats-interval; on_batch of the engine. */
static void count_intervals(void *user, const struct bpe_batch *batch)
{
	struct run *r = user;

	cli_intervals_add(&r->intervals, r->engine, batch);
}

/* Opens the engine over the source or the sources. */
static int open_sources_engine(struct run *r, struct bpe_error *error)
{
	struct bpe_options o = r->cli.engine;

	cli_sources_apply(&r->cli, &o);
	/* Here, while files may still be read and mapped. */
	if (o.names & BPE_NAMES_QUIC)
		o.crypto = crypto_load();
	return bpe_engine_open(&o, &r->engine, error);
}

/* Opens the source.  A link type without filters has none for the own SSH connection. */
static int open_run_engine(struct run *r, struct bpe_error *error)
{
	struct cli *c = &r->cli;
	int status = open_sources_engine(r, error);
	const bool is_filter_refused = status == BPE_E_UNSUPPORTED || status == BPE_E_ARGUMENT;

	if (is_filter_refused && cli_ssh_take_back(c)) {
		status = open_sources_engine(r, error);
		if (status >= 0)
			cli_notice(c->quiet,
				"the own SSH connection is shown: this link type has no filter for it");
	}
	return status;
}

/* Opens the source, prepares the outputs, starts the engine.  Returns 0 or an exit code. */
static int start_engine(struct run *r)
{
	struct bpe_error error;
	int status = open_run_engine(r, &error);
	int code;

	if (status < 0)
		return cli_explain_failure(&r->cli, &error);
	for (uint32_t k = 0; k < r->cli.notice_count; k++)
		run_on_notice(r, r->cli.notices[k]);
	code = prepare_outputs(r);
	if (code)
		return code;
	if (run_signals.stops)
		bpe_engine_stop(r->engine);
	cli_first_line(&r->cli, r->engine); /* the open source takes packets */
	status = bpe_engine_start(r->engine, &error);
	if (status < 0) {
		tell_engine_error(&r->cli, &error);
		return EXIT_ERROR;
	}
	cli_flows_tell_waiting(&r->cli);
	return 0;
}

/* ---- After the run ---- */

/* Returns whether all packets and flows are accounted for. */
static bool do_counts_balance(struct bpe_engine *engine)
{
	struct bpe_stats s;

	bpe_engine_stats(engine, &s);
	uint64_t accounted = s.delivered_packets;
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		accounted += s.dropped[i];
	return accounted == s.read_packets &&
	       s.flows_opened == s.flows_active + s.flows_ended + s.flows_evicted;
}

/* Prints the number of packets, as tcpdump --count does. */
static void print_count(FILE *to, struct bpe_engine *engine)
{
	struct bpe_stats s;

	bpe_engine_stats(engine, &s);
	fprintf(to, "%" PRIu64 " packet%s\n", s.delivered_packets,
		s.delivered_packets == 1 ? "" : "s");
}

/* Tells of lines that could not be written.  Returns whether all were written.  file NULL: none. */
static bool tell_lost_lines(const struct cli_flows *file, const char *what, const char *shown)
{
	uint64_t written = 0;
	uint64_t lost = 0;

	if (file)
		cli_flows_counts(file, &written, &lost);
	if (lost)
		program_tell("%s were not all written to %s: %" PRIu64 " of %" PRIu64
			     " are missing",
			what, shown, lost, written + lost);
	return !lost;
}

/* Prints the report; error: of the run, or NULL.  Returns whether the report and all records were
 * written. */
static bool print_report(const struct run *r, const char *error)
{
	const struct cli *c = &r->cli;
	const bool has_flows = (c->flows && cli_flows_on_stdout(c->flows)) ||
			       (c->events && cli_flows_on_stdout(c->events));
	/* flows and packets on the standard output share it with no report but JSON */
	FILE *to = (has_flows || r->printer || c->place.on_stdout) && !c->json ? stderr : stdout;
	bool is_printed;

	clearerr(stderr);
	if (c->counts)
		print_count(to, r->engine);
	else if (c->json)
		cli_report_json(to, r->engine, c, error);
	else
		cli_report_text(to, r->engine, c, NULL);
	run_print_report(to, r);
	if (to == stdout)
		is_printed = program_end_output("the report");
	else
		is_printed = !fflush(stderr) && !ferror(stderr);
	const bool has_all_flows = tell_lost_lines(c->flows, "flows", c->flows_shown);

	const bool has_all_records = !c->exports || cli_exports_tell_missing(c->exports);

	return tell_lost_lines(c->events, "events", c->events_shown) && has_all_flows &&
	       has_all_records && is_printed;
}

static int run_engine(struct run *r)
{
	struct bpe_error error;
	int code = start_engine(r);

	if (code)
		return code;
	if (r->view)
		run_top_view(r);
	else
		run_live_line(r);
	const int status = bpe_engine_result(r->engine, &error);
	code = run_print_finish(r);
	const int write_code = run_write_finish(r);
	run_export_finish(r);

	if (!code)
		code = write_code;
	if (status < 0)
		program_tell("%s", error.text);
	if (!print_report(r, status < 0 ? error.text : NULL))
		code = EXIT_ERROR;
	if (!do_counts_balance(r->engine)) {
		program_tell(
			"the books do not balance: packets read are not those delivered and dropped;"
			" please report this");
		code = EXIT_ERROR;
	}
	return status < 0 ? EXIT_ERROR : code;
}

/* ---- The program ---- */

/* Asks the helper of --process; on_owner of the engine, which asks no more after a failure. */
static int ask_owner_helper(void *user, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	struct run *r = user;
	const int status = cli_owners_ask(r->cli.owners, questions, answers, n);

	if (status < 0)
		run_tell(r,
			"the helper process of --process is gone: flows have no known process from now on");
	return status;
}

/* Finds where packets are written, and starts the helpers of -z, of --process and of targets.
 * Returns 0 or an exit code. */
static int find_savefiles(struct cli *c)
{
	int code = cli_write_find(c);

	if (!code)
		code = cli_command_start(&c->command, c);
	if (!code)
		code = cli_owners_start(&c->owners, c);
	if (!code)
		code = cli_check_table_file(c);
	if (!code)
		code = cli_exports_start(&c->exports, c);
	if (c->owners)
		c->engine.on_owner = ask_owner_helper;
	return code;
}

/* Opens the file of --events.  Returns 0 or an exit code. */
static int open_event_file(struct cli *c)
{
	if (!c->events_path)
		return 0;
	program_visible(c->events_shown, sizeof c->events_shown, c->events_path);
	c->engine.on_event = on_flow_event;
	return cli_events_open(&c->events, c, cli_rights_user());
}

/* Finds the files which no output may be, and opens the outputs.  Returns 0 or an exit code. */
static int open_outputs(struct run *r)
{
	struct cli *c = &r->cli;
	int code = cli_outputs_check(c);

	if (!code && c->flows_path) {
		program_visible(c->flows_shown, sizeof c->flows_shown, c->flows_path);
		code = cli_flows_open(&c->flows, c, cli_rights_user());
		c->engine.on_record = on_flow_record;
	}
	if (!code)
		code = open_event_file(c);
	return code ? code : find_savefiles(c);
}

/* Prepares lines of --stats-interval by the packets' time.  Returns 0, or EXIT_USAGE after the
 * message: only the reading thread has the packets in their order. */
static int prepare_intervals(struct run *r)
{
	struct cli *c = &r->cli;

	if (!c->stats_interval_ns || !c->engine.file || c->top)
		return 0;
	if (c->engine.workers > 0) {
		program_tell("--stats-interval goes by the packets' time with -r, which the reading"
			     " thread alone knows: leave out --workers");
		return EXIT_USAGE;
	}
	r->has_intervals = true;
	cli_intervals_begin(&r->intervals, stderr, c->stats_interval_ns);
	c->engine.on_batch = count_intervals;
	return 0;
}

/* Closes all which the run opened.  Returns 0, or EXIT_ERROR after the message about a file of
 * lines. */
static int close_run(struct run *r, bool is_told)
{
	const struct {
		struct cli_flows *file;
		const char *what, *shown;
	} files[2] = { { r->cli.flows, "flows", r->cli.flows_shown },
		{ r->cli.events, "events", r->cli.events_shown } };
	int code = 0;

	run_forget_engine();
	bpe_engine_close(r->engine);
	r->engine = NULL;
	run_forget_flows();
	for (size_t k = 0; k < 2; k++) {
		const int failed = files[k].file ? cli_flows_close(files[k].file) : 0;

		if (!failed || is_told)
			continue;
		program_tell("%s were not written to %s: %s", files[k].what, files[k].shown,
			strerror(failed));
		code = EXIT_ERROR;
	}
	top_view_close(r->view);
	run_forget_printer();
	print_close(r->printer);
	run_write_close(r);
	cli_command_close(r->cli.command);
	cli_owners_close(r->cli.owners);
	cli_exports_close(r->cli.exports);
	run_record_close(r);
	cli_write_forget(&r->cli);
	cli_free(&r->cli);
	return code;
}

/* Captures and reports.  Returns the program's exit code. */
static int run_and_report(struct run *r)
{
	int code = cli_targets_check(&r->cli);

	if (r->cli.verbose)
		cli_huge_pages_watch();
	if (!code)
		code = cli_rights_prepare(&r->cli);

	cli_ssh_leave_out(&r->cli);
	if (!code)
		code = open_outputs(r);
	if (!code)
		code = prepare_intervals(r);
	if (!code && r->cli.top)
		code = top_view_open(&r->view, &r->cli);
	if (r->view || (r->cli.exports && r->cli.engine.flows))
		r->cli.engine.on_record = on_flow_record;
	if (!code)
		code = run_print_open(r);
	run_write_prepare(r);
	if (!code)
		code = run_record_open(r);
	if (!code) {
		r->cli.engine.option_words = true; /* the reader of notices typed options */
		r->cli.engine.on_notice = run_on_notice;
		r->cli.engine.user = r;
		code = run_engine(r);
	}
	const int closed = close_run(r, code != 0);

	return code ? code : closed;
}

int main(int argc, char **argv)
{
	static struct run r;
	int code;

	program_begin("bpfengine");
	run_install_handler(
		SIGPIPE, SIG_IGN); /* a closed pipe is a write error, and ends quietly */
	if (cli_extcap(&argc, &argv, &code))
		return code;
	code = cli_options(&r.cli, argc, argv);
	if (code)
		return code;
	if (r.cli.done)
		return program_end_output("the text") ? EXIT_GOOD : EXIT_ERROR;
	if (r.cli.list || r.cli.numbered || r.cli.list_clocks)
		return cli_list_interfaces(&r.cli);
	if (!r.cli.dump && !r.cli.explain)
		return run_and_report(&r);
	code = cli_dump_filter(&r.cli);
	cli_free(&r.cli);
	return code;
}
