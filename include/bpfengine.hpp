/* SPDX-License-Identifier: MIT */
/* bpfengine for C++17 and later: classes over bpfengine.h, in this header alone.  A program links
 * with the library as a C program does.  The comments of bpfengine.h hold here as well.
 *
 * The engine calls lambdas on threads of its own.  Print each flow of ten seconds:
 *
 *     int main()
 *     {
 *             bpe::options options("en0");
 *             options.on_flow([](bpe::flow flow) { std::cout << flow.text(BPE_FORMAT_JSON); });
 *             bpe::engine engine(options);
 *             engine.run(std::chrono::seconds(10)).value();
 *     }
 *
 * The capture has no threads.  Print the length of each TCP packet in a savefile, and handle errors
 * without exceptions:
 *
 *     int main()
 *     {
 *             bpe::options options;
 *             options.file("trace.pcap").filter("tcp").set(&bpe_options::snaplen, 96);
 *             bpe::result<bpe::capture> capture = bpe::capture::open(options);
 *             if (!capture)
 *                     return std::puts(capture.error().c_str()), 1;
 *             bpe::result<bpe::batch> batch = capture->next();
 *             for (; batch && !batch->ended(); batch = capture->next())
 *                     for (bpe::packet packet : *batch)
 *                             std::printf("%u bytes\n", unsigned(packet.wirelen()));
 *             return !batch;
 *     }
 *
 * Errors.  A function that can fail returns a bpe::result: a value, or a bpe::failure with status
 * and text.  value() throws the failure as a bpe::error, and so do the constructors of bpe::engine
 * and bpe::capture.  A program picks either way at each call.  The header compiles with
 * -fno-exceptions and -fno-rtti; value() and the two constructors are then absent, and all else
 * stays.  Memory that C++ itself asks for fails as everywhere in C++: by std::bad_alloc.
 *
 * Handlers.  Any callable object can be a handler.  A handler that returns false stops the engine's
 * run; void and true go on.  An exception that leaves a handler is kept and stops the run.  run(),
 * wait() or outcome() throws the exception to the caller; of a capture, next() or end_flows().
 * Until then no handler is called, and packets and flows meanwhile reach none.  A destructor drops
 * the exception.  Handlers of an engine run on several threads at once, as the comments in
 * bpfengine.h say.  Copies of options share handlers and texts.
 *
 * Life.  An engine or capture owns copies of all texts, filters and handlers, and may be moved at
 * any time between calls, also while threads run.  A moved-from object answers BPE_E_STATE.
 * Destroying an engine stops the run and waits for the handlers.  A handler may destroy the engine
 * that calls the handler, while no other thread uses the engine: the run stops, and another thread
 * frees all when the handlers are over.  Batches, packets and flows are views, as in bpfengine.h.
 */
#ifndef BPFENGINE_HPP
#define BPFENGINE_HPP

#ifndef BPFENGINE_H /* bpfengine_single.h has the same contents */
#include "bpfengine.h"
#endif

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#if __cplusplus >= 202002L && defined(__has_include)
#if __has_include(<span>)
#include <span>
#endif
#endif

/* The settings and the version are part of each class's full name.  Therefore files that were
 * compiled with different ones can be linked into a program. */
#if defined(__cpp_exceptions) && defined(__cpp_lib_span)
#define BPE_CPP_SETTINGS throwing_std_span
#elif defined(__cpp_exceptions)
#define BPE_CPP_SETTINGS throwing_own_span
#elif defined(__cpp_lib_span)
#define BPE_CPP_SETTINGS plain_std_span
#else
#define BPE_CPP_SETTINGS plain_own_span
#endif
#define BPE_CPP_JOIN(major, minor, patch, settings) v##major##_##minor##_##patch##_##settings
#define BPE_CPP_NAME(major, minor, patch, settings) BPE_CPP_JOIN(major, minor, patch, settings)
#define BPE_CPP_ABI                                                                                \
	BPE_CPP_NAME(BPE_VERSION_MAJOR, BPE_VERSION_MINOR, BPE_VERSION_PATCH, BPE_CPP_SETTINGS)

namespace bpe
{
inline namespace BPE_CPP_ABI
{
/* ---- Spans ---- */
#ifdef __cpp_lib_span
template <class T> using span = std::span<T>;
#else
/* A view of size() elements in a row: what C++20's std::span offers, as far as needed here. */
template <class T> class span
{
      public:
	using element_type = T;
	using value_type = std::remove_cv_t<T>;
	using iterator = T *;

	constexpr span() noexcept = default;
	constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size)
	{
	}
	template <std::size_t N> constexpr span(T (&array)[N]) noexcept : data_(array), size_(N)
	{
	}
	template <class C,
		class = std::enable_if_t<
			std::is_convertible_v<
				std::remove_pointer_t<decltype(std::declval<C &>().data())> (*)[],
				T (*)[]> &&
			std::is_convertible_v<decltype(std::declval<C &>().size()), std::size_t>>>
	constexpr span(C &&container) noexcept : data_(container.data()), size_(container.size())
	{
	}
	constexpr T *data() const noexcept
	{
		return data_;
	}
	constexpr std::size_t size() const noexcept
	{
		return size_;
	}
	constexpr bool empty() const noexcept
	{
		return size_ == 0;
	}
	constexpr T *begin() const noexcept
	{
		return data_;
	}
	constexpr T *end() const noexcept
	{
		return data_ + size_;
	}
	constexpr T &operator[](std::size_t i) const noexcept
	{
		return data_[i];
	}
	constexpr span subspan(std::size_t offset) const noexcept
	{
		return span(data_ + offset, size_ - offset);
	}
	constexpr span subspan(std::size_t offset, std::size_t count) const noexcept
	{
		return span(data_ + offset, count);
	}

      private:
	T *data_ = nullptr;
	std::size_t size_ = 0;
};
#endif

/* ---- Errors ---- */
/* Why a call failed: a bpe_error. */
class failure
{
      public:
	explicit failure(const bpe_error &error) noexcept : error_(error)
	{
	}
	/* Makes a failure of the caller's own.  Long texts are cut. */
	failure(int status, std::string_view step, std::string_view text) noexcept : error_()
	{
		error_.status = status;
		step.copy(error_.step, sizeof error_.step - 1);
		text.copy(error_.text, sizeof error_.text - 1);
	}
	/* Returns the enum bpe_status. */
	int status() const noexcept
	{
		return error_.status;
	}
	/* Returns the errno of the failed system call, or 0. */
	int sys_errno() const noexcept
	{
		return error_.sys_errno;
	}
	std::string_view step() const noexcept
	{
		return error_.step;
	}
	/* Return a sentence for a person, with advice about the next step. */
	std::string_view text() const noexcept
	{
		return error_.text;
	}
	const char *c_str() const noexcept
	{
		return error_.text;
	}

