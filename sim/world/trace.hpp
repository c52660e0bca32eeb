// The last lines the nodes logged, with virtual time and node; formatted only on demand.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "broker/env/environment.hpp"
#include "sim/kernel/scheduler.hpp"

namespace hf::sim {

class Trace {
 public:
  struct Line {
    VirtualTime at;
    std::uint64_t event;
    std::string node;
    env::Level level;
    std::string text;
    std::string client;
  };
  explicit Trace(std::size_t lines_max = 10'000) : lines_max_(lines_max) {}

  /// Lines below this level are not kept.
  env::Level keep_from = env::Level::info;
  void keep_all() { lines_max_ = SIZE_MAX; }
  [[nodiscard]] bool keeps(env::Level level) const { return level >= keep_from && lines_max_ != 0; }
  void add(VirtualTime at, std::uint64_t event, std::string_view node, const env::LogLine& line);
  [[nodiscard]] const std::deque<Line>& lines() const { return lines_; }
  /// `16.204113s  n3  warn   text`, and `client=c1` where the line is about one; one a line.
  [[nodiscard]] std::string print() const;
  [[nodiscard]] static std::string print(const Line& line);

 private:
  std::size_t lines_max_;
  std::deque<Line> lines_;
};

/// Virtual time as seconds with microseconds: "16.204113s".
std::string print_time(VirtualTime at);

}  // namespace hf::sim
