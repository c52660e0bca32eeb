// One end of the reliable channel to one peer: session handshake, sequence numbers, outbox, acks.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"

namespace hf::cluster {

namespace wire {
class Channel;
}

/// Knows nothing of streams or paths: the owner says when frames may go out. Invariants:
///  1. A session number of ours is used for one established period at most.
///  2. outbox_[i] has the sequence number acked_ + 1 + i; the first sent_ of them are under way.
///  3. Nothing is delivered from a frame that does not carry both current session numbers.
class Channel {
 public:
  static constexpr std::size_t batch_bytes = 256 * 1024;  ///< a batch ends past this
  static constexpr std::size_t batch_messages = 4096;
  static constexpr std::size_t message_max = 31 * 1024 * 1024;  ///< fits a member's frame
  static constexpr std::uint64_t window_min = 64 * 1024;
  static constexpr std::uint64_t window_first = 256 * 1024;
  static constexpr std::uint64_t window_max = 16 * 1024 * 1024;

  struct Limits {
    Duration open_every{};  ///< pause between unanswered opens
    Duration ack_within{};  ///< an acknowledgement waits no longer
    std::uint64_t max_outbox_bytes = 0;  ///< of a peer that takes nothing; one that does may owe `burst` times as much
  };
  static constexpr std::uint64_t burst = 16;
  /// What a frame did. A reset is a Down the owner must report; established is an Up.
  struct Received {
    bool reset = false;
    bool established = false;
    std::vector<Bytes> messages;
  };

  Channel(NodeId self, std::uint32_t boot, NodeId peer, Limits limits)
      : self_(self), boot_(boot), peer_(peer), limits_(limits) {}

  [[nodiscard]] bool established() const { return established_; }
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] std::uint32_t peer_boot() const { return peer_boot_; }
  [[nodiscard]] std::uint64_t outbox_bytes() const { return outbox_bytes_; }
  [[nodiscard]] std::uint64_t retransmits() const { return retransmits_; }

  /// Queues; false when not established or over the limit: what cannot be waited with may be much in one turn (the windows of many
  /// clients, routes), and a peer that takes it will have taken it soon. Nothing of it would arrive if that ended the session.
  bool send(Bytes payload);
  /// `fresh`: a random number, used if a new session begins here.
  Received receive(Instant now, wire::Channel& frame, std::uint64_t fresh);
  /// Forgets the session (the owner reports the Down); a new attempt begins under `fresh`.
  void reset(std::uint64_t fresh);
  /// The path changed: all that is not acknowledged goes out again.
  void resend_all(Instant now);
  /// A timer may have passed.
  void tick(Instant now);
  /// The next frame to go out over the present path, if any is due. Call until nothing. `timeout` is
  /// the retransmission time-out of the path.
  bool next_frame(Instant now, Duration timeout, std::uint64_t wall_ms, wire::Channel& frame);
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  void take_ack(Instant now, std::uint64_t ack);
  void take_batch(Instant now, wire::Channel& frame, Received& result);
  void fill_batch(Instant now, wire::Channel& frame);
  void fit_window(Instant now, std::uint64_t acked_bytes, std::uint64_t under_way);

  NodeId self_;
  std::uint32_t boot_;
  NodeId peer_;
  Limits limits_;

  std::uint64_t mine_ = 0;    ///< 0 only before the first reset()
  std::uint64_t theirs_ = 0;  ///< 0: not known
  bool established_ = false;
  bool overflowed_ = false;
  std::uint32_t peer_boot_ = 0;
  Instant open_at_{};             ///< when the next open is due, while not established
  bool answer_ = false;           ///< the peer asked for a frame of this session
  std::uint64_t probe_ = 0;       ///< a session of the peer's to ask about
  std::deque<Bytes> outbox_;
  std::uint64_t outbox_bytes_ = 0;
  std::uint64_t acked_ = 0;
  std::size_t sent_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t highest_sent_ = 0;  ///< sequence number
  std::uint64_t window_ = window_first;
  struct Batch {
    std::uint64_t last = 0;  ///< sequence number of its last message
    Instant sent{};
  };
  std::deque<Batch> batches_;       ///< under way
  std::uint64_t measured_from_ = 0;  ///< what was sent before this message counts for nothing: it was sent again
  std::optional<Duration> quickest_, quickest_of_late_;  ///< from sending a batch to its acknowledgement
  Instant quickest_until_{};
  std::uint64_t shrunk_at_ = 0;     ///< highest_sent_ when the window shrank last
  Instant sent_at_{};
  std::uint32_t timeouts_ = 0;      ///< in a row, without progress
  std::optional<Instant> resend_at_;
  Duration timeout_{};              ///< of the path last used
  std::uint64_t received_ = 0;      ///< all up to here have been delivered
  std::uint64_t told_ = 0;          ///< the last acknowledgement sent
  std::uint64_t untold_bytes_ = 0;
  bool ack_now_ = false;
  std::optional<Instant> ack_at_;
  std::uint64_t retransmits_ = 0;
};

}  // namespace hf::cluster
