// The loop: readiness of descriptors, one timer, posted jobs, signals. The only door to Boost.Asio.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"
#include "broker/host/loop.hpp"
#include "broker/host/sockets.hpp"

namespace hf::host {

enum class Ready { read, write };

/// Is told what became ready, by the id the descriptor was given. Ids are never used twice, so that a
/// late answer for a descriptor that is gone is recognised and ignored.
class ReadySink {
 public:
  ReadySink() = default;
  ReadySink(const ReadySink&) = delete;
  ReadySink& operator=(const ReadySink&) = delete;
  virtual ~ReadySink() = default;
  virtual void on_ready(StreamId id, Ready what) = 0;
};

/// A watched file descriptor. Dropping it closes the descriptor and forgets what was asked of it.
class Descriptor;
struct DropDescriptor {
  void operator()(Descriptor* descriptor) const;
};
using DescriptorPtr = std::unique_ptr<Descriptor, DropDescriptor>;

/// Everything runs on the thread that calls run(), except post(), which any thread may call.
class Reactor {
 public:
  explicit Reactor(ReadySink& sink);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  /// Takes over a non-blocking descriptor.
  DescriptorPtr watch(int handle, StreamId id);
  [[nodiscard]] static int handle_of(const Descriptor& descriptor);
  /// One on_ready when the descriptor is (or already was) ready. At most one wish of each kind at a time.
  void want(Descriptor& descriptor, Ready what);

  /// Waits for the first event at most `max_wait`, then handles what else is ready, until it is `enough`.
  void run(Duration max_wait, const std::function<bool(std::size_t events)>& enough);
  /// run() returns from its wait at this time at the latest; replaces an earlier wish.
  void wake_at(std::chrono::steady_clock::time_point when);
  void post(std::function<void()> job);
  /// Looks a name up off this thread; answers with no endpoint when there is none.
  void resolve(const std::string& host, std::uint16_t port,
               std::function<void(std::vector<Endpoint>)> answer);
  /// For another service on this thread.
  [[nodiscard]] LoopContext& context();
  /// From now on these signals call `job` instead of ending the process.
  void on_signals(std::initializer_list<int> numbers, std::function<void(int number)> job);

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace hf::host
