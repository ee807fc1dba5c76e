// SPDX-License-Identifier: MIT
// life: bpfengine.hpp with threads at work: engines moved, destroyed and replaced during a run;
// handlers stop the run, and handlers throw, with 0 and 4 workers.  Compiles with
// and without exceptions.
#include "check.hpp"

#include <memory>
#include <thread>

static const int WORKERS[] = { 0, 4 };

/* Waits until handlers have raised a counter to a value. */
static void wait_for(const std::atomic<std::uint64_t> &counter, std::uint64_t value)
{
	while (counter < value)
		std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/* Returns options with a long text, which lies outside the string object. */
static bpe::options make_endless(int workers)
{
	bpe::options options("synth:flows=100,size=imix,seed=123456789,vlan=0,rate=50000");
	return options.workers(workers);
}

static void check_moves(int workers)
{
	std::atomic<std::uint64_t> packets{ 0 };
	auto witness = std::make_shared<int>(1);
	{
		bpe::options options = make_endless(workers);
		options.on_batch([&packets, witness](bpe::batch b) { packets += b.size(); });
		auto first = bpe::engine::open(options);
		CHECK(first && first->start());
		if (!first)
			return;
		wait_for(packets, 1);
		bpe::engine second = std::move(*first);
		wait_for(packets, packets + 1000);
		CHECK(!first->start() && first->start().error().status() == BPE_E_STATE);
		CHECK(first->wait() && !first->outcome() && !first->run());
		CHECK(!first->raw() && first->stats().read_packets == 0);
		CHECK(first->source().empty() && first->link_type().empty());
		CHECK(!first->set_filter("tcp") && first->protocols().empty());
		CHECK(!first->largest_flows(1) && !first->worker_stats(0));
		CHECK(!first->dump_flows() && !first->dump_flows([](bpe::flow) {}));
		first->stop();
		CHECK(!second.wait(std::chrono::nanoseconds(0)));
		std::vector<bpe::engine> many;
		many.push_back(std::move(second));
		many.reserve(many.capacity() + 1);
		CHECK(many[0].set_filter("tcp or udp"));
		many[0].stop();
		CHECK(many[0].wait() && many[0].outcome());
		CHECK(many[0].stats().delivered_packets == packets && witness.use_count() > 1);
	}
	CHECK(witness.use_count() == 1);
}

static void check_destruction(int workers)
{
	std::atomic<std::uint64_t> calls{ 0 };
	std::atomic<int> inside{ 0 };
	auto witness = std::make_shared<int>(1);
	bpe::options options = make_endless(workers);
	options.on_batch([&, witness](bpe::batch) {
		inside++;
		calls++;
		std::this_thread::sleep_for(std::chrono::microseconds(200));
		inside--;
	});
	{
		auto engine = bpe::engine::open(options);
		CHECK(engine && engine->start());
		wait_for(calls, 3);
	}
	CHECK(inside == 0);
	/* Assignment closes the engine on the left. */
	const std::uint64_t before = calls;
	auto left = bpe::engine::open(options);
	auto right = bpe::engine::open(options);
	CHECK(left && right && left->start());
	wait_for(calls, before + 3);
	*left = std::move(*right);
	const std::uint64_t closed = calls;
	CHECK(inside == 0 && !right->raw() && left->stats().read_packets == 0);
	CHECK(left->start());
	wait_for(calls, closed + 3);
	options = bpe::options();
	left->stop();
	CHECK(left->wait() && left->outcome() && witness.use_count() > 1);
	left = bpe::engine::open(bpe::options("synth:count=1"));
	CHECK(left && witness.use_count() == 1);
}

static void check_stops(int workers)
{
	std::atomic<std::uint64_t> packets{ 0 };
	auto counter =
		std::make_unique<std::atomic<int>>(0); /* makes the handler impossible to copy */
	bpe::options options = make_endless(workers);
	options.on_batch([&packets, counter = std::move(counter)](bpe::batch batch) {
		packets += batch.size();
		return ++*counter < 5;
	});
	auto engine = bpe::engine::open(options);
	CHECK(engine && engine->run() && engine->outcome() && packets >= 5);
	CHECK(engine && engine->stats().delivered_packets == packets);

	std::atomic<std::uint64_t> seen{ 0 };
	auto endless = bpe::engine::open(make_endless(workers).on_batch([&seen](bpe::batch) {
		seen++;
		return true;
	}));
	CHECK(endless);
	if (!endless)
		return;
	std::thread other([&] {
		wait_for(seen, 3);
		endless->stop();
	});
	CHECK(endless->run());
	other.join();

	/* A handler calls functions of the same engine. */
	bpe::engine *self = nullptr; /* set before the run begins */
	std::atomic<std::uint64_t> dumped{ 0 };
	std::atomic<std::uint64_t> asked{ 0 };
	bpe::options inner = make_endless(workers);
	inner.on_batch([&](bpe::batch) {
		if (asked++)
			return dumped == 0;
		CHECK(self->set_filter("ip or ip6") && self->stats().read_packets > 0);
		CHECK(self->is_current() && !self->wait() && !self->outcome());
		CHECK(self->largest_flows(1).error().status() == BPE_E_STATE);
		CHECK(self->dump_flows([&dumped](bpe::flow f) { dumped += f.packets(); }));
		return true;
	});
	auto asking = bpe::engine::open(inner);
	CHECK(asking);
	self = &*asking;
	CHECK(asking->run() && dumped > 0 && !asking->is_current());
}

/* Destroys an engine in a handler of the same engine; all is freed by another thread. */
static void check_own_destruction(int workers)
{
	auto witness = std::make_shared<std::atomic<int>>(0);
	auto engine = std::make_shared<std::optional<bpe::engine>>();
	std::atomic<bool> started{ false };
	std::atomic<bool> destroyed{ false };
	bpe::options options = make_endless(workers);
	options.workers(workers).on_batch([witness, engine, &started, &destroyed](bpe::batch) {
		if (!started || (*witness)++ != 0)
			return;
		engine->reset();
		destroyed = true;
	});
	auto opened = bpe::engine::open(options);
	CHECK(opened);
	if (!opened)
		return;
	bpe_engine *const raw = opened->raw();
	engine->emplace(std::move(*opened));
	CHECK(bpe_engine_start(raw, nullptr) == BPE_OK);
	started = true; /* this thread is out of the engine's calls */
	options = bpe::options();
	while (!destroyed || witness.use_count() > 1)
		std::this_thread::sleep_for(std::chrono::milliseconds(1));
	CHECK(*witness > 0 && !*engine && engine.use_count() == 1);
}

static void check_dumps(int workers)
{
	auto witness = std::make_shared<int>(1);
	std::atomic<std::uint64_t> packets{ 0 };
	std::atomic<std::uint64_t> flows{ 0 };
	bpe::options options = make_endless(workers);
	options.on_batch([&](bpe::batch batch) { packets += batch.size(); });
	auto engine = bpe::engine::open(options);
	CHECK(engine && !engine->dump_flows([witness](bpe::flow) {}) && witness.use_count() == 1);
	CHECK(engine->start());
	wait_for(packets, 1000);
	for (int i = 0; i < 20; i++) {
		bpe::result<void> asked = bpe::failure(BPE_E_BUSY, "", "");
		while (!asked && asked.error().status() == BPE_E_BUSY) {
			asked = engine->dump_flows([&flows, witness](bpe::flow) { flows++; });
			std::this_thread::yield();
		}
		CHECK(asked);
	}
	CHECK(engine->dump_flows().error().status() == BPE_E_ARGUMENT); /* no on_record */
	wait_for(flows, 20);
	engine->stop();
	CHECK(engine->wait() && flows >= 20 && witness.use_count() == 1);
}

static void check_records(int workers)
{
	std::atomic<std::uint64_t> shown{ 0 };
	std::atomic<std::uint64_t> flushes{ 0 };
	std::atomic<std::uint64_t> packets{ 0 };
	bpe::options options = make_endless(workers);
	options.on_batch([&packets](bpe::batch batch) { packets += batch.size(); });
	options.on_record([&](bpe::flow flow) {
		if (!flow)
			flushes++;
		else if (flow->end == BPE_END_DUMPED)
			shown++;
	});
	auto engine = bpe::engine::open(options);
	CHECK(engine && engine->start());
	wait_for(packets, 1000);
	CHECK(engine->dump_flows());
	wait_for(shown, 1);
	wait_for(flushes, 1);
	engine->stop();
	CHECK(engine->wait() && engine->stats().flows_dumped == shown);
}

static void check_many_lives(int workers)
{
	auto witness = std::make_shared<int>(1);
	for (int i = 0; i < 100; i++) {
		bpe::options options("synth:count=200,flows=5");
		options.workers(workers).on_batch([witness](bpe::batch) {});
		options.on_flow([witness](bpe::flow) {});
		auto engine = bpe::engine::open(options);
		if (!engine || (i % 3 && !engine->start()) || (i % 3 == 2 && !engine->wait()))
			MISSED("an engine does not open, start or end");
		bpe::options kept("synth:count=200,flows=5");
		kept.set(&bpe_options::flow_table, true).on_flow([witness](bpe::flow) {});
		auto capture = bpe::capture::open(kept);
		if (!capture || (i % 3 && !capture->next()))
			MISSED("a capture does not open or read");
	}
	CHECK(witness.use_count() == 1);
}

#ifdef __cpp_exceptions
/* An exception of a kind of these tests alone. */
struct planted {
	std::string text;
};

/* Runs an engine and returns the text of the planted exception, or a word for another end. */
template <class F> static std::string run_planted(F run)
{
	try {
		run();
	} catch (const planted &p) {
		return p.text;
	} catch (...) {
		return "another exception";
	}
	return "no exception";
}

static void check_throwing_batches(int workers)
{
	std::atomic<int> calls{ 0 };
	auto witness = std::make_shared<int>(1);
	{
		bpe::options options = make_endless(workers);
		options.on_batch([&calls, witness](bpe::batch) {
			if (++calls >= 3)
				throw planted{ "from on_batch" };
		});
		options.on_flow([](bpe::flow) { MISSED("a handler ran after an exception"); });
		bpe::engine engine(options);
		CHECK(run_planted([&] { engine.run().value(); }) == "from on_batch");
		CHECK(calls >= 3 && (workers > 0 || calls == 3));
		CHECK(engine.wait() && engine.outcome()); /* thrown once */
		CHECK(engine.stats().in_flight == 0);

		calls = 0;
		bpe::engine started(options);
		started.start().value();
		CHECK(run_planted([&] { started.wait(); }) == "from on_batch");

		calls = 0;
		bpe::engine polled(options);
		polled.start().value();
		std::string caught;
		do {
			caught = run_planted([&] { return bool(polled.outcome()); });
		} while (caught == "no exception");
		CHECK(caught == "from on_batch" && polled.outcome());

		calls = 0;
		bpe::engine dropped(options);
		dropped.start().value();
		while (calls < 3)
			std::this_thread::yield();
	}
	CHECK(witness.use_count() == 1);
}

static void check_throwing_others(int workers)
{
	bpe::options flows("synth:count=2000,flows=50");
	flows.workers(workers).on_flow([](bpe::flow) { throw planted{ "from on_flow" }; });
	bpe::engine by_flow(flows);
	CHECK(run_planted([&] { by_flow.run().value(); }) == "from on_flow");
	CHECK(by_flow.stats().flows_ended + by_flow.stats().flows_active > 1);

	bpe::options records("synth:count=2000,flows=50");
	records.workers(workers).on_record([](bpe::flow flow) {
		if (flow)
			throw planted{ "from on_record" };
	});
	bpe::engine by_record(records);
	CHECK(run_planted([&] { by_record.run().value(); }) == "from on_record");

	std::atomic<std::uint64_t> packets{ 0 };
	bpe::options dumps = make_endless(workers);
	dumps.on_batch([&packets](bpe::batch batch) { packets += batch.size(); });
	bpe::engine by_dump(dumps);
	by_dump.start().value();
	wait_for(packets, 1000);
	by_dump.dump_flows([](bpe::flow) { throw planted{ "from the dump" }; }).value();
	CHECK(run_planted([&] { by_dump.wait(); }) == "from the dump");

	/* A savefile behind a savefile is told by a notice. */
	const test::temporary_file twice(test::three_packets() + test::three_packets());
	bpe::options notices;
	notices.file(twice.path());
	notices.on_notice([](std::string_view text) { throw planted{ std::string(text) }; });
	bpe::engine by_notice(notices);
	const std::string text = run_planted([&] { by_notice.run().value(); });
	CHECK(text.find("another savefile begins") != std::string::npos);
	bpe::capture capture(notices);
	const std::string again = run_planted([&] {
		while (!capture.next().value().ended())
			continue;
	});
	CHECK(again == text && capture.next());

	/* Generated traffic has no use for promiscuous, which a notice tells during the opening. */
	notices.set(&bpe_options::file, nullptr).interface_name("synth:count=10");
	notices.set(&bpe_options::promiscuous, true).workers(workers);
	std::string early = run_planted([&] { bpe::engine never(notices); });
	CHECK(early.find("promiscuous") != std::string::npos);
	early = run_planted([&] { CHECK(!bpe::capture::open(notices)); });
	CHECK(early.find("promiscuous") != std::string::npos);
}

/* Checks a capture behind an exception from on_flow: no packet is lost. */
static void check_throwing_captures()
{
	const test::temporary_file file(test::three_packets());
	int flows = 0;
	bpe::options options;
	options.file(file.path()).set(&bpe_options::flow_table, true);
	options.on_flow([&flows](bpe::flow) {
		if (++flows == 1)
			throw planted{ "from on_flow" };
	});
	bpe::capture capture(options);
	CHECK(capture.next().value().size() == 3 && flows == 0);
	CHECK(capture.largest_flows(9).value().size() == 3);
	CHECK(run_planted([&] { capture.end_flows().value(); }) == "from on_flow");
	CHECK(flows == 1 && capture.end_flows().value() == 0 && capture.next().value().ended());

	/* Idle flows end inside next(), which throws, and then gives the batch. */
	std::string late(test::three_packets());
	late += test::pcap_record(100000, 89, std::string(26, '\0'));
	const test::temporary_file idle(late);
	std::size_t packets = 0;
	int thrown = 0;
	flows = 0;
	bpe::capture again(options.file(idle.path()));
	for (bool ended = false; !ended;) {
		const std::string text = run_planted([&] {
			const bpe::batch batch = again.next().value();
			packets += batch.size();
			ended = batch.ended();
		});
		thrown += text == "from on_flow";
	}
	CHECK(packets == 4 && thrown == 1 && flows >= 2 && flows <= 4);
	CHECK(again.stats().read_packets == 4 && again.stats().flows_opened == 4);
}

static void check_throwing_crowd()
{
	for (int i = 0; i < 20; i++) {
		std::atomic<int> thrown{ 0 };
		bpe::options options = make_endless(4);
		options.on_batch([&thrown](bpe::batch batch) {
			thrown++;
			throw planted{ std::to_string(batch.worker()) };
		});
		bpe::engine engine(options);
		const std::string worker = run_planted([&] { engine.run().value(); });
		if (worker.size() != 1 || worker[0] < '0' || worker[0] > '3' || thrown < 1 ||
			thrown > 4)
			MISSED("not the first exception of a worker, once");
	}
}
#endif

int main()
{
	for (int workers : WORKERS) {
		check_moves(workers);
		check_destruction(workers);
		check_stops(workers);
		check_own_destruction(workers);
		check_dumps(workers);
		check_records(workers);
		check_many_lives(workers);
#ifdef __cpp_exceptions
		check_throwing_batches(workers);
		check_throwing_others(workers);
#endif
	}
#ifdef __cpp_exceptions
	check_throwing_captures();
	check_throwing_crowd();
#endif
	return test::finish();
}
