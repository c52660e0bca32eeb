// The only door to the outside: what a shard may ask of the world, and what the world tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"
#include "broker/env/storage.hpp"

namespace hf::env {

enum class Level { debug, info, warn, error };

/// One line of the log. What clients wrote may stand in it, secrets never. The texts live for the time of the call only.
struct LogLine {
  Level level = Level::info;
  std::string_view text{};
  std::string_view event{};   ///< the kind of event, one of a few constant words; empty: lines of one text are of a kind
  std::string_view client{};  ///< id of the client that it is about
  std::string_view remote{};  ///< and its address
};

enum class StreamKind { client, peer };

/// A stream that came in. The texts live for the time of the call only.
struct Arrival {
  StreamKind kind = StreamKind::client;
  std::string_view remote{};    ///< the other end's address, as the transport or a trusted proxy tells it
  std::string_view listener{};  ///< which of the node's listeners it came to; empty where there is but one
  std::string_view identity{};  ///< the user name that the transport has proved, by a certificate; empty: none
  bool same_machine = false;  ///< over loopback or a Unix socket, and not for somebody behind a proxy
};

/// Why a stream ended, as far as the end that is told can know.
enum class CloseReason {
  ended,    ///< orderly end of stream from the other side
  reset,    ///< reset, time-out of the transport, or the network's error
  refused,  ///< a dial that nobody answered at the address: nothing listens there
  failed,   ///< a dial that failed in any other way (time-out, no route)
};

/// What a shard may ask. Duties of an implementation:
///  - no call calls back into the handler: answers arrive later, as events;
///  - all calls come from the handler's own thread, during a turn;
///  - calls that name a stream which has already ended are ignored.
class Environment {
 public:
  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  virtual ~Environment() = default;

  /// Time since boot; never goes back; constant within a turn or growing, as the host likes.
  [[nodiscard]] virtual Instant now() const = 0;
  /// Milliseconds since 1970 by the machine's wall clock: may jump either way.
  [[nodiscard]] virtual std::uint64_t wall_ms() const = 0;
  /// 64 random bits. Keyed by (seed, node) in the simulator.
  virtual std::uint64_t random() = 0;

  /// Opens a peer stream to `address` ("host:port", or a node's name in the simulator). Answered by
  /// on_connected or on_closed. Bytes sent before on_connected are kept.
  virtual StreamId dial(std::string_view address) = 0;
  /// Queues bytes; they leave in order, gathered at the end of the turn. Never blocks.
  virtual void send(StreamId stream, Bytes bytes) = 0;
  /// Bytes queued and not yet taken by the transport. The handler watches this for back-pressure.
  [[nodiscard]] virtual std::size_t unsent(StreamId stream) const = 0;
  /// Stops or resumes delivery of on_bytes (the transport's window then fills: back-pressure).
  virtual void pause_reading(StreamId stream, bool paused) = 0;
  /// Ends a stream. With `flush` what is queued goes out first (for at most 5 s), else it is reset.
  /// No event for this stream follows the call.
  virtual void close(StreamId stream, bool flush) = 0;

  /// See storage.hpp. Commits complete in the order they were made.
  virtual void commit(Batch batch, CommitId id) = 0;
  /// Reads up to `limit` rows with begin <= key < end in key order, as of some moment after every
  /// commit that has completed. Answered by on_rows.
  virtual void read(std::string begin, std::string end, std::size_t limit, ReadId id) = 0;

  /// Whether lines of this level are written: asked before one is put together where that would cost something.
  [[nodiscard]] virtual bool logs(Level level) const = 0;
  /// The implementation escapes and cuts what it writes, and bounds how often lines of one kind are written.
  virtual void log(const LogLine& line) = 0;

  /// The node cannot go on (its disk failed, say): stop the process, acknowledge nothing more.
  virtual void die(std::string_view why) = 0;

  /// A named situation was reached. Scenario faults hang on it ("when": {"reached": …}), and "sometimes"
  /// checks count it. Costs nothing in production.
  virtual void reached(std::string_view situation) { (void)situation; }
};

/// What the world tells a shard. A turn is one or more on_… calls followed by end_turn().
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  /// Once, first. Storage and dialling may be used from here on.
  virtual void on_start() = 0;
  virtual void on_accepted(StreamId stream, const Arrival& arrival) = 0;
  virtual void on_connected(StreamId stream) = 0;
  /// Some bytes, cut anywhere. `bytes` may be kept: it is shared, not copied.
  virtual void on_bytes(StreamId stream, const Bytes& bytes) = 0;
  virtual void on_closed(StreamId stream, CloseReason reason) = 0;
  /// unsent(stream) was above `writable_mark` and is below it again.
  virtual void on_writable(StreamId stream) = 0;
  virtual void on_committed(CommitId id, CommitStatus status) = 0;
  virtual void on_rows(ReadId id, std::vector<Row> rows, ReadStatus status) = 0;
  /// deadline() has passed. A spurious call is harmless.
  virtual void on_deadline() = 0;
  /// Asked to leave in good order (SIGTERM). The handler calls nothing special: `stopped()` turns true.
  virtual void on_stop() = 0;

  /// After the last on_… of a turn: everything gathered is sent and committed here.
  virtual void end_turn() = 0;
  /// When on_deadline is wanted next; asked after each turn.
  [[nodiscard]] virtual std::optional<Instant> deadline() const = 0;
  [[nodiscard]] virtual bool stopped() const = 0;
};

/// Above this many unsent bytes a handler should stop producing for a stream and wait for on_writable.
inline constexpr std::size_t writable_mark = 64 * 1024;

}  // namespace hf::env
