// Writes lines to a descriptor on a thread of its own: whoever logs never waits for whoever reads.
#include "broker/app/log_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace hf::app {
namespace {

constexpr std::size_t room_to_tell = 4096;  ///< for the line that says how many are lost

std::uint64_t lines_in(std::string_view text) { return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')); }

/// What could not be written.
std::string_view write_all(int handle, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(handle, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // Somebody who shares the terminal has made it non-blocking.
      pollfd one{handle, POLLOUT, 0};
      static_cast<void>(::poll(&one, 1, -1));
    } else if (written == 0 || errno != EINTR) {
      return text;
    }
  }
  return text;
}

}  // namespace

struct LogWriter::Shared {
  Shared(int to, std::size_t bytes) : handle(to), most(bytes) {}

  void run() {
    std::unique_lock guard(lock);
    for (;;) {
      changed.wait(guard, [this] { return !waiting.empty() || ending; });
      if (waiting.empty()) break;
      const std::string going = std::exchange(waiting, {});
      guard.unlock();
      const std::uint64_t failed = lines_in(write_all(handle, going));
      guard.lock();
      count(failed);
    }
    over = true;
    changed.notify_all();
  }
  void count(std::uint64_t lines) {
    untold += lines;
    lost += lines;
  }

  const int handle;
  const std::size_t most;
  std::mutex lock;
  std::condition_variable changed;
  std::string waiting;
  std::uint64_t untold = 0, lost = 0;
  bool ending = false, over = false;
};

LogWriter::LogWriter(int handle, std::size_t most)
    : shared_(std::make_shared<Shared>(handle, most)), thread_([shared = shared_] { shared->run(); }) {}

LogWriter::~LogWriter() { finish(std::chrono::milliseconds(0)); }

void LogWriter::put(std::string_view line, bool anyway) {
  {
    const std::lock_guard guard(shared_->lock);
    const bool room = anyway || shared_->waiting.size() + line.size() <= shared_->most;
    if (shared_->ending || !room) return shared_->count(1);
    shared_->waiting += line;
  }
  shared_->changed.notify_all();
}

std::uint64_t LogWriter::take_lost() {
  const std::lock_guard guard(shared_->lock);
  if (shared_->waiting.size() + room_to_tell > shared_->most) return 0;
  return std::exchange(shared_->untold, 0);
}

std::uint64_t LogWriter::lost() const {
  const std::lock_guard guard(shared_->lock);
  return shared_->lost;
}

void LogWriter::finish(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) return;
  bool over = false;
  {
    std::unique_lock guard(shared_->lock);
    shared_->ending = true;
    shared_->changed.notify_all();
    over = shared_->changed.wait_for(guard, patience, [this] { return shared_->over; });
  }
  over ? thread_.join() : thread_.detach();
}

}  // namespace hf::app
