// What a node is told at start: who it is, who the members are, and every limit it keeps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/access/policy.hpp"
#include "broker/base/ids.hpp"
#include "broker/base/mutant.hpp"
#include "broker/base/time.hpp"

namespace hf::node {

/// One member of the cluster. `address` is what env::Environment::dial takes.
struct MemberConfig {
  NodeId id = 0;
  std::string name;
  std::string address;
  std::string zone;
};

/// What happens to a message for a session whose queue is full. Each loss is counted.
enum class QueuePolicy : std::uint8_t {
  drop_oldest,  ///< what waits longest goes
  drop_newest,  ///< this message goes
  reject,       ///< this message goes, and its publisher is told: at QoS 1 by 0x97, at QoS 2 in words, see Front::short_of_room
};

struct Config {
  NodeId id = 1;
  std::string cluster_name = "holdfast";
  std::string version;                ///< for a person: $SYS/broker/version
  std::vector<MemberConfig> members;  ///< this node included
  std::uint32_t slots = 64;
  std::uint32_t replicas = 3;
  std::uint32_t write_quorum = 2;

  Duration heartbeat_every = 200ms;  ///< cluster.heartbeat
  Duration detect_after = 1s;        ///< cluster.detect: silence that makes a peer unreachable
  Duration max_clock_drift = 10s;    ///< clock.max_drift

  std::uint32_t max_packet_size = 1024 * 1024;      ///< mqtt.max_packet_size, bytes
  std::uint16_t topic_alias_max = 16;               ///< mqtt.topic_alias_max: either way, 0 none
  std::uint16_t max_keep_alive = 0;                 ///< mqtt.max_keep_alive, seconds; 0: the client's own. 5.0 only
  std::uint8_t max_qos = 2;                         ///< mqtt.max_qos
  bool shared_available = true;                     ///< mqtt.shared_available
  bool wildcard_available = true;                   ///< mqtt.wildcard_available
  bool subscription_identifiers_available = true;   ///< mqtt.subscription_identifiers_available
  bool check_payload_format = false;                ///< mqtt.check_payload_format: payloads that say so must be UTF-8
  std::string response_information;                 ///< mqtt.response_information, for those who ask; "" none
  std::string server_reference;                     ///< mqtt.server_reference: where clients are sent on stop; "" none
  bool server_moved = false;                        ///< mqtt.server_moved: for ever (0x9D, not 0x9C)
  std::uint16_t receive_maximum = 64;               ///< mqtt.receive_maximum: QoS 1/2 from a client
  std::uint16_t max_inflight = 32;                  ///< session.max_inflight: QoS 1/2 to a client
  std::uint16_t retained_page = 256;                 ///< messages that are read at once; less only in the simulator
  std::uint16_t packet_id_max = 65'535;              ///< of ids given to a client; less only in the simulator, where they are to run out
  std::uint32_t max_queued_messages = 100'000;      ///< session.max_queued
  std::uint64_t max_queued_bytes = 256U << 20U;     ///< session.max_queued_bytes: topics, payloads, properties
  QueuePolicy queue_policy = QueuePolicy::drop_newest;  ///< session.queue_policy
  std::uint32_t max_subscriptions = 100'000;        ///< session.max_subscriptions
  std::uint64_t max_filter_bytes = 16U << 20U;      ///< session.max_filter_bytes: of all its subscriptions
  std::uint32_t max_unsent_bytes = 4U << 20U;       ///< session.max_unsent_bytes: then QoS 0 is dropped for this client
  std::uint32_t max_topic_length = 65'535;          ///< mqtt.max_topic_length, bytes of names and filters
  std::uint32_t max_topic_levels = 128;             ///< mqtt.max_topic_levels
  std::uint32_t max_pending = 1000;                 ///< mqtt.max_pending: connections before CONNECT is accepted
  std::uint32_t max_connect_size = 128 * 1024;      ///< mqtt.max_connect_size, bytes of a CONNECT packet
  std::uint32_t connect_rate = 0;                   ///< mqtt.connect_rate, a second; 0 no limit
  std::uint32_t connect_burst = 1000;               ///< mqtt.connect_burst
  std::uint32_t publish_rate = 0;                   ///< mqtt.publish_rate, a second and connection; 0 no limit
  std::uint32_t publish_burst = 100;                ///< mqtt.publish_burst
  Duration packet_timeout = 60s;                    ///< mqtt.packet_timeout: for the rest of a packet that began
  Duration slow_reader_timeout = 60s;               ///< mqtt.slow_reader_timeout: without taking a byte
  access::Policy access;                            ///< access.*
  std::uint32_t max_connections = 100'000;          ///< that have said CONNECT; then quota exceeded
  bool retain_available = true;                     ///< mqtt.retain_available
  std::uint64_t retained_max_messages = 5'000'000;  ///< retained.max_messages: held by this node, then refused (0x97)
  std::uint64_t retained_max_bytes = std::uint64_t{4} << 30U;  ///< retained.max_bytes: of topics, payloads, properties
  std::uint32_t session_expiry_max = 0xFFFFFFFF;    ///< seconds; MQTT 3.1.1 sessions get it
  Duration connect_timeout = 10s;                   ///< CONNECT must arrive within
  std::uint64_t max_outbox_bytes = 16 * 1024 * 1024; ///< per peer, unacknowledged

  Duration will_partition_grace = 30s;  ///< will.partition_grace: silence of a front before wills of its clients are published

  Duration drain{};                  ///< stop.drain: over how long clients are sent away on stop; 0: at once
  Duration sys_interval{};           ///< sys.interval: how often $SYS is told; 0 never

  bool trace_messages = false;  ///< log every operation made and message handled: for a person who follows one packet
  Mutant mutant;  ///< only the simulator sets one
};

}  // namespace hf::node
