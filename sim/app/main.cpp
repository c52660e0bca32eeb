// holdfast-sim: runs scenario files and says which guarantees held.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#ifdef HF_MIMALLOC
#include <mimalloc.h>
#endif

#include "reports/json.hpp"
#include "reports/table.hpp"
#include "sim/app/batch.hpp"
#include "sim/app/golden.hpp"
#include "sim/app/scoreboard.hpp"
#include "sim/scenario/mutants.hpp"
#include "sim/scenario/parse.hpp"
#include "sim/scenario/run.hpp"
#include "sim/scenario/shards.hpp"

namespace hf::app {
namespace {

enum Status { held = 0, violated = 1, bad_input = 2, not_deterministic = 3, not_settled = 4, not_exercised = 5 };

struct Arguments {
  std::string file, seeds, json, mutant, scenarios = "scenarios";
  std::vector<std::string> files, mutants;  ///< of a scoreboard
  std::uint64_t campaign = 20;
  std::optional<std::uint64_t> seed;
  unsigned jobs = 1;
  bool trace = false, trace_messages = false, keep_going = false, strict = false, resolved = false;
};

std::int64_t wall_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Of this process: what a run costs however busy the machine is.
std::int64_t cpu_now() {
  return static_cast<std::int64_t>(std::clock()) * (1'000'000'000 / CLOCKS_PER_SEC);
}

std::optional<std::string> read_all(const std::string& file) {
  std::ifstream in(file);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<sim::Scenario> load(const std::string& file, std::optional<std::uint64_t> seed) {
  const auto text = read_all(file);
  if (!text) return fail(Blame::user, file + ": cannot be read");
  return sim::parse_scenario(*text, file, seed);
}

bool known_mutant(const std::string& name) {
  for (const auto& row : sim::mutants()) {
    if (row.name == name) return true;
  }
  return name.empty();
}

std::string replay(const Arguments& arguments, std::uint64_t seed) {
  return "  replay: ./run " + arguments.file + " --seed " + std::to_string(seed) +
         (arguments.mutant.empty() ? "" : " --mutant " + arguments.mutant) + "\n";
}

int status_of(const sim::RunResult& result, bool strict) {
  if (!result.held()) return violated;
  if (!result.settled) return not_settled;
  return strict && !result.all_exercised() ? not_exercised : held;
}

std::string machine() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string build() {
#ifdef __OPTIMIZE__
  return std::string("optimised, ") + __VERSION__;
#else
  return std::string("not optimised, ") + __VERSION__;
#endif
}

/// A line that is rewritten on a terminal, or printed every two seconds elsewhere.
class Progress {
 public:
  explicit Progress(bool terminal) : terminal_(terminal) {}
  void show(const std::string& line, bool last = false) {
    const std::int64_t now = wall_now();
    const std::int64_t every = terminal_ ? 200'000'000 : 2'000'000'000;
    if (!last && now - shown_ < every) return;
    if (last && !any_) return;
    shown_ = now;
    any_ = true;
    if (terminal_) std::cerr << "\r\033[K" << line << (last ? "\n" : "") << std::flush;
    else if (!last) std::cerr << line << '\n';
  }

 private:
  bool terminal_;
  bool any_ = false;
  std::int64_t shown_ = wall_now();
};

struct Timed {
  sim::RunResult result;
  std::int64_t wall_ns = 0, cpu_ns = 0;
};

Timed run_one(const sim::Scenario& scenario, const Arguments& arguments, Progress* progress) {
  const std::int64_t start = wall_now(), cpu_start = cpu_now();
  sim::RunOptions options;
  options.mutant = arguments.mutant;
  options.trace = arguments.trace || arguments.trace_messages;
  options.trace_messages = arguments.trace_messages;
  options.go_on = [&](sim::VirtualTime now, std::uint64_t events) {
    const std::int64_t passed = wall_now() - start;
    if (progress != nullptr) {
      std::array<char, 160> line{};
      std::snprintf(line.data(), line.size(), "  %.1f s virtual   %.2f M events   %.0fx real time",
                    static_cast<double>(now) / 1e9, static_cast<double>(events) / 1e6,
                    static_cast<double>(now) / static_cast<double>(std::max<std::int64_t>(passed, 1)));
      progress->show(line.data());
    }
    // In CPU time: a run on a busy or stopped machine is not a run that hangs.
    return scenario.wall_max.count() == 0 || cpu_now() - cpu_start < scenario.wall_max.count();
  };
  Timed timed{sim::run_scenario(scenario, sim::shards(), options), 0, 0};
  timed.wall_ns = wall_now() - start;
  timed.cpu_ns = cpu_now() - cpu_start;
  return timed;
}

int run_single(const Arguments& arguments) {
  const auto scenario = load(arguments.file, arguments.seed);
  if (!scenario) {
    std::cerr << scenario.error().text << '\n';
    return bad_input;
  }
  if (arguments.resolved) {
    std::cout << scenario->resolved << '\n';
    return held;
  }
  Progress progress(::isatty(2) == 1);
  const Timed timed = run_one(*scenario, arguments, &progress);
  const sim::RunResult& result = timed.result;
  if (arguments.trace || arguments.trace_messages) std::cout << result.trace;
  std::cout << scenario->name << "   seed " << result.seed
            << (result.mutant.empty() ? "" : "   mutant " + result.mutant) << "\n"
            << reports::verdict_table(result) << reports::fact_table(result, timed.wall_ns)
            << reports::stories(result);
  for (const auto& failure : result.failed_expectations) std::cout << "expected: " << failure << '\n';
  if (!result.settled) {
    std::cout << "did not settle:\n";
    std::size_t shown = 0;
    for (const auto& line : result.unsettled) {
      if (++shown > 10) break;
      std::cout << "  " << line << '\n';
    }
  }
  const int status = status_of(result, arguments.strict);
  if (status != held) std::cout << replay(arguments, result.seed);
  std::cout << reports::digest_line(result.digest);
  if (!arguments.json.empty()) {
    std::ofstream(arguments.json)
        << reports::to_json(result, scenario->resolved, timed.wall_ns, machine(), build());
  }
  return status;
}

reports::SeedResult one_seed(const Arguments& arguments, std::uint64_t seed) {
  reports::SeedResult out;
  out.seed = seed;
  const auto scenario = load(arguments.file, seed);
  if (!scenario) {
    out.status = bad_input;
    out.story = scenario.error().text + "\n";
    return out;
  }
  Timed timed = run_one(*scenario, arguments, nullptr);
  out.status = status_of(timed.result, arguments.strict);
  out.digest = timed.result.digest;
  out.events = timed.result.events;
  out.virtual_ns = timed.result.virtual_time;
  out.wall_ns = timed.cpu_ns;
  if (out.status != held) {
    out.story = reports::stories(timed.result);
    for (const auto& line : timed.result.failed_expectations) out.story += "expected: " + line + "\n";
    for (const auto& line : timed.result.unsettled) out.story += "did not settle: " + line + "\n";
    out.story += replay(arguments, seed);
  }
  for (auto& verdict : timed.result.verdicts) {
    verdict.violations.clear();
    out.verdicts.push_back(std::move(verdict));
  }
  return out;
}

int run_seeds(const Arguments& arguments) {
  Batch batch;
  const auto dots = arguments.seeds.find("..");
  try {
    batch.first = std::stoull(arguments.seeds.substr(0, dots));
    batch.last = dots == std::string::npos ? batch.first : std::stoull(arguments.seeds.substr(dots + 2));
  } catch (const std::exception&) {
    batch.last = 0;
  }
  if (batch.last < batch.first || batch.last - batch.first > 100'000'000) {
    std::cerr << "--seeds " << arguments.seeds << ": write A..B\n";
    return bad_input;
  }
  const auto scenario = load(arguments.file, batch.first);
  if (!scenario) {
    std::cerr << scenario.error().text << '\n';
    return bad_input;
  }
  batch.jobs = arguments.jobs;
  batch.keep_going = arguments.keep_going;
  const std::uint64_t count = batch.last - batch.first + 1;
  const std::int64_t start = wall_now();
  Progress progress(::isatty(2) == 1);
  std::cout << scenario->name << "   seeds " << arguments.seeds << "   jobs " << batch.jobs << std::endl;
  const auto line = [&](std::size_t done, std::size_t bad) {
    const std::int64_t left =
        (wall_now() - start) / static_cast<std::int64_t>(done) * static_cast<std::int64_t>(count - done);
    return "  " + std::to_string(done) + "/" + std::to_string(count) + "   held " + std::to_string(done - bad) +
           "   VIOLATED " + std::to_string(bad) + "   " + std::to_string(left / 1'000'000'000) + " s left";
  };
  const auto results = run_batch(
      batch, [&](std::uint64_t seed) { return one_seed(arguments, seed); },
      [&](std::size_t done, std::size_t bad) { progress.show(line(done, bad), done == count); });
  std::cout << reports::seeds_table(results);
  int status = held;
  std::uint64_t digest = 0;
  for (const auto& result : results) {
    digest = mix64(digest ^ result.digest);
    if (result.status == held) continue;
    if (status == held || (result.status == violated && status != violated)) {
      if (status == held) std::cout << result.story;
      status = result.status;
    }
  }
  std::cout << reports::digest_line(digest);
  return status;
}

int digest_check(const Arguments& arguments) {
  const auto scenario = load(arguments.file, arguments.seed);
  if (!scenario) {
    std::cerr << scenario.error().text << '\n';
    return bad_input;
  }
  const Timed first = run_one(*scenario, arguments, nullptr);
  const Timed second = run_one(*scenario, arguments, nullptr);
  std::cout << reports::digest_line(first.result.digest) << reports::digest_line(second.result.digest);
  if (first.result.digest == second.result.digest && first.result.events == second.result.events) {
    std::cout << "same, " << first.result.events << " events\n";
    return held;
  }
  const auto& a = first.result.checkpoints;
  const auto& b = second.result.checkpoints;
  std::size_t same = 0;
  while (same < a.size() && same < b.size() && a[same] == b[same]) ++same;
  std::cout << "NOT DETERMINISTIC: the runs differ after event " << same * 65'536 << '\n';
  return not_deterministic;
}

int list_mutants() {
  for (const auto& row : sim::mutants()) {
    std::printf("%-30s %-5s %s\n", std::string(row.name).c_str(), std::string(row.guarantee).c_str(),
                std::string(row.text).c_str());
  }
  return held;
}

/// Every mutant, and first none at all, under the campaign of `files` over seeds 1..K.
int scoreboard(const Arguments& arguments) {
  std::vector<std::string> names = arguments.mutants;
  if (names.empty()) {
    names.emplace_back();
    for (const auto& row : sim::mutants()) names.emplace_back(row.name);
  }
  for (const std::string& file : arguments.files) {
    if (const auto scenario = load(file, std::nullopt); !scenario) {
      std::cerr << scenario.error().text << '\n';
      return bad_input;
    }
  }
  std::cout << head() << std::flush;
  int status = held;
  for (const std::string& name : names) {
    Score result = score(name, arguments.files, arguments.campaign,
                         [&](const std::string& file, std::uint64_t seed, const std::string& mutant) {
                           Arguments one = arguments;
                           one.file = file;
                           one.mutant = mutant;
                           return one_seed(one, seed);
                         });
    if (name.empty()) {
      result.mutant = "(none)";
      if (result.caught != 0) status = violated;  // a false alarm, or a bug
    }
    std::cout << line(result) << std::flush;
  }
  return status;
}

int command_line(int argc, char** argv) {
  CLI::App app{"Runs Holdfast in virtual time and says which guarantees held."};
  app.require_subcommand(1);
  Arguments arguments;
  std::uint64_t seed = 0;
  CLI::App* run = app.add_subcommand("run", "run a scenario file");
  CLI::App* check = app.add_subcommand("digest-check", "run it twice and compare the digests");
  CLI::App* list = app.add_subcommand("mutants", "list the seeded bugs");
  CLI::App* board = app.add_subcommand("scoreboard", "run every seeded bug under a campaign; a table");
  CLI::App* gold = app.add_subcommand("golden", "compare runs with the digests of a file; HF_UPDATE_GOLDEN=1 writes them anew");
  CLI::Option* seed_option = nullptr;
  CLI::Option* check_seed = nullptr;
  run->add_option("file", arguments.file, "scenario file")->required();
  seed_option = run->add_option("--seed", seed, "instead of the file's own");
  run->add_option("--seeds", arguments.seeds, "A..B")->excludes(seed_option);
  run->add_option("--jobs", arguments.jobs, "processes, with --seeds")->check(CLI::Range(1, 256));
  run->add_option("--json", arguments.json, "write the result here");
  run->add_option("--mutant", arguments.mutant, "seed a bug; see `mutants`");
  run->add_flag("--trace", arguments.trace, "print what the nodes logged");
  run->add_flag("--trace-messages", arguments.trace_messages, "and every operation and message between nodes (much)");
  run->add_flag("--keep-going", arguments.keep_going, "with --seeds: go on after a violation");
  run->add_flag("--strict", arguments.strict, "every guarantee must be put to the test");
  run->add_flag("--resolved", arguments.resolved, "print the resolved scenario and stop");
  check->add_option("file", arguments.file, "scenario file")->required();
  check_seed = check->add_option("--seed", seed, "instead of the file's own");
  check->add_option("--mutant", arguments.mutant, "seed a bug");
  gold->add_option("file", arguments.file, "lines of: scenario seed until digest")->required();
  gold->add_option("--scenarios", arguments.scenarios, "the folder of the scenario files");
  board->add_option("files", arguments.files, "scenario files: the campaign")->required();
  board->add_option("--seeds", arguments.campaign, "seeds 1..K of each file")->check(CLI::Range(1, 100'000));
  board->add_option("--mutant", arguments.mutants, "only these");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? held : bad_input;
  }
  if (seed_option->count() + check_seed->count() > 0) arguments.seed = seed;
  if (list->parsed()) return list_mutants();
  const char* update = std::getenv("HF_UPDATE_GOLDEN");
  if (gold->parsed()) return golden(arguments.file, arguments.scenarios, update != nullptr && std::string(update) == "1");
  arguments.mutants.push_back(arguments.mutant);
  for (const std::string& name : arguments.mutants) {
    if (known_mutant(name)) continue;
    std::cerr << "--mutant " << name << ": unknown; `holdfast-sim mutants` lists them\n";
    return bad_input;
  }
  arguments.mutants.pop_back();
  if (board->parsed()) return scoreboard(arguments);
  if (check->parsed()) return digest_check(arguments);
  return arguments.seeds.empty() ? run_single(arguments) : run_seeds(arguments);
}

}  // namespace
}  // namespace hf::app

int main(int argc, char** argv) {
#ifdef HF_MIMALLOC
  mi_option_disable(mi_option_allow_decommit);  // a run frees little that it does not want back
#endif
  return hf::app::command_line(argc, argv);
}
