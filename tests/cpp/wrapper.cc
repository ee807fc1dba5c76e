// SPDX-License-Identifier: MIT
// wrapper [CAPTURES]: bpfengine.hpp on a single thread at a time: spans, results, options, whole
// runs, packets and flows with known contents, filters, names.  CAPTURES is a folder with an
// index.tsv: the packets and bytes of each savefile.  Compiles with and without exceptions.
#include "check.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <poll.h>

#if defined(__cpp_lib_ranges)
#include <ranges>
static_assert(std::ranges::input_range<bpe::batch>);
static_assert(std::ranges::contiguous_range<bpe::span<const std::uint8_t>>);
#endif
static_assert(!std::is_copy_constructible_v<bpe::engine>);
static_assert(!std::is_copy_constructible_v<bpe::capture>);
static_assert(std::is_nothrow_move_constructible_v<bpe::engine>);
static_assert(std::is_nothrow_move_constructible_v<bpe::capture>);
static_assert(std::is_copy_constructible_v<bpe::options>);
static_assert(sizeof(bpe::packet) <= 2 * sizeof(void *));

static void check_spans()
{
	int row[3] = { 1, 2, 3 };
	std::vector<int> vector{ 4, 5 };
	const std::array<int, 2> array{ { 6, 7 } };
	bpe::span<int> a(row);
	bpe::span<const int> b(vector);
	bpe::span<const int> c(a);
	bpe::span<const int> d(array);
	CHECK(a.size() == 3 && a[2] == 3 && a.data() == row && a.end() - a.begin() == 3);
	CHECK(b.size() == 2 && b[1] == 5 && c.data() == row && d[0] == 6);
	CHECK(a.subspan(1).size() == 2 && a.subspan(1, 1)[0] == 2 && a.subspan(3).empty());
	CHECK(bpe::span<int>().empty() && bpe::span<int>().data() == nullptr);
	a[0] = 9;
	CHECK(row[0] == 9);
}

static void check_failures()
{
	const bpe::failure cut(BPE_E_IO, std::string(100, 's'), std::string(1000, 't'));
	CHECK(cut.status() == BPE_E_IO && cut.sys_errno() == 0);
	CHECK(cut.step() == std::string(31, 's') && cut.text() == std::string(255, 't'));
	bpe::result<int> good(3);
	bpe::result<int> bad(cut);
	CHECK(good && *good == 3 && !bad && bad.error().status() == BPE_E_IO);
	CHECK(bpe::result<void>() && !bpe::result<void>(cut));
	auto absent = bpe::engine::open(bpe::options().file("/nonexistent/x.pcap"));
	CHECK(!absent && absent.error().status() == BPE_E_ABSENT);
	CHECK(absent.error().sys_errno() != 0 && absent.error().text().size() > 10);
	CHECK(absent.error().text() == absent.error().c_str());
	CHECK(!bpe::capture::open(bpe::options()));
	CHECK(!bpe::capture::open(bpe::options("synth:").file("both")));
	auto torn = bpe::capture::open(bpe::options(std::string("synth:\0x", 8)));
	CHECK(!torn && torn.error().status() == BPE_E_ARGUMENT);
	CHECK(!torn && torn.error().text().find("zero byte") != std::string_view::npos);
#ifdef __cpp_exceptions
	try {
		bad.value();
		MISSED("value() returned");
	} catch (const bpe::error &e) {
		CHECK(e.status() == BPE_E_IO && e.what() == std::string(255, 't'));
		CHECK(e.why().step() == std::string(31, 's'));
	}
	try {
		bpe::engine engine(bpe::options().file("/nonexistent/x.pcap"));
		MISSED("the constructor returned");
	} catch (const std::runtime_error &e) {
		CHECK(e.what() == absent.error().text());
	}
	try {
		bpe::capture capture{ bpe::options() };
		MISSED("the constructor returned");
	} catch (const bpe::error &e) {
		CHECK(e.status() == BPE_E_ARGUMENT);
	}
	try {
		bpe::result<void>(cut).value();
		MISSED("value() returned");
	} catch (const bpe::error &e) {
		CHECK(e.status() == BPE_E_IO);
	}
	CHECK(bpe::result<std::string>("abc").value() == "abc");
#endif
}

static void ignore_c_batch(void *, const bpe_batch *)
{
}

