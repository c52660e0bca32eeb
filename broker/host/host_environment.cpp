// The environment of the real world: sockets, the machine's clocks and chance, a store behind a port.
#include "broker/host/host_environment.hpp"

#include <sys/random.h>

#include <cstdio>
#include <cstdlib>

#include "broker/base/assert.hpp"

namespace hf::host {

HostEnvironment::HostEnvironment(Streams& streams, Voice voice)
    : streams_(streams), voice_(std::move(voice)) {}

/// Of the kernel: what clients see of it (assigned ids, nonces) must not tell what comes next, as that of a Mersenne twister does.
std::uint64_t HostEnvironment::random() {
  if (drawn_ == pool_.size()) {
    drawn_ = 0;
    HF_ASSERT(getrandom(pool_.data(), sizeof pool_, 0) == static_cast<ssize_t>(sizeof pool_));
  }
  return std::exchange(pool_[drawn_++], 0);
}

Instant HostEnvironment::now() const {
  return at(std::chrono::duration_cast<Duration>(Clock::now() - boot_));
}

std::uint64_t HostEnvironment::wall_ms() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

void HostEnvironment::commit(env::Batch batch, env::CommitId id) {
  commits_.emplace_back(id, std::move(batch));
}

void HostEnvironment::hand_over_commits() {
  if (commits_.empty()) return;
  HF_ASSERT(storage_.commit);
  storage_.commit(std::exchange(commits_, {}));
}

void HostEnvironment::read(std::string begin, std::string end, std::size_t limit, env::ReadId id) {
  HF_ASSERT(storage_.read);
  hand_over_commits();  // so that the read follows them at the store too
  storage_.read(std::move(begin), std::move(end), limit, id);
}

bool HostEnvironment::logs(env::Level level) const { return voice_.log && (!voice_.logs || voice_.logs(level)); }

void HostEnvironment::log(const env::LogLine& line) {
  if (voice_.log) voice_.log(line);
}

void HostEnvironment::die(std::string_view why) {
  if (voice_.die) voice_.die(why);
  std::fprintf(stderr, "holdfast: %.*s\n", static_cast<int>(why.size()), why.data());
  std::_Exit(3);
}

}  // namespace hf::host
