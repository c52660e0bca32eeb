// Holds broker/host with broker/store to the contract of the environment.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <unistd.h>

#include "broker/host/host.hpp"
#include "broker/host/sockets.hpp"
#include "broker/store/rocks_store.hpp"
#include "tests/env/contract.hpp"
#include "tests/support/authority.hpp"

namespace hf::contract {
namespace {

/// A process: gone when destroyed. The store goes first, for it calls the host.
struct Process {
  std::unique_ptr<host::Host> host;
  std::unique_ptr<env::Handler> handler;
  std::unique_ptr<store::RocksStore> store;
};

class HostWorld final : public World {
 public:
  /// With TLS between the processes, or without.
  explicit HostWorld(std::optional<wrapping::TlsSettings> tls) : tls_(std::move(tls)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf-env-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    // A port that was bound a moment ago and is free now.
    const auto handle = host::listen_on("127.0.0.1", 0);
    nowhere_ = "127.0.0.1:" + std::to_string(host::port_of(handle.value()));
    ::close(*handle);
  }
  HostWorld(const HostWorld&) = delete;
  HostWorld& operator=(const HostWorld&) = delete;
  ~HostWorld() override {
    for (auto& process : processes_) process.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void start(int which, const MakeHandler& make) override {
    auto& place = processes_.at(static_cast<std::size_t>(which));
    ASSERT_FALSE(place);
    host::HostOptions options;
    options.peer_bind = "127.0.0.1";
    options.peer_port = 0;
    options.listeners.clear();
    options.peer_tls = tls_;
    auto made = std::make_unique<Process>();
    auto opened = host::Host::open(options);
    ASSERT_TRUE(opened) << opened.error().text;
    made->host = std::move(*opened);
    host::Host* host = made->host.get();
    auto stored = store::RocksStore::open(
        directory_ + "/" + std::to_string(which),
        {[host](std::vector<env::CommitId> ids, env::CommitStatus status) {
           host->committed(std::move(ids), status);
         },
         [host](env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) {
           host->rows(id, std::move(rows), status);
         }});
    ASSERT_TRUE(stored) << stored.error().text;
    made->store = std::move(*stored);
    store::RocksStore* store = made->store.get();
    host->attach({[store](std::vector<std::pair<env::CommitId, env::Batch>> commits) {
                    std::vector<store::Commit> queue;
                    for (auto& [id, batch] : commits) queue.push_back({id, std::move(batch)});
                    store->commit(std::move(queue));
                  },
                  [store](std::string begin, std::string end, std::size_t limit, env::ReadId id) {
                    store->read(std::move(begin), std::move(end), limit, id);
                  }});
    made->handler = make(host->environment());
    address_.at(static_cast<std::size_t>(which)) =
        "127.0.0.1:" + std::to_string(host->peer_port());
    place = std::move(made);
    host->start(*place->handler);
  }
  void stop(int which) override { processes_.at(static_cast<std::size_t>(which)).reset(); }
  [[nodiscard]] std::string address(int which) const override {
    return address_.at(static_cast<std::size_t>(which));
  }
  [[nodiscard]] std::string nowhere() const override { return nowhere_; }
  bool run_until(const std::function<bool()>& done, Duration limit) override {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      for (const auto& process : processes_) {
        if (process) process->host->turn(100us);
      }
    }
    return true;
  }

 private:
  std::optional<wrapping::TlsSettings> tls_;
  std::string directory_;
  std::string nowhere_;
  std::array<std::string, 2> address_;
  std::array<std::unique_ptr<Process>, 2> processes_;
};

}  // namespace

namespace {

wrapping::TlsSettings tls_settings() {
  static test_support::Authority authority("cluster");
  static const test_support::Issued node = authority.issue("node");
  wrapping::TlsSettings settings;
  settings.certificate = node.certificate;
  settings.key = node.key;
  settings.ca = authority.certificate();
  return settings;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(
    Host, EnvironmentContract,
    testing::Values(WorldMaker{"plain", [] { return std::make_unique<HostWorld>(std::nullopt); }},
                    WorldMaker{"tls", [] { return std::make_unique<HostWorld>(tls_settings()); }}),
    [](const auto& each) { return each.param.name; });

}  // namespace hf::contract
