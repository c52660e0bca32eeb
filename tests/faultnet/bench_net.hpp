// A network with two nodes and a client on a scheduler, and a record of all that it tells.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "faultnet/virtual/network.hpp"
#include "sim/kernel/draws.hpp"
#include "sim/kernel/scheduler.hpp"

namespace hf::faultnet {

struct BenchNet final : Driver, Listener, sim::Actor {
  struct Seen {
    std::string bytes;
    bool connected = false, accepted = false;
    int writable = 0;
    std::vector<Ending> endings;
    std::vector<Time> arrivals;
  };

  explicit BenchNet(std::uint64_t seed = 1) : draws(seed), net(*this, *this, 64 * 1024) {
    a = net.add_host("a", HostKind::node);
    b = net.add_host("b", HostKind::node);
    c = net.add_host("c", HostKind::client);
    net.set_state(a, HostState::up);
    net.set_state(b, HostState::up);
    Wire wire;
    wire.latency = 1ms;
    net.set_default(HostKind::node, wire);
    wire.latency = 10ms;
    net.set_default(HostKind::client, wire);
  }

  [[nodiscard]] Time now() const override { return scheduler.now(); }
  void wake_at(Time at, std::uint64_t x, std::uint64_t y) override { scheduler.schedule(at, *this, 0, x, y); }
  [[nodiscard]] std::uint64_t random(std::uint64_t purpose, std::uint64_t entity,
                                     std::uint64_t counter) const override {
    return draws.value(purpose, entity, counter);
  }
  void act(std::uint32_t, std::uint64_t x, std::uint64_t y) override {
    net.wake(x, y);
    net.flush();
  }
  void accepted(HostId, End end, HostId) override {
    seen[end].accepted = true;
    last_accepted = end;
  }
  void connected(HostId, End end) override { seen[end].connected = true; }
  void arrived(HostId, End end, const Bytes& bytes) override {
    EXPECT_TRUE(seen[end].endings.empty());
    seen[end].bytes += bytes.view();
    seen[end].arrivals.push_back(now());
    if (on_arrived) on_arrived(end);
  }
  void closed(HostId, End end, Ending ending) override { seen[end].endings.push_back(ending); }
  void writable(HostId, End end) override { ++seen[end].writable; }

  /// Runs for a while after putting what was sent on the wires.
  void run(Duration time) {
    net.flush();
    scheduler.run_until(scheduler.now() + time.count());
  }
  void send(End end, std::string text) {
    net.send(end, Bytes(std::move(text)));
    net.flush();
  }
  /// (dialler's end, listener's end)
  std::pair<End, End> join(HostId from, HostId to) {
    const End end = net.dial(from, to);
    run(1s);
    EXPECT_TRUE(seen[end].connected);
    return {end, last_accepted};
  }

  sim::Scheduler scheduler;
  sim::Draws draws;
  Network net;
  std::map<End, Seen> seen;
  std::function<void(End)> on_arrived;
  End last_accepted = 0;
  HostId a = 0, b = 0, c = 0;
};

}  // namespace hf::faultnet