static void check_options()
{
	bpe::options options;
	CHECK(options->struct_size > 0 && options->workers == BPE_WORKERS_AUTO && options->flows);
	options.set(&bpe_options::snaplen, 96).set(&bpe_options::flows, false).workers(3);
	options->max_flows = 77;
	CHECK(options->snaplen == 96 && !options->flows && options->workers == 3);
	CHECK(options->max_flows == 77);
	char name[] = "synth:count=5";
	options.set(&bpe_options::interface_name, name);
	name[0] = 'X';
	CHECK(options->interface_name == std::string("synth:count=5"));
	options.set(&bpe_options::interface_name, nullptr).set(&bpe_options::file, "a");
	CHECK(!options->interface_name && options->file == std::string("a"));
	bpe::options copy(options);
	options.file("b");
	CHECK(copy->file == std::string("a") && options->file == std::string("b"));
	bpe::options moved(std::move(copy));
	CHECK(moved->file == std::string("a") && copy->file == std::string("a"));

	bpe::options mixed("synth:count=5");
	mixed.on_flow([](bpe::flow) {});
	mixed->on_batch = ignore_c_batch;
	auto refused = bpe::engine::open(mixed);
	CHECK(!refused && refused.error().status() == BPE_E_ARGUMENT);
	CHECK(!refused && refused.error().text().find("mixed") != std::string_view::npos);
	bpe::options plain("synth:count=5");
	plain->on_batch = ignore_c_batch;
	auto taken = bpe::engine::open(plain);
	CHECK(taken && taken->run() && taken->stats().delivered_packets == 5);
}

/* Returns options after the texts and the filter given to them are gone. */
static bpe::options make_owning_options(const std::string &source, std::size_t *bytes)
{
	std::string text = source;
	bpe::options options(text);
	text.assign(text.size(), '?');
	auto filter = bpe::filter::compile("ip or ip6 or arp");
	CHECK(filter && filter->program().size() > 2);
	if (filter)
		options.filter(*filter);
	options.on_batch([bytes](bpe::batch batch) {
		for (bpe::packet packet : batch)
			*bytes += packet.bytes().size();
	});
	return options;
}

static void check_engine()
{
	std::size_t bytes = 0;
	std::size_t flows = 0;
	std::uint64_t packets = 0;
	std::size_t records = 0;
	std::size_t pauses = 0;
	bpe::options options = make_owning_options("synth:count=1000,flows=7,seed=3", &bytes);
	options.workers(0).on_flow([&](bpe::flow flow) {
		flows++;
		packets += flow.packets();
	});
	options.on_record([&](bpe::flow flow) { (flow ? records : pauses)++; });
	auto engine = bpe::engine::open(options);
	CHECK(engine);
	if (!engine)
		return;
	CHECK(!engine->outcome() && engine->outcome().error().status() == BPE_E_STATE);
	CHECK(engine->source().find("synth") != std::string_view::npos);
	CHECK(engine->link_type() == "EN10MB" && engine->raw());
	CHECK(engine->run() && engine->outcome() && engine->wait());
	CHECK(!engine->start() && engine->start().error().status() == BPE_E_STATE);
	const bpe_stats stats = engine->stats();
	CHECK(stats.delivered_packets == 1000 && stats.captured_bytes == bytes && bytes > 60000);
	CHECK(stats.flows_opened == flows && flows > 7 && packets == stats.flow_packets);
	CHECK(stats.records == records && records == flows && pauses > 0);
	std::uint64_t sum = 0;
	for (const bpe_protocol &line : engine->protocols())
		sum += line.packets;
	CHECK(sum == 1000);
	auto share = engine->worker_stats(0);
	CHECK(share && share->packets == 1000);
	CHECK(!engine->worker_stats(99) &&
		engine->worker_stats(99).error().status() == BPE_E_ARGUMENT);
	bpe_flow_totals totals = {};
	auto largest = engine->largest_flows(5, BPE_ORDER_PACKETS, INT64_MIN, &totals);
	CHECK(largest && largest->size() == 5 && totals.alive >= 5);
	for (std::size_t i = 1; largest && i < largest->size(); i++)
		CHECK(bpe::flow((*largest)[i - 1]).packets() >= bpe::flow((*largest)[i]).packets());
	auto none = engine->largest_flows(0);
	CHECK(none && none->empty());

	/* The same with workers, out of the same options: handlers are shared. */
	bytes = 0;
	bpe::options spread("synth:count=1000,flows=7,seed=3");
	std::atomic<std::size_t> counted{ 0 };
	std::atomic<unsigned> workers{ 0 };
	spread.workers(4).on_batch([&](bpe::batch batch) {
		counted += batch.size();
		workers |= 1u << batch.worker();
	});
	auto many = bpe::engine::open(spread);
	CHECK(many && many->run() && counted == 1000 && workers > 1 && workers < 16);
	CHECK(many && many->stats().workers == 4);
	auto again = bpe::engine::open(spread);
	CHECK(again && again->run() && counted == 2000);
	CHECK(again && !again->set_filter("no such words here"));
}

