// holdfast-ctl: a node's administration for people and scripts.
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "broker/ctl/commands.hpp"
#include "broker/ctl/token.hpp"
#include "broker/files/standard_streams.hpp"

namespace hf::ctl {
namespace {

std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

/// Where to ask, and as whom.
struct Access {
  std::string url = from_environment("HOLDFAST_CTL_URL", "http://127.0.0.1:8081");
  std::string token = from_environment("HOLDFAST_CTL_TOKEN", "");
  std::string token_file = from_environment("HOLDFAST_CTL_TOKEN_FILE", "");
  Security security{from_environment("HOLDFAST_CTL_CA", ""), from_environment("HOLDFAST_CTL_CERT", ""),
                    from_environment("HOLDFAST_CTL_KEY", "")};
};

void add_options(CLI::App& app, Access& access) {
  Security& security = access.security;
  app.add_option("--url", access.url, "the node's administration, http:// or https:// (HOLDFAST_CTL_URL; http://127.0.0.1:8081)");
  app.add_option("--token-file", access.token_file,
                 std::string("a file whose first line is the token (HOLDFAST_CTL_TOKEN_FILE); else that of this machine, if it may be "
                             "read: ") + machine_token);
  // After --token-file: it wins over a file, wherever that is named.
  app.add_option("--token", access.token, "better in HOLDFAST_CTL_TOKEN: a command line can be read by others")
      ->each([&access](const std::string&) { access.token_file.clear(); });
  auto* ca = app.add_option("--ca", security.ca, "a PEM file: who must have signed the node's certificate (HOLDFAST_CTL_CA; those that this "
                                                 "machine trusts)");
  app.add_option("--cert", security.certificate, "a PEM file: our certificate, for a node that asks for one (HOLDFAST_CTL_CERT)");
  app.add_option("--key", security.key, "a PEM file: its key (HOLDFAST_CTL_KEY)");
  app.add_flag("--insecure", security.insecure, "believes whoever answers: the node's certificate is not looked at")->excludes(ca);
}

Result<Client> client_of(const Access& access) {
  const Security& security = access.security;
  const auto url = parse_url(access.url);
  if (!url) return tl::make_unexpected(url.error());
  if (security.certificate.empty() != security.key.empty()) return fail(Blame::user, "--cert and --key: expected both or none");
  if (security.insecure && !url->tls) return fail(Blame::user, "--url is \"" + access.url + "\"; expected https:// beside --insecure");
  std::string token = access.token;
  if (!access.token_file.empty()) {
    auto found = token_in(access.token_file);
    if (!found) return tl::make_unexpected(found.error());
    token = std::move(*found);
  } else if (token.empty() && security.certificate.empty()) {
    token = token_of_machine(*url, security);
  }
  return Client(*url, token, security);
}

int run(int argc, char** argv) {
  Access access;
  bool json = false;
  std::string id, level;
  std::function<int(Commands&)> command;

  CLI::App app{"holdfast-ctl: asks a node of a Holdfast cluster, and tells it what to do"};
  app.set_version_flag("--version", "holdfast-ctl " HF_VERSION);
  add_options(app, access);
  app.add_flag("--json", json, "as JSON");
  app.footer("Exit status: 0 fine; 1 the answer is no (not safe, not found); 2 the command line; 3 the node cannot be reached, or refuses;\n"
             "4 standard output cannot be written to.");
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
  const auto client_made = client_of(access);
  if (!client_made) {
    std::cerr << "holdfast-ctl: " << client_made.error().text << "\n";
    return exit_usage;
  }
  Commands commands(*client_made, json, std::cout, std::cerr);
  return command(commands);
}

}  // namespace
}  // namespace hf::ctl

int main(int argc, char** argv) {
  hf::files::hold_standard_streams();
  try {
    const int status = hf::ctl::run(argc, argv);
    if (std::cout.flush()) return status;
    std::cerr << "holdfast-ctl: standard output cannot be written to\n";
    return hf::ctl::exit_unwritten;
  } catch (const std::exception& error) {
    std::cerr << "holdfast-ctl: " << error.what() << "\n";
    return hf::ctl::exit_unreachable;
  }
}
