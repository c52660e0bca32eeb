// One table: name, unit, range and the field of node::Config.
#include "sim/scenario/settings.hpp"

#include <algorithm>
#include <array>

namespace hf::sim {

namespace {

enum class Unit : std::uint8_t { duration, size, number, seconds, policy };

/// In the order of node::QueuePolicy.
constexpr std::array<std::string_view, 3> policies{"drop_oldest", "drop_newest", "reject"};

struct Row {
  const char* name;
  Unit unit;
  std::int64_t low, high;
  void (*apply)(node::Config&, std::int64_t);
};

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t u32 = 0xFFFFFFFF;

const std::array<Row, 39>& table() {
  static constexpr std::array<Row, 39> rows = {{
      {"cluster.heartbeat", Unit::duration, ms, 60'000 * ms,
       [](node::Config& c, std::int64_t v) { c.heartbeat_every = Duration(v); }},
      {"cluster.detect", Unit::duration, ms, 600'000 * ms,
       [](node::Config& c, std::int64_t v) { c.detect_after = Duration(v); }},
      {"cluster.max_outbox", Unit::size, 1, INT64_MAX / 2,
       [](node::Config& c, std::int64_t v) { c.max_outbox_bytes = static_cast<std::uint64_t>(v); }},
      {"clock.max_drift", Unit::duration, 0, 86'400'000 * ms,
       [](node::Config& c, std::int64_t v) { c.max_clock_drift = Duration(v); }},
      {"mqtt.max_packet_size", Unit::size, 128, 268'435'460,
       [](node::Config& c, std::int64_t v) { c.max_packet_size = static_cast<std::uint32_t>(v); }},
      {"mqtt.max_connect_size", Unit::size, 128, 268'435'460,
       [](node::Config& c, std::int64_t v) { c.max_connect_size = static_cast<std::uint32_t>(v); }},
      {"mqtt.shared_available", Unit::number, 0, 1,
       [](node::Config& c, std::int64_t v) { c.shared_available = v != 0; }},
      {"mqtt.wildcard_available", Unit::number, 0, 1,
       [](node::Config& c, std::int64_t v) { c.wildcard_available = v != 0; }},
      {"mqtt.subscription_identifiers_available", Unit::number, 0, 1,
       [](node::Config& c, std::int64_t v) { c.subscription_identifiers_available = v != 0; }},
      {"mqtt.receive_maximum", Unit::number, 1, 65'535,
       [](node::Config& c, std::int64_t v) { c.receive_maximum = static_cast<std::uint16_t>(v); }},
      {"mqtt.topic_alias_max", Unit::number, 0, 65'535,
       [](node::Config& c, std::int64_t v) { c.topic_alias_max = static_cast<std::uint16_t>(v); }},
      {"mqtt.max_keep_alive", Unit::seconds, 0, 65'535,
       [](node::Config& c, std::int64_t v) { c.max_keep_alive = static_cast<std::uint16_t>(v); }},
      {"mqtt.max_qos", Unit::number, 0, 2,
       [](node::Config& c, std::int64_t v) { c.max_qos = static_cast<std::uint8_t>(v); }},
      {"mqtt.check_payload_format", Unit::number, 0, 1,
       [](node::Config& c, std::int64_t v) { c.check_payload_format = v != 0; }},
      {"mqtt.connect_timeout", Unit::duration, ms, 600'000 * ms,
       [](node::Config& c, std::int64_t v) { c.connect_timeout = Duration(v); }},
      {"mqtt.max_connections", Unit::number, 1, u32,
       [](node::Config& c, std::int64_t v) { c.max_connections = static_cast<std::uint32_t>(v); }},
      {"mqtt.retain_available", Unit::number, 0, 1,
       [](node::Config& c, std::int64_t v) { c.retain_available = v != 0; }},
      {"retained.page", Unit::number, 1, 256,
       [](node::Config& c, std::int64_t v) { c.retained_page = static_cast<std::uint16_t>(v); }},
      {"retained.max_messages", Unit::number, 0, INT64_MAX / 2,
       [](node::Config& c, std::int64_t v) { c.retained_max_messages = static_cast<std::uint64_t>(v); }},
      {"retained.max_bytes", Unit::size, 0, INT64_MAX / 2,
       [](node::Config& c, std::int64_t v) { c.retained_max_bytes = static_cast<std::uint64_t>(v); }},
      {"session.max_inflight", Unit::number, 1, 65'535,
       [](node::Config& c, std::int64_t v) { c.max_inflight = static_cast<std::uint16_t>(v); }},
      {"session.packet_id_max", Unit::number, 64, 65'535,  // two in each stripe at least
       [](node::Config& c, std::int64_t v) { c.packet_id_max = static_cast<std::uint16_t>(v); }},
      {"session.max_queued", Unit::number, 1, u32,
       [](node::Config& c, std::int64_t v) { c.max_queued_messages = static_cast<std::uint32_t>(v); }},
      {"session.max_queued_bytes", Unit::size, 1, INT64_MAX / 2,
       [](node::Config& c, std::int64_t v) { c.max_queued_bytes = static_cast<std::uint64_t>(v); }},
      {"session.queue_policy", Unit::policy, 0, 2,
       [](node::Config& c, std::int64_t v) { c.queue_policy = static_cast<node::QueuePolicy>(v); }},
      {"session.max_subscriptions", Unit::number, 1, u32,
       [](node::Config& c, std::int64_t v) { c.max_subscriptions = static_cast<std::uint32_t>(v); }},
      {"session.max_filter_bytes", Unit::size, 1, INT64_MAX / 2,
       [](node::Config& c, std::int64_t v) { c.max_filter_bytes = static_cast<std::uint64_t>(v); }},
      {"session.max_unsent_bytes", Unit::size, 65'536, u32,
       [](node::Config& c, std::int64_t v) { c.max_unsent_bytes = static_cast<std::uint32_t>(v); }},
      {"mqtt.max_topic_length", Unit::number, 1, 65'535,
       [](node::Config& c, std::int64_t v) { c.max_topic_length = static_cast<std::uint32_t>(v); }},
      {"mqtt.max_topic_levels", Unit::number, 1, 8192,
       [](node::Config& c, std::int64_t v) { c.max_topic_levels = static_cast<std::uint32_t>(v); }},
      {"mqtt.max_pending", Unit::number, 1, u32,
       [](node::Config& c, std::int64_t v) { c.max_pending = static_cast<std::uint32_t>(v); }},
      {"mqtt.connect_rate", Unit::number, 0, 1'000'000,
       [](node::Config& c, std::int64_t v) { c.connect_rate = static_cast<std::uint32_t>(v); }},
      {"mqtt.connect_burst", Unit::number, 1, 1'000'000,
       [](node::Config& c, std::int64_t v) { c.connect_burst = static_cast<std::uint32_t>(v); }},
      {"mqtt.publish_rate", Unit::number, 0, 1'000'000,
       [](node::Config& c, std::int64_t v) { c.publish_rate = static_cast<std::uint32_t>(v); }},
      {"mqtt.publish_burst", Unit::number, 1, 1'000'000,
       [](node::Config& c, std::int64_t v) { c.publish_burst = static_cast<std::uint32_t>(v); }},
      {"mqtt.packet_timeout", Unit::duration, ms, 86'400'000 * ms,
       [](node::Config& c, std::int64_t v) { c.packet_timeout = Duration(v); }},
      {"mqtt.slow_reader_timeout", Unit::duration, ms, 86'400'000 * ms,
       [](node::Config& c, std::int64_t v) { c.slow_reader_timeout = Duration(v); }},
      {"session.expiry_max", Unit::seconds, 0, u32,
       [](node::Config& c, std::int64_t v) { c.session_expiry_max = static_cast<std::uint32_t>(v); }},
      {"will.partition_grace", Unit::duration, 0, 86'400'000 * ms,
       [](node::Config& c, std::int64_t v) { c.will_partition_grace = Duration(v); }},
  }};
  return rows;
}

}  // namespace

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  for (const auto& row : table()) names.emplace_back(row.name);
  return names;
}

