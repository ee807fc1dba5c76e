/* SPDX-License-Identifier: MIT */
/* bpfbench: reads the options, measures, and writes the result. */
#include "arch/arch.h"
#include "run.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

struct notice_target {
	struct result *result;
	bool quiet;
};

static void note_notice(void *user, const char *text)
{
	struct notice_target *t = user;
	note_add(t->result, "%s", text);
	if (!t->quiet)
		program_tell("%s", text);
}

static void describe_run(struct result *result, const struct run *r, const struct options *o)
{
	const struct row *t = &r->total;
	fact_add(&result->findings, "source", "%s", r->source);
	fact_add(&result->findings, "linktype", "%s", r->link_type);
	fact_number(&result->findings, "workers", r->workers);
	fact_number(&result->findings, "packets_per_second", t->packets_per_second);
	fact_number(&result->findings, "bits_per_second", t->bits_per_second);
	fact_number(&result->findings, "loss", t->loss);
	if (o->engine.count_only && o->engine.workers > 0)
		note_add(result, "counting alone runs on the reading thread: -p changes nothing");
	if (!r->latency)
		note_add(result, "latency was not measured: %s",
			is_synth(o->source) ? "the time stamps of generated traffic are made up"
					    : "--no-latency");
	else
		note_add(result,
			"latency: from the packet's time stamp (the system's, in its resolution) to the call of the handler on a worker's thread");
	if (is_synth(o->source))
		note_add(result,
			"CPU and time include the generator's, which stands where a kernel would; blocks are as full as it fills them");
	note_add(result,
		"CPU is of the whole process; kernel_* of single rows may be up to a second old, those of the total are exact");
}

int run_main(const struct options *o)
{
	static struct run run;
	static struct result result;
	static struct verdict verdict;
	struct notice_target target = { &result, o->quiet };
	struct bpe_error error = { 0 };
	result_init(&result, KIND_RUN);
	host_facts(&result.host);
	options_facts(o, &result.options);
	run.on_notice = note_notice;
	run.user = &target;
	run.tells = !o->quiet;
	if (run_open(&run, &o->engine, o->latency, &error) < 0)
		return exit_of(&error);
	stop_also(run.engine);
	if (run_start(&run, &error) < 0)
		return exit_of(&error);
	run_wait(&run, (int64_t)(o->seconds * 1e9));
	int status = run_end(&run, &error);
	stop_also(NULL);
	if (status < 0) {
		program_tell("%s", error.text);
		note_add(&result, "the run was cut short: %s", error.text);
	}
	describe_run(&result, &run, o);
	result.rows = run.rows;
	result.count = run.count;
	result.total = &run.total;
	result.latency = run.latency ? &run.all : NULL;
	run.total.buffer_bytes = o->engine.buffer_bytes ? o->engine.buffer_bytes : ABSENT;
	const struct judge judge = options_judge(o);
	verdict_init(&verdict);
	verdict_sample(&verdict, &judge, &run.total);
	result.verdicts = &verdict;
	result.verdict_count = 1;
	int code = outputs_write(o, &result);
	if (!run_balanced(&run)) {
		program_tell(
			"the books do not balance: packets read are not those delivered and dropped; please report this");
		code = EXIT_ERROR;
	}
	run_close(&run);
	return status < 0 && !code ? EXIT_ERROR : code;
}

/* Checks the kernels, since stages call them without an engine.  Returns an exit code. */
static int kernels_check(void)
{
	char why[BPEI_UNFIT_TEXT];
	const enum bpei_unfit unfit = bpei_backend_check(why, sizeof why);

	if (unfit == BPEI_FITS)
		return EXIT_GOOD;
	program_tell("%s", why);
	return unfit == BPEI_UNFIT_WANTED ? EXIT_USAGE : EXIT_SOURCE;
}

int main(int argc, char **argv)
{
	static struct options o;
	program_begin("bpfbench");
	signals_ignore_pipe();
	int code = options_read(&o, argc, argv);
	if (!code && o.done)
		return program_end_output("the text") ? EXIT_GOOD : EXIT_ERROR;
	if (code)
		return code;
	code = kernels_check();
	if (!code)
		code = outputs_check(&o);
	if (code)
		return code;
	signals_begin();
	switch (o.kind) {
	case KIND_RUN:
		return run_main(&o);
	case KIND_SWEEP:
		return sweep_main(&o);
	case KIND_STAGES:
		return stages_main(&o);
	case KIND_LOOP:
		return loop_main(&o);
	case KIND_COMPARE:
		return compare_main(&o);
	}
	return EXIT_USAGE;
}
