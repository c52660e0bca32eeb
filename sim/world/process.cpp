// A process as the handler sees it, and the turns it is given.
#include "sim/world/process.hpp"

#include <algorithm>
#include <utility>

#include "sim/world/world.hpp"

namespace hf::sim {
namespace {

env::CloseReason reason_of(faultnet::Ending ending) {
  switch (ending) {
    case faultnet::Ending::ended: return env::CloseReason::ended;
    case faultnet::Ending::reset: return env::CloseReason::reset;
    case faultnet::Ending::refused: return env::CloseReason::refused;
    case faultnet::Ending::failed: break;
  }
  return env::CloseReason::failed;
}

constexpr std::int64_t alarm_grain = 1000;  // a deadline that stays due cannot stop time

}  // namespace

Process::Process(World& world, std::string name, node::Config config, faultnet::HostId host)
    : world_(world),
      name_(std::move(name)),
      config_(std::move(config)),
      host_(host),
      random_(world.draws_.of("node.random", name_)),
      disk_(world.scheduler_, world.draws_.of("node.disk", name_), *this) {}

// --- env::Environment

Instant Process::now() const {
  return Instant{Duration(clock_.local(world_.scheduler_.now()) - booted_local_)};
}
std::uint64_t Process::wall_ms() const { return clock_.wall_ms(world_.scheduler_.now()); }
std::uint64_t Process::random() { return random_.bits(); }

StreamId Process::dial(std::string_view address) { return world_.dial_as_node(*this, address); }
void Process::send(StreamId stream, Bytes bytes) { world_.network_.send(stream, std::move(bytes)); }
std::size_t Process::unsent(StreamId stream) const { return world_.network_.unsent(stream); }
void Process::pause_reading(StreamId stream, bool paused) {
  world_.network_.pause_reading(stream, paused);
}
void Process::close(StreamId stream, bool flush) { world_.network_.close(stream, flush); }

void Process::commit(env::Batch batch, env::CommitId id) {
  if (!dying_) disk_.commit(std::move(batch), id);
}
void Process::read(std::string begin, std::string end, std::size_t limit, env::ReadId id) {
  disk_.read(std::move(begin), std::move(end), limit, id);
}

bool Process::logs(env::Level level) const { return world_.trace_.keeps(level); }

void Process::log(const env::LogLine& line) {
  world_.trace_.add(world_.now(), world_.events(), name_, line);
}

void Process::die(std::string_view why) {
  if (dying_) return;
  dying_ = std::string(why);
  touched();
}

void Process::reached(std::string_view situation) { world_.reached(name_, situation); }

// --- events

void Process::committed(env::CommitId id, env::CommitStatus status) {
  deliver({Held::Kind::committed, id, static_cast<std::uint32_t>(status), {}});
}

void Process::rows_read(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) {
  deliver({Held::Kind::rows, id, static_cast<std::uint32_t>(status), std::move(rows)});
}

void Process::disk_done() { world_.settle(); }

void Process::deliver(Held held) {
  if (state_ == ProcessState::down) return;
  if (state_ == ProcessState::paused) {
    held_.push_back(std::move(held));
    return;
  }
  give(held);
}

void Process::give(Held& held) {
  if (dying_) return;
  using Kind = Held::Kind;
  world_.fold(host_, 1 + static_cast<std::uint32_t>(held.kind), held.rows.size(),
              held.id ^ mix64(held.detail));
  touched();
  switch (held.kind) {
    case Kind::accepted: {
      const bool peer = world_.process_at(held.detail) != nullptr;
      handler_->on_accepted(held.id, {.kind = peer ? env::StreamKind::peer : env::StreamKind::client,
                                      .remote = world_.network_.name(held.detail)});
      return;
    }
    case Kind::connected: return handler_->on_connected(held.id);
    case Kind::closed:
      return handler_->on_closed(held.id, reason_of(static_cast<faultnet::Ending>(held.detail)));
    case Kind::writable:
      if (world_.network_.open(held.id)) handler_->on_writable(held.id);
      return;
    case Kind::committed:
      return handler_->on_committed(held.id, static_cast<env::CommitStatus>(held.detail));
    case Kind::rows:
      return handler_->on_rows(held.id, std::move(held.rows),
                               static_cast<env::ReadStatus>(held.detail));
    case Kind::stop: return handler_->on_stop();
  }
}

void Process::arrived(StreamId stream, const Bytes& bytes) {
  if (state_ != ProcessState::running || dying_) return;
  world_.fold(host_, 0, bytes.size(), Digest::of(bytes.view()) ^ stream);
  touched();
  handler_->on_bytes(stream, bytes);
}

/// The alarm: asks whether a deadline has passed.
void Process::act(std::uint32_t, std::uint64_t, std::uint64_t) {
  alarm_ = 0;
  if (state_ == ProcessState::down) return;
  if (state_ == ProcessState::paused) {
    deadline_held_ = true;
    return;
  }
  const auto wanted = handler_->deadline();
  if (!wanted) return;
  if (*wanted > now()) return arm();
  world_.fold(host_, 20, 0, 0);
  touched();
  handler_->on_deadline();
  world_.settle();
}

void Process::touched() {
  if (touched_) return;
  touched_ = true;
  world_.touched_.push_back(this);
}

void Process::end_turn() {
  touched_ = false;
  if (state_ != ProcessState::running) return;
  if (!dying_) handler_->end_turn();
  if (dying_) {
    world_.bring_down(*this, CrashMode::keep, Silence::reset, "died: " + *dying_);
  } else if (handler_->stopped()) {
    world_.network_.flush();
    world_.bring_down(*this, CrashMode::keep, Silence::reset, "stopped");
  } else {
    arm();
  }
}

void Process::arm() {
  const auto wanted = handler_->deadline();
  if (!wanted) return;  // an alarm that is set finds nothing due
  const VirtualTime at = std::max(clock_.virtual_of(booted_local_ + wanted->time_since_epoch().count()),
                                  world_.now() + alarm_grain);
  if (alarm_ != 0 && alarm_at_ <= at) return;
  if (alarm_ != 0) world_.scheduler_.cancel(alarm_);
  alarm_ = world_.scheduler_.schedule(at, *this, 0);
  alarm_at_ = at;
}

// --- life

void Process::start(const Factory& factory) {
  ++boot_;
  booted_local_ = clock_.local(world_.now());
  dying_.reset();
  state_ = ProcessState::running;
  handler_ = factory(*this, config_);
  world_.fold(host_, 21, boot_, 0);
  touched();
  handler_->on_start();
}

void Process::take_down(CrashMode mode) {
  state_ = ProcessState::down;
  handler_.reset();
  held_.clear();
  deadline_held_ = false;
  dying_.reset();
  if (alarm_ != 0) world_.scheduler_.cancel(alarm_);
  alarm_ = 0;
  disk_.crash(mode);
  world_.fold(host_, 22, boot_, static_cast<std::uint64_t>(mode));
}

void Process::pause() { state_ = ProcessState::paused; }

void Process::resume() {
  state_ = ProcessState::running;
  while (!held_.empty() && state_ == ProcessState::running) {
    Held held = std::move(held_.front());
    held_.pop_front();
    give(held);
    world_.settle();
  }
  if (state_ != ProcessState::running) return;
  deadline_held_ = false;
  if (alarm_ == 0) arm();
}

}  // namespace hf::sim
