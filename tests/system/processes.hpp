// Child processes of a test: a cluster of holdfastd, and tools that are run to their end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace hf::system_tests {

using Seconds = std::chrono::seconds;

/// Calls `done` every few milliseconds until it is true or `patience` is over; answers the last.
template <class Condition>
bool eventually(Condition done, Seconds patience = Seconds(20));
void nap();

/// A child that dies with the test.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  /// Standard output and error go to `output` (appended).
  void start(const std::vector<std::string>& command, const std::string& output);
  void signal(int number) const;
  /// Its exit status (128 + signal), or -1 when it did not end in time.
  int wait(Seconds patience);
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

/// Runs a tool and answers what it printed. The status is in `status`.
std::string run_tool(const std::vector<std::string>& command, int& status, Seconds patience = Seconds(30));
std::string slurp(const std::string& path);
/// Ports that were free a moment ago; none is given twice.
std::vector<std::uint16_t> free_ports(std::size_t count);

/// Nodes 0 .. n-1 on loopback, on free ports, with data in a temporary directory.
class Cluster {
 public:
  /// `options` go to every node's command line.
  explicit Cluster(int size, std::vector<std::string> options = {});
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  /// Kills what runs. The data is removed unless the current test has failed.
  ~Cluster();

  void start(int node);
  void start_all();
  void kill(int node);       ///< kill -9
  int stop(int node);        ///< SIGTERM; its exit status
  int wait(int node, Seconds patience);  ///< its exit status when it ends by itself, or -1
  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] std::uint16_t port(int node) const { return at(node).client_port; }
  [[nodiscard]] std::uint16_t admin_port(int node) const { return at(node).admin_port; }
  void signal(int node, int number) const { at(node).process.signal(number); }
  [[nodiscard]] pid_t pid(int node) const { return at(node).process.pid(); }
  [[nodiscard]] std::uint16_t peer_port(int node) const { return at(node).peer_port; }
  [[nodiscard]] std::string data(int node) const { return directory_ + "/n" + std::to_string(node + 1); }
  [[nodiscard]] std::string log(int node) const { return slurp(log_path(node)); }
  /// Until every node answers CONNECT, and a message crosses from each to each.
  bool wait_joined(Seconds patience = Seconds(30)) const;

 private:
  struct Node {
    std::uint16_t client_port = 0;
    std::uint16_t peer_port = 0;
    std::uint16_t admin_port = 0;
    Process process;
  };
  [[nodiscard]] const Node& at(int node) const { return nodes_.at(static_cast<std::size_t>(node)); }
  [[nodiscard]] std::string log_path(int node) const;

  std::string directory_;
  std::vector<std::string> options_;
  std::vector<Node> nodes_;
};

template <class Condition>
bool eventually(Condition done, Seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    nap();
  }
  return true;
}

}  // namespace hf::system_tests
