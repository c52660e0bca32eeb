// The channel's two halves: who we talk to (sessions), and what was said (sequence numbers).
#include "broker/cluster/channel.hpp"

#include <algorithm>
#include <utility>

#include "broker/base/assert.hpp"
#include "broker/cluster/frame.pb.h"

namespace hf::cluster {

namespace {

constexpr std::uint64_t ack_after_bytes = 64 * 1024;
constexpr std::uint64_t ack_after_messages = 64;

void append_varint(std::string& out, std::uint64_t v) {
  for (; v >= 0x80U; v >>= 7U) out.push_back(static_cast<char>((v & 0x7fU) | 0x80U));
  out.push_back(static_cast<char>(v));
}

bool read_varint(std::string_view text, std::size_t& at, std::uint64_t& v) {
  v = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (at >= text.size()) return false;
    const auto c = static_cast<unsigned char>(text[at++]);
    v |= static_cast<std::uint64_t>(c & 0x7fU) << shift;
    if ((c & 0x80U) == 0) return true;
  }
  return false;
}

/// A message may be larger than what the link carries in a time-out. Over a relay something may be lost, so not for ever.
Duration time_to_carry(std::uint64_t bytes, Duration timeout) {
  return std::min<Duration>(1s * static_cast<std::int64_t>(bytes >> 20U), timeout * 8);
}

std::uint64_t size_of(const Bytes& payload) { return payload.size() + 32; }  // with its overhead

}  // namespace

bool Channel::send(Bytes payload) {
  HF_ASSERT(!payload.empty());
  if (!established_ || overflowed_) return false;
  const std::uint64_t most = limits_.max_outbox_bytes * (timeouts_ == 0 ? burst : 1);
  if (outbox_bytes_ + size_of(payload) > most || payload.size() > message_max) {
    overflowed_ = true;
    return false;
  }
  outbox_bytes_ += size_of(payload);
  outbox_.push_back(std::move(payload));
  return true;
}

void Channel::reset(std::uint64_t fresh) {
  Channel empty(self_, boot_, peer_, limits_);
  empty.mine_ = fresh == 0 ? 1 : fresh;
  empty.retransmits_ = retransmits_;
  *this = std::move(empty);
}

void Channel::resend_all(Instant now) {
  open_at_ = now;
  sent_ = 0;
  sent_bytes_ = 0;
  batches_.clear();
  measured_from_ = highest_sent_;
  quickest_.reset();
  quickest_of_late_.reset();
  timeouts_ = 0;
  resend_at_.reset();
  if (established_ && received_ > 0) ack_now_ = true;  // the last one may have been lost
}

/// All transitions of the handshake. A session number that is unknown while one is established may
/// be new or a straggler's: a probe finds out, for only a living session answers it.
Channel::Received Channel::receive(Instant now, wire::Channel& frame, std::uint64_t fresh) {
  Received result;
  const std::uint64_t from = frame.from_session();
  const std::uint64_t to = frame.to_session();
  if (from == 0 || mine_ == 0) return result;

  const bool probe = frame.kind() == wire::Channel::PROBE;
  if (probe && to != mine_) return result;  // that session is no more: silence is the answer
  if (!established_) {
    theirs_ = from;
    peer_boot_ = frame.boot();
    if (probe || to != mine_) {
      answer_ = true;  // with the number just learnt
      return result;
    }
    established_ = true;
    result.established = true;
  }
  if (from != theirs_) {
    if (to != mine_) {
      probe_ = from;
      return result;
    }
    reset(fresh);
    theirs_ = from;
    peer_boot_ = frame.boot();
    open_at_ = now;
    result.reset = true;
    return result;
  }
  if (to != mine_) {
    answer_ = true;  // they hold an older number of ours, or none
    return result;
  }
  if (probe || frame.kind() == wire::Channel::OPEN || result.established) answer_ = true;
  take_ack(now, frame.ack());
  take_batch(now, frame, result);
  return result;
}

void Channel::take_ack(Instant now, std::uint64_t ack) {
  if (ack <= acked_ || ack > highest_sent_) return;
  const std::uint64_t under_way = sent_bytes_, queued = outbox_bytes_;
  for (; acked_ < ack; ++acked_) {
    const std::uint64_t size = size_of(outbox_.front());
    outbox_bytes_ -= size;
    if (sent_ > 0) {
      --sent_;
      sent_bytes_ -= size;
    }
    outbox_.pop_front();
  }
  timeouts_ = 0;
  fit_window(now, queued - outbox_bytes_, under_way);
  resend_at_.reset();
  if (sent_ > 0) resend_at_ = now + timeout_ + time_to_carry(sent_bytes_, timeout_);
}

