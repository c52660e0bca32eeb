// What one simulated client is to do, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/time.hpp"
#include "broker/mqtt/reason.hpp"

namespace hf::sim {

/// Which node a client dials next.
struct NodeChoice {
  enum class Policy : std::uint8_t {
    any,          ///< at random among the candidates
    round_robin,  ///< starts at the client's own number, then the next of the candidates each time
    next,         ///< starts at the first, then the next each time
  } policy = Policy::any;
  std::vector<std::string> candidates;  ///< in the cluster's order; not empty
};

/// A span of time drawn anew each time: uniform in [low, high], or exponential with mean `low`.
struct TimeDraw {
  enum class Kind : std::uint8_t { uniform, exponential } kind = Kind::uniform;
  Duration low{0}, high{0};  ///< exponential: high is the most, 0 is no limit
};

struct WillSpec {
  std::string topic;
  std::uint8_t qos = 0;
  bool retain = false;
  Duration delay{0};
  bool properties = false;  ///< it has some, as a message may: message_properties.hpp
  std::optional<std::uint32_t> expiry;  ///< seconds: how long it lasts once it is published; 5.0 only
};

struct SubscribeSpec {
  std::string filter;
  std::uint8_t qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;
  std::uint32_t identifier = 0;  ///< 0 is none
  Duration at{0};
  Duration every{0};  ///< again and again until the heal; 0 is once
};

struct UnsubscribeSpec {
  std::string filter;
  Duration at{0};
  Duration every{0};
};

struct PublishSpec {
  std::string topic;    ///< "{n}" and "{n%K}" stand for the message's number
  std::uint8_t qos = 0;
  bool retain = false;
  bool clear = false;   ///< an empty payload: deletes what is retained
  Duration interval = 1s;
  std::uint64_t count = 0;  ///< 0: until the quiet
  std::uint32_t size = 0;   ///< the payload is padded to this
  bool properties = false;  ///< each message has some: message_properties.hpp
  Duration at{0};
  std::optional<std::uint32_t> expiry;  ///< seconds: how long a message lasts; 5.0 only
};

enum class ChurnHow : std::uint8_t { drop, disconnect, takeover, crash, disconnect_with_will, disconnect_with_expiry };

/// What a DISCONNECT says beyond that it is one; 5.0 only.
struct Farewell {
  bool with_will = false;                       ///< reason 0x04: the will is to be published
  std::optional<std::uint32_t> session_expiry;  ///< seconds, in place of the CONNECT's
};

struct ChurnSpec {
  TimeDraw every;
  std::vector<ChurnHow> how;  ///< one of them each time; not empty
  bool move = false;          ///< to another node than the last
  TimeDraw offline;           ///< how long the client stays away
  TimeDraw session_expiry;    ///< of disconnect_with_expiry; whole seconds
};

/// Proves anew, on an open connection, who it is. Another user or another password is what no server may take.
struct ReauthenticateSpec {
  TimeDraw every;
  std::string user, password;
};

struct ClientSpec {
  std::string id;
  std::string group;
  std::uint32_t number = 0;  ///< within the run, 0, 1, …
  mqtt::Version version = mqtt::Version::v5;
  NodeChoice connect_to;
  std::string user, password;           ///< none: neither is sent
  bool challenge = false;               ///< it proves who it is by the method CHALLENGE, not by sending both; 5.0 only
  std::optional<ReauthenticateSpec> reauthenticate;  ///< until the heal; needs `challenge`
  bool clean_start = false;
  std::uint32_t session_expiry = 3600;  ///< seconds; 3.1.1 has none
  std::uint16_t keep_alive = 30;        ///< seconds; 0 is none
  std::uint16_t receive_maximum = 65535;
  std::uint16_t topic_aliases = 0;      ///< it takes, and gives (within the server's maximum); 5.0 only
  std::uint32_t maximum_packet_size = 0;  ///< it takes; 0 is any; 5.0 only
  bool problem_information = true;      ///< false: it asks for no explanations; 5.0 only
  std::uint16_t inflight = 16;          ///< most QoS 1/2 messages it has under way itself
  Duration start{0};
  std::optional<WillSpec> will;
  std::vector<SubscribeSpec> subscribe;
  std::vector<UnsubscribeSpec> unsubscribe;
  std::vector<PublishSpec> publish;
  TimeDraw ack_delay;
  Duration reconnect_min = 100ms, reconnect_max = 10s;
  bool reconnect_jitter = true;
  std::optional<ChurnSpec> churn;
  bool lowest_packet_id = false;  ///< behaviour "one_packet_id": ids are used again at once
  bool acknowledges_early = false;  ///< behaviour "early_pubrec": a PUBREC that could not be sent any more goes with the next CONNECT
  Duration latency{0};            ///< of its wire, drawn once

  /// After the end of its connection.
  [[nodiscard]] Duration expires_after() const {
    if (version != mqtt::Version::v5) return clean_start ? Duration(0) : Duration::max();
    return std::chrono::seconds(session_expiry);
  }
  /// The session outlives the connection. (3.1.1: clean session off.)
  [[nodiscard]] bool persistent() const {
    return version == mqtt::Version::v5 ? session_expiry > 0 : !clean_start;
  }
};

}  // namespace hf::sim
