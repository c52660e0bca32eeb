// Running the world: events in, turns ended, nodes started and stopped.
#include "sim/world/world.hpp"

#include <utility>

#include "broker/base/assert.hpp"

namespace hf::sim {
namespace {
constexpr std::uint32_t network_wake = 0;
constexpr std::uint32_t timer_due = 1;
}  // namespace

World::World(std::uint64_t seed, History& history, Factory factory)
    : history_(history),
      factory_(std::move(factory)),
      draws_(seed),
      network_(*this, *this, env::writable_mark),
      process_of_host_(1),
      client_of_host_(1),
      group_of_host_(1) {
  network_.set_reach([this](faultnet::HostId from, faultnet::HostId to) { return allowed(from, to); });
}

World::~World() = default;

// --- running

void World::run_until(VirtualTime end) {
  settle();
  scheduler_.run_until(end);
}

void World::act(std::uint32_t kind, std::uint64_t a, std::uint64_t b) {
  if (kind == network_wake) {
    network_.wake(a, b);
  } else {
    HF_ASSERT(kind == timer_due);
    fire(a);
  }
  settle();
}

void World::settle() {
  for (std::size_t i = 0; i < touched_.size(); ++i) touched_[i]->end_turn();
  touched_.clear();
  network_.flush();
}

void World::fold(faultnet::HostId target, std::uint32_t kind, std::uint64_t size,
                 std::uint64_t content) {
  digest_.event(scheduler_.now(), target, kind, size, content);
}

void World::wake_at(faultnet::Time at, std::uint64_t a, std::uint64_t b) {
  scheduler_.schedule(at, *this, network_wake, a, b);
}

std::uint64_t World::random(std::uint64_t purpose, std::uint64_t entity,
                            std::uint64_t counter) const {
  return draws_.value(purpose, entity, counter);
}

// --- timers

Ticket World::set_timer(VirtualTime time, ClientEnd* end, std::uint64_t token,
                        std::function<void()> what) {
  std::uint32_t place = 0;
  if (free_timers_.empty()) {
    place = static_cast<std::uint32_t>(timers_.size());
    timers_.emplace_back();
  } else {
    place = free_timers_.back();
    free_timers_.pop_back();
  }
  Timer& timer = timers_[place];
  timer.end = end;
  timer.what = std::move(what);
  timer.token = token;
  timer.armed = true;
  timer.ticket = scheduler_.schedule(time, *this, timer_due, place);
  return (static_cast<Ticket>(timer.generation) << 32U) | (place + 1);
}

Ticket World::at(VirtualTime time, ClientEnd* end, std::uint64_t token) {
  return set_timer(time, end, token, {});
}

Ticket World::at(VirtualTime time, std::function<void()> what) {
  return set_timer(time, nullptr, 0, std::move(what));
}

bool World::cancel(Ticket timer) {
  const std::uint64_t place = timer & 0xFFFFFFFFU;
  if (place == 0 || place > timers_.size()) return false;
  Timer& found = timers_[place - 1];
  if (!found.armed || found.generation != timer >> 32U) return false;
  scheduler_.cancel(found.ticket);
  found.armed = false;
  found.what = nullptr;
  ++found.generation;
  free_timers_.push_back(static_cast<std::uint32_t>(place - 1));
  return true;
}

void World::fire(std::uint64_t place) {
  Timer& timer = timers_[place];
  const auto what = std::exchange(timer.what, nullptr);
  ClientEnd* const end = timer.end;
  const std::uint64_t token = timer.token;
  timer.armed = false;
  ++timer.generation;
  free_timers_.push_back(static_cast<std::uint32_t>(place));
  fold(0, 30, token, end == nullptr ? 1 : 2);
  if (end != nullptr) {
    end->on_timer(token);
  } else {
    what();
  }
}

// --- nodes

Process& World::add_node(std::string name, node::Config config) {
  HF_ASSERT(!hosts_.contains(name));
  const auto host = add_host(name, faultnet::HostKind::node, nullptr);
  nodes_.push_back(std::make_unique<Process>(*this, name, std::move(config), host));
  Process& process = *nodes_.back();
  process_of_host_[host] = &process;
  nodes_by_name_.emplace(std::move(name), &process);
  network_.set_state(host, faultnet::HostState::closed);
  return process;
}

Process& World::node(std::string_view node) {
  const auto found = nodes_by_name_.find(node);
  HF_ASSERT(found != nodes_by_name_.end());
  return *found->second;
}

std::vector<std::string> World::node_names() const {
  std::vector<std::string> names;
  for (const auto& process : nodes_) names.push_back(process->name());
  return names;
}

void World::start(std::string_view node) {
  Process& process = this->node(node);
  if (process.state_ != ProcessState::down) return;
  if (process.boot_ > 0) note(Event::Kind::node_restarted, process.name_);
  network_.set_state(process.host_, faultnet::HostState::up);
  process.start(factory_);
  settle();
}

void World::start_all() {
  for (const auto& process : nodes_) start(process->name());
}

void World::restart(std::string_view node) { start(node); }

void World::stop(std::string_view node) {
  this->node(node).deliver({Process::Held::Kind::stop, 0, 0, {}});
  settle();
}

void World::crash(std::string_view node, CrashMode mode, Silence silence) {
  bring_down(this->node(node), mode, silence, "");
}

void World::bring_down(Process& process, CrashMode mode, Silence silence, std::string text) {
  const bool silent = silence == Silence::silent ||
                      (silence == Silence::by_mode && mode != CrashMode::keep);
  network_.set_state(process.host_,
                     silent ? faultnet::HostState::silent : faultnet::HostState::closed);
  network_.freeze(process.host_, false);
  if (process.state_ == ProcessState::down) return;
  if (on_down_ && process.handler_ != nullptr) on_down_(*process.handler_);
  process.take_down(mode);
  note(Event::Kind::node_crashed, process.name_, std::move(text));
}

void World::wipe(std::string_view node) {
  Process& process = this->node(node);
  if (process.state_ != ProcessState::down) crash(node);
  process.disk_.wipe();
  note(Event::Kind::node_wiped, process.name_);
}

void World::pause(std::string_view node) {
  Process& process = this->node(node);
  if (process.state_ != ProcessState::running) return;
  settle();
  network_.freeze(process.host_, true);
  process.pause();
  note(Event::Kind::node_paused, process.name_);
}

void World::resume(std::string_view node) {
  Process& process = this->node(node);
  if (process.state_ != ProcessState::paused) return;
  note(Event::Kind::node_resumed, process.name_);
  network_.freeze(process.host_, false);
  process.resume();
}

void World::set_skew(std::string_view node, Duration skew) {
  this->node(node).clock_.set_skew(skew.count());
}

void World::set_drift(std::string_view node, std::int64_t ppm) {
  Process& process = this->node(node);
  process.clock_.set_drift(now(), ppm);
  if (process.state_ == ProcessState::running) process.arm();
}

// --- situations and history

void World::reached(std::string_view node, std::string_view situation) {
  auto by_situation = situations_.find(situation);
  if (by_situation == situations_.end()) {
    by_situation = situations_.try_emplace(std::string(situation)).first;
  }
  auto by_node = by_situation->second.find(node);
  if (by_node == by_situation->second.end()) {
    by_node = by_situation->second.try_emplace(std::string(node), 0).first;
  }
  ++by_node->second;
  for (std::size_t i = 0; i < hooks_.size();) {
    Hook& hook = hooks_[i];
    const bool meant = hook.situation == situation && (hook.node.empty() || hook.node == node);
    if (!meant || --hook.left > 0) {
      ++i;
      continue;
    }
    at(now(), std::move(hook.what));
    hooks_.erase(hooks_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void World::when_reached(std::string situation, std::string node, std::uint64_t occurrence,
                         std::function<void()> what) {
  HF_ASSERT(occurrence > 0);
  hooks_.push_back({std::move(situation), std::move(node), occurrence, std::move(what)});
}

std::uint64_t World::count(std::string_view situation, std::string_view node) const {
  const auto found = situations_.find(situation);
  if (found == situations_.end()) return 0;
  std::uint64_t sum = 0;
  for (const auto& [name, count] : found->second) sum += node.empty() || name == node ? count : 0;
  return sum;
}

void World::note(Event event) {
  event.at = now();
  event.number_in_run = events();
  history_.events.push_back(std::move(event));
}

void World::note(Event::Kind kind, std::string node, std::string text) {
  Event event;
  event.kind = kind;
  event.node = std::move(node);
  event.text = std::move(text);
  note(std::move(event));
}

}  // namespace hf::sim
