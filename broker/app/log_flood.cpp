// Lines that repeat: a few of a kind in a while are written, the rest are counted.
#include "broker/app/log_flood.hpp"

#include <algorithm>
#include <utility>

#include "broker/base/hash.hpp"

namespace hf::app {

std::uint64_t LogFlood::kind_of(std::string_view text) {
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
  return hash64(words);
}

LogFlood::Verdict LogFlood::judge(std::string_view text, Instant now) {
  Place& place = places_[kind_of(text) % places_.size()];
  if (!place.began || now - *place.began >= window) {
    place.began = now;
    place.written = 0;
  }
  if (place.written >= lines_max) {
    ++place.held_back;
    return {};
  }
  ++place.written;
  return {true, std::exchange(place.held_back, 0)};
}

}  // namespace hf::app
