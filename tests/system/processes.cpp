// Child processes of a test: a cluster of holdfastd, and tools that are run to their end.
#include "tests/system/processes.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/system/paho_client.hpp"

namespace hf::system_tests {
std::vector<std::uint16_t> free_ports(std::size_t count) {
  static std::set<std::uint16_t> given;  // a node asks for its own after its listeners': nobody listens at those yet
  std::vector<int> handles;
  std::vector<std::uint16_t> ports;
  while (ports.size() < count) {
    const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(handle, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no free port");
    }
    handles.push_back(handle);
    if (const std::uint16_t port = ntohs(address.sin_port); given.insert(port).second) ports.push_back(port);
  }
  for (const int handle : handles) ::close(handle);
  return ports;
}

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}
Process::~Process() {
  if (!running()) return;
  signal(SIGKILL);
  wait(Seconds(5));
}

void Process::start(const std::vector<std::string>& command, const std::string& output) {
  if (running()) throw std::logic_error("already running: " + command[0]);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) {
    ::close(log);
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

void Process::signal(int number) const {
  if (running()) ::kill(pid_, number);
}

int Process::wait(Seconds patience) {
  int status = 0;
  const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, patience);
  if (!ended) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string run_tool(const std::vector<std::string>& command, int& status, Seconds patience) {
  std::string output = (std::filesystem::temp_directory_path() / "hf-tool-XXXXXX").string();
  ::close(::mkstemp(output.data()));
  Process process;
  process.start(command, output);
  status = process.wait(patience);
  const std::string said = slurp(output);
  std::filesystem::remove(output);
  return said;
}

Cluster::Cluster(int size, std::vector<std::string> options)
    : options_(std::move(options)), nodes_(static_cast<std::size_t>(size)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "hf-system-XXXXXX").string();
  directory_ = ::mkdtemp(pattern.data());
  const auto ports = free_ports(3 * nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].client_port = ports[3 * i];
    nodes_[i].peer_port = ports[3 * i + 1];
    nodes_[i].admin_port = ports[3 * i + 2];
  }
}

Cluster::~Cluster() {
  nodes_.clear();
  if (testing::Test::HasFailure()) {
    std::cout << "logs and data are kept in " << directory_ << "\n";
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Cluster::log_path(int node) const {
  return directory_ + "/n" + std::to_string(node + 1) + ".log";
}

void Cluster::start(int node) {
  Node& self = nodes_.at(static_cast<std::size_t>(node));
  std::vector<std::string> command{HF_BINARY_DIR "/broker/app/holdfastd",
                                   "--node-id", std::to_string(node + 1),
                                   "--bind", "127.0.0.1",
                                   "--port", std::to_string(self.client_port),
                                   "--peer-bind", "127.0.0.1",
                                   "--peer-port", std::to_string(self.peer_port),
                                   "--data-dir", directory_ + "/n" + std::to_string(node + 1),
                                   "--admin-port", std::to_string(self.admin_port),
                                   "--log-level", "debug"};
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::string id = std::to_string(i + 1);
    command.insert(command.end(), {"--member", "id=" + id + ",name=n" + id + ",zone=z" + id +
                                                   ",address=127.0.0.1:" +
                                                   std::to_string(nodes_[i].peer_port)});
  }
  command.insert(command.end(), options_.begin(), options_.end());
  self.process.start(command, log_path(node));
}

void Cluster::start_all() {
  for (int node = 0; node < size(); ++node) start(node);
}

void Cluster::kill(int node) {
  Process& process = nodes_.at(static_cast<std::size_t>(node)).process;
  process.signal(SIGKILL);
  process.wait(Seconds(10));
}

int Cluster::stop(int node) {
  Process& process = nodes_.at(static_cast<std::size_t>(node)).process;
  process.signal(SIGTERM);
  return process.wait(Seconds(20));
}

int Cluster::wait(int node, Seconds patience) {
  return nodes_.at(static_cast<std::size_t>(node)).process.wait(patience);
}

bool Cluster::wait_joined(Seconds patience) const {
  std::vector<std::unique_ptr<PahoClient>> clients;
  const bool connected = eventually(
      [&] {
        const auto next = static_cast<int>(clients.size());
        if (next == size()) return true;
        try {
          auto client = std::make_unique<PahoClient>("joined-" + std::to_string(next), true);
          client->connect(port(next));
          client->subscribe("joined/#", 0);
          clients.push_back(std::move(client));
        } catch (const std::exception&) {
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return false;
      },
      patience);
  if (!connected) return false;
  return eventually(
      [&] {
        for (const auto& client : clients) client->publish("joined/now", client->id(), 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        for (const auto& client : clients) {
          for (int from = 0; from < size(); ++from) {
            if (client->count("joined-" + std::to_string(from)) == 0) return false;
          }
        }
        return true;
      },
      patience);
}

}  // namespace hf::system_tests