      private:
	bpe_error error_;
};

#ifdef __cpp_exceptions
/* A failure as an exception; what() is the text. */
class error : public std::runtime_error
{
      public:
	explicit error(const failure &why) : std::runtime_error(why.c_str()), why_(why)
	{
	}
	const failure &why() const noexcept
	{
		return why_;
	}
	int status() const noexcept
	{
		return why_.status();
	}

      private:
	failure why_;
};
#endif

/* A value, or a failure.  The object tests true if there is a value. */
template <class T> class [[nodiscard]] result
{
      public:
	result(T value) : either_(std::in_place_index<0>, std::move(value))
	{
	}
	result(const failure &why) : either_(std::in_place_index<1>, why)
	{
	}
	explicit operator bool() const noexcept
	{
		return either_.index() == 0;
	}
	/* Return the value, which must be there. */
	T &operator*() & noexcept
	{
		return *std::get_if<0>(&either_);
	}
	const T &operator*() const & noexcept
	{
		return *std::get_if<0>(&either_);
	}
	T &&operator*() && noexcept
	{
		return std::move(*std::get_if<0>(&either_));
	}
	T *operator->() noexcept
	{
		return std::get_if<0>(&either_);
	}
	const T *operator->() const noexcept
	{
		return std::get_if<0>(&either_);
	}
	/* Returns the failure, which must be there. */
	const failure &error() const noexcept
	{
		return *std::get_if<1>(&either_);
	}
#ifdef __cpp_exceptions
	/* Return the value, or throw the failure as a bpe::error. */
	T &value() &
	{
		check_value();
		return **this;
	}
	const T &value() const &
	{
		check_value();
		return **this;
	}
	T &&value() &&
	{
		check_value();
		return *std::move(*this);
	}
#endif

      private:
#ifdef __cpp_exceptions
	void check_value() const
	{
		if (!*this)
			throw bpe::error(error());
	}
#endif
	std::variant<T, failure> either_;
};

/* Success, or a failure. */
template <> class [[nodiscard]] result<void>
{
      public:
	result() noexcept = default;
	result(const failure &why) noexcept : why_(why)
	{
	}
	explicit operator bool() const noexcept
	{
		return !why_;
	}
	/* Returns the failure, which must be there. */
	const failure &error() const noexcept
	{
		return *why_;
	}
#ifdef __cpp_exceptions
	/* Throws the failure, if there is one, as a bpe::error. */
	void value() const
	{
		if (why_)
			throw bpe::error(*why_);
	}
#endif

      private:
	std::optional<failure> why_;
};

/* ---- Names and text ---- */
/* Returns a text of C as a view; nullptr, as of a number without a name, gives "". */
inline std::string_view name(const char *text) noexcept
{
	return text ? text : "";
}
/* Returns the text of an address; "" for an ip_version that is neither 4 nor 6.  Likewise below. */
inline std::string address_text(const std::uint8_t (&addr)[16], std::uint32_t ip_version)
{
	char text[BPE_ADDRESS_TEXT_BYTES];
	return bpe_address_text(addr, ip_version, text, sizeof text) > 0 ? text : "";
}
inline std::string endpoint_text(
	const std::uint8_t (&addr)[16], std::uint32_t ip_version, std::uint16_t port)
{
	char text[BPE_ENDPOINT_TEXT_BYTES];
	return bpe_endpoint_text(addr, ip_version, port, text, sizeof text) > 0 ? text : "";
}
inline std::string time_text(std::int64_t time_ns, bool utc = true)
{
	char text[BPE_TIME_TEXT_BYTES];
	return bpe_time_text(time_ns, utc, text, sizeof text) > 0 ? text : "";
}

/* ---- Flows ---- */
/* A view of a flow record; -> reaches the members of bpe_flow.  End 0 is the originator.  A flow
 * that options.on_record gets may test false: no record waits, and the view is of nothing. */
class flow
{
      public:
	flow() noexcept = default;
	flow(const bpe_flow &record) noexcept : flow_(&record)
	{
	}
	explicit flow(const bpe_flow *record) noexcept : flow_(record)
	{
	}
	explicit operator bool() const noexcept
	{
		return flow_ != nullptr;
	}
	const bpe_flow *operator->() const noexcept
	{
		return flow_;
	}
	/* Returns a copy of the record, whatever the size of the library's records. */
	bpe_flow copy() const noexcept
	{
		bpe_flow record;
		bpe_flow_copy(&record, flow_);
		return record;
	}
	const bpe_flow *raw() const noexcept
	{
		return flow_;
	}
	/* Return the sums of both ends. */
	std::uint64_t packets() const noexcept
	{
		return flow_->packets[0] + flow_->packets[1];
	}
	std::uint64_t wire_bytes() const noexcept
	{
		return flow_->wire_bytes[0] + flow_->wire_bytes[1];
	}
	/* Returns the 4 or 16 bytes of an end's address, in network byte order. */
	span<const std::uint8_t> address(unsigned end) const noexcept
	{
		return { flow_->addr[end], flow_->ip_version == 4 ? 4u : 16u };
	}
	std::uint16_t port(unsigned end) const noexcept
	{
		return flow_->port[end];
	}
	/* Returns an end as text: "192.0.2.1:443", "[2001:db8::1]:443". */
	std::string endpoint(unsigned end) const
	{
		return endpoint_text(flow_->addr[end], flow_->ip_version, flow_->port[end]);
	}
	std::string_view tcp_state() const noexcept
	{
		return name(bpe_tcp_state_name(flow_->tcp_state));
	}
	std::chrono::nanoseconds duration() const noexcept
	{
		return std::chrono::nanoseconds(std::int64_t(
			std::uint64_t(flow_->last_ns) - std::uint64_t(flow_->first_ns)));
	}
	std::string_view interface_name() const noexcept
	{
		return flow_->interface_name;
	}
	std::string_view history() const noexcept
	{
		return flow_->history;
	}
	std::string_view conn_state() const noexcept
	{
		return bpe_flow_conn_state(flow_);
	}
	/* Return names with options.names; "" if unknown. */
	std::string_view server_name() const noexcept
	{
		return BPE_HAS(flow_, names) ? flow_->names.server : "";
	}
	std::string_view app() const noexcept
	{
		return BPE_HAS(flow_, names) ? name(bpe_app_name(flow_->names.app)) : "";
	}
	/* Returns the Community ID, or "" for a flow that has none. */
	std::string community_id(std::uint16_t seed = 0) const
	{
		char id[BPE_COMMUNITY_ID_BYTES] = "";
		return bpe_flow_community_id(flow_, seed, id) > 0 ? id : "";
	}
	/* Returns the record as a line with its end, by bpe_flow_format; "" for an unknown form. */
	std::string text(bpe_format format = BPE_FORMAT_JSON) const
	{
		char line[BPE_FORMAT_BYTES];
		const int length = bpe_flow_format(flow_, format, line, sizeof line);
		return length > 0 ? std::string(line, std::size_t(length)) : std::string();
	}

