// The table of byte streams: accepting, dialling, reading, gathered writing, closing.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "broker/base/bytes.hpp"
#include "broker/base/ids.hpp"
#include "broker/base/result.hpp"
#include "broker/base/time.hpp"
#include "broker/env/environment.hpp"
#include "broker/host/complaints.hpp"
#include "broker/host/reactor.hpp"
#include "broker/host/sockets.hpp"
#include "broker/host/unix_socket.hpp"
#include "broker/wrapping/wrapping.hpp"

namespace hf::host {

struct StreamLimits {
  std::size_t max_connections = 100'000;  ///< clients; peers are not counted
  std::size_t max_handshakes = 1000;      ///< under way at one listener
  Duration dial_timeout = 2s;             ///< until the socket is connected; TLS has as long again
  Duration handshake_timeout = 10s;
  Duration close_timeout = 5s;
};

/// Where to listen, and what those who come in must speak.
struct Listening {
  env::StreamKind kind = env::StreamKind::client;
  std::string name;
  std::string host;           ///< a numeric address
  std::uint16_t port = 0;     ///< 0: any free port
  std::string unix_path;      ///< a Unix socket instead of host and port
  unsigned unix_mode = 0660;  ///< its permissions
  std::size_t max_connections = 0;  ///< 0: no limit of its own
  wrapping::Plan plan;
};

/// Where a stream's events go. May call any method of Streams.
class StreamEvents {
 public:
  StreamEvents() = default;
  StreamEvents(const StreamEvents&) = delete;
  StreamEvents& operator=(const StreamEvents&) = delete;
  virtual ~StreamEvents() = default;
  virtual void accepted(StreamId id, const env::Arrival& arrival) = 0;
  virtual void connected(StreamId id) = 0;
  virtual void bytes(StreamId id, const Bytes& bytes) = 0;
  virtual void closed(StreamId id, env::CloseReason reason) = 0;
  virtual void writable(StreamId id) = 0;
  virtual void warn(std::string_view text) = 0;
  [[nodiscard]] virtual Instant now() const = 0;
};

/// Invariants:
///  (1) events are raised from on_ready(), deliver_later() and expire() only, never from the calls;
///  (2) an idle stream owns its struct and its descriptor, and no buffer: write queues are borrowed from
///      a pool while something is unsent, reads share one scratch buffer;
///  (3) a stream that is `leaving` raises no event, and is gone after close_timeout at the latest;
///  (4) nothing is written outside flush() and on_ready(): bytes gather during a turn;
///  (5) a stream whose wrapping is not through its handshakes is known to nobody outside, and is gone after
///      handshake_timeout at the latest.
class Streams final : public ReadySink {
 public:
  Streams(StreamEvents& events, StreamLimits limits);
  ~Streams() override;

  /// Answers the port.
  Result<std::uint16_t> listen(Listening listening);
  /// For those who come to the n-th listener from now on.
  void set_tls(std::size_t listener, std::shared_ptr<const wrapping::TlsContext> tls);
  /// For streams dialled from now on; none: plain TCP.
  void set_dial_tls(std::shared_ptr<const wrapping::TlsContext> tls);
  StreamId dial(std::string_view address);
  void send(StreamId id, Bytes bytes);
  [[nodiscard]] std::size_t unsent(StreamId id) const;
  void pause_reading(StreamId id, bool paused);
  void close(StreamId id, bool flush);

  /// Writes what gathered, once a turn.
  void flush();
  /// Raises what could not be raised from inside a call.
  void deliver_later();
  [[nodiscard]] bool has_later() const { return !later_.empty(); }
  /// Ends dials and closes that took too long; ends the listeners' pauses.
  void expire();
  [[nodiscard]] std::optional<Instant> next_limit() const;
  /// Streams closed with flush that have not ended yet.
  [[nodiscard]] std::size_t leaving() const { return leaving_; }
  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  /// From all streams since the start.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  void stop_listening();
  // Since the beginning: clients beyond max_connections; streams that came in, and whose wrapping was no good.
  [[nodiscard]] std::uint64_t full() const { return full_; }
  [[nodiscard]] std::uint64_t unfit_clients() const { return unfit_clients_; }
  [[nodiscard]] std::uint64_t unfit_peers() const { return unfit_peers_; }

  void on_ready(StreamId id, Ready what) override;
  Reactor& reactor() { return reactor_; }

 private:
  struct Stream;
  struct Wrapped;
  struct Listener {
    DescriptorPtr descriptor;
    Listening about;
    SocketFile file;              ///< of a Unix socket
    std::size_t connections = 0;  ///< those in a handshake too
    std::set<StreamId> shaking;   ///< in a handshake, the oldest first
  };
  struct Later {
    enum class What : std::uint8_t { connected, writable, held, closed } what = What::connected;
    StreamId id = 0;
    env::CloseReason reason = env::CloseReason::ended;
  };

  [[nodiscard]] Stream* find(StreamId id) const;
  void accept_from(std::size_t listener);
  bool has_room(Listener& listener, const std::string& remote);
  bool may_shake(Listener& listener);
  void add_accepted(std::size_t listener, int handle, const Endpoint& remote);
  void try_next(StreamId id, int last_error);
  void connect_ended(StreamId id, Stream& stream);
  void is_connected(StreamId id, Stream& stream);
  void read_from(StreamId id);
  void discard_from(StreamId id, Stream& stream);
  void read_ended(StreamId id, Stream& stream, env::CloseReason reason);
  void write_to(StreamId id, Stream& stream);
  bool write_plain(Stream& stream);
  bool write_wrapped(Stream& stream);
  bool encode(Stream& stream);
  static std::size_t next_message(const Stream& stream);
  static std::size_t next_packet(const Stream& stream);
  void wait_writable(Stream& stream);
  void unwrap(StreamId id, Stream& stream, std::string_view bytes);
  void release_held(StreamId id);
  void announce(StreamId id, Stream& stream);
  void settle(StreamId id, Stream& stream);
  void part(StreamId id, Stream& stream);
  void stop_shaking(StreamId id, Stream& stream);
  void complain(const Stream& stream, const std::string& why);
  void took(Stream& stream, std::size_t bytes);
  void drop_queue(Stream& stream);
  void write_failed(StreamId id, Stream& stream);
  void mark_dirty(StreamId id, Stream& stream);
  void arm_reading(Stream& stream);
  void say_bye(StreamId id, Stream& stream);
  void set_limit(StreamId id, Stream& stream, Duration from_now);
  void clear_limit(StreamId id, Stream& stream);
  void erase(StreamId id);

  StreamEvents& events_;
  StreamLimits limits_;
  Reactor reactor_;
  std::vector<Listener> listeners_;  ///< descriptor ids 1, 2, …
  wrapping::Plan dialled_;           ///< how streams are wrapped that we dial
  boost::unordered_flat_map<StreamId, std::unique_ptr<Stream>> streams_;
  std::set<std::pair<Instant, StreamId>> deadlines_;
  std::vector<StreamId> dirty_;
  std::vector<Later> later_;
  std::vector<std::vector<Bytes>> pool_;
  std::unique_ptr<char[]> scratch_;
  StreamId last_id_;
  std::uint64_t bytes_read_ = 0;
  std::size_t clients_ = 0;
  std::size_t leaving_ = 0;
  std::uint64_t full_ = 0, unfit_clients_ = 0, unfit_peers_ = 0;
  std::string gathered_;  ///< what encode() hands on at once
  Complaints complaints_;
  Instant last_warning_ = at(-1h);
};

}  // namespace hf::host
