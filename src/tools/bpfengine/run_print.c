/* SPDX-License-Identifier: MIT */
/* The printing of packets on stdout in a run (run.h); stateless. */
#include "run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void on_printed_batch(void *user, const struct bpe_batch *batch)
{
	struct run *r = user;

	print_batch(r->printer, batch);
	if (r->has_intervals)
		cli_intervals_add(&r->intervals, r->engine, batch);
}

/* Ends the run when lines cannot be written any more. */
static void on_print_failure(void *user)
{
	bpe_engine_stop(((struct run *)user)->engine);
}

/* Returns whether the source tells the direction of each packet: of BPF devices' packets only the
 * metadata tells, and of savefiles' only the outgoing. */
static bool has_directions(const struct bpe_options *o)
{
#ifdef __linux__
	const char *name = o->interface_name;

	return name && strncmp(name, "bpf:", 4) != 0 && strncmp(name, "synth", 5) != 0;
#else
	(void)o;
	return false;
#endif
}

int run_print_open(struct run *r)
{
	struct cli *c = &r->cli;
	const char *name = c->engine.interface_name;
	const bool is_any = name && !strcmp(name, "any");
	struct print_setup setup = { .options = c->print,
		.fd = STDOUT_FILENO,
		.is_live = name,
		.has_directions = has_directions(&c->engine),
		.is_any = is_any,
		.has_names = c->engine.names || c->engine.process,
		.where = c->where,
		.on_failure = on_print_failure,
		.user = r };

	if (!c->print.form)
		return 0;
	if (name && !strncmp(name, "bpf:", 4))
		setup.interface_name = name + 4;
	else if (name && !strncmp(name, "if:", 3))
		setup.interface_name = name + 3;
	else
		setup.interface_name = name && !strncmp(name, "synth", 5) ? "synth" : name;
	if (cli_has_several(c)) { /* packets say */
		setup.interface_name = NULL;
		setup.is_any = false;
	}
	if (print_open(&r->printer, &setup)) {
		program_tell("no memory to print packets");
		return EXIT_ERROR;
	}
	c->engine.on_batch = on_printed_batch;
	/* tcpdump's lines have no marks */
	c->engine.marks =
		c->engine.flows && !c->engine.no_tcp_health && c->print.form != PRINT_TCPDUMP;
	return 0;
}

int run_print_finish(struct run *r)
{
	struct print_counts counts;
	char lost[32];
	char all[32];

	if (!r->printer)
		return 0;
	print_finish(r->printer);
	print_counts(r->printer, &counts);
	if (!counts.error)
		return 0;
	if (counts.error == EPIPE)
		return EXIT_ERROR; /* the reader has left and wants no word */
	const char *why = counts.error == ETIMEDOUT ? "nobody takes them" : strerror(counts.error);
	program_tell("packets were not all printed: %s; %s of %s are missing", why,
		cli_number(lost, sizeof lost, counts.lost),
		cli_number(all, sizeof all, counts.lost + counts.printed));
	return EXIT_ERROR;
}

void run_print_report(FILE *to, const struct run *r)
{
	struct print_counts counts;
	char text[64];

	if (!r->printer)
		return;
	print_counts(r->printer, &counts);
	fprintf(to, "\n%s printed", cli_counted(text, sizeof text, counts.printed, "packet"));
	if (counts.withheld)
		fprintf(to, ", %s left out (--print-rate)",
			cli_number(text, sizeof text, counts.withheld));
	if (counts.lost)
		fprintf(to, ", %s lost", cli_number(text, sizeof text, counts.lost));
	fputc('\n', to);
}