      private:
	const bpe_flow *flow_ = nullptr;
};

/* ---- Packets ---- */
/* A packet's time, since 1970-01-01 UTC. */
using time_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

class packet
{
      public:
	packet(const bpe_batch *batch, std::uint32_t index) noexcept : batch_(batch), index_(index)
	{
	}
	span<const std::uint8_t> bytes() const noexcept
	{
		return { batch_->data[index_], batch_->caplen[index_] };
	}
	/* Returns the captured bytes behind the last known header, without padding. */
	span<const std::uint8_t> payload() const noexcept
	{
		const bpe_layers &l = layers();
		if (l.payload == BPE_NO_OFFSET || l.payload >= l.end)
			return {};
		return { batch_->data[index_] + l.payload, l.end - l.payload };
	}
	std::uint32_t caplen() const noexcept
	{
		return batch_->caplen[index_];
	}
	std::uint32_t wirelen() const noexcept
	{
		return batch_->wirelen[index_];
	}
	std::int64_t time_ns() const noexcept
	{
		return batch_->time_ns[index_];
	}
	time_point time() const noexcept
	{
		return time_point(std::chrono::nanoseconds(time_ns()));
	}
	std::uint32_t interface_id() const noexcept
	{
		return batch_->interface_id[index_];
	}
	const bpe_layers &layers() const noexcept
	{
		return batch_->layers[index_];
	}
	bool has(unsigned flag) const noexcept
	{
		return (layers().flags & flag) != 0;
	}
	/* Returns the key of the packet's flow, or nullptr for a packet without a flow. */
	const bpe_key *key() const noexcept
	{
		return has(BPE_PKT_KEY) ? &batch_->key[index_] : nullptr;
	}
	std::uint32_t hash() const noexcept
	{
		return batch_->hash[index_];
	}
	/* Returns the name of the packet's kind, for example "tcp" or "arp". */
	std::string_view proto() const noexcept
	{
		return name(bpe_proto_name(layers().proto));
	}
	/* Returns the end of key() that sent the packet; empty: there is no key. */
	std::optional<unsigned> sender() const noexcept
	{
		if (!has(BPE_PKT_KEY))
			return {};
		return bpe_batch_sender(batch_, index_);
	}
	/* Returns the end of the flow's record that sent the packet; empty: there is no flow. */
	std::optional<unsigned> flow_end() const noexcept
	{
		if (const int end = bpe_batch_flow_end(batch_, index_); end >= 0)
			return unsigned(end);
		return {};
	}
	/* Return what bpe_batch_tunnel, _tcp_options, _meta and _flow find; empty: there is none.
	 */
	std::optional<bpe_tunnel> tunnel() const noexcept
	{
		return ask<bpe_tunnel>(
			[this](bpe_tunnel *t) { return bpe_batch_tunnel(batch_, index_, t); });
	}
	std::optional<bpe_tcp_options> tcp_options() const noexcept
	{
		return ask<bpe_tcp_options>([this](bpe_tcp_options *t) {
			return bpe_batch_tcp_options(batch_, index_, t);
		});
	}
	std::optional<bpe_meta> meta() const noexcept
	{
		return ask<bpe_meta>(
			[this](bpe_meta *m) { return bpe_batch_meta(batch_, index_, m); });
	}
	std::optional<bpe_flow> flow() const noexcept
	{
		return ask<bpe_flow>(
			[this](bpe_flow *f) { return bpe_batch_flow(batch_, index_, f); });
	}
	std::uint32_t index() const noexcept
	{
		return index_;
	}

      private:
	template <class T, class F> static std::optional<T> ask(F fill) noexcept
	{
		std::optional<T> found(std::in_place);
		if (fill(&*found) <= 0)
			found.reset();
		return found;
	}
	const bpe_batch *batch_;
	std::uint32_t index_;
};

/* A view of up to BPE_BATCH packets: a range of packets, and columns as spans. */
class batch
{
      public:
	class iterator
	{
	      public:
		using iterator_category = std::input_iterator_tag;
		using value_type = packet;
		using difference_type = std::ptrdiff_t;
		using pointer = void;
		using reference = packet;

		iterator() noexcept = default;
		iterator(const bpe_batch *batch, std::uint32_t index) noexcept
		    : batch_(batch), index_(index)
		{
		}
		packet operator*() const noexcept
		{
			return packet(batch_, index_);
		}
		iterator &operator++() noexcept
		{
			index_++;
			return *this;
		}
		iterator operator++(int) noexcept
		{
			return iterator(batch_, index_++);
		}
		bool operator==(const iterator &other) const noexcept
		{
			return index_ == other.index_;
		}
		bool operator!=(const iterator &other) const noexcept
		{
			return index_ != other.index_;
		}

	      private:
		const bpe_batch *batch_ = nullptr;
		std::uint32_t index_ = 0;
	};