static void check_packet_views(const bpe::batch &batch)
{
	const bpe::packet syn = batch[0];
	const bpe::packet udp = batch[1];
	const bpe::packet other = batch[2];
	CHECK(syn.bytes().size() == 58 && syn.caplen() == 58 && syn.wirelen() == 58);
	CHECK(syn.time_ns() == 100000005000 &&
		syn.time().time_since_epoch().count() == 100000005000);
	CHECK(syn.has(BPE_PKT_IP4) && syn.has(BPE_PKT_KEY) && !syn.has(BPE_PKT_WRONG));
	CHECK(syn.layers().proto == BPE_PROTO_TCP && syn.layers().tcp_flags == 2);
	CHECK(syn.key() && syn.key()->port[syn.has(BPE_PKT_REVERSED)] == 34855);
	CHECK(syn.payload().empty() && !syn.tunnel() && !syn.meta() && syn.interface_id() == 0);
	CHECK(syn.tcp_options() && syn.tcp_options()->mss == 1460);
	CHECK(syn.proto() == "tcp" && udp.proto() == "udp" && !syn.flow_end());
	CHECK(syn.sender() && syn.key()->port[*syn.sender()] == 34855);
	CHECK(udp.sender() && udp.key()->port[*udp.sender()] == 7);
	CHECK(syn.hash() != udp.hash() && syn.index() == 0 && other.index() == 2);
	const bpe::span<const std::uint8_t> payload = udp.payload();
	CHECK(std::string(payload.begin(), payload.end()) == "hello" && !udp.tcp_options());
	CHECK(other.layers().proto == BPE_PROTO_IP_OTHER && other.layers().ip_proto == 89);
	CHECK(batch.time_ns()[2] == 102000005000 && batch.wirelen()[1] == 47);
	CHECK(batch.caplen().size() == 3 && batch.layers()[1].proto == BPE_PROTO_UDP);
	CHECK(std::distance(batch.begin(), batch.end()) == 3 && batch.raw()->count == 3);
	auto at = batch.begin();
	CHECK((*at++).wirelen() == 58 && (*at).wirelen() == 47 && at != batch.begin());
}

static void check_capture()
{
	const test::temporary_file file(test::three_packets());
	bpe::options options;
	options.file(file.path()).set(&bpe_options::fixed_seed, true);
	auto opened = bpe::capture::open(options);
	CHECK(opened);
	if (!opened)
		return;
	bpe::capture capture = std::move(*opened);
	CHECK(opened->next().error().status() == BPE_E_STATE && opened->fd() == -1);
	CHECK(!opened->raw() && opened->source().empty() && opened->stats().read_packets == 0);
	CHECK(!opened->set_filter("tcp"));
	opened->wake();
	auto batch = capture.next();
	CHECK(batch && batch->size() == 3 && !batch->ended() && !batch->empty());
	if (!batch || batch->size() != 3)
		return;
	check_packet_views(*batch);
	bpe::capture elsewhere(std::move(capture));
	check_packet_views(*batch);
	CHECK(elsewhere.stats().read_packets == 3 && elsewhere.link_type() == "EN10MB");
	CHECK(elsewhere.source().find(file.path()) != std::string_view::npos);
	auto last = elsewhere.next();
	CHECK(last && last->ended() && last->empty() && last->begin() == last->end());
	CHECK(last && last->layers().empty() && !last->raw());

	auto udp = bpe::capture::open(options.filter("udp"));
	auto only = udp ? udp->next() : bpe::result<bpe::batch>(udp.error());
	CHECK(only && only->size() == 1 && (*only)[0].wirelen() == 47);
	auto again = bpe::capture::open(options.set(&bpe_options::filter_expression, nullptr));
	auto program = bpe::filter::compile("ip proto 89");
	CHECK(again && program && again->set_filter(*program));
	CHECK(again && again->next()->size() == 1 && !again->set_filter("no such words"));

	auto woken = bpe::capture::open(bpe::options("synth:rate=1"));
	CHECK(woken && woken->next(std::chrono::nanoseconds(0)));
	if (woken)
		woken->wake();
	auto nothing = woken ? woken->next() : bpe::result<bpe::batch>(woken.error());
	CHECK(nothing && !nothing->ended());
}

