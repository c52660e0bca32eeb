// Keeping and printing the last lines of the log.
#include "sim/world/trace.hpp"

namespace hf::sim {

void Trace::add(VirtualTime at, std::uint64_t event, std::string_view node, const env::LogLine& line) {
  if (!keeps(line.level)) return;
  if (lines_.size() == lines_max_) lines_.pop_front();
  lines_.push_back({at, event, std::string(node), line.level, std::string(line.text), std::string(line.client)});
}

std::string Trace::print(const Line& line) {
  constexpr const char* levels[] = {"debug", "info ", "warn ", "error"};
  return print_time(line.at) + "  " + line.node + "  " + levels[static_cast<unsigned>(line.level)] +
         "  " + line.text + (line.client.empty() ? "" : " client=" + line.client);
}

std::string Trace::print() const {
  std::string all;
  for (const Line& line : lines_) all += print(line) + "\n";
  return all;
}

std::string print_time(VirtualTime at) {
  const std::int64_t micros = at / 1000;
  std::string fraction = std::to_string(micros % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::to_string(micros / 1'000'000) + "." + fraction + "s";
}

}  // namespace hf::sim