	/* Makes the batch of no packets that ends a source. */
	batch() noexcept = default;
	explicit batch(const bpe_batch &view) noexcept : batch_(&view)
	{
	}
	/* Tells whether the source of the capture has ended. */
	bool ended() const noexcept
	{
		return !batch_;
	}
	std::size_t size() const noexcept
	{
		return batch_ ? batch_->count : 0;
	}
	bool empty() const noexcept
	{
		return size() == 0;
	}
	iterator begin() const noexcept
	{
		return iterator(batch_, 0);
	}
	iterator end() const noexcept
	{
		return iterator(batch_, std::uint32_t(size()));
	}
	packet operator[](std::size_t i) const noexcept
	{
		return packet(batch_, std::uint32_t(i));
	}
	std::uint32_t worker() const noexcept
	{
		return batch_->worker;
	}
	span<const std::int64_t> time_ns() const noexcept
	{
		return { batch_ ? batch_->time_ns : nullptr, size() };
	}
	span<const std::uint32_t> caplen() const noexcept
	{
		return { batch_ ? batch_->caplen : nullptr, size() };
	}
	span<const std::uint32_t> wirelen() const noexcept
	{
		return { batch_ ? batch_->wirelen : nullptr, size() };
	}
	span<const bpe_layers> layers() const noexcept
	{
		return { batch_ ? batch_->layers : nullptr, size() };
	}
	/* Returns the columns of C; nullptr for the batch that ends a source. */
	const bpe_batch *raw() const noexcept
	{
		return batch_;
	}

      private:
	const bpe_batch *batch_ = nullptr;
};

/* Returns a packet for push().  The bytes are borrowed until push() returns. */
inline bpe_packet make_packet(span<const std::uint8_t> bytes, std::int64_t time_ns) noexcept
{
	bpe_packet made;
	bpe_packet_init(&made);
	made.data = bytes.data();
	made.caplen = std::uint32_t(bytes.size());
	made.wirelen = made.caplen;
	made.time_ns = time_ns;
	return made;
}

/* What bpe_parse finds in a packet. */
struct parsed_packet {
	bpe_layers layers;
	std::optional<bpe_key> key; /* empty: the packet has no flow */
};

/* Parses a packet that is in no batch, by bpe_parse. */
inline result<parsed_packet> parse(span<const std::uint8_t> bytes, int link_type = 1)
{
	parsed_packet found = {};
	bpe_key key = {};
	const std::uint32_t length = std::uint32_t(bytes.size());
	const int status = bpe_parse(bytes.data(), length, length, link_type, &found.layers, &key);
	if (status < 0)
		return failure(status, "parse", "the link type is not within 0 to 65535");
	if (status > 0)
		found.key = key;
	return found;
}

/* ---- Filters ---- */
struct filter_options : bpe_filter_options {
	explicit filter_options(int for_link_type = 1) noexcept : bpe_filter_options()
	{
		bpe_filter_options_init(this);
		link_type = for_link_type;
	}
};

/* A compiled filter: a program of classic BPF. */
class filter
{
      public:
	static result<filter> compile(
		const std::string &expression, const filter_options &options = filter_options())
	{
		bpe_insn *program = nullptr;
		std::uint32_t length = 0;
		bpe_error error;
		if (bpe_filter_compile_with(
			    expression.c_str(), &options, &program, &length, &error) < 0)
			return failure(error);
		return filter(program, length);
	}
	static result<std::string> explain(
		const std::string &expression, const filter_options &options = filter_options())
	{
		char *text = nullptr;
		bpe_error error;
		if (bpe_filter_explain(expression.c_str(), &options, &text, &error) < 0)
			return failure(error);
		const std::unique_ptr<char, void (*)(char *)> owner(text, bpe_filter_text_free);
		return std::string(text);
	}
	/* Returns the number of bytes to keep of a packet; 0 refuses the packet. */
	std::uint32_t run(span<const std::uint8_t> bytes, std::uint32_t wirelen) const noexcept
	{
		return bpe_filter_run(
			program_.get(), bytes.data(), wirelen, std::uint32_t(bytes.size()));
	}
	bool passes(packet p) const noexcept
	{
		return run(p.bytes(), p.wirelen()) != 0;
	}
	span<const bpe_insn> program() const noexcept
	{
		return { program_.get(), length_ };
	}

      private:
	filter(bpe_insn *program, std::uint32_t length) noexcept
	    : program_(program, bpe_filter_free), length_(length)
	{
	}
	std::unique_ptr<bpe_insn, void (*)(bpe_insn *)> program_;
	std::uint32_t length_;
};

/* ---- Conditions of flows ---- */
/* A compiled condition, by bpe_where_compile. */
class where
{
      public:
	static result<where> compile(const std::string &condition)
	{
		bpe_where *compiled = nullptr;
		bpe_error error;
		if (bpe_where_compile(condition.c_str(), &compiled, &error) < 0)
			return failure(error);
		return where(compiled);
	}
	bool matches(flow f) const noexcept
	{
		return bpe_where_match(compiled_.get(), f.raw());
	}

