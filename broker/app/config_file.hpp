// The settings of holdfastd: their file, their checks, their print-out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/app/memory.hpp"
#include "broker/auth/operator_guard.hpp"
#include "broker/base/result.hpp"
#include "broker/host/host.hpp"
#include "broker/node/config.hpp"

namespace hf::app {

/// admin.*: the listener for operators.
struct AdminSettings {
  bool enabled = true;
  std::string bind = "127.0.0.1";  ///< any other than loopback needs a token, or certificates of clients
  std::uint16_t port = 8081;       ///< 0: any free port, told in the log
  std::uint32_t max_connections = 64;
  std::string token;               ///< "" and no file: whoever reaches loopback may do everything
  std::string token_file;          ///< its first line; read again at a reload
  bool open_health = true;         ///< /health/... needs no token
  bool open_metrics = false;       ///< /metrics needs no token
  wrapping::TlsSettings tls;       ///< without a certificate: plain TCP
  std::vector<std::string> allowed_names;  ///< admin.tls.allowed_names: common names of clients' certificates; none: any
};

struct Settings {
  Settings() { node.sys_interval = 10s; }

  node::Config node;                   ///< node.access.anonymous is not used: auth has it
  auth::AuthSettings auth;             ///< access.*, beside users and rules
  std::string bind = "0.0.0.0";        ///< listen.bind: for clients
  std::uint16_t port = 1883;           ///< listen.port
  std::vector<host::ListenerOptions> listeners;  ///< in place of that one, if there are any
  std::string peer_bind = "0.0.0.0";   ///< listen.peer_bind: for other nodes
  std::uint16_t peer_port = 7946;      ///< listen.peer_port
  wrapping::TlsSettings peer_tls;      ///< cluster.tls; without a certificate: plain TCP
  std::string data_dir = "./holdfast-data";  ///< storage.data_dir
  MemoryLimit memory;                  ///< limits.memory
  AdminSettings admin;
  std::string log_level = "info";      ///< log.level
  std::string log_format = "text";     ///< log.format
};

/// Lays the fields of a JSON text (with // comments) over `settings`. `source` is what errors call it.
/// An error names source, path of the field, its value, what was expected, and the nearest known name.
Result<void> apply_text(Settings& settings, std::string_view json, const std::string& source);
Result<void> apply_file(Settings& settings, const std::string& path);

/// Sets one field from the command line: ("listen.port", "1884", "--port").
Result<void> apply_value(Settings& settings, const std::string& path, const std::string& value,
                         const std::string& source);

/// Adds a member from "id=2,address=host:7946,zone=b,name=n2".
Result<void> add_member(Settings& settings, const std::string& text, const std::string& source);

/// After everything is laid over: fills in a single node's member, and checks fields against each other.
Result<void> complete(Settings& settings);

/// Paths of the values in which two settings differ: "mqtt.max_qos", "cluster.members[1].zone".
std::vector<std::string> differences(const Settings& one, const Settings& other);

/// Every field with its value in force, as JSON that apply_text() takes back.
std::string print(const Settings& settings);

}  // namespace hf::app