static void check_flows()
{
	const test::temporary_file file(test::three_packets());
	std::vector<bpe_flow> flows;
	std::vector<std::uint64_t> live;
	bpe::options options;
	options.file(file.path()).workers(0);
	options.on_flow([&](const bpe::flow &flow) { flows.push_back(flow.copy()); });
	options.on_batch([&](bpe::batch batch) {
		for (bpe::packet packet : batch)
			if (const std::optional<bpe_flow> flow = packet.flow()) {
				CHECK(packet.flow_end() == 0u);
				live.push_back(flow->packets[0]);
			}
	});
	auto engine = bpe::engine::open(options);
	CHECK(engine && engine->run() && flows.size() == 3 && live.size() == 3);
	for (const bpe_flow &record : flows) {
		const bpe::flow flow(record);
		if (flow->ip_proto != 6)
			continue;
		const auto from = flow.address(0);
		CHECK(from.size() == 4 && from[0] == 128 && from[3] == 120);
		CHECK(flow.port(0) == 34855 && flow.port(1) == 80 && flow.packets() == 1);
		CHECK(flow.wire_bytes() == 58 && flow.duration() == std::chrono::nanoseconds(0));
		CHECK(flow.community_id() == "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
		CHECK(flow.community_id(1) == "1:3V71V58M3Ksw/yuFALMcW0LAHvc=");
		CHECK(flow.conn_state() == "S0" && flow.history() == "S");
		CHECK(flow.server_name().empty() && flow.app().empty());
		const auto chosen = bpe::where::compile("resp.port = 80 and packets = 1");
		const auto others = bpe::where::compile("not proto = tcp");
		CHECK(chosen && chosen->matches(flow) && others && !others->matches(flow));
		CHECK(!bpe::where::compile("resp.port = ") && !bpe::where::compile("prot = tcp"));
		CHECK(flow.endpoint(0) == "128.232.110.120:34855");
		CHECK(flow.endpoint(1) == "66.35.250.204:80" && flow.tcp_state() == "syn_sent");
		CHECK(bpe::address_text(flow->addr[1], 4) == "66.35.250.204");
		CHECK(bpe::time_text(flow->first_ns) == "1970-01-01T00:01:40.000005000Z");
		CHECK(flow.interface_name().empty() && flow->tcp_state == BPE_TCP_SYN_SENT);
		CHECK(flow.text().find("\"dst\":\"66.35.250.204\"") != std::string::npos);
		CHECK(flow.text(BPE_FORMAT_CSV).find("34855") != std::string::npos);
		CHECK(flow.text(BPE_FORMAT_COUNT).empty());
	}
	CHECK(!bpe::flow() && bpe::flow(flows[0]));
}

/* Pushes the packets of a savefile in memory; the books are those of the savefile. */
static void check_pushes()
{
	const std::string file = test::three_packets();
	const auto *bytes = reinterpret_cast<const std::uint8_t *>(file.data());
	auto whole = bpe::capture::open(
		bpe::options().memory(bpe::span<const std::uint8_t>(bytes, file.size())));
	auto batch = whole ? whole->next() : bpe::result<bpe::batch>(whole.error());
	CHECK(batch && batch->size() == 3);
	if (!batch || batch->size() != 3)
		return;
	check_packet_views(*batch);
	std::vector<bpe_packet> packets;
	for (bpe::packet p : *batch)
		packets.push_back(bpe::make_packet(p.bytes(), p.time_ns()));
	auto parsed = bpe::parse((*batch)[0].bytes());
	CHECK(parsed && parsed->layers.tcp_flags == 2 && parsed->key && parsed->key->ip_proto == 6);
	parsed = bpe::parse((*batch)[0].bytes(), 70000);
	CHECK(!parsed && parsed.error().status() == BPE_E_ARGUMENT);
	parsed = bpe::parse({});
	CHECK(parsed && !parsed->key);

	std::vector<std::uint64_t> lengths;
	bpe::options options;
	options.push().workers(0).on_flow(
		[&lengths](bpe::flow flow) { lengths.push_back(flow.wire_bytes()); });
	auto engine = bpe::engine::open(options);
	auto taken = engine ? engine->push(packets) : bpe::result<std::size_t>(engine.error());
	CHECK(taken && *taken == 3 && engine->push_end() && engine->run());
	std::sort(lengths.begin(), lengths.end());
	CHECK(lengths == std::vector<std::uint64_t>({ 47, 58, 60 }));
	CHECK(!engine->push(packets) && !engine->push_end());

	auto capture = bpe::capture::open(bpe::options().push());
	CHECK(capture && capture->push(packets) && capture->push_end());
	auto pushed = capture ? capture->next() : bpe::result<bpe::batch>(capture.error());
	CHECK(pushed && pushed->size() == 3);
	if (pushed && pushed->size() == 3)
		check_packet_views(*pushed);
	CHECK(capture && capture->next()->ended() && !capture->push_end());
	bpe::capture moved(std::move(*capture));
	CHECK(!capture->push(packets) && !capture->push_end());
}

/* Sets sources by name, and takes the records of a run by hand. */
static void check_sources_and_records()
{
	const test::temporary_file file(test::three_packets());
	bpe::options named;
	CHECK(named.source("synth:count=5")->interface_name && !named->file);
	CHECK(named.source(file.path())->file == file.path() && !named->interface_name);
	auto read = bpe::capture::open(named);
	CHECK(read && read->next()->size() == 3);
	auto absent = bpe::capture::open(bpe::options().source("/nonexistent/x.pcap"));
	CHECK(!absent && absent.error().status() == BPE_E_ABSENT);
	auto torn = bpe::capture::open(bpe::options().source(std::string("synth\0x", 7)));
	CHECK(!torn && torn.error().text().find("zero byte") != std::string_view::npos);

	auto none = bpe::engine::open(bpe::options("synth:count=5"));
	CHECK(none && none->records_fd() == -1);
	CHECK(none && none->next_record().error().status() == BPE_E_STATE);
	auto engine = bpe::engine::open(named.set(&bpe_options::pull_records, true).workers(2));
	CHECK(engine && engine->records_fd() >= 0 && !engine->next_record() && engine->start());
	if (!engine)
		return;
	std::vector<std::string> ends;
	bpe::result<bpe::flow> record = engine->next_record();
	for (; record; record = engine->next_record()) {
		if (*record) {
			ends.push_back(record->endpoint(1));
			continue;
		}
		pollfd wait = { engine->records_fd(), POLLIN, 0 };
		CHECK(poll(&wait, 1, -1) == 1);
	}
	CHECK(record.error().status() == BPE_E_END && !record.error().text().empty());
	std::sort(ends.begin(), ends.end());
	CHECK(ends == std::vector<std::string>(
			      { "66.35.250.204", "66.35.250.204:80", "66.35.250.204:9" }));
	CHECK(engine->wait() && engine->outcome() && engine->stats().records == 3);
	bpe::engine moved(std::move(*engine));
	CHECK(engine->records_fd() == -1 && !engine->next_record() && !engine->is_current());
}

static void check_live_flows()
{
	std::uint64_t opened = 0;
	std::uint64_t first_packets = 0;
	std::uint64_t updated = 0;
	std::uint64_t ended = 0;
	bpe::options options("synth:count=5000,flows=20");
	options.workers(0).set(&bpe_options::flow_update_bytes, 1000);
	options.on_flow_open([&](bpe::flow flow) {
		opened++;
		first_packets += flow->end == BPE_END_NONE ? flow.packets() : 9;
	});
	options.on_flow_update([&updated](bpe::flow flow) { updated += flow.packets() > 1; });
	options.on_flow([&ended](bpe::flow) { ended++; });
	auto all = bpe::engine::open(options);
	CHECK(all && all->run() && opened == all->stats().flows_opened && ended == opened);
	CHECK(updated > 0 && opened >= 20 && first_packets == opened);
}

static void check_compiled_filters()
{
	const std::uint8_t arp[42] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6 };
	auto filter = bpe::filter::compile("arp");
	CHECK(filter && filter->run(arp, 42) == BPE_MAX_SNAPLEN);
	auto moved = std::move(filter);
	CHECK(moved && moved->run(arp, 42) != 0);
	auto ip = bpe::filter::compile("ip");
	CHECK(ip && ip->run(arp, 42) == 0);
	bpe::filter_options raw(101);
	raw.snaplen = 64;
	const std::uint8_t packet[20] = { 0x45 };
	auto short_ip = bpe::filter::compile("ip", raw);
	CHECK(short_ip && short_ip->run(packet, 20) == 64);
	auto bad = bpe::filter::compile("tcp port");
	CHECK(!bad && bad.error().status() == BPE_E_ARGUMENT);
	CHECK(!bad && bad.error().text().find('^') != std::string_view::npos);
	auto english = bpe::filter::explain("tcp port 80");
	CHECK(english && english->find("80") != std::string::npos && english->size() > 60);
	CHECK(!bpe::filter::explain("tcp port"));
	auto synth = bpe::capture::open(bpe::options("synth:count=64"));
	auto tcp = bpe::filter::compile("tcp");
	std::size_t by_filter = 0;
	std::size_t by_parser = 0;
	for (bpe::packet p : synth ? *synth->next() : bpe::batch()) {
		by_filter += tcp && tcp->passes(p);
		by_parser += p.layers().proto == BPE_PROTO_TCP;
	}
	CHECK(by_filter == by_parser && by_filter > 0 && by_filter < 64);
}

