// The command line of holdfastd.
#pragma once

#include <functional>
#include <optional>

#include "broker/app/config_file.hpp"

namespace hf::app {

struct Order {
  Settings settings;
  std::function<Result<Settings>()> read_again;  ///< the same file and options, as they are by then
  bool check_only = false;
  bool print_only = false;
};

/// What to run with; or the status to exit with, after everything has been said on the terminal.
struct CommandLine {
  std::optional<Order> order;
  int exit_status = 0;
};

CommandLine read_command_line(int argc, const char* const* argv);

}  // namespace hf::app