      private:
	explicit where(bpe_where *compiled) noexcept : compiled_(compiled, bpe_where_free)
	{
	}
	std::unique_ptr<bpe_where, void (*)(bpe_where *)> compiled_;
};

/* ---- Options ---- */
class engine;
class capture;
namespace detail
{
struct run_state;

/* A handler of a type that is forgotten.  Returns false to stop the run. */
template <class T> struct handler {
	virtual ~handler() = default;
	virtual bool call(T view) = 0;
};
template <class T, class F> struct handler_of final : handler<T> {
	template <class G> explicit handler_of(G &&g) : callable(std::forward<G>(g))
	{
	}
	bool call(T view) override
	{
		if constexpr (std::is_same_v<std::invoke_result_t<F &, T>, bool>)
			return callable(view);
		else
			return static_cast<void>(callable(view)), true;
	}
	F callable;
};
template <class T> using handler_ptr = std::shared_ptr<handler<T>>;

template <class T, class F> handler_ptr<T> make_handler(F &&callable)
{
	using plain = std::decay_t<F>;
	static_assert(std::is_invocable_v<plain &, T>,
		"on_batch takes a bpe::batch, on_notice a std::string_view, the others a bpe::flow");
	return std::make_shared<handler_of<T, plain>>(std::forward<F>(callable));
}
} // namespace detail

/* What to capture, and how: a bpe_options that owns its texts, its filter and its handlers.
 * Members without a function here are set by set(), or through ->.  The first mistake is kept and
 * told by open(). */
class options
{
      public:
	options() noexcept
	{
		bpe_options_init(&c_);
	}
	explicit options(const std::string &name) : options()
	{
		interface_name(name);
	}
	/* Reaches the members of C.  Texts given through -> are borrowed, as in C. */
	bpe_options *operator->() noexcept
	{
		return &c_;
	}
	const bpe_options *operator->() const noexcept
	{
		return &c_;
	}
	/* Sets any member: set(&bpe_options::workers, 4).  A text is copied. */
	template <class M, class V> options &set(M bpe_options::*member, V &&value)
	{
		if constexpr (std::is_same_v<M, const char *>)
			c_.*member = own_text(std::forward<V>(value));
		else
			c_.*member = static_cast<M>(std::forward<V>(value));
		return *this;
	}
	options &interface_name(const std::string &name)
	{
		return set(&bpe_options::interface_name, name);
	}
	/* Names a pcap or pcapng savefile; "-" is the standard input. */
	options &file(const std::string &path)
	{
		return set(&bpe_options::file, path);
	}
	/* Sets the source by a name as users give it: bpe_options_set_source.  A failure is kept
	 * and told by open(). */
	options &source(const std::string &text)
	{
		bpe_error error;
		const char *const own = own_text(text);
		if (!wrong_ && bpe_options_set_source(&c_, own, &error) < 0)
			wrong_ = failure(error);
		return *this;
	}
	/* Names a savefile in memory.  The bytes are borrowed as long as an engine or capture that
	 * was opened with the options lives. */
	options &memory(span<const std::uint8_t> savefile)
	{
		c_.memory = savefile.data();
		c_.memory_bytes = savefile.size();
		return *this;
	}
	/* Takes the packets of push().  live: their times are the clock's, as of an interface. */
	options &push(bool live = false)
	{
		return set(&bpe_options::push, true).set(&bpe_options::push_live, live);
	}
	options &filter(const std::string &expression)
	{
		return set(&bpe_options::filter_expression, expression);
	}
	options &filter(const bpe::filter &compiled)
	{
		const span<const bpe_insn> from = compiled.program();
		program_ = std::make_shared<const std::vector<bpe_insn>>(from.begin(), from.end());
		c_.filter = program_->data();
		c_.filter_length = std::uint32_t(program_->size());
		return *this;
	}
	options &workers(int count)
	{
		return set(&bpe_options::workers, count);
	}
	options &max_packets(std::uint64_t count)
	{
		return set(&bpe_options::max_packets, count);
	}
	/* Takes void(bpe::batch) or bool(bpe::batch). */
	template <class F> options &on_batch(F &&callable)
	{
		on_batch_ = detail::make_handler<batch>(std::forward<F>(callable));
		return *this;
	}
	/* Take void(bpe::flow) or bool(bpe::flow). */
	template <class F> options &on_flow(F &&callable)
	{
		on_flow_ = detail::make_handler<flow>(std::forward<F>(callable));
		return *this;
	}
	template <class F> options &on_flow_open(F &&callable)
	{
		on_flow_open_ = detail::make_handler<flow>(std::forward<F>(callable));
		return *this;
	}
	/* Needs flow_update_ns or flow_update_bytes, by set(). */
	template <class F> options &on_flow_update(F &&callable)
	{
		on_flow_update_ = detail::make_handler<flow>(std::forward<F>(callable));
		return *this;
	}
	template <class F> options &on_record(F &&callable)
	{
		on_record_ = detail::make_handler<flow>(std::forward<F>(callable));
		return *this;
	}
	/* Takes void(std::string_view).  The text ends with a zero byte. */
	template <class F> options &on_notice(F &&callable)
	{
		on_notice_ = detail::make_handler<std::string_view>(std::forward<F>(callable));
		return *this;
	}

      private:
	friend detail::run_state;

	const char *own_text(const char *text)
	{
		return text ? own_text(std::string(text)) : nullptr;
	}
	const char *own_text(std::string text)
	{
		if (text.find('\0') != text.npos && !wrong_)
			wrong_ = failure(BPE_E_ARGUMENT, "options",
				"a text among the options has a zero byte inside; C would cut it there");
		texts_.push_back(std::make_shared<const std::string>(std::move(text)));
		return texts_.back()->c_str();
	}

	bpe_options c_;
	std::vector<std::shared_ptr<const std::string>> texts_;
	std::shared_ptr<const std::vector<bpe_insn>> program_;
	detail::handler_ptr<batch> on_batch_;
	detail::handler_ptr<flow> on_flow_;
	detail::handler_ptr<flow> on_flow_open_;
	detail::handler_ptr<flow> on_flow_update_;
	detail::handler_ptr<flow> on_record_;
	detail::handler_ptr<std::string_view> on_notice_;
	std::optional<failure> wrong_;
};

/* ---- From C to the handlers ---- */
namespace detail
{
/* What an engine or a capture needs at a fixed address: the options that C borrows, and the first
 * exception. */
struct run_state {
	explicit run_state(const options &from) : kept(from)
	{
	}
	run_state(const run_state &) = delete;
	run_state &operator=(const run_state &) = delete;
	~run_state()
	{
		bpe_engine_close(of_engine);
		bpe_capture_close(of_capture);
	}

	/* Points the handlers of C to the functions below. */
	result<void> prepare()
	{
		bpe_options &c = kept.c_;
		if (kept.wrong_)
			return *kept.wrong_;
		const bool of_c = c.on_batch || c.on_flow || c.on_flow_open || c.on_flow_update ||
				  c.on_record || c.on_notice || c.user;
		if (kept.on_batch_)
			c.on_batch = give_batch;
		if (kept.on_flow_)
			c.on_flow = give_flow<&options::on_flow_>;
		if (kept.on_flow_open_)
			c.on_flow_open = give_flow<&options::on_flow_open_>;
		if (kept.on_flow_update_)
			c.on_flow_update = give_flow<&options::on_flow_update_>;
		if (kept.on_record_)
			c.on_record = give_flow<&options::on_record_>;
		if (kept.on_notice_)
			c.on_notice = give_notice;
		const bool ours = kept.on_batch_ || kept.on_flow_ || kept.on_flow_open_ ||
				  kept.on_flow_update_ || kept.on_record_ || kept.on_notice_;
		if (ours && of_c)
			return failure(BPE_E_ARGUMENT, "options",
				"handlers of C and of C++ are mixed, and both need bpe_options.user; set all of them by functions of bpe::options, or all through ->");
		if (ours)
			c.user = this;
		return {};
	}

