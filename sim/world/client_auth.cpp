// A client proves who it is by challenge and answer: with CONNECT, and anew while messages flow.
#include "sim/world/challenge.hpp"
#include "sim/world/client.hpp"

namespace hf::sim {

namespace {

mqtt::Auth auth_packet(mqtt::Reason reason, std::string data) {
  mqtt::Auth packet;
  packet.reason = reason;
  packet.properties.edit().authentication_method = std::string(challenge_method);
  packet.properties.edit().authentication_data = std::move(data);
  return packet;
}

}  // namespace

void Client::begin_proof(mqtt::Connect& packet) {
  packet.properties.edit().authentication_method = std::string(challenge_method);
  packet.properties.edit().authentication_data = spec_.user;
  current_->proof = Proof{spec_.password, false, false, {}, world_.now()};
}

void Client::broken_authentication(const std::string& text) {
  violation(text);
  abandon("protocol error", mqtt::code(mqtt::Reason::protocol_error));
}

void Client::handle_auth(const mqtt::Auth& packet) {
  if (!current_->proof) return broken_authentication("AUTH where no authentication is under way [MQTT-4.12.0-6]");
  if (packet.properties->authentication_method != challenge_method)
    return broken_authentication("AUTH with another authentication method than CONNECT's [MQTT-4.12.0-5]");
  if (packet.reason == mqtt::Reason::continue_authentication) return challenged(packet);
  if (packet.reason != mqtt::Reason::success || !current_->proof->anew)
    return broken_authentication("AUTH with reason " + std::string(mqtt::name(packet.reason)) + " [MQTT-4.12.0-2]");
  Event note = event(Event::Kind::reauthenticated);
  note.flag = current_->proof->wrong;
  world_.note(std::move(note));
  if (!accepts_proof(packet.properties)) return;
  current_->proof.reset();
  plan_reauthentication();
}

void Client::challenged(const mqtt::Auth& packet) {
  Proof& proof = *current_->proof;
  if (!proof.nonce.empty()) return broken_authentication("AUTH asks for more, after the answer");
  proof.nonce = packet.properties->authentication_data.value_or("");
  if (!nonces_.insert(proof.nonce).second || proof.nonce.empty())
    return broken_authentication("challenged as before: whoever listened can answer");
  send(*current_, auth_packet(mqtt::Reason::continue_authentication, challenge_answer(proof.nonce, proof.password)));
}

/// The last word of a server that let the client in.
bool Client::accepts_proof(const mqtt::Properties& properties) {
  const Proof& proof = *current_->proof;
  if (proof.nonce.empty()) broken_authentication("an authentication is over that asked for nothing");
  else if (properties->authentication_method != challenge_method)
    broken_authentication("another authentication method than CONNECT's [MQTT-4.12.0-5]");
  else if (properties->authentication_data != challenge_proof(proof.nonce, proof.password))
    broken_authentication("the server does not prove that it knows the password");
  else return true;
  return false;
}

/// Of a CONNACK that lets it in.
void Client::check_proof(const mqtt::Connack& packet) {
  if (current_->proof) {
    if (accepts_proof(packet.properties)) plan_reauthentication();
    if (current_) current_->proof.reset();
  } else if (packet.properties->authentication_method || packet.properties->authentication_data) {
    broken_authentication("CONNACK with an authentication method where CONNECT had none");
  }
}

void Client::plan_reauthentication() {
  if (!spec_.reauthenticate) return;
  DrawSequence& draws = world_.draws().of("client.reauthenticate", spec_.id);
  const Duration wait = draw(spec_.reauthenticate->every, draws);
  current_->reauthenticate_at = world_.now() + wait.count();
}

void Client::reauthenticate() {
  auto& due = current_->reauthenticate_at;
  if (!due || *due > world_.now()) return;
  due.reset();
  if (world_.now() >= churn_end_) return;
  const ReauthenticateSpec& as = *spec_.reauthenticate;
  const bool wrong = as.user != spec_.user || as.password != spec_.password;
  current_->proof = Proof{as.password, true, wrong, {}, world_.now()};
  Event note = event(Event::Kind::reauthenticate_sent);
  note.flag = wrong;
  note.text = as.user;
  world_.note(std::move(note));
  send(*current_, auth_packet(mqtt::Reason::reauthenticate, as.user));
}

}  // namespace hf::sim
