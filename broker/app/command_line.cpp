// The command line of holdfastd: file first, then the environment, then members, then single fields over it.
#include "broker/app/command_line.hpp"

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "broker/app/config_environment.hpp"
#include "broker/app/config_schema.hpp"

namespace hf::app {
namespace {

constexpr int exit_bad_config = 2;

/// Options that are a field of the configuration by another name.
struct Shortcut {
  const char* option;
  const char* path;
  const char* help;
};
constexpr Shortcut shortcuts[] = {
    {"--port", "listen.port", "port for MQTT clients (1883)"},
    {"--bind", "listen.bind", "address for MQTT clients (0.0.0.0)"},
    {"--peer-port", "listen.peer_port", "port for other nodes (7946)"},
    {"--peer-bind", "listen.peer_bind", "address for other nodes (0.0.0.0)"},
    {"--admin-port", "admin.port", "port for operators: metrics, health, API, status page (8081)"},
    {"--admin-bind", "admin.bind", "address for operators (127.0.0.1; any other needs a token or TLS)"},
    {"--data-dir", "storage.data_dir", "where the data lies (./holdfast-data)"},
    {"--node-id", "node.id", "this node's number in the cluster (1)"},
    {"--cluster", "cluster.name", "nodes of another name are turned away (holdfast)"},
    {"--slots", "cluster.slots", "hash slots; the same on every node (64)"},
    {"--replicas", "cluster.replicas", "copies of each session (3)"},
    {"--write-quorum", "cluster.write_quorum", "copies before an acknowledgement (2)"},
    {"--log-level", "log.level", "debug, info, warn or error"},
    {"--log-format", "log.format", "text or json"},
};

struct Given {
  std::string file;
  Variables variables;
  std::vector<std::string> members;
  std::vector<std::string> sets;
  std::vector<std::pair<const Shortcut*, std::string>> values;
};

Result<void> lay_over(Settings& settings, const Given& given) {
  if (!given.file.empty()) {
    if (auto done = apply_file(settings, given.file); !done) return done;
  }
  if (auto done = apply_variables(settings, given.variables); !done) return done;
  if (!given.members.empty()) settings.node.members.clear();
  for (const auto& member : given.members) {
    if (auto done = add_member(settings, member, "--member"); !done) return done;
  }
  for (const auto& set : given.sets) {
    const auto equals = set.find('=');
    if (equals == std::string::npos) {
      return fail(Blame::user, "--set: \"" + set + "\"; expected FIELD=VALUE");
    }
    auto done = apply_value(settings, set.substr(0, equals), set.substr(equals + 1), "--set");
    if (!done) return done;
  }
  for (const auto& [shortcut, value] : given.values) {
    auto done = apply_value(settings, shortcut->path, value, shortcut->option);
    if (!done) return done;
  }
  return complete(settings);
}

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv) {
  Order order;
  Given given;
  CLI::App app{"holdfastd: a node of a Holdfast cluster, one MQTT broker made of many"};
  app.set_version_flag("--version", "holdfastd " HF_VERSION);
  app.add_option("--config", given.file, "a JSON file; // comments are allowed (or HOLDFAST_CONFIG)");
  app.add_option("--member", given.members, "id=N,address=HOST:PORT[,zone=Z][,name=N]; once a member, "
                                            "this node included; replaces those of the file");
  app.add_option("--set", given.sets, "FIELD=VALUE, for any field of the configuration");
  for (const Shortcut& shortcut : shortcuts) {
    app.add_option_function<std::string>(
        shortcut.option,
        [&given, &shortcut](const std::string& value) {
          given.values.emplace_back(&shortcut, value);
        },
        shortcut.help);
  }
  app.add_flag("--check-config", order.check_only, "check the configuration and exit");
  app.add_flag("--print-config", order.print_only, "print the configuration in force and exit");
  bool print_schema = false;
  app.add_flag("--print-schema", print_schema, "print the JSON schema of the configuration file and exit");
  app.footer("Every field can also come from the environment: HOLDFAST_LISTEN_PORT=1884 is listen.port. The command line wins over\n"
             "the environment, the environment over the file.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : exit_bad_config};
  }
  if (print_schema) {
    std::cout << schema() << "\n";
    return {std::nullopt, 0};
  }
  given.variables = variables_of_process();
  if (const char* file = std::getenv("HOLDFAST_CONFIG"); file != nullptr && given.file.empty()) given.file = file;
  if (auto done = lay_over(order.settings, given); !done) {
    std::cerr << "holdfastd: " << done.error().text << "\n";
    return {std::nullopt, exit_bad_config};
  }
  order.read_again = [given]() -> Result<Settings> {
    Settings settings;
    if (auto done = lay_over(settings, given); !done) return tl::make_unexpected(done.error());
    return settings;
  };
  return {std::move(order), 0};
}

}  // namespace hf::app