	template <class C>
	result<void> open(int (*by)(const bpe_options *, C **, bpe_error *), C *run_state::*to)
	{
		const result<void> ready = prepare();
		if (!ready)
			return ready;
		bpe_error error;
		const int status = by(&kept.c_, &(this->*to), &error);
		rethrow();
		return status < 0 ? result<void>(failure(error)) : ready;
	}

	/* Calls a handler; keeps an exception from C's stack. */
	template <class T> void call(handler<T> &to, T view) noexcept
	{
#ifdef __cpp_exceptions
		if (thrown.load(std::memory_order_relaxed) != nothing)
			return;
		try {
			if (!to.call(view))
				stop_engine();
		} catch (...) {
			int expected = nothing;
			if (thrown.compare_exchange_strong(expected, arriving)) {
				exception = std::current_exception();
				thrown.store(there, std::memory_order_release);
			}
			stop_engine();
		}
#else
		if (!to.call(view))
			stop_engine();
#endif
	}

	/* Throws the kept exception, once.  No handler is at work.  Handlers of a capture are
	 * called again afterwards. */
	void rethrow()
	{
#ifdef __cpp_exceptions
		if (thrown.load(std::memory_order_acquire) == there) {
			thrown.store(of_capture ? nothing : taken, std::memory_order_relaxed);
			std::rethrow_exception(std::exchange(exception, nullptr));
		}
#endif
	}

	void stop_engine() noexcept
	{
		if (of_engine)
			bpe_engine_stop(of_engine);
	}

	static void give_batch(void *user, const bpe_batch *view) noexcept
	{
		run_state &self = *static_cast<run_state *>(user);
		self.call(*self.kept.on_batch_, batch(*view));
	}
	template <handler_ptr<flow> options::*Member>
	static void give_flow(void *user, const bpe_flow *record, std::uint32_t) noexcept
	{
		run_state &self = *static_cast<run_state *>(user);
		self.call(*(self.kept.*Member), flow(record));
	}
	static void give_notice(void *user, const char *text) noexcept
	{
		run_state &self = *static_cast<run_state *>(user);
		self.call(*self.kept.on_notice_, std::string_view(text));
	}

