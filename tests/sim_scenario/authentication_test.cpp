// The simulated client's part of an authentication, against a server that goes wrong in one step of it.
#include <gtest/gtest.h>

#include <map>

#include "sim/scenario/parse.hpp"
#include "sim/scenario/run.hpp"
#include "sim/world/challenge.hpp"
#include "tests/sim_scenario/packet_server.hpp"

namespace hf::sim {
namespace {

enum class Wrong {
  nothing, no_challenge, other_method, other_reason, twice, same_nonce, no_proof, no_method, done_too_early, unasked, unasked_method
};

/// Lets everybody in who answers with the password "p".
class Authenticator final : public PacketServer {
 public:
  Authenticator(env::Environment& environment, Wrong wrong) : PacketServer(environment), wrong_(wrong) {}

 private:
  void on_packet(StreamId stream, const mqtt::Packet& packet) override {
    if (const auto* connect = std::get_if<mqtt::Connect>(&packet)) begin(stream, connect->properties->authentication_method.has_value());
    if (const auto* auth = std::get_if<mqtt::Auth>(&packet)) step(stream, *auth);
  }

  void begin(StreamId stream, bool method) {
    open_[stream] = false;
    if (method && wrong_ != Wrong::no_challenge) return challenge(stream);
    accept(stream, {});
    if (wrong_ == Wrong::unasked) challenge(stream);
  }

  void challenge(StreamId stream) {
    nonces_[stream] = wrong_ == Wrong::same_nonce ? "nonce" : "nonce " + std::to_string(++challenges_);
    const bool early = wrong_ == Wrong::done_too_early && open_[stream];
    say(stream, early ? mqtt::Reason::success : wrong_ == Wrong::other_reason ? mqtt::Reason::reauthenticate : mqtt::Reason::continue_authentication,
        nonces_[stream]);
  }

  void step(StreamId stream, const mqtt::Auth& packet) {
    if (packet.reason == mqtt::Reason::reauthenticate) return challenge(stream);
    const std::string& nonce = nonces_[stream];
    EXPECT_EQ(packet.properties->authentication_data, challenge_answer(nonce, "p"));
    if (wrong_ == Wrong::twice) return say(stream, mqtt::Reason::continue_authentication, "another");
    const std::string proof = wrong_ == Wrong::no_proof ? "trust me" : challenge_proof(nonce, "p");
    if (open_[stream]) return say(stream, mqtt::Reason::success, proof);
    accept(stream, proof);
  }

  void accept(StreamId stream, const std::string& proof) {
    open_[stream] = true;
    mqtt::Connack packet;
    const bool method = wrong_ == Wrong::unasked_method || (!proof.empty() && wrong_ != Wrong::no_method);
    if (method) packet.properties.edit().authentication_method = std::string(challenge_method);
    if (!proof.empty()) packet.properties.edit().authentication_data = proof;
    send(stream, packet);
  }

  void say(StreamId stream, mqtt::Reason reason, const std::string& data) {
    mqtt::Auth packet;
    packet.reason = reason;
    packet.properties.edit().authentication_method = wrong_ == Wrong::other_method ? "OTHER" : std::string(challenge_method);
    packet.properties.edit().authentication_data = data;
    send(stream, packet);
  }

  Wrong wrong_;
  std::map<StreamId, bool> open_;
  std::map<StreamId, std::string> nonces_;
  int challenges_ = 0;
};

struct Row {
  Wrong wrong;
  bool challenge;    ///< how the client logs in
  const char* says;  ///< the client, first; "": it is content
};

TEST(Authentication, a_client_holds_each_step_against_the_protocol) {
  for (const Row& row : {Row{Wrong::nothing, true, ""}, Row{Wrong::nothing, false, ""},
                         Row{Wrong::no_challenge, true, "asked for nothing"}, Row{Wrong::other_method, true, "AUTH with another"},
                         Row{Wrong::other_reason, true, "reason code is none of this packet's"}, Row{Wrong::twice, true, "after the answer"},
                         Row{Wrong::same_nonce, true, "challenged as before"}, Row{Wrong::no_proof, true, "does not prove"},
                         Row{Wrong::no_method, true, "authentication method is missing"},
                         Row{Wrong::done_too_early, true, "asked for nothing"}, Row{Wrong::unasked, false, "no authentication is under way"},
                         Row{Wrong::unasked_method, false, "where CONNECT had none"}}) {
    const std::string login = row.challenge ? R"("authenticate":"challenge","reauthenticate":{"every":"1s"},)" : "";
    const auto scenario = parse_scenario(R"({"duration":"8s","cluster":{"nodes":1,"access":{"users":[{"name":"u","password":"p"}]}},
      "heal":{"at":"5s","settle":"4s"},"clients":[{)" + login + R"("user":"u","password":"p"}]})", "x");
    ASSERT_TRUE(scenario) << scenario.error().text;
    Inside inside;
    inside.factory = [&](env::Environment& environment, const node::Config&) {
      return std::make_unique<Authenticator>(environment, row.wrong);
    };
    const RunResult result = run_scenario(*scenario, inside);
    std::string said;
    std::uint64_t anew = 0;
    for (const Event& event : result.history.events) {
      if (event.kind == Event::Kind::protocol_violation && said.empty()) said = event.text;
      if (event.kind == Event::Kind::reauthenticated) ++anew;
    }
    EXPECT_EQ(said.empty(), *row.says == '\0') << said;
    EXPECT_NE(said.find(row.says), std::string::npos) << said << " instead of " << row.says;
    if (row.wrong != Wrong::nothing) continue;
    EXPECT_EQ(anew, row.challenge ? 4U : 0U) << "one a second until the heal";
  }
}

}  // namespace
}  // namespace hf::sim
