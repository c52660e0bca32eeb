// One client's connection at its front: what was read, what was written, what is not answered yet.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "broker/access/guard.hpp"
#include "broker/base/ids.hpp"
#include "broker/base/on_demand.hpp"
#include "broker/base/time.hpp"
#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/node/answers.hpp"
#include "broker/node/message.pb.h"
#include "broker/node/rate.hpp"
#include "broker/node/topic_aliases.hpp"
#include "broker/slot/state.hpp"

namespace hf::node {

/// A PUBLISH of a client that is not acknowledged yet. Acknowledgements of one QoS leave in order [MQTT-4.6.0-2].
struct Unacknowledged {
  std::uint16_t packet_id = 0;
  std::uint8_t qos = 1;
  std::uint32_t matched = 0;
  bool complete = false;
  Instant since{};          ///< taken from the client
  mqtt::Reason refusal = mqtt::Reason::success;  ///< what the acknowledgement says instead
  std::string text;                              ///< why, for a person
};

/// What was written on this connection under a packet id of ours, so that a new coordinator that sends it
/// again is told what the client said instead of the client being told twice.
struct Written {
  enum class Step : std::uint8_t { publish, puback, pubrec, pubrel, pubcomp };
  slot::Name name;
  Step step = Step::publish;
  [[nodiscard]] bool open() const { return name.dot.seq != 0 && step != Step::puback && step != Step::pubcomp; }
};

/// Why a client is not read from.
enum class Pause : std::uint8_t {
  unacknowledged = 1,  ///< too many of its messages wait for somebody
  unsent = 2,          ///< it does not read what it is sent
  rate = 4,            ///< it publishes faster than allowed
  waiting = 8,         ///< it sends more while its CONNECT, or the routes, are waited for
  memory = 16,         ///< it publishes while memory is short
};

/// What is on its way between a client and the rest, and not finished.
struct Underway {
  std::list<std::shared_ptr<Unacknowledged>> publishes[2];  ///< QoS 1; QoS 2: one must not hold up the other
  std::set<std::uint16_t> unreleased;  ///< QoS 2 of a 5.0 client, until PUBCOMP or a PUBREC that refuses: they use up its quota
  std::map<std::uint16_t, Written> written;  ///< finished ones until the coordinator has stored that they are
  std::size_t asked = 0;          ///< PUBRELs, and filters of SUBSCRIBE and UNSUBSCRIBE, that the coordinator has not answered
  std::uint32_t outstanding = 0;  ///< of `written`: not finished by the client
  std::list<pb::Deliver> held;   ///< beyond the client's receive maximum, or under an id still in use
  pb::Acks acks;
  std::map<std::uint16_t, bool> doubted;  ///< PUBRECs of ids not in `written`, until their PUBLISH would be sent again; did it refuse?
  pb::Doubts doubts;             ///< those of them that are not asked about yet
  std::vector<std::pair<NodeId, pb::RetainedMark>> marks;  ///< said back once the client has taken what is unsent
  [[nodiscard]] std::size_t unacknowledged() const { return publishes[0].size() + publishes[1].size(); }
  [[nodiscard]] bool empty() const {
    return unacknowledged() == 0 && unreleased.empty() && written.empty() && held.empty() && acks.acks_size() == 0 && asked == 0 &&
           doubted.empty() && doubts.packet_ids_size() == 0 && marks.empty();
  }
};

/// A client's authentication by a method, which may go on at any time.
struct Proving {
  std::string method;
  std::unique_ptr<access::Exchange> exchange;  ///< that goes on: the first, or one anew
  std::optional<Instant> until;                ///< of one anew: the first has connect_timeout from the start
};

/// What is known of a client until CONNACK.
struct Opening {
  mqtt::Connect connect;  ///< without the will, once `record` has it
  std::string proof;      ///< the server's last data of an authentication, for CONNACK
};

/// Most are idle: what is needed only now and then lies behind a pointer.
struct Connection {
  /// `proving`: a CONNECT with an authentication method came, and is not answered yet.
  enum class Phase : std::uint8_t { fresh, proving, opening, open, closing };
  StreamId stream = 0;
  std::string remote, listener, identity;  ///< of its arrival
  bool same_machine = false;
  Phase phase = Phase::fresh;
  mqtt::Decoder decoder;
  std::uint64_t connected_ms = 0;  ///< wall clock, when it was accepted
  std::unique_ptr<Opening> opening;  ///< from CONNECT to CONNACK
  mqtt::Version version = mqtt::Version::v5;
  std::string client;
  SlotId home = 0;          ///< slot of the client id
  SlotId session_slot = 0;  ///< home, or the local slot for connection-bound sessions
  bool bound = false;
  slot::pb::Connect record;
  slot::Stamp connected;
  bool session_present = false;
  bool begins = false;              ///< its coordinator is to hear that the client has read so: see Front::bytes
  std::string out;
  OnDemand<Underway> underway;
  Instant last_heard{};
  Duration silence_max{};  ///< 0: none
  std::optional<std::uint32_t> expiry_override;
  bool asked_to_last = false;  ///< its CONNECT asked for a session expiry, whatever came of it
  bool goodbye = false;  ///< DISCONNECT 0x00 came: the will is void
  std::optional<Instant> over;  ///< the transport ended before CONNACK, and what had come is still to be heard: until then
  Allowance allowance;
  InboundAliases aliases_in;
  OutboundAliases aliases_out;
  access::Grant grant;              ///< from when it is let in
  std::unique_ptr<Proving> proving;  ///< where its CONNECT names an authentication method
  std::optional<Instant> login_until;
  std::uint8_t pauses = 0;          ///< bits of Pause: why it is not read from
  Instant alarm{};                  ///< the earliest time that is armed; none: not armed
  std::optional<Instant> partial_since;  ///< a packet began and is not complete
  std::optional<Instant> throttled_until;
  bool full = false;                ///< the client does not read what it is sent: see Front::flush
  Instant full_check{};
  std::uint64_t given = 0;          ///< bytes handed to the environment
  std::uint64_t taken = 0;          ///< of them, what the transport had taken when last looked at while full
  Rate publish_rate;

  Connection(StreamId id, std::uint32_t max_packet_size)
      : stream(id), decoder(mqtt::Role::server, max_packet_size) {}
  /// Not let in yet.
  [[nodiscard]] bool pending() const { return phase == Phase::fresh || phase == Phase::proving; }
  /// What its session is called in `session_slot`.
  [[nodiscard]] std::string session_key() const { return bound ? client + '\x1f' + std::to_string(stream) : client; }
  [[nodiscard]] bool v5() const { return version == mqtt::Version::v5; }
};

}  // namespace hf::node
