// The table of all fields: path, what is expected there, how it is set and read.
#include "broker/app/config_fields.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "broker/app/config_access.hpp"
#include "broker/app/config_auth.hpp"
#include "broker/app/config_kinds.hpp"
#include "broker/app/config_tls.hpp"

namespace hf::app {
namespace {

Field queue_policy() {
  using node::QueuePolicy;
  static const std::vector<std::pair<std::string, QueuePolicy>> names{{"drop_oldest", QueuePolicy::drop_oldest},
                                                                      {"drop_newest", QueuePolicy::drop_newest},
                                                                      {"reject", QueuePolicy::reject}};
  return {"session.queue_policy", R"(one of "drop_oldest", "drop_newest", "reject")",
          [](Settings& settings, const Json& value) {
            for (const auto& [name, policy] : names) {
              if (value != name) continue;
              settings.node.queue_policy = policy;
              return true;
            }
            return false;
          },
          [](const Settings& settings) {
            for (const auto& [name, policy] : names)
              if (policy == settings.node.queue_policy) return Json(name);
            return Json();
          },
          {{"enum", {"drop_oldest", "drop_newest", "reject"}}}};
}

Field memory() {
  return {"limits.memory", "0 for no limit, bytes from 16777216 to 1125899906842624, or a share such as \"80%\"",
          [](Settings& settings, const Json& value) {
            const auto found = memory_limit_of(value.is_string() ? value.get<std::string>() : value.dump());
            if (found) settings.memory = *found;
            return found.has_value();
          },
          [](const Settings& settings) {
            if (settings.memory.percent != 0) return Json(text_of(settings.memory));
            return Json(settings.memory.bytes);
          },
          {{"type", {"integer", "string"}}, {"minimum", 0}, {"maximum", std::uint64_t{1} << 50U}, {"pattern", "^(100|[1-9][0-9]?)%$"}}};
}

std::vector<Field> make_fields() {
  constexpr std::uint64_t u16 = std::numeric_limits<std::uint16_t>::max();
  constexpr std::uint64_t u32 = std::numeric_limits<std::uint32_t>::max();
  const std::string ip = "a numeric IPv4 or IPv6 address, such as \"0.0.0.0\"";
  using S = Settings;
  std::vector<Field> all{
      number("node.id", 1, u32, [](S& s) -> auto& { return s.node.id; }),
      text("listen.bind", ip, [](S& s) -> auto& { return s.bind; }),
      number("listen.port", 1, u16, [](S& s) -> auto& { return s.port; }),
      text("listen.peer_bind", ip, [](S& s) -> auto& { return s.peer_bind; }),
      number("listen.peer_port", 1, u16, [](S& s) -> auto& { return s.peer_port; }),
      number("listen.max_connections", 1, 10'000'000,
             [](S& s) -> auto& { return s.node.max_connections; }),
      text("storage.data_dir", "a path", [](S& s) -> auto& { return s.data_dir; }),
      text("cluster.name", "a name", [](S& s) -> auto& { return s.node.cluster_name; }),
      number("cluster.slots", 1, 65536, [](S& s) -> auto& { return s.node.slots; }),
      number("cluster.replicas", 1, 15, [](S& s) -> auto& { return s.node.replicas; }),
      number("cluster.write_quorum", 1, 15, [](S& s) -> auto& { return s.node.write_quorum; }),
      duration("cluster.heartbeat", 10ms, 60s, [](S& s) -> auto& { return s.node.heartbeat_every; }),
      duration("cluster.detect", 30ms, 600s, [](S& s) -> auto& { return s.node.detect_after; }),
      number("cluster.max_outbox", 65536, std::uint64_t{1} << 40U,
             [](S& s) -> auto& { return s.node.max_outbox_bytes; }),
      duration("stop.drain", 0ms, 24h, [](S& s) -> auto& { return s.node.drain; }),
      duration("sys.interval", 0ms, 24h, [](S& s) -> auto& { return s.node.sys_interval; }),
      duration("clock.max_drift", 1ms, 24h, [](S& s) -> auto& { return s.node.max_clock_drift; }),
      number("mqtt.max_packet_size", 256, 16 * 1024 * 1024,
             [](S& s) -> auto& { return s.node.max_packet_size; }),
      number("mqtt.receive_maximum", 1, u16,
             [](S& s) -> auto& { return s.node.receive_maximum; }),
      number("mqtt.topic_alias_max", 0, u16, [](S& s) -> auto& { return s.node.topic_alias_max; }),
      number("mqtt.max_keep_alive", 0, u16, [](S& s) -> auto& { return s.node.max_keep_alive; }),
      number("mqtt.max_qos", 0, 2, [](S& s) -> auto& { return s.node.max_qos; }),
      flag("mqtt.shared_available", [](S& s) -> auto& { return s.node.shared_available; }),
      flag("mqtt.wildcard_available", [](S& s) -> auto& { return s.node.wildcard_available; }),
      flag("mqtt.subscription_identifiers_available",
           [](S& s) -> auto& { return s.node.subscription_identifiers_available; }),
      flag("mqtt.check_payload_format", [](S& s) -> auto& { return s.node.check_payload_format; }),
      optional_text("mqtt.response_information", "a text, \"\" for none",
                    [](S& s) -> auto& { return s.node.response_information; }),
      optional_text("mqtt.server_reference", "a text, \"\" for none",
                    [](S& s) -> auto& { return s.node.server_reference; }),
      flag("mqtt.server_moved", [](S& s) -> auto& { return s.node.server_moved; }),
      number("mqtt.max_topic_length", 1, u16, [](S& s) -> auto& { return s.node.max_topic_length; }),
      number("mqtt.max_topic_levels", 1, 8192, [](S& s) -> auto& { return s.node.max_topic_levels; }),
      number("mqtt.max_pending", 1, 10'000'000, [](S& s) -> auto& { return s.node.max_pending; }),
      number("mqtt.max_connect_size", 64, 268'435'455,
             [](S& s) -> auto& { return s.node.max_connect_size; }),
      number("mqtt.connect_rate", 0, 1'000'000, [](S& s) -> auto& { return s.node.connect_rate; }),
      number("mqtt.connect_burst", 1, 1'000'000, [](S& s) -> auto& { return s.node.connect_burst; }),
      number("mqtt.publish_rate", 0, 1'000'000, [](S& s) -> auto& { return s.node.publish_rate; }),
      number("mqtt.publish_burst", 1, 1'000'000, [](S& s) -> auto& { return s.node.publish_burst; }),
      duration("mqtt.packet_timeout", 100ms, 24h, [](S& s) -> auto& { return s.node.packet_timeout; }),
      duration("mqtt.slow_reader_timeout", 100ms, 24h,
               [](S& s) -> auto& { return s.node.slow_reader_timeout; }),
      duration("mqtt.connect_timeout", 100ms, 600s,
               [](S& s) -> auto& { return s.node.connect_timeout; }),
      flag("mqtt.retain_available", [](S& s) -> auto& { return s.node.retain_available; }),
      number("retained.max_messages", 0, std::uint64_t{1} << 40U,
             [](S& s) -> auto& { return s.node.retained_max_messages; }),
      number("retained.max_bytes", 0, std::uint64_t{1} << 50U,
             [](S& s) -> auto& { return s.node.retained_max_bytes; }),
      number("session.max_filter_bytes", 1, std::uint64_t{1} << 40U,
             [](S& s) -> auto& { return s.node.max_filter_bytes; }),
      // Packet ids are given out in 16 stripes (DESIGN.md, 5.5), half of each for QoS 2: at most 2047 are in one.
      number("session.max_inflight", 1, 2047, [](S& s) -> auto& { return s.node.max_inflight; }),
      number("session.max_queued", 1, u32,
             [](S& s) -> auto& { return s.node.max_queued_messages; }),
      number("session.max_queued_bytes", 1, std::uint64_t{1} << 40U,
             [](S& s) -> auto& { return s.node.max_queued_bytes; }),
      queue_policy(),
      number("session.max_subscriptions", 1, u32,
             [](S& s) -> auto& { return s.node.max_subscriptions; }),
      number("session.max_unsent_bytes", 65536, u32,
             [](S& s) -> auto& { return s.node.max_unsent_bytes; }),
      access_anonymous(),
      access_users(),
      access_rules(),
      access_methods(),
      optional_text("access.password_file", "a path, \"\" for none", [](S& s) -> auto& { return s.auth.password_file; }),
      optional_text("access.acl_file", "a path, \"\" for none", [](S& s) -> auto& { return s.auth.acl_file; }),
      word("access.jwt.algorithm", {"", "HS256", "RS256", "ES256"}, [](S& s) -> auto& { return s.auth.jwt.algorithm; }),
      access_jwt_secret(),
      optional_text("access.jwt.secret_file", "a path, \"\" for none", [](S& s) -> auto& { return s.auth.jwt.secret_file; }),
      optional_text("access.jwt.public_key_file", "a path, \"\" for none",
                    [](S& s) -> auto& { return s.auth.jwt.public_key_file; }),
      optional_text("access.jwt.issuer", "a text, \"\" for any", [](S& s) -> auto& { return s.auth.jwt.issuer; }),
      optional_text("access.jwt.audience", "a text, \"\" for any", [](S& s) -> auto& { return s.auth.jwt.audience; }),
      text("access.jwt.user_claim", "the name of a claim", [](S& s) -> auto& { return s.auth.jwt.user_claim; }),
      word("access.jwt.user_is", {"", "user_name", "client_id"}, [](S& s) -> auto& { return s.auth.jwt.user_is; }),
      duration("access.jwt.leeway", 0ms, 600s, [](S& s) -> auto& { return s.auth.jwt.leeway; }),
      number("session.expiry_max", 0, u32,
             [](S& s) -> auto& { return s.node.session_expiry_max; }),
      duration("will.partition_grace", 0ms, 24h,
               [](S& s) -> auto& { return s.node.will_partition_grace; }),
      memory(),
      flag("admin.enabled", [](S& s) -> auto& { return s.admin.enabled; }),
      text("admin.bind", ip, [](S& s) -> auto& { return s.admin.bind; }),
      number("admin.port", 0, u16, [](S& s) -> auto& { return s.admin.port; }),
      number("admin.max_connections", 1, 10'000, [](S& s) -> auto& { return s.admin.max_connections; }),
      secret("admin.token", [](S& s) -> auto& { return s.admin.token; }),
      optional_text("admin.token_file", "a path, \"\" for none", [](S& s) -> auto& { return s.admin.token_file; }),
      flag("admin.open_health", [](S& s) -> auto& { return s.admin.open_health; }),
      flag("admin.open_metrics", [](S& s) -> auto& { return s.admin.open_metrics; }),
      word("log.level", {"debug", "info", "warn", "error"},
           [](S& s) -> auto& { return s.log_level; }),
      word("log.format", {"text", "json"}, [](S& s) -> auto& { return s.log_format; }),
  };
  for (const Field& field : cluster_tls_fields()) all.push_back(field);
  for (const Field& field : admin_tls_fields()) all.push_back(field);
  return all;
}

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> table = make_fields();
  return table;
}

}  // namespace hf::app
