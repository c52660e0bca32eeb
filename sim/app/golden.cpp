// Golden digests: runs whose every event is known, to be the same whoever compiled the simulator and how.
#include "sim/app/golden.hpp"

#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <vector>

#include "reports/table.hpp"
#include "sim/scenario/parse.hpp"
#include "sim/scenario/run.hpp"
#include "sim/scenario/shards.hpp"
#include "sim/scenario/units.hpp"

namespace hf::app {

namespace {

std::optional<std::string> read_text(const std::string& file) {
  std::ifstream in(file);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Line {
  std::string scenario, until, digest;
  std::uint64_t seed = 0;
};

/// "digest: HEX\n" without its head and tail.
std::string hex(std::uint64_t digest) {
  const std::string line = reports::digest_line(digest);
  const std::size_t start = line.find(' ') + 1;
  return line.substr(start, line.find('\n') - start);
}

/// Runs it up to `until`, or whole; empty where the line is wrong, which is said.
std::string digest_of(const Line& line, const std::string& folder, const std::string& place) {
  const std::string path = folder + "/" + line.scenario + ".json";
  const auto text = read_text(path);
  const bool whole = line.until == "whole";
  const auto until = sim::parse_duration(line.until);
  if (!text || !(whole || until)) {
    std::cerr << place << (text ? "until: \"" + line.until + "\", expected a duration as \"8s\", or \"whole\"" : "scenario: " + path + " cannot be read")
              << '\n';
    return "";
  }
  auto scenario = sim::parse_scenario(*text, path, line.seed);
  if (!scenario) {
    std::cerr << scenario.error().text << '\n';
    return "";
  }
  if (!whole) {
    scenario->heal_at = Duration(*until);
    scenario->settle = Duration(0);
  }
  return hex(sim::run_scenario(*scenario, sim::shards()).digest);
}

}  // namespace

int golden(const std::string& file, const std::string& folder, bool update) {
  const auto text = read_text(file);
  if (!text) {
    std::cerr << file << ": cannot be read\n";
    return 2;
  }
  std::istringstream in(*text);
  std::string out, row;
  int differ = 0, count = 0, number = 0;
  while (std::getline(in, row)) {
    ++number;
    std::istringstream words(row);
    Line line;
    if (row.empty() || row.front() == '#') {
      out += row + "\n";
      continue;
    }
    const std::string place = file + ":" + std::to_string(number) + ": ";
    if (!(words >> line.scenario >> line.seed >> line.until)) {
      std::cerr << place << "\"" << row << "\", expected: scenario seed until digest\n";
      return 2;
    }
    words >> line.digest;
    const std::string now = digest_of(line, folder, place);
    if (now.empty()) return 2;
    ++count;
    if (now != line.digest) {
      ++differ;
      if (!update) std::cout << line.scenario << " seed " << line.seed << ": digest " << now << ", golden is " << line.digest << '\n';
    }
    out += line.scenario + " " + std::to_string(line.seed) + " " + line.until + " " + now + "\n";
  }
  if (count == 0) {
    std::cerr << file << ": names no run\n";
    return 2;
  }
  if (update && differ != 0) std::ofstream(file) << out;
  std::cout << count << " runs, " << differ << (update ? " digests written anew\n" : " differ\n");
  if (differ != 0 && !update)
    std::cout << "HF_UPDATE_GOLDEN=1 writes them anew: only where a change of behaviour was meant, and never where one build differs\n";
  return differ != 0 && !update ? 3 : 0;
}

}  // namespace hf::app
