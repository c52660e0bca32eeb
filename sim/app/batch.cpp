// A child a worker: seeds dealt in turn, results as JSON lines over a pipe.
#include "sim/app/batch.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

namespace hf::app {

namespace {

using Json = nlohmann::json;

std::string to_line(const reports::SeedResult& result) {
  Json verdicts = Json::array();
  for (const auto& v : result.verdicts) {
    verdicts.push_back({v.id, v.name, v.exercised, v.violated, v.applicable, v.why_not});
  }
  return Json{{"seed", result.seed}, {"status", result.status}, {"digest", result.digest},
              {"events", result.events}, {"virtual", result.virtual_ns}, {"wall", result.wall_ns},
              {"verdicts", std::move(verdicts)}, {"story", result.story}}
             .dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

reports::SeedResult from_line(const std::string& line) {
  const Json json = Json::parse(line);
  reports::SeedResult result;
  result.seed = json["seed"];
  result.status = json["status"];
  result.digest = json["digest"];
  result.events = json["events"];
  result.virtual_ns = json["virtual"];
  result.wall_ns = json["wall"];
  result.story = json["story"];
  for (const auto& v : json["verdicts"]) {
    sim::Verdict verdict;
    verdict.id = v[0];
    verdict.name = v[1];
    verdict.exercised = v[2];
    verdict.violated = v[3];
    verdict.applicable = v[4];
    verdict.why_not = v[5];
    result.verdicts.push_back(std::move(verdict));
  }
  return result;
}

struct Worker {
  pid_t pid = -1;
  int pipe = -1;
  std::uint64_t next = 0;  ///< the seed it works on
  std::string buffer;
};

void write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(9);
    done += static_cast<std::size_t>(n);
  }
}

Worker spawn(std::uint64_t first, std::uint64_t last, std::uint64_t stride,
             const std::function<reports::SeedResult(std::uint64_t)>& one) {
  int ends[2] = {-1, -1};
  Worker worker;
  worker.next = first;
  if (::pipe(ends) != 0) return worker;
  std::fflush(nullptr);
  worker.pid = ::fork();
  if (worker.pid == 0) {
    ::close(ends[0]);
    for (std::uint64_t seed = first; seed <= last; seed += stride) write_all(ends[1], to_line(one(seed)));
    ::_exit(0);
  }
  ::close(ends[1]);
  worker.pipe = ends[0];
  return worker;
}

}  // namespace

std::vector<reports::SeedResult> run_batch(
    const Batch& batch, const std::function<reports::SeedResult(std::uint64_t)>& one,
    const std::function<void(std::size_t, std::size_t)>& progress) {
  const std::uint64_t count = batch.last - batch.first + 1;
  const std::uint64_t stride = std::min<std::uint64_t>(std::max(1U, batch.jobs), count);
  std::vector<Worker> workers;
  for (std::uint64_t i = 0; i < stride; ++i) {
    workers.push_back(spawn(batch.first + i, batch.last, stride, one));
  }
  std::map<std::uint64_t, reports::SeedResult> results;
  std::size_t violated = 0;
  bool stopping = false;
  const auto take = [&](reports::SeedResult result) {
    if (result.status != 0) {
      ++violated;
      if (!batch.keep_going) stopping = true;
    }
    const std::uint64_t seed = result.seed;
    results[seed] = std::move(result);
    progress(results.size(), violated);
  };
  const auto open = [](const Worker& worker) { return worker.pipe >= 0; };
  while (!stopping && std::any_of(workers.begin(), workers.end(), open)) {
    std::vector<pollfd> polls;
    for (const auto& worker : workers) polls.push_back({worker.pipe, POLLIN, 0});
    if (::poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < workers.size() && !stopping; ++i) {
      Worker& worker = workers[i];
      if (worker.pipe < 0 || (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
      char chunk[65'536];
      const ssize_t n = ::read(worker.pipe, chunk, sizeof chunk);
      if (n > 0) worker.buffer.append(chunk, static_cast<std::size_t>(n));
      for (std::size_t end; (end = worker.buffer.find('\n')) != std::string::npos;) {
        take(from_line(worker.buffer.substr(0, end)));
        worker.buffer.erase(0, end + 1);
        worker.next += stride;
      }
      if (n > 0 || (n < 0 && errno == EINTR)) continue;
      ::close(worker.pipe);
      worker.pipe = -1;
      if (worker.next > batch.last) continue;
      reports::SeedResult died;  // an assertion, most likely: the seed is the finding
      died.seed = worker.next;
      died.status = 1;
      died.story = "CRASHED  seed " + std::to_string(worker.next) + ": the process of this seed died\n";
      take(std::move(died));
      if (stopping || worker.next + stride > batch.last) continue;
      ::waitpid(worker.pid, nullptr, 0);
      worker = spawn(worker.next + stride, batch.last, stride, one);
    }
  }
  for (auto& worker : workers) {
    if (worker.pipe >= 0) {
      ::kill(worker.pid, SIGKILL);
      ::close(worker.pipe);
    }
    if (worker.pid > 0) ::waitpid(worker.pid, nullptr, 0);
  }
  std::vector<reports::SeedResult> out;
  for (auto& [seed, result] : results) out.push_back(std::move(result));
  return out;
}

}  // namespace hf::app
