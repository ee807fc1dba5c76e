// SPDX-License-Identifier: MIT
// terminate: an exception leaves a handler of C.  Nothing catches the exception on a thread of the
// library: std::terminate ends the program by SIGABRT, with the exception's text on the
// standard error.  Each case runs in a child.
#include "check.hpp"

#include <csignal>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/wait.h>

/* Throws once in a process.  If two threads throw at a time, a C++ library may leave out the text.
 */
static void throw_planted(const char *text)
{
	static std::atomic<bool> thrown{ false };
	if (!thrown.exchange(true))
		throw std::runtime_error(text);
}

static void throw_batch(void *, const bpe_batch *)
{
	throw_planted("planted in on_batch");
}

static void throw_flow(void *, const bpe_flow *, std::uint32_t)
{
	throw_planted("planted in on_flow");
}

static void throw_record(void *, const bpe_flow *flow, std::uint32_t)
{
	if (flow)
		throw_planted("planted in on_record");
}

/* Runs an engine by the functions of C.  The caller's catch is on another thread's stack. */
static int run_plainly(int workers, void (*plant)(bpe_options *))
{
	bpe_options options;
	bpe_error error;
	bpe_engine *engine = nullptr;
	bpe_options_init(&options);
	options.interface_name = "synth:count=1000";
	options.workers = workers;
	plant(&options);
	try {
		if (bpe_engine_open(&options, &engine, &error) < 0)
			return 2;
		bpe_engine_run(engine, 0, &error);
	} catch (const std::exception &) {
		return 3;
	}
	return 4;
}

/* Reads a capture by the functions of C.  Returns 10 if the exception came through the library, and
 * the capture refuses further calls and closes. */
static int capture_plainly(int, void (*plant)(bpe_options *))
{
	bpe_options options;
	bpe_error error;
	bpe_batch batch;
	bpe_capture *capture = nullptr;
	bpe_options_init(&options);
	options.interface_name = "synth:count=1000";
	options.flow_table = true;
	plant(&options);
	if (bpe_capture_open(&options, &capture, &error) < 0)
		return 2;
	int caught = 0;
	for (int status = 0; status >= 0 && !caught;)
		try {
			status = bpe_capture_next(capture, &batch, -1, &error);
		} catch (const std::runtime_error &e) {
			std::fprintf(stderr, "caught: %s\n", e.what());
			caught = 1;
		}
	const int after = bpe_capture_next(capture, &batch, -1, &error);
	bpe_capture_close(capture);
	return caught && after == BPE_E_STATE ? 10 : 3;
}

/* Returns the wait status of a child after the run of an engine, and the child's errors. */
static int watch_child(int (*run)(int, void (*)(bpe_options *)), int workers,
	void (*plant)(bpe_options *), std::string *printed)
{
	int ends[2];
	if (pipe(ends) != 0)
		return 0;
	std::fflush(stdout);
	const pid_t child = fork();
	if (child == 0) {
		const struct rlimit no_core = { 0, 0 };
		setrlimit(RLIMIT_CORE, &no_core);
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		_exit(run(workers, plant));
	}
	close(ends[1]);
	char piece[512];
	for (ssize_t n = 0; (n = read(ends[0], piece, sizeof piece)) > 0;)
		printed->append(piece, static_cast<std::size_t>(n));
	close(ends[0]);
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 0;
	return status;
}

int main()
{
	static const struct {
		void (*plant)(bpe_options *);
		const char *text;
	} cases[] = {
		{ [](bpe_options *o) { o->on_batch = throw_batch; }, "planted in on_batch" },
		{ [](bpe_options *o) { o->on_flow = throw_flow; }, "planted in on_flow" },
		{ [](bpe_options *o) { o->on_record = throw_record; }, "planted in on_record" },
	};
	for (int workers : { 0, 4 })
		for (const auto &c : cases) {
			std::string printed;
			const int status = watch_child(run_plainly, workers, c.plant, &printed);
			CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
			CHECK(printed.find(c.text) != std::string::npos);
			CHECK(printed.find("terminat") != std::string::npos);
		}
	/* On the caller's own thread: caught, where the library has tables for unwinding. */
	std::string printed;
	const int status = watch_child(capture_plainly, 0, cases[1].plant, &printed);
	const bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
	CHECK(aborted || (WIFEXITED(status) && WEXITSTATUS(status) == 10));
	CHECK(printed.find("planted in on_flow") != std::string::npos);
	std::printf("capture: %s\n", aborted ? "std::terminate" : "caught by the caller");
	return test::finish();
}