Setting read_setting(Reader& reader, const std::string& name) {
  for (const auto& row : table()) {
    if (name != row.name) continue;
    switch (row.unit) {
      case Unit::duration:
        return {name, reader.duration(name, Duration(0), Duration(row.low), Duration(row.high)).count()};
      case Unit::seconds: {
        const Duration high = std::chrono::seconds(row.high);
        return {name, reader.duration(name, Duration(0), Duration(0), high).count() / 1'000'000'000};
      }
      case Unit::size:
        return {name, static_cast<std::int64_t>(
                          reader.size(name, 0, static_cast<std::uint64_t>(row.high)))};
      case Unit::number:
        return {name, reader.number(name, 0, row.low, row.high)};
      case Unit::policy: {
        const std::string word = reader.text(name);
        const auto at = std::find(policies.begin(), policies.end(), word);
        if (at == policies.end()) reader.fail(name, "\"" + word + "\" is none of drop_oldest, drop_newest, reject");
        return {name, at - policies.begin()};
      }
    }
  }
  const std::string near = nearest(name, setting_names());
  reader.fail(name, "unknown setting" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

void apply_setting(const Setting& setting, node::Config& config) {
  for (const auto& row : table()) {
    if (setting.name == row.name) row.apply(config, setting.value);
  }
}

}  // namespace hf::sim
