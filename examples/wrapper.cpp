// SPDX-License-Identifier: MIT
// wrapper SOURCE [FILTER]: counts TCP connections by outcome (Zeek's conn_state), with the
// bytes and the longest connection of each.  SOURCE is an interface, a savefile, or synth.  An
// interface is read for ten seconds.  Shows bpfengine.hpp: handlers as lambdas, errors as
// exceptions.
#include <bpfengine.hpp>

#include <cinttypes>
#include <cstdio>
#include <map>

struct outcome {
	std::uint64_t connections = 0;
	std::uint64_t bytes = 0;
	std::chrono::nanoseconds longest{ -1 };
	std::string ends; // of the longest
};

int main(int argc, char **argv)
{
	if (argc < 2) {
		std::fprintf(stderr, "usage: wrapper INTERFACE|FILE|synth [FILTER]\n");
		return 2;
	}
	try {
		std::map<std::string, outcome, std::less<>> outcomes;
		bpe::options options;
		options.source(argv[1]);
		if (argc > 2)
			options.filter(argv[2]);
		// Without workers a single thread calls the handler: the map needs no lock.
		options.workers(0).on_flow([&outcomes](bpe::flow flow) {
			if (flow->ip_proto != 6)
				return;
			outcome &sum = outcomes[std::string(flow.conn_state())];
			sum.connections++;
			sum.bytes += flow.wire_bytes();
			if (flow.duration() > sum.longest) {
				sum.longest = flow.duration();
				sum.ends = flow.endpoint(0) + " to " + flow.endpoint(1);
			}
		});
		bpe::engine engine(options);
		engine.run(std::chrono::seconds(10)).value();
		for (const auto &[state, sum] : outcomes)
			std::printf("%-6s %" PRIu64 " connections, %" PRIu64
				    " bytes, longest %.3f s, %s\n",
				state.c_str(), sum.connections, sum.bytes,
				double(sum.longest.count()) * 1e-9, sum.ends.c_str());
		std::printf("%" PRIu64 " packets\n", engine.stats().delivered_packets);
	} catch (const bpe::error &error) {
		std::fprintf(stderr, "wrapper: %s\n", error.what());
		return 1;
	}
}