static void check_names()
{
	auto list = bpe::interfaces();
	bool synth = false;
	if (list)
		for (const bpe_interface &i : *list)
			synth = synth || i.name == std::string("synth");
	CHECK(list && synth);
	CHECK(!bpe::interface_netmask("no such interface"));
	CHECK(bpe::name(bpe_link_type_name(1)) == "EN10MB");
	CHECK(bpe::name(bpe_link_type_name(999)).empty());
	const std::uint8_t addr[16] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
	CHECK(bpe::address_text(addr, 6) == "2001:db8::1" && bpe::address_text(addr, 5).empty());
	CHECK(bpe::endpoint_text(addr, 6, 443) == "[2001:db8::1]:443");
	CHECK(bpe::endpoint_text(addr, 4, 0) == "32.1.13.184");
	CHECK(bpe::endpoint_text(addr, 7, 1).empty());
	CHECK(bpe::time_text(INT64_MAX) == "2262-04-11T23:47:16.854775807Z");
}

/* Reads every savefile of the index by both levels, and compares with the index. */
static void check_captures(const std::string &folder)
{
	std::ifstream index(folder + "/index.tsv");
	std::string line;
	int read = 0;
	std::getline(index, line);
	for (int row = 0; std::getline(index, line); row++) {
		std::istringstream words(line);
		std::string name;
		std::string link_type;
		std::uint64_t packets = 0;
		std::uint64_t captured = 0;
		std::uint64_t wire = 0;
		words >> name >> link_type >> packets >> captured >> wire;
		if (row % 8)
			continue;
		std::uint64_t sums[3] = {};
		std::uint64_t outside = 0;
		bpe::options options;
		options.file(folder + "/" + name).workers(0).on_batch([&](bpe::batch batch) {
			for (bpe::packet p : batch) {
				sums[0]++;
				sums[1] += p.bytes().size();
				sums[2] += p.wirelen();
				outside += p.payload().size() > p.caplen();
			}
		});
		auto engine = bpe::engine::open(options);
		CHECK(engine);
		auto ran = engine ? engine->run() : bpe::result<void>(engine.error());
		CHECK(ran || ran.error().status() == BPE_E_TORN);
		if (sums[0] != packets || sums[1] != captured || sums[2] != wire)
			std::printf("%s: by the engine\n", name.c_str());
		CHECK(sums[0] == packets && sums[1] == captured && sums[2] == wire);
		auto capture = bpe::capture::open(bpe::options().file(folder + "/" + name));
		CHECK(capture);
		std::uint64_t seen = 0;
		if (capture)
			for (auto b = capture->next(); b && !b->ended(); b = capture->next())
				seen += b->size();
		CHECK(seen == packets && outside == 0);
		read++;
	}
	CHECK(read > 10);
}

int main(int argc, char **argv)
{
	check_spans();
	check_failures();
	check_options();
	check_engine();
	check_capture();
	check_flows();
	check_sources_and_records();
	check_live_flows();
	check_pushes();
	check_compiled_filters();
	check_names();
	if (argc > 1 && std::ifstream(std::string(argv[1]) + "/index.tsv"))
		check_captures(argv[1]);
	return test::finish();
}