	options kept;
	bpe_engine *of_engine = nullptr;
	bpe_capture *of_capture = nullptr;
	bpe_batch batch_of_capture;
	int held_packets = 0; /* of the batch of the call in which a handler threw */
#ifdef __cpp_exceptions
	enum { nothing, arriving, there, taken };
	std::atomic<int> thrown{ nothing };
	std::exception_ptr exception; /* written by whoever set arriving, read after there */
#endif
};

/* A dump of flows that runs.  The last worker to finish frees the dump. */
struct flow_dump {
	static void give(void *user, const bpe_flow *record, std::uint32_t) noexcept
	{
		flow_dump *self = static_cast<flow_dump *>(user);
		if (record)
			self->state.call(*self->to, flow(record));
		else if (self->workers_left.fetch_sub(1, std::memory_order_acq_rel) == 1)
			delete self;
	}
	run_state &state;
	handler_ptr<flow> to;
	std::atomic<std::uint32_t> workers_left;
};

/* Ends a run, on another thread if a handler of the same engine asks. */
struct run_end {
	void operator()(run_state *state) const
	{
		const auto end = [state] { delete state; };
		if (!state->of_engine || bpe_engine_current() != state->of_engine)
			return end();
		state->stop_engine();
		std::thread(end).detach();
	}
};
using run_ptr = std::unique_ptr<run_state, run_end>;

inline failure moved_from(std::string_view step) noexcept
{
	return failure(BPE_E_STATE, step, "this object was moved from, and holds nothing");
}

/* Calls a function of C, and returns the number that the function returns, or the failure. */
template <class R, class C, class F> result<R> ask(C *of, const char *step, F call)
{
	bpe_error error;
	if (!of)
		return moved_from(step);
	const int status = call(of, &error);
	if (status < 0)
		return failure(error);
	if constexpr (std::is_void_v<R>)
		return {};
	else
		return static_cast<R>(status);
}

template <class C, class F>
result<std::vector<bpe_flow>> ask_largest(C *of, F call, std::uint32_t order, std::int64_t since_ns,
	std::size_t n, bpe_flow_totals *totals)
{
	std::vector<bpe_flow> flows(n);
	const result<int> found = ask<int>(of, "largest_flows", [&](C *c, bpe_error *error) {
		return call(c, order, since_ns, flows.data(), n, totals, error);
	});
	if (!found)
		return found.error();
	flows.resize(std::size_t(*found));
	return flows;
}
} // namespace detail

/* ---- Engine ---- */
/* An engine with threads of its own.  Functions behave as bpe_engine_* in bpfengine.h. */
class engine
{
      public:
	/* Opens the source that the options name. */
	static result<engine> open(const options &from)
	{
		detail::run_ptr state(new detail::run_state(from));
		const result<void> opened =
			state->open(bpe_engine_open, &detail::run_state::of_engine);
		if (!opened)
			return opened.error();
		return engine(std::move(state));
	}
#ifdef __cpp_exceptions
	/* Opens the source, or throws a bpe::error. */
	explicit engine(const options &from) : engine(open(from).value())
	{
	}
#endif
	result<void> start()
	{
		return ask("start", bpe_engine_start);
	}
	/* Waits until the run has ended, or the time has passed; below 0 there is no limit.
	 * Returns true if the run has ended; false at once from a handler of this engine.  Throws
	 * what a handler threw. */
	bool wait(std::chrono::nanoseconds timeout = std::chrono::nanoseconds(-1))
	{
		if (!state_)
			return true;
		if (bpe_engine_wait(raw(), timeout.count()) <= 0)
			return false;
		state_->rethrow();
		return true;
	}
	/* Tells whether this thread runs a handler of this engine. */
	bool is_current() const noexcept
	{
		return state_ && bpe_engine_current() == raw();
	}
	void stop() noexcept
	{
		if (state_)
			state_->stop_engine();
	}
	/* Starts the engine, waits at most the duration (0 or less: no limit), stops the engine and
	 * waits for the end.  Returns as outcome().  Throws what a handler threw. */
	result<void> run(std::chrono::nanoseconds duration = std::chrono::nanoseconds(0))
	{
		result<void> ran = ask("run", [duration](bpe_engine *e, bpe_error *error) {
			return bpe_engine_run(e, duration.count(), error);
		});
		if (state_)
			state_->rethrow();
		return ran;
	}
	/* Returns how the run ended; BPE_E_STATE before the end.  Throws what a handler threw. */
	result<void> outcome()
	{
		if (state_ && bpe_engine_wait(raw(), 0))
			state_->rethrow();
		return ask("outcome", bpe_engine_result);
	}
	int records_fd() const noexcept
	{
		return state_ ? bpe_engine_records_fd(raw()) : -1;
	}
	/* Takes the next record of options.pull_records, valid until the next call, without a wait.
	 * The flow tests false if no record waits.  BPE_E_END is the failure behind the last. */
	result<flow> next_record()
	{
		if (!state_)
			return detail::moved_from("next_record");
		const bpe_flow *record = nullptr;
		bpe_error error;
		const int found = bpe_engine_next_record(raw(), &record, &error);
		if (found == BPE_E_END)
			return failure(found, "next_record", bpe_status_text(found));
		if (found < 0)
			return failure(error);
		return flow(record);
	}
	/* Pushes packets into an engine with options.push, and returns how many were taken: all,
	 * unless the time passed or the run ended.  Any thread, but no handler. */
	result<std::size_t> push(span<const bpe_packet> packets,
		std::chrono::nanoseconds timeout = std::chrono::nanoseconds(-1))
	{
		return detail::ask<std::size_t>(
			raw(), "push", [&](bpe_engine *e, bpe_error *error) {
				return bpe_engine_push(
					e, packets.data(), packets.size(), timeout.count(), error);
			});
	}
	result<void> push_end()
	{
		return ask("push_end", bpe_engine_push_end);
	}
	result<void> set_filter(const filter &compiled)
	{
		return ask("filter", [&compiled](bpe_engine *e, bpe_error *error) {
			const span<const bpe_insn> to = compiled.program();
			return bpe_engine_set_filter(e, to.data(), std::uint32_t(to.size()), error);
		});
	}
	result<void> set_filter(const std::string &expression)
	{
		return ask("filter", [&expression](bpe_engine *e, bpe_error *error) {
			return bpe_engine_set_expression(e, expression.c_str(), error);
		});
	}
	/* Returns every counter; zeros after a move.  Any thread. */
	bpe_stats stats() const
	{
		bpe_stats counters = {};
		if (state_)
			bpe_engine_stats(raw(), &counters);
		return counters;
	}
	result<bpe_worker_stats> worker_stats(std::uint32_t worker) const
	{
		bpe_worker_stats counters = {};
		if (!state_)
			return detail::moved_from("worker_stats");
		const int status = bpe_engine_worker_stats(raw(), worker, &counters);
		if (status < 0)
			return failure(status, "worker_stats", "there is no worker of this number");
		return counters;
	}
	std::vector<bpe_protocol> protocols() const
	{
		std::vector<bpe_protocol> lines;
		if (!state_)
			return lines;
		for (std::size_t room = 64;; room *= 2) {
			lines.resize(room);
			const std::size_t all = bpe_engine_protocols(raw(), lines.data(), room);
			if (all <= room) {
				lines.resize(all);
				return lines;
			}
		}
	}
	result<std::vector<bpe_flow>> largest_flows(std::size_t n,
		bpe_order order = BPE_ORDER_BYTES, std::int64_t since_ns = INT64_MIN,
		bpe_flow_totals *totals = nullptr)
	{
		return detail::ask_largest(
			raw(), bpe_engine_largest_flows, order, since_ns, n, totals);
	}
	/* Hands every live flow to a callable, on the workers' threads, and returns at once.  Any
	 * thread, handlers included. */
	template <class F> result<void> dump_flows(F &&callable)
	{
		if (!state_)
			return detail::moved_from("dump_flows");
		const std::uint32_t workers = stats().workers;
		std::unique_ptr<detail::flow_dump> dump(new detail::flow_dump{ *state_,
			detail::make_handler<flow>(std::forward<F>(callable)),
			{ workers ? workers : 1 } });
		result<void> asked = ask_dump(detail::flow_dump::give, dump.get());
		if (asked)
			dump.release();
		return asked;
	}
	result<void> dump_flows()
	{
		return state_ ? ask_dump(nullptr, nullptr) : detail::moved_from("dump_flows");
	}
	std::string_view source() const noexcept
	{
		return state_ ? bpe_engine_source(raw()) : "";
	}
	std::string_view link_type() const noexcept
	{
		return state_ ? bpe_engine_link_type(raw()) : "";
	}
	/* Returns the engine of C, for functions that have no place here; nullptr after a move. */
	bpe_engine *raw() const noexcept
	{
		return state_ ? state_->of_engine : nullptr;
	}

      private:
	explicit engine(detail::run_ptr state) noexcept : state_(std::move(state))
	{
	}
	result<void> ask_dump(bpe_flow_fn fn, void *user)
	{
		const int status = bpe_engine_dump_flows(raw(), fn, user);
		if (status < 0)
			return failure(status, "dump_flows", bpe_status_text(status));
		return {};
	}
	template <class F> result<void> ask(const char *step, F call)
	{
		return detail::ask<void>(raw(), step, call);
	}
	detail::run_ptr state_;
};

/* ---- Records as columns ---- */
/* Rows of flow records in the form of Apache Arrow, by bpe_columns_open.  One thread at a time. */
class columns
{
      public:
	static result<columns> open()
	{
		bpe_columns *opened = nullptr;
		bpe_error error;
		if (bpe_columns_open(&opened, &error) < 0)
			return failure(error);
		return columns(opened);
	}
	/* Adds a copy of the record as a row. */
	result<void> add(flow f)
	{
		const int status = bpe_columns_add(columns_.get(), f.raw());
		if (status < 0)
			return failure(status, "columns", bpe_status_text(status));
		return {};
	}
	/* Adds records of options.pull_records, at most `most`, and waits for the first of them.
	 * Returns their number; 0 is the end of the run. */
	result<std::uint64_t> fill(engine &from, std::uint64_t most)
	{
		if (from.records_fd() < 0)
			return failure(BPE_E_STATE, "fill", "the engine has no pull_records");
		bpe_error error;
		const std::int64_t taken =
			bpe_columns_fill(columns_.get(), from.raw(), most, &error);
		if (taken < 0)
			return failure(error);
		return static_cast<std::uint64_t>(taken);
	}
	std::uint64_t rows() const noexcept
	{
		return bpe_columns_rows(columns_.get());
	}
	/* Moves the rows out, as bpe_columns_take; the caller releases both structures. */
	result<void> take(ArrowSchema *schema, ArrowArray *array)
	{
		const int status = bpe_columns_take(columns_.get(), schema, array);
		if (status < 0)
			return failure(status, "columns", bpe_status_text(status));
		return {};
	}

