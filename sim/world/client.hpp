// The simulated MQTT client: a correct one, that hops, drops and comes back as its spec says.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/packet.hpp"
#include "sim/check/history.hpp"
#include "sim/world/client_end.hpp"
#include "sim/world/client_spec.hpp"
#include "sim/world/world.hpp"

namespace hf::sim {

/// Invariants:
///  C1 the state that MQTT calls the session's (flows out, ids in) outlives connections and is given
///     up only when the server answers `session present` 0;
///  C2 what was sent and not answered is sent again, in order, once a connection: PUBLISH with DUP, or
///     PUBREL where PUBREC had come;
///  C3 a QoS 2 message is handed over once per id, at PUBLISH, until PUBREL (method A);
///  C4 at most one SUBSCRIBE or UNSUBSCRIBE is under way;
///  C5 a connection that was taken over is read for its end only;
///  C6 at most one authentication is under way, and no challenge is answered twice.
class Client final : public ClientEnd {
 public:
  static constexpr Duration patience = 5s;  ///< for CONNACK, PINGRESP and every acknowledgement

  Client(World& world, ClientSpec spec);
  void start();
  /// From `churn_end` no churn, no new subscriptions; from `publish_end` no new messages.
  void set_ends(VirtualTime churn_end, VirtualTime publish_end);

  // --- what a fault or its churn does to it
  void drop(Duration offline, bool move);
  void disconnect(Duration offline, bool move, const Farewell& farewell = {});
  void crash(Duration offline, bool move);  ///< the machine vanishes; its session state was on disk
  void takeover(bool move);
  /// Comes back now if it stays away.
  void come_back();

  [[nodiscard]] const ClientSpec& spec() const { return spec_; }
  [[nodiscard]] bool connected() const { return current_ && current_->phase == Phase::up; }
  /// The node it is connected to, "" when it is not.
  [[nodiscard]] std::string node() const { return connected() ? current_->node : ""; }
  /// Connected, and nothing is under way in either direction.
  [[nodiscard]] bool idle() const;
  /// Why not, for a person.
  [[nodiscard]] std::string waiting_for() const;

  struct Counters {
    std::uint64_t published = 0, received = 0, acknowledged = 0, connects = 0, takeovers = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

  void on_connected(StreamId stream) override;
  void on_bytes(StreamId stream, const Bytes& bytes) override;
  void on_closed(StreamId stream, env::CloseReason reason) override;
  void on_timer(std::uint64_t token) override;

 private:
  enum class Phase : std::uint8_t { dialling, connecting, up };
  struct Message {
    std::string publisher;
    std::uint64_t number = 0;
    friend bool operator==(const Message&, const Message&) = default;
  };
  struct Delayed {
    VirtualTime due = 0;
    mqtt::Packet packet;
  };
  /// An authentication under way.
  struct Proof {
    std::string password;
    bool anew = false, wrong = false;  ///< on an open connection; not as who it is there
    std::string nonce;                   ///< of the server, once it has come
    VirtualTime since = 0;
  };
  struct Connection {
    Connection();  // declared: Clang takes the class for incomplete else
    StreamId stream = 0;
    std::string node;
    std::uint64_t number = 0;  ///< 0 until CONNECT is sent
    mqtt::Decoder decoder{mqtt::Role::client};
    std::map<std::uint16_t, std::string> aliases_in;   ///< what the server calls its topics
    std::map<std::string, std::uint16_t> aliases_out;  ///< what we call ours
    std::uint16_t aliases_out_max = 0;
    Phase phase = Phase::dialling;
    VirtualTime since = 0, last_sent = 0;
    std::optional<VirtualTime> ping_sent;
    std::uint16_t send_quota = 65'535, keep_alive = 0;
    std::set<std::uint16_t> outstanding;           ///< from the server, unfinished by us
    std::map<std::uint16_t, Message> unacked_qos1;
    std::deque<Delayed> acks;
    std::optional<Proof> proof;  ///< under way
    std::optional<VirtualTime> reauthenticate_at;
  };
  /// One message of ours on its way, by its number: numbers ascend with time.
  struct Flow {
    std::size_t job = 0;
    std::string topic;
    std::uint16_t id = 0;
    bool released = false;   ///< PUBREC has come: PUBREL is what is due
    bool sent = false;       ///< on this connection
    bool published = false;  ///< as PUBLISH on this connection: counts against the quota
    VirtualTime sent_at = 0;
  };
  struct Job {
    VirtualTime next = 0;
    std::uint64_t count = 0;
  };
  struct Operation {
    bool subscribe = true;
    SubscribeSpec what;
  };
  struct UnderWay {
    Operation operation;
    std::uint16_t id = 0;
    VirtualTime sent_at = 0;
  };

