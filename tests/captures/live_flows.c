/* SPDX-License-Identifier: MIT */
/* live_flows DIRECTORY: reads every capture of DIRECTORY/index.tsv with the handlers of live flows.
 * The runs have 0 and 2 workers, a large table, a table of 8 flows, and periods.  Each flow opens
 * once, is updated in order and ends once.  Updates come neither early nor late.  The last line is
 * "N passed, N failed", counted in files.  Exit code 77 (skipped): the captures are absent. */
#include "flow_books.h"

#define LONGEST_LINE 4096
#define ROOM 10000u

static unsigned long long flows, updates;

/* Runs an engine over a capture and prints a fault of the books.  Returns false on a fault. */
static bool run_live_capture(const char *path, int workers, uint32_t max_flows, int64_t active_ns)
{
	struct bpe_options o;
	struct bpe_engine *engine;
	struct bpe_error error = { 0 };
	struct bpe_stats s;
	struct flow_books books;
	uint64_t updated;

	flow_books_init(&books, max_flows);
	books.update_ns = 500000000;
	books.update_bytes = 4000;
	bpe_options_init(&o);
	o.file = path;
	o.workers = workers;
	o.max_flows = max_flows;
	o.flow_active_ns = active_ns;
	flow_books_options(&o, &books);
	const int opened = bpe_engine_open(&o, &engine, &error);
	if (opened < 0) {
		if (opened == BPE_E_FORMAT || opened == BPE_E_UNSUPPORTED)
			return true; /* left to captures_check */
		printf("%s: %s\n", path, error.text);
		return false;
	}
	books.engine = engine;
	bpe_engine_run(engine, 0, &error); /* a torn file is read up to its end */
	bpe_engine_stats(engine, &s);
	/* Times of records and of flows differ where the file's clock jumps. */
	books.loose_time = s.time_steps > 0;
	const char *wrong = check_flow_books(&books, &s, &updated);
	if (wrong)
		printf("%s: %d workers, %u flows, periods of %lld ns: %s\n", path, workers,
			max_flows, (long long)active_ns, wrong);
	flows += s.flows_opened;
	updates += updated;
	bpe_engine_close(engine);
	flow_books_free(&books);
	return !wrong;
}

static bool check_live_capture(const char *path)
{
	bool is_good = true;

	for (int workers = 0; workers <= 2; workers += 2) {
		is_good &= run_live_capture(path, workers, ROOM, 0);
		is_good &= run_live_capture(path, workers, 8, 0);
		is_good &= run_live_capture(path, workers, ROOM, 300000000);
	}
	return is_good;
}

int main(int argc, char **argv)
{
	char line[LONGEST_LINE];
	char path[2 * LONGEST_LINE];
	unsigned passed = 0;
	unsigned failed = 0;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof path, "%s/index.tsv", argv[1]);
	FILE *index = fopen(path, "r");
	if (!index) {
		printf("no captures in %s\n", argv[1]);
		return 77;
	}
	while (fgets(line, sizeof line, index)) {
		line[strcspn(line, "\t\n")] = 0;
		snprintf(path, sizeof path, "%s/%s", argv[1], line);
		FILE *capture = fopen(path, "r");
		if (!capture)
			continue; /* the head of the list */
		fclose(capture);
		if (check_live_capture(path))
			passed++;
		else
			failed++;
	}
	fclose(index);
	printf("%llu flows opened, %llu updates\n", flows, updates);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed || !updates;
}
