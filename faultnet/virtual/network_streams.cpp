// What flows on a stream: bursts, windows, retransmission, acknowledgement, endings.
#include <algorithm>

#include "broker/base/assert.hpp"
#include "faultnet/virtual/network.hpp"

namespace hf::faultnet {
namespace {
constexpr std::size_t burst_max_when_slow = 64 * 1024;
constexpr std::uint64_t billion = 1'000'000'000;
}  // namespace

// --- the end that sends

void Network::send(End end, Bytes bytes) {
  Connection* connection = find(end);
  if (connection == nullptr || bytes.empty()) return;
  Way& way = connection->ways[side_of(end)];
  way.outbox_bytes += bytes.size();
  if (way.outbox_bytes > writable_mark_) way.above_mark = true;
  way.outbox.push_back(std::move(bytes));
  mark_dirty(index_of(end), side_of(end));
}

void Network::mark_dirty(std::uint32_t index, unsigned side) {
  Way& way = connections_[index].ways[side];
  if (way.dirty) return;
  way.dirty = true;
  dirty_.push_back(end_of(index, side));
}

void Network::flush() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    const std::uint32_t index = index_of(dirty_[i]);
    Connection& connection = connections_[index];
    if (!connection.in_use || connection.generation != dirty_[i] >> 32U) continue;
    connection.ways[side_of(dirty_[i])].dirty = false;
    pump(index, side_of(dirty_[i]));
  }
  dirty_.clear();
}

std::size_t Network::unsent(End end) const {
  const Connection* connection = find(end);
  return connection == nullptr ? 0 : connection->ways[side_of(end)].outbox_bytes;
}

/// Moves what the window takes from the outbox to the wire.
void Network::pump(std::uint32_t index, unsigned side) {
  Way& way = connections_[index].ways[side];
  if (!way.established) return;
  while (!way.outbox.empty() && way.window_used < window) {
    std::size_t size = std::min(way.outbox_bytes, window - way.window_used);
    if (way.link->wire.bandwidth > 0) size = std::min(size, burst_max_when_slow);
    if (way.link->wire.slice > 0) {
      size = std::min<std::size_t>(size, 1 + draw(*way.link) % way.link->wire.slice);
    }
    take_burst(index, side, size);
  }
  if (way.fin_wanted && !way.fin_sent && way.outbox.empty()) {
    way.fin_sent = true;
    enqueue(index, side, {arrival(*way.link, 0, way.last_arrival + 1), {}, Mark::fin});
  }
  if (way.above_mark && way.outbox_bytes < writable_mark_) {
    way.above_mark = false;
    if (!way.over) wake_later(index, side, Wake::writable, driver_.now());
  }
}

void Network::take_burst(std::uint32_t index, unsigned side, std::size_t size) {
  Way& way = connections_[index].ways[side];
  const Time at = arrival(*way.link, size, way.last_arrival + 1);
  std::uint64_t flip = UINT64_MAX;  // the byte whose bit flips
  if (way.link->wire.corrupt > 0) {
    const std::uint64_t luck = draw(*way.link);
    const std::uint64_t place = draw(*way.link);
    if (luck % billion < way.link->wire.corrupt) flip = place % size;
  }
  ++counters_.bursts;
  counters_.bytes += size;
  way.outbox_bytes -= size;
  way.window_used += size;
  while (size > 0) {
    Bytes& first = way.outbox.front();
    const std::size_t part = std::min(size, first.size());
    Bytes piece = part == first.size() ? std::move(first) : first.slice(0, part);
    if (part < first.size()) {
      first = first.slice(part, first.size() - part);
    } else {
      way.outbox.pop_front();
    }
    size -= part;
    if (flip < part) {
      std::string changed(piece.view());
      changed[flip] = static_cast<char>(changed[flip] ^ 0x10);
      piece = Bytes(std::move(changed));
    }
    flip = flip < part || flip == UINT64_MAX ? UINT64_MAX : flip - part;
    enqueue(index, side, {at, std::move(piece), Mark::bytes});
  }
}

void Network::enqueue(std::uint32_t index, unsigned side, Segment segment) {
  Way& way = connections_[index].ways[side];
  way.last_arrival = segment.arrival;
  way.segments.push_back(std::move(segment));
  if (way.phase != Phase::idle) return;
  way.phase = Phase::flying;
  wake_later(index, side, Wake::segment, way.last_arrival);
}

// --- the end that receives

/// The first segment of `side`'s way is due: it is lost, waits, or is delivered.
void Network::segment_due(std::uint32_t index, unsigned side) {
  Connection& connection = connections_[index];
  Way& way = connection.ways[side];
  Way& reader = connection.ways[1 - side];
  way.phase = Phase::idle;
  if (way.segments.empty()) return;
  const Host& host = hosts_[reader.host - 1];
  if (way.link->blocked() || host.state == HostState::silent) return stall(index, side);
  way.stalled_since = 0;
  if (way.link->clogged || (!reader.over && (reader.reading_paused || host.frozen))) {
    way.phase = Phase::waiting;
    return;
  }
  if (reader.gone) {  // nobody knows this stream there
    way.segments.clear();
    send_reset(index, 1 - side);
    return;
  }
  deliver(index, side);
  if (way.segments.empty() || way.phase != Phase::idle) return;
  if (reader.reading_paused && !reader.over) {
    way.phase = Phase::waiting;
    return;
  }
  way.phase = Phase::flying;
  wake_later(index, side, Wake::segment, std::max(way.segments.front().arrival, driver_.now()));
}