      private:
	explicit columns(bpe_columns *opened) noexcept : columns_(opened, bpe_columns_close)
	{
	}
	std::unique_ptr<bpe_columns, void (*)(bpe_columns *)> columns_;
};

/* ---- Capture ---- */
/* A capture without threads.  Functions behave as bpe_capture_* in bpfengine.h. */
class capture
{
      public:
	/* Opens the source that the options name. */
	static result<capture> open(const options &from)
	{
		detail::run_ptr state(new detail::run_state(from));
		const result<void> opened =
			state->open(bpe_capture_open, &detail::run_state::of_capture);
		if (!opened)
			return opened.error();
		return capture(std::move(state));
	}
#ifdef __cpp_exceptions
	/* Opens the source, or throws a bpe::error. */
	explicit capture(const options &from) : capture(open(from).value())
	{
	}
#endif
	/* Returns the next packets, valid until the next call, also if the capture is moved.  The
	 * batch is empty if no packet came in time, and ended() at the end of a savefile.  A
	 * timeout of 0 does not wait; below 0 there is no limit.  Throws what a handler threw; the
	 * next call then returns the batch, unless set_filter() or end_flows() came before. */
	result<batch> next(std::chrono::nanoseconds timeout = std::chrono::nanoseconds(-1))
	{
		if (!state_)
			return detail::moved_from("next");
		bpe_error error;
		int n = std::exchange(state_->held_packets, 0);
		if (n == 0)
			n = bpe_capture_next(
				raw(), &state_->batch_of_capture, timeout.count(), &error);
		state_->held_packets = n > 0 ? n : 0;
		state_->rethrow();
		state_->held_packets = 0;
		if (n == BPE_E_END)
			return batch();
		if (n < 0)
			return failure(error);
		state_->batch_of_capture.count = std::uint32_t(n);
		return batch(state_->batch_of_capture);
	}
	result<std::size_t> push(span<const bpe_packet> packets)
	{
		return detail::ask<std::size_t>(
			raw(), "push", [&](bpe_capture *c, bpe_error *error) {
				return bpe_capture_push(c, packets.data(), packets.size(), error);
			});
	}
	result<void> push_end()
	{
		return detail::ask<void>(raw(), "push_end", bpe_capture_push_end);
	}
	result<void> set_filter(const filter &compiled)
	{
		return detail::ask<void>(raw(), "filter", [&](bpe_capture *c, bpe_error *error) {
			const span<const bpe_insn> to = compiled.program();
			state_->held_packets = 0;
			return bpe_capture_set_filter(
				c, to.data(), std::uint32_t(to.size()), error);
		});
	}
	result<void> set_filter(const std::string &expression)
	{
		return detail::ask<void>(raw(), "filter", [&](bpe_capture *c, bpe_error *error) {
			state_->held_packets = 0;
			return bpe_capture_set_expression(c, expression.c_str(), error);
		});
	}
	result<std::vector<bpe_flow>> largest_flows(std::size_t n,
		bpe_order order = BPE_ORDER_BYTES, std::int64_t since_ns = INT64_MIN,
		bpe_flow_totals *totals = nullptr)
	{
		return detail::ask_largest(
			raw(), bpe_capture_largest_flows, order, since_ns, n, totals);
	}
	/* Hands every live flow of options.flow_table to on_flow, and returns their number.
	 * Throws what a handler threw. */
	result<int> end_flows()
	{
		return detail::ask<int>(raw(), "end_flows", [this](bpe_capture *c, bpe_error *e) {
			state_->held_packets = 0;
			const int ended = bpe_capture_end_flows(c, e);
			state_->rethrow();
			return ended;
		});
	}
	/* Returns a descriptor to wait on, or -1: see bpe_capture_fd. */
	int fd() const noexcept
	{
		return state_ ? bpe_capture_fd(raw()) : -1;
	}
	void wake() noexcept
	{
		if (state_)
			bpe_capture_wake(raw());
	}
	/* Returns every counter; zeros after a move. */
	bpe_stats stats() const
	{
		bpe_stats counters = {};
		if (state_)
			bpe_capture_stats(raw(), &counters);
		return counters;
	}
	std::string_view source() const noexcept
	{
		return state_ ? bpe_capture_source(raw()) : "";
	}
	std::string_view link_type() const noexcept
	{
		return state_ ? bpe_capture_link_type(raw()) : "";
	}
	/* Returns the capture of C, for functions that have no place here; nullptr after a move. */
	bpe_capture *raw() const noexcept
	{
		return state_ ? state_->of_capture : nullptr;
	}

      private:
	explicit capture(detail::run_ptr state) noexcept : state_(std::move(state))
	{
	}
	detail::run_ptr state_;
};

/* ---- Interfaces ---- */
inline result<std::vector<bpe_interface>> interfaces()
{
	bpe_interface *list = nullptr;
	bpe_error error;
	const int n = bpe_interfaces_list(&list, &error);
	if (n < 0)
		return failure(error);
	const std::unique_ptr<bpe_interface, void (*)(bpe_interface *)> owner(
		list, bpe_interfaces_free);
	return std::vector<bpe_interface>(list, list + n);
}

inline std::optional<std::uint32_t> interface_netmask(const std::string &name) noexcept
{
	std::uint32_t netmask = 0;
	if (!bpe_interface_netmask(name.c_str(), &netmask))
		return {};
	return netmask;
}
} // namespace BPE_CPP_ABI
} // namespace bpe

#undef BPE_CPP_ABI
#undef BPE_CPP_NAME
#undef BPE_CPP_JOIN
#undef BPE_CPP_SETTINGS
#endif
