// limits.memory: how much there may be, how much there is, how short it is.
#include "broker/app/memory.hpp"

#include <charconv>
#include <fstream>
#include <sstream>
#include <utility>

namespace hf::app {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The number behind a word, "MemTotal: 16 kB", in bytes.
std::uint64_t kilobytes(const std::string& path, const std::string& word) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream parts(line);
    std::string name;
    std::uint64_t value = 0;
    if (parts >> name >> value && name == word) return value * 1024;
  }
  return 0;
}

/// The least limit of the process's control group (version 2) and of those around it; 0: none.
std::uint64_t group_limit(const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  std::string line, group;
  while (std::getline(file, line))
    if (line.starts_with("0::")) group = line.substr(3);
  std::uint64_t least = 0;
  for (;;) {
    std::ifstream limit(root + "/sys/fs/cgroup" + group + "/memory.max");
    std::string text;
    const auto bytes = limit >> text ? number(text) : std::nullopt;  // "max" is none
    if (bytes && (least == 0 || *bytes < least)) least = *bytes;
    if (group.empty()) return least;
    group.erase(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

}  // namespace

std::optional<MemoryLimit> memory_limit_of(std::string_view text) {
  const bool share = text.ends_with('%');
  const auto value = number(share ? text.substr(0, text.size() - 1) : text);
  if (!value || (share && (*value < 1 || *value > 100))) return std::nullopt;
  if (share) return MemoryLimit{0, static_cast<std::uint32_t>(*value)};
  constexpr std::uint64_t least = 16 << 20, most = std::uint64_t{1} << 50U;
  if (*value != 0 && (*value < least || *value > most)) return std::nullopt;
  return MemoryLimit{*value, 0};
}

std::string text_of(const MemoryLimit& limit) {
  return limit.percent != 0 ? std::to_string(limit.percent) + "%" : std::to_string(limit.bytes);
}

std::uint64_t resolved(const MemoryLimit& limit, const std::string& root) {
  if (limit.percent == 0) return limit.bytes;
  std::uint64_t all = kilobytes(root + "/proc/meminfo", "MemTotal:");
  const std::uint64_t group = group_limit(root);
  if (group != 0 && (all == 0 || group < all)) all = group;
  return all / 100 * limit.percent;
}

std::uint64_t resident(const std::string& root) { return kilobytes(root + "/proc/self/status", "RssAnon:"); }

node::Pressure pressure_of(std::uint64_t resident, std::uint64_t limit, node::Pressure before) {
  using node::Pressure;
  if (limit == 0) return Pressure::none;
  if (resident >= limit + limit / 10) return Pressure::critical;
  if (resident >= limit) return before == Pressure::critical && resident >= limit + limit / 20 ? before : Pressure::high;
  return before != Pressure::none && resident >= limit - limit / 20 ? Pressure::high : Pressure::none;
}

MemoryWatch::MemoryWatch(std::uint64_t limit, Log log, std::function<void(node::Pressure)> tell,
                         std::function<void()> give_back)
    : limit_(limit), log_(std::move(log)), tell_(std::move(tell)), give_back_(std::move(give_back)) {}

void MemoryWatch::look() {
  if (limit_ == 0) return;
  std::uint64_t now = resident();
  if (now >= limit_) {
    give_back_();  // what is free but not given back is no shortage
    now = resident();
  }
  const node::Pressure pressure = pressure_of(now, limit_, pressure_);
  if (pressure == pressure_) return;
  pressure_ = pressure;
  const char* what = pressure == node::Pressure::none   ? "memory is enough again: everybody is served"
                     : pressure == node::Pressure::high ? "memory is short: clean starts are refused, QoS 0 is dropped"
                                                        : "memory is very short: also publishers at QoS 1 and 2 wait";
  log_(pressure == node::Pressure::none ? env::Level::info : env::Level::warn,
       std::string(what) + " (limits.memory " + std::to_string(limit_) + " bytes, in use " + std::to_string(now) + ")");
  tell_(pressure);
}

}  // namespace hf::app