void Network::deliver(std::uint32_t index, unsigned side) {
  Connection& connection = connections_[index];
  Way& way = connection.ways[side];
  Way& reader = connection.ways[1 - side];
  const End end = end_of(index, 1 - side);
  const Time now = driver_.now();
  std::size_t taken = 0;
  while (!way.segments.empty() && way.segments.front().arrival <= now) {
    if (reader.reading_paused && !reader.over) break;
    const Segment segment = std::move(way.segments.front());
    way.segments.pop_front();
    taken += segment.bytes.size();
    switch (segment.mark) {
      case Mark::bytes:
        if (!reader.over) listener_.arrived(reader.host, end, segment.bytes);
        break;
      case Mark::connected:
        reader.established = true;
        if (!reader.over) listener_.connected(reader.host, end);
        mark_dirty(index, 1 - side);
        break;
      case Mark::fin: finish(index, 1 - side, Ending::ended); break;
    }
  }
  acknowledge(index, side, taken);
}

/// Lost: sent again after a time-out that doubles, until TCP gives up.
void Network::stall(std::uint32_t index, unsigned side) {
  Way& way = connections_[index].ways[side];
  const Time now = driver_.now();
  if (way.gone) {  // nobody is left to send it again
    way.segments.clear();
    return;
  }
  if (way.stalled_since == 0) {
    way.stalled_since = now;
    way.retry = retransmit_first;
    ++counters_.stalls;
  }
  const Time limit = way.stalled_since + give_up_after.count();
  if (now >= limit) {
    way.segments.clear();
    way.stalled_since = 0;
    finish(index, side, Ending::reset);
    way.gone = true;
    return;
  }
  way.phase = Phase::stalled;
  wake_later(index, side, Wake::segment, std::min(now + way.retry.count(), limit));
  way.retry *= 2;
}

/// `size` bytes were taken by the reader: the window opens when the sender learns of it.
void Network::acknowledge(std::uint32_t index, unsigned side, std::size_t size) {
  if (size == 0) return;
  Connection& connection = connections_[index];
  Way& way = connection.ways[side];
  if (!connection.ways[1 - side].link->blocked() && way.ack_stalled_since == 0) {
    way.window_used -= size;
    if (!way.outbox.empty()) mark_dirty(index, side);
    return;
  }
  way.unacked += size;
  if (way.ack_stalled_since != 0) return;
  way.ack_stalled_since = driver_.now();
  way.ack_retry = retransmit_first;
  wake_later(index, side, Wake::ack, driver_.now() + way.ack_retry.count());
}

void Network::ack_due(std::uint32_t index, unsigned side) {
  Connection& connection = connections_[index];
  Way& way = connection.ways[side];
  const Way& reader = connection.ways[1 - side];
  if (way.gone) return;
  const Time now = driver_.now();
  const bool dead = hosts_[reader.host - 1].state == HostState::silent;
  if (!dead && !reader.link->blocked()) {
    way.window_used -= way.unacked;
    way.unacked = 0;
    way.ack_stalled_since = 0;
    mark_dirty(index, side);
    return;
  }
  const Time limit = way.ack_stalled_since + give_up_after.count();
  if (now >= limit) {
    finish(index, side, Ending::reset);
    way.gone = true;
    return;
  }
  way.ack_retry *= 2;
  wake_later(index, side, Wake::ack, std::min(now + way.ack_retry.count(), limit));
}

void Network::pause_reading(End end, bool paused) {
  Connection* connection = find(end);
  if (connection == nullptr) return;
  connection->ways[side_of(end)].reading_paused = paused;
  if (!paused) nudge(index_of(end), 1 - side_of(end));
}

/// The way of `side` may go on, if it waited.
void Network::nudge(std::uint32_t index, unsigned side) {
  Way& way = connections_[index].ways[side];
  if (way.phase != Phase::waiting) return;
  way.phase = Phase::flying;
  wake_later(index, side, Wake::segment, std::max(driver_.now(), way.segments.front().arrival));
}

// --- endings

void Network::close(End end, bool orderly) {
  Connection* connection = find(end);
  if (connection == nullptr) return;
  const std::uint32_t index = index_of(end);
  const unsigned side = side_of(end);
  if (!orderly) {
    end_silently(index, side, true);
    send_reset(index, side);
    collect(index);
    return;
  }
  Way& way = connection->ways[side];
  way.over = true;
  way.fin_wanted = true;
  mark_dirty(index, side);
  wake_later(index, side, Wake::linger, driver_.now() + flush_for.count());
  nudge(index, 1 - side);
}

void Network::send_reset(std::uint32_t index, unsigned from_side) {
  Connection& connection = connections_[index];
  Way& way = connection.ways[from_side];
  if (connection.ways[1 - from_side].over) return;
  const Time at = driver_.now() + one_way(*way.link);
  way.last_arrival = std::max(at, way.last_arrival + 1);
  wake_later(index, 1 - from_side, Wake::reset, way.last_arrival);
}

/// Tells one end that it is over.
void Network::finish(std::uint32_t index, unsigned side, Ending ending) {
  Way& way = connections_[index].ways[side];
  if (way.over) return;
  const End end = end_of(index, side);
  if (ending == Ending::reset) ++counters_.resets;
  end_silently(index, side, true);
  listener_.closed(way.host, end, ending);
}

void Network::end_silently(std::uint32_t index, unsigned side, bool gone) {
  Way& way = connections_[index].ways[side];
  way.over = true;
  way.gone = gone;
  way.fin_wanted = false;
  way.outbox.clear();
  way.outbox_bytes = 0;
  nudge(index, 1 - side);
}

}  // namespace hf::faultnet