/// What is under way lies in a queue before the link, and heartbeats and acknowledgements behind it: so it is to be no more than
/// the link carries in a part of the time-out. It grows by what is acknowledged, as long as that comes at once and it is made use of.
void Channel::fit_window(Instant now, std::uint64_t acked_bytes, std::uint64_t under_way) {
  std::optional<Instant> sent;
  for (; !batches_.empty() && batches_.front().last <= acked_; batches_.pop_front())
    if (batches_.front().last > measured_from_) sent = batches_.front().sent;
  if (!sent) return;
  const Duration took = now - *sent;
  if (now >= quickest_until_) {  // of this period and the one before: the way may have become longer
    quickest_ = std::exchange(quickest_of_late_, std::nullopt);
    quickest_until_ = now + timeout_ * 10;
  }
  quickest_of_late_ = std::min(took, quickest_of_late_.value_or(took));
  quickest_ = std::min(took, quickest_.value_or(took));
  if (took > std::min(*quickest_ + timeout_ / 4, timeout_ / 2)) {
    if (acked_ <= shrunk_at_ || under_way < window_min) return;
    window_ = std::max(window_min, std::min(window_, under_way) / 2);
    shrunk_at_ = highest_sent_;
  } else if (took <= *quickest_ + timeout_ / 16 && under_way >= window_ / 2) {
    window_ = std::min(window_max, window_ + acked_bytes);
  }
}

void Channel::take_batch(Instant now, wire::Channel& frame, Received& result) {
  if (frame.batch().empty()) return;
  std::uint64_t sequence = frame.first();
  if (sequence == 0) return;
  const Bytes batch(std::move(*frame.mutable_batch()));
  const std::string_view text = batch.view();
  bool in_order = false;
  std::size_t messages = 0;
  for (std::size_t at = 0; at < text.size(); ++sequence) {
    std::uint64_t size = 0;
    if (!read_varint(text, at, size) || size == 0 || size > text.size() - at) break;
    if (++messages > batch_messages) break;
    if (sequence == received_ + 1) {
      result.messages.push_back(batch.slice(at, static_cast<std::size_t>(size)));
      ++received_;
      untold_bytes_ += size;
      in_order = true;
    }
    at += static_cast<std::size_t>(size);
  }
  if (!in_order) ack_now_ = true;  // a gap or a repetition: they need to know where we are
  if (untold_bytes_ >= ack_after_bytes || received_ - told_ >= ack_after_messages) ack_now_ = true;
  if (!ack_at_) ack_at_ = now + limits_.ack_within;
}

void Channel::tick(Instant now) {
  if (ack_at_ && now >= *ack_at_) ack_now_ = true;
  if (resend_at_ && now >= *resend_at_) {
    resend_at_.reset();
    if (sent_ > 0) {
      sent_ = 0;
      sent_bytes_ = 0;
      batches_.clear();
      measured_from_ = highest_sent_;  // whether an acknowledgement is of the first or of the second cannot be told
      timeouts_ = std::min(timeouts_ + 1, 3U);
      window_ = window_min;
      if (outbox_bytes_ > limits_.max_outbox_bytes) overflowed_ = true;
    }
  }
}

void Channel::fill_batch(Instant now, wire::Channel& frame) {
  // The link may have become another since the window was full.
  if (sent_ == 0 && now - sent_at_ > timeout_) window_ = std::min(window_, window_first);
  sent_at_ = now;
  std::string& batch = *frame.mutable_batch();
  std::uint64_t sequence = acked_ + sent_ + 1;
  frame.set_first(sequence);
  for (std::size_t n = 0; sent_ < outbox_.size() && n < batch_messages; ++n) {
    const Bytes& payload = outbox_[sent_];
    if (!batch.empty() && batch.size() + payload.size() > batch_bytes) break;
    if (sent_ > 0 && sent_bytes_ >= window_) break;
    append_varint(batch, payload.size());
    batch.append(payload.view());
    ++sent_;
    sent_bytes_ += size_of(payload);
    if (sequence <= highest_sent_) ++retransmits_;
    highest_sent_ = std::max(highest_sent_, sequence);
    ++sequence;
  }
  batches_.push_back({sequence - 1, now});
}

bool Channel::next_frame(Instant now, Duration timeout, std::uint64_t wall_ms,
                         wire::Channel& frame) {
  if (mine_ == 0) return false;
  timeout_ = timeout;
  const bool can_send = established_ && !overflowed_ && sent_ < outbox_.size() &&
                        (sent_ == 0 || sent_bytes_ < window_);
  const bool open = !established_ && (answer_ || now >= open_at_);
  if (!can_send && !open && !answer_ && !ack_now_ && probe_ == 0) return false;

  frame.set_from(self_);
  frame.set_to(peer_);
  frame.set_boot(boot_);
  frame.set_from_session(mine_);
  if (probe_ != 0) {
    frame.set_kind(wire::Channel::PROBE);
    frame.set_to_session(std::exchange(probe_, 0));
    return true;
  }
  frame.set_to_session(theirs_);
  answer_ = false;
  if (!established_) {
    frame.set_kind(wire::Channel::OPEN);
    frame.set_wall_ms(wall_ms);
    open_at_ = now + limits_.open_every;
    ack_now_ = false;
    return true;
  }
  frame.set_ack(received_);
  told_ = received_;
  untold_bytes_ = 0;
  ack_now_ = false;
  ack_at_.reset();
  if (can_send) {
    fill_batch(now, frame);
    if (!resend_at_) resend_at_ = now + timeout * (1U << timeouts_) + time_to_carry(sent_bytes_, timeout);
  }
  return true;
}

std::optional<Instant> Channel::deadline() const {
  std::optional<Instant> first;
  const auto want = [&first](Instant t) {
    if (!first || t < *first) first = t;
  };
  if (mine_ != 0 && !established_) want(open_at_);
  if (ack_at_) want(*ack_at_);
  if (resend_at_) want(*resend_at_);
  if (overflowed_) want(Instant{});
  return first;
}

}  // namespace hf::cluster
