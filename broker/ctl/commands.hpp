// What holdfast-ctl can be told: each asks a node and prints what it answers, as a table or as JSON.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "broker/ctl/client.hpp"

namespace hf::ctl {

enum ExitStatus { exit_yes = 0, exit_no = 1, exit_usage = 2, exit_unreachable = 3, exit_unwritten = 4 };

class Commands {
 public:
  Commands(const Client& client, bool json, std::ostream& out, std::ostream& complaints)
      : client_(client), json_(json), out_(out), complaints_(complaints) {}

  // Each gives the status to exit with.
  int status();
  int nodes();
  int slots();
  int clients();
  int sessions();
  int client(const std::string& id);
  int session(const std::string& id);
  int end_session(const std::string& id);
  int disconnect(const std::string& id);
  int safe_to_stop();
  int log_level(const std::string& level);  ///< "": tell it
  int trace(const std::string& id);

 private:
  using Print = std::function<void(const nlohmann::ordered_json&)>;
  using Row = std::function<std::vector<std::string>(const nlohmann::ordered_json&)>;
  int show(std::string_view method, const std::string& target, const std::string& body, const Print& print);
  /// All pages of a list.
  int list(const std::string& path, std::vector<std::string> columns, const Row& row);
  int complain(const Error& error);
  int complain(const Answer& answer);

  const Client& client_;
  bool json_;
  std::ostream& out_;
  std::ostream& complaints_;
};

}  // namespace hf::ctl
