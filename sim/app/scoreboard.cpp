// Each seeded bug under the standard campaign: how often it is caught, how soon, and by which check.
#include "sim/app/scoreboard.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

namespace hf::app {

namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

}  // namespace

Interval wilson(std::uint64_t caught, std::uint64_t runs) {
  if (runs == 0) return {};
  constexpr double z = 1.959964;
  const auto n = static_cast<double>(runs);
  const double rate = static_cast<double>(caught) / n;
  const double middle = rate + z * z / (2 * n);
  const double half = z * std::sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
  const double all = 1 + z * z / n;
  return {caught == 0 ? 0 : (middle - half) / all, caught == runs ? 1 : (middle + half) / all};
}

Score score(std::string mutant, const std::vector<std::string>& files, std::uint64_t seeds, const RunOne& run) {
  Score out;
  out.mutant = std::move(mutant);
  std::map<std::string, std::uint64_t> by_check;
  std::int64_t spent = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (const std::string& file : files) {
      const reports::SeedResult result = run(file, seed, out.mutant);
      ++out.runs;
      spent += result.wall_ns;
      bool caught = false;
      for (const auto& verdict : result.verdicts) {
        if (verdict.violated == 0) continue;
        caught = true;
        ++by_check[verdict.id];
      }
      if (!caught) continue;
      if (out.caught++ != 0) continue;
      out.first_scenario = file.substr(file.rfind('/') + 1);
      out.first_seed = seed;
      out.ns_to_first = spent;
    }
  }
  for (const auto& [id, count] : by_check) out.checks += (out.checks.empty() ? "" : ", ") + id + " " + std::to_string(count);
  return out;
}

std::string head() {
  return "| mutant | caught | 95 % interval | first | CPU s to it | by |\n|---|---|---|---|---|---|\n";
}

std::string line(const Score& score) {
  const std::string runs = std::to_string(score.runs);
  if (score.caught == 0)
    return "| " + score.mutant + " | 0 of " + runs + " | below 3/" + runs + " | - | - | - |\n";
  const Interval range = wilson(score.caught, score.runs);
  return "| " + score.mutant + " | " + std::to_string(score.caught) + " of " + runs + " | " +
         format("%.0f..%.0f %%", 100 * range.low, 100 * range.high) + " | " + score.first_scenario + " " +
         std::to_string(score.first_seed) + " | " + format("%.1f", static_cast<double>(score.ns_to_first) / 1e9) + " | " +
         score.checks + " |\n";
}

}  // namespace hf::app
