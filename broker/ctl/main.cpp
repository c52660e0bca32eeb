// holdfast-ctl: a node's administration for people and scripts.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "broker/ctl/commands.hpp"

namespace hf::ctl {
namespace {

std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

/// The token's file has it in its first line.
Result<std::string> token_of(const std::string& given, const std::string& file) {
  if (file.empty()) return given;
  std::ifstream stream(file);
  std::string token;
  if (!std::getline(stream, token)) return fail(Blame::user, file + ": cannot be read, or is empty");
  if (!token.empty() && token.back() == '\r') token.pop_back();
  return token;
}

int run(int argc, char** argv) {
  std::string url = from_environment("HOLDFAST_CTL_URL", "http://127.0.0.1:8081");
  std::string token = from_environment("HOLDFAST_CTL_TOKEN", "");
  std::string token_file = from_environment("HOLDFAST_CTL_TOKEN_FILE", "");
  bool json = false;
  std::string id, level;
  std::function<int(Commands&)> command;

  CLI::App app{"holdfast-ctl: asks a node of a Holdfast cluster, and tells it what to do"};
  app.set_version_flag("--version", "holdfast-ctl " HF_VERSION);
  app.add_option("--url", url, "the node's administration (HOLDFAST_CTL_URL; http://127.0.0.1:8081)");
  const auto* token_option = app.add_option("--token", token, "better in HOLDFAST_CTL_TOKEN: a command line can be read by others");
  app.add_option("--token-file", token_file, "a file whose first line is the token (HOLDFAST_CTL_TOKEN_FILE)");
  app.add_flag("--json", json, "as JSON");
  app.footer("Exit status: 0 fine; 1 the answer is no (not safe, not found); 2 the command line; 3 the node cannot be reached, or refuses.");
  app.require_subcommand(1);
  app.fallthrough();  // --json may follow the command

  const auto plain = [&](const char* name, const char* help, int (Commands::*call)()) {
    app.add_subcommand(name, help)->callback([&command, call] { command = [call](Commands& all) { return (all.*call)(); }; });
  };
  const auto about = [&](CLI::App* parent, const char* name, const char* help, int (Commands::*call)(const std::string&)) {
    auto* sub = parent->add_subcommand(name, help);
    sub->add_option("ID", id, "the client's id")->required();
    sub->callback([&, call] { command = [&id, call](Commands& all) { return (all.*call)(id); }; });
  };
  plain("status", "this node: readiness, totals", &Commands::status);
  plain("nodes", "the members, as this node sees them", &Commands::nodes);
  plain("slots", "hash slots: replicas, coordinator, health", &Commands::slots);
  plain("clients", "connections of this node", &Commands::clients);
  plain("sessions", "persistent sessions in slots held by this node", &Commands::sessions);
  auto* client = app.add_subcommand("client", "one connection of this node")->require_subcommand(1);
  about(client, "show", "all about it", &Commands::client);
  auto* session = app.add_subcommand("session", "one persistent session")->require_subcommand(1);
  about(session, "show", "replicas, queue, subscriptions", &Commands::session);
  about(session, "delete", "ends it in the whole cluster", &Commands::end_session);
  about(&app, "disconnect", "ends a client's connection", &Commands::disconnect);
  plain("safe-to-stop", "would anything have too few copies without this node?", &Commands::safe_to_stop);
  auto* log_level = app.add_subcommand("log-level", "tells the log level, or sets it until the next restart or reload");
  log_level->add_option("LEVEL", level, "debug, info, warn or error")->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  log_level->callback([&] { command = [&level](Commands& all) { return all.log_level(level); }; });
  auto* trace = app.add_subcommand("trace", "a client's packets at this node as they come, until interrupted");
  trace->add_option("--client", id, "the client's id")->required();
  trace->callback([&] { command = [&id](Commands& all) { return all.trace(id); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_yes : exit_usage;
  }
  if (token_option->count() > 0) token_file.clear();
  const auto parsed = parse_url(url);
  const auto secret = token_of(token, token_file);
  if (!parsed || !secret) {
    std::cerr << "holdfast-ctl: " << (parsed ? secret.error().text : parsed.error().text) << "\n";
    return exit_usage;
  }
  const Client connection(*parsed, *secret);
  Commands commands(connection, json, std::cout, std::cerr);
  return command(commands);
}

}  // namespace
}  // namespace hf::ctl

int main(int argc, char** argv) {
  try {
    return hf::ctl::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "holdfast-ctl: " << error.what() << "\n";
    return hf::ctl::exit_unreachable;
  }
}