  // client.cpp: connections and time
  void dial();
  std::string choose_node();
  void send_connect();
  void handle_connack(const mqtt::Connack& packet);
  void session_lost();
  void plan_reconnect(std::optional<Duration> offline, bool move);
  void over(Connection& connection, std::uint8_t code, bool clean, std::string text, std::optional<std::uint32_t> session_expiry = {});
  void abandon(std::string text, std::uint8_t reason);  ///< closes the current connection, plans the next
  void zombie_bytes(std::size_t index, const Bytes& bytes);
  void step();
  void churn();
  void check_patience();
  void ping();
  void arm();
  [[nodiscard]] std::optional<VirtualTime> deadline() const;
  [[nodiscard]] std::optional<VirtualTime> connected_deadline() const;
  void send(Connection& connection, const mqtt::Packet& packet);
  Duration draw(const TimeDraw& time, DrawSequence& draws);
  Event event(Event::Kind kind) const;
  void violation(std::string text);

  // client_auth.cpp
  void begin_proof(mqtt::Connect& packet);
  void handle_auth(const mqtt::Auth& packet);
  void challenged(const mqtt::Auth& packet);
  /// False: the connection is given up.
  [[nodiscard]] bool accepts_proof(const mqtt::Properties& properties);
  void check_proof(const mqtt::Connack& packet);
  void plan_reauthentication();
  void reauthenticate();
  void broken_authentication(const std::string& text);

  // client_receive.cpp
  void handle(const mqtt::Packet& packet);
  void handle_publish(mqtt::Publish packet);
  [[nodiscard]] bool resolve_alias(mqtt::Publish& packet);
  void check_publish(const mqtt::Publish& packet, const Message& message);
  void hand_over(const mqtt::Publish& packet, const Message& message);
  void acknowledge(mqtt::Packet packet);
  void send_due_acks();
  void handle_pubrel(const mqtt::Pubrel& packet);

  // client_properties.cpp
  void check_properties(const mqtt::Publish& packet, const Message& message);
  void check_problem_information(const mqtt::Packet& packet);

  // client_send.cpp
  void handle_puback(std::uint16_t id, mqtt::Reason reason);
  void handle_pubrec(std::uint16_t id, mqtt::Reason reason);
  void handle_pubcomp(std::uint16_t id);
  void handle_suback(const mqtt::Suback& packet);
  void handle_unsuback(const mqtt::Unsuback& packet);
  void pump();
  void resend();
  void publish_due();
  void put_alias(mqtt::Publish& packet);
  void send_flow(std::uint64_t number, Flow& flow, bool dup);
  void finish_flow(std::uint64_t number);
  void schedule_operations();
  void pump_operations();
  [[nodiscard]] bool job_ready(std::size_t index) const;
  [[nodiscard]] std::size_t quota_used() const;
  std::uint16_t free_id();

  World& world_;
  ClientSpec spec_;
  DrawSequence& choices_;
  DrawSequence& delays_;
  DrawSequence& churns_;
  Counters counters_;
  VirtualTime churn_end_ = INT64_MAX, publish_end_ = INT64_MAX;

  // connections
  std::optional<Connection> current_;
  std::vector<std::unique_ptr<Connection>> zombies_;
  std::optional<VirtualTime> connect_at_;
  bool move_ = false;
  std::string last_node_;
  std::uint64_t dials_ = 0, connections_ = 0, failures_ = 0;
  std::optional<VirtualTime> churn_at_;
  Ticket alarm_ = 0;
  VirtualTime alarm_at_ = -1;

  // the session's state
  std::map<std::uint64_t, Flow> flows_;
  std::map<std::uint16_t, std::uint64_t> flow_of_id_;
  std::map<std::uint16_t, Message> received_;  ///< QoS 2 ids not released
  std::vector<std::uint16_t> unsent_pubrecs_;  ///< see ClientSpec::acknowledges_early
  std::map<std::string, SubscribeSpec> wanted_;

  // the work
  std::vector<Job> jobs_;
  std::vector<VirtualTime> subscribe_at_, unsubscribe_at_;  ///< INT64_MAX: no more
  std::deque<Operation> operations_;
  std::optional<UnderWay> under_way_;
  std::set<std::string> nonces_;  ///< it was ever challenged with
  std::uint64_t last_number_ = 0;
  std::uint16_t last_id_ = 0;
};

}  // namespace hf::sim
