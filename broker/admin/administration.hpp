// What the administration answers: a table of paths, each with its methods and parameters.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/admin/guard.hpp"
#include "broker/admin/http_text.hpp"
#include "broker/env/environment.hpp"
#include "broker/host/complaints.hpp"
#include "broker/host/host.hpp"
#include "broker/node/inspection.hpp"

namespace hf::admin {

struct Certificate {
  std::string name;          ///< what it is for: a listener, the peer links, the administration
  double expires = 0;        ///< seconds since 1970
};

/// What the process lends to its administration.
struct Surroundings {
  std::string version, cluster;
  std::function<std::string()> log_level;
  std::function<void(const std::string&)> set_log_level;
  /// About a client, or about none ("").
  std::function<void(env::Level, std::string_view client, std::string_view text)> log;
  std::function<std::vector<Certificate>()> certificates;  ///< may be none
  std::function<host::TurnedAway()> turned_away;           ///< may be none
  std::function<std::uint64_t()> log_lines_lost;           ///< may be none
  /// Runs a job as part of a turn of the shard: what it makes the shard do is carried out.
  std::function<void(const std::function<void()>&)> in_turn;
};

/// Why somebody did not come in: no TLS, the wrong token or certificate, no place.
enum class Refusal : std::uint8_t { handshake, rights, crowded };

/// For the shard's own thread. Reads between turns, and changes within one.
class Administration {
 public:
  using Respond = std::function<void(Reply)>;

  Administration(node::Inspection& inspection, Surroundings surroundings, Rights rights);
  Administration(const Administration&) = delete;
  Administration& operator=(const Administration&) = delete;

  /// `respond` is called once, perhaps later: ending a session takes until its replicas have it.
  void handle(const Request& request, Respond respond);
  /// From now on.
  void set_rights(Rights rights) { rights_ = std::move(rights); }

  /// Begins what a Reply::trace asks for; or says why not.
  std::optional<Reply> begin_trace(const std::string& client, node::Inspection::Sink sink, const std::string& by = "an operator");
  void end_trace(const std::string& client);

  /// Counts and logs that the other end of a connection did not come in; of a kind of reason, one line a minute for an address.
  void refused(Refusal kind, const std::string& remote, const std::string& why);

 private:
  struct Asked;
  struct Route;
  static const std::vector<Route>& routes();

  void node(Asked& asked);
  void nodes(Asked& asked);
  void slots(Asked& asked);
  void clients(Asked& asked);
  void client(Asked& asked);
  void disconnect(Asked& asked);
  void sessions(Asked& asked);
  void session(Asked& asked);
  void end_session(Asked& asked);
  void subscriptions(Asked& asked);
  void retained(Asked& asked);
  void log_level(Asked& asked);
  void change_log_level(Asked& asked);
  void safe_to_stop(Asked& asked);
  void trace(Asked& asked);
  void metrics(Asked& asked);
  void live(Asked& asked);
  void ready(Asked& asked);
  void page(Asked& asked);

  node::Inspection& inspection_;
  Surroundings around_;
  Rights rights_;
  std::vector<std::string> traced_;
  host::Complaints complaints_;
  std::array<std::uint64_t, 3> refused_{};  ///< by Refusal
};

}  // namespace hf::admin
