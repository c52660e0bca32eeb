// Verdicts and facts in columns.
#include "reports/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "sim/scenario/verdicts.hpp"

namespace hf::reports {

namespace {

std::string left(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(std::string text, std::size_t width) {
  if (text.size() < width) text = std::string(width - text.size(), ' ') + text;
  return text;
}

std::string thousands(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string outcome(const sim::Verdict& verdict) {
  if (!verdict.applicable) return "not applicable: " + verdict.why_not;
  if (verdict.violated > 0) return "VIOLATED";
  return verdict.exercised == 0 ? "not exercised" : "held";
}

std::string row(const sim::Verdict& verdict) {
  return "  " + left(verdict.id, 7) + left(verdict.name, 32) + right(thousands(verdict.exercised), 11) +
         right(thousands(verdict.violated), 10) + "  " + outcome(verdict) + "\n";
}

const char* const head = "  id     guarantee                         exercised  violated  outcome\n";

std::string decimal(std::int64_t value, std::int64_t unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.2f", static_cast<double>(value) / static_cast<double>(unit));
  return text.data();
}

}  // namespace

std::string verdict_table(const sim::RunResult& result) {
  std::string out = head;
  for (const auto& verdict : result.verdicts) out += row(verdict);
  return out;
}

std::string fact_table(const sim::RunResult& result, std::int64_t wall_ns) {
  const std::int64_t wall = std::max<std::int64_t>(wall_ns, 1);
  const auto line = [](const std::string& name, const std::string& value) {
    return "  " + left(name, 28) + right(value, 16) + "\n";
  };
  std::string out;
  out += line("virtual time", decimal(result.virtual_time, 1'000'000'000) + " s");
  out += line("wall time", decimal(wall, 1'000'000'000) + " s");
  out += line("x real time", decimal(result.virtual_time, wall));
  out += line("events", thousands(result.events));
  const double per_second = static_cast<double>(result.events) * 1e9 / static_cast<double>(wall);
  out += line("events/s", thousands(static_cast<std::uint64_t>(per_second)));
  for (const auto& [name, value] : result.facts) out += line(name, thousands(value));
  return out;
}

std::string digest_line(std::uint64_t digest) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "digest: %016llx\n", static_cast<unsigned long long>(digest));
  return text.data();
}

std::string stories(const sim::RunResult& result) {
  std::string out;
  for (const auto& verdict : result.verdicts) {
    if (verdict.violated == 0 || verdict.violations.empty()) continue;
    out += "VIOLATED  seed " + std::to_string(result.seed) + "  " + verdict.name + "  " +
           sim::story(verdict.violations.front(), result.history);
  }
  return out;
}

std::string seeds_table(const std::vector<SeedResult>& results) {
  std::vector<sim::Verdict> sums;
  std::map<std::string, std::uint64_t> seeds_violating, seeds_exercising;
  std::uint64_t events = 0;
  std::int64_t virtual_ns = 0, wall_ns = 0;
  for (const auto& result : results) {
    events += result.events;
    virtual_ns += result.virtual_ns;
    wall_ns += result.wall_ns;
    for (const auto& verdict : result.verdicts) {
      auto it = std::find_if(sums.begin(), sums.end(), [&](const auto& sum) { return sum.id == verdict.id; });
      if (it == sums.end()) {
        it = sums.insert(sums.end(), verdict);
        it->exercised = it->violated = 0;
      }
      it->exercised += verdict.exercised;
      it->applicable = it->applicable || verdict.applicable;
      if (verdict.applicable) it->violated += verdict.violated;
      seeds_violating[verdict.id] += verdict.violated > 0 && verdict.applicable ? 1U : 0U;
      seeds_exercising[verdict.id] += verdict.exercised > 0 ? 1U : 0U;
    }
  }
  std::string out =
      "  id     guarantee                         exercised  violated   seeds exercising   seeds violating\n";
  for (const auto& sum : sums) {
    out += "  " + left(sum.id, 7) + left(sum.name, 32) + right(thousands(sum.exercised), 11) +
           right(thousands(sum.violated), 10) + right(std::to_string(seeds_exercising[sum.id]), 19) +
           right(std::to_string(seeds_violating[sum.id]), 18) + "\n";
  }
  const std::int64_t wall = std::max<std::int64_t>(wall_ns, 1);
  out += "  " + std::to_string(results.size()) + " seeds, " + thousands(events) + " events, " +
         decimal(virtual_ns, 1'000'000'000) + " s virtual in " + decimal(wall, 1'000'000'000) + " s of CPU: " +
         decimal(virtual_ns, wall) + " x real time\n";
  return out;
}

}  // namespace hf::reports
