// Who a client is: name and password, or an authentication method's exchange, before CONNACK and anew later.
#include <utility>

#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {

/// Logins that last longer are not timed: the instants of a node would overflow.
constexpr std::uint64_t lasting_ms = std::uint64_t{10} * 365 * 24 * 3600 * 1000;

mqtt::Auth auth_packet(const Connection& connection, mqtt::Reason reason, std::string data) {
  mqtt::Auth packet;
  packet.reason = reason;
  mqtt::PropertySet& said = packet.properties.edit();
  said.authentication_method = connection.proving->method;  // [MQTT-4.12.0-5]
  if (!data.empty()) said.authentication_data = std::move(data);
  return packet;
}

}  // namespace

access::Applicant Front::applicant(const Connection& connection) const {
  access::Applicant who{.client = connection.client,
                        .listener = connection.listener,
                        .identity = connection.identity,
                        .same_machine = connection.same_machine,
                        .wall_ms = parts_.env.wall_ms(),
                        .name = {},
                        .password = {}};
  if (!connection.opening) return who;
  const mqtt::Connect& packet = connection.opening->connect;
  if (packet.username) who.name = *packet.username;
  if (packet.password) who.password = *packet.password;
  return who;
}

std::optional<Refusal> Front::login_refusal(Connection& connection) {
  access::Verdict verdict = parts_.guard->login(applicant(connection));
  switch (verdict.login) {
    case access::Login::granted: let_in(connection, std::move(verdict.grant)); return std::nullopt;
    case access::Login::bad_credentials:
      if (!parts_.config.mutant.is("wrong_password_lets_in")) return Refusal{mqtt::Reason::bad_user_name_or_password, ""};
      let_in(connection, {});
      return std::nullopt;
    case access::Login::not_authorized: break;
  }
  return Refusal{mqtt::Reason::not_authorized, "a login is needed"};
}

void Front::let_in(Connection& connection, access::Grant grant) {
  connection.login_until.reset();
  if (grant.until_ms) {
    const std::uint64_t wall = parts_.env.wall_ms();
    const std::uint64_t left = *grant.until_ms > wall ? *grant.until_ms - wall : 0;
    if (left < lasting_ms) connection.login_until = parts_.env.now() + std::chrono::milliseconds(left);
  }
  if (connection.login_until) arm(connection, *connection.login_until);
  connection.grant = std::move(grant);
}

bool Front::begin_exchange(Connection& connection) {
  access::Draw draw{};
  if (!parts_.config.mutant.is("challenge_repeats"))
    for (auto& word : draw) word = parts_.env.random();
  connection.proving->exchange = parts_.guard->begin(connection.proving->method, applicant(connection), draw);
  return connection.proving->exchange != nullptr;
}

void Front::step(Connection& connection, const mqtt::Properties& properties) {
  using Next = access::Exchange::Next;
  const auto& data = properties->authentication_data;
  const Mutant& mutant = parts_.config.mutant;
  const bool anew = connection.phase == Connection::Phase::open;
  auto step = connection.proving->exchange->step(data ? std::string_view(*data) : std::string_view());
  if (step.next == Next::client && !mutant.is("first_step_lets_in"))  // [MQTT-4.12.0-2]
    return write(connection, auth_packet(connection, mqtt::Reason::continue_authentication, std::move(step.data)));
  connection.proving->exchange.reset();
  connection.proving->until.reset();
  const bool gone = step.grant.listed && !parts_.guard->knows(step.grant.user);
  if (anew && step.next == Next::failed && mutant.is("failed_reauthentication_ignored")) return proved(connection, {});
  const bool proven = step.next == Next::done || mutant.is("first_step_lets_in");
  const bool another =
      proven && anew && step.grant.user != connection.grant.user && !mutant.is("reauthentication_may_change_user");
  if (!proven || gone || another)  // [MQTT-4.12.0-4], [MQTT-4.12.1-2]
    return fail(connection, mqtt::Reason::not_authorized, another ? "the connection is another user's" : "");
  let_in(connection, std::move(step.grant));
  proved(connection, std::move(step.data));
}

void Front::proved(Connection& connection, std::string data) {
  if (connection.phase == Connection::Phase::open)
    return write(connection, auth_packet(connection, mqtt::Reason::success, std::move(data)));
  connection.opening->proof = std::move(data);
  open(connection);
}

void Front::on_auth(Connection& connection, const mqtt::Auth& packet) {
  if (!connection.proving)
    return fail(connection, mqtt::Reason::protocol_error, "AUTH where CONNECT named no authentication method [MQTT-4.12.0-7]");
  if (packet.properties->authentication_method != connection.proving->method)
    return fail(connection, mqtt::Reason::bad_authentication_method, "another method than CONNECT's [MQTT-4.12.1-1]");
  const bool anew = packet.reason == mqtt::Reason::reauthenticate;
  if (anew == (connection.proving->exchange != nullptr))
    return fail(connection, mqtt::Reason::protocol_error, anew ? "an authentication is under way" : "no authentication is under way");
  if (anew) {
    if (!begin_exchange(connection))
      return fail(connection, mqtt::Reason::bad_authentication_method, "no such authentication method any more");
    connection.proving->until = parts_.env.now() + parts_.config.connect_timeout;
    arm(connection, *connection.proving->until);
  }
  step(connection, packet.properties);
}

void Front::guard_changed() {
  std::vector<StreamId> all;
  for (const auto& [stream, connection] : connections_)
    if (!connection->pending() && connection->grant.listed && !parts_.guard->knows(connection->grant.user)) all.push_back(stream);
  for (const StreamId stream : all)
    if (Connection* connection = find(stream)) fail(*connection, mqtt::Reason::not_authorized, "the user is gone");
}

}  // namespace hf::node
