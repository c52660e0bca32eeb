// Lines that repeat: so many of a kind in a while are written, the rest are counted, and the count is told.
#include "broker/app/log_flood.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "broker/base/hash.hpp"

namespace hf::app {
namespace {

constexpr std::size_t sample_max = 200;

/// The client, or the host without its port: an attacker has many of those.
std::string_view author_of(const env::LogLine& line) {
  return line.client.empty() ? line.remote.substr(0, line.remote.rfind(':')) : line.client;
}

}  // namespace

std::uint64_t LogFlood::kind_of(std::string_view text, std::uint64_t seed) {
  // What stands between quotes is somebody's text; from the first to the last, for there may be quotes in it.
  const auto first = text.find('\''), last = text.rfind('\'');
  const std::string bare = first == last ? std::string(text) : std::string(text.substr(0, first)) + '#' + std::string(text.substr(last + 1));
  text = bare;
  std::string words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    const bool digits = std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits) {
      words += '#';
    } else {
      words += word;
    }
    words += ' ';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return hash64(words, seed);
}

bool LogFlood::Window::take(Instant now, std::uint32_t most) {
  if (!began || now - *began >= window) {
    began = now;
    written = 0;
  }
  if (written >= most) return false;
  ++written;
  return true;
}

bool LogFlood::judge(const env::LogLine& line, Instant now) {
  const bool warning = line.level == env::Level::warn || line.level == env::Level::error;
  const bool event = !line.event.empty();
  if (!event && !warning) return true;  // of the node itself, few
  const std::uint64_t kind = event ? hash64(line.event, seed_) : kind_of(line.text, seed_);
  Place& place = event ? events_[kind % events_.size()] : texts_[kind % texts_.size()];
  const std::string_view author = event ? author_of(line) : std::string_view();
  Window* const own = author.empty() ? nullptr : &clients_[hash64(author, kind) % clients_.size()];
  if ((own == nullptr || own->take(now, client_max)) &&
      place.window.take(now, !event ? texts_max : warning ? warnings_max : events_max))
    return true;
  if (place.held.lines++ == 0) {
    place.since = now;
    place.held.level = line.level;
    place.held.event = line.event;
    place.held.kind = event ? line.event : line.text.substr(0, sample_max);
  }
  return false;
}

std::vector<LogFlood::HeldBack> LogFlood::take(Instant now, bool all) {
  std::vector<HeldBack> out;
  const auto look = [&](Place& place) {
    if (place.held.lines == 0 || (!all && now - place.since < window)) return;
    place.held.seconds = std::chrono::ceil<std::chrono::seconds>(now - place.since).count();
    out.push_back(std::exchange(place.held, {}));
  };
  std::for_each(events_.begin(), events_.end(), look);
  std::for_each(texts_.begin(), texts_.end(), look);
  return out;
}

}  // namespace hf::app
