// Client groups: read once, expanded to clients.
#include <algorithm>
#include <set>

#include "sim/scenario/parse_parts.hpp"

namespace hf::sim {

namespace {

TimeDraw time_draw(Reader& reader, std::string_view name, const Drawn& drawn) {
  switch (drawn.kind) {
    case Drawn::Kind::fixed:
      return {TimeDraw::Kind::uniform, Duration(drawn.a), Duration(drawn.a)};
    case Drawn::Kind::uniform:
      return {TimeDraw::Kind::uniform, Duration(drawn.a), Duration(drawn.b)};
    case Drawn::Kind::exponential:
      return {TimeDraw::Kind::exponential, Duration(drawn.a), Duration(drawn.b)};
    default:
      reader.fail(name, "only a duration, \"uniform\" or \"exp\" here");
  }
}

TimeDraw read_time(Reader& reader, std::string_view name, Duration otherwise, Duration low = Duration(0)) {
  return time_draw(reader, name, reader.drawn_duration(name, Drawn::fixed(otherwise.count()), low));
}

NodeChoice read_choice(Reader& reader, const ClusterSpec& cluster) {
  NodeChoice choice;
  const std::string text = reader.text("connect_to", "any");
  if (text == "coordinator") reader.fail("connect_to", "coordinator is not supported yet");
  if (text == "round_robin") choice.policy = NodeChoice::Policy::round_robin;
  if (text == "next") choice.policy = NodeChoice::Policy::next;
  const bool all = text == "any" || text == "round_robin" || text == "next";
  for (const auto& node : cluster.nodes) {
    if (all || text == node.name || text == "zone:" + node.zone) choice.candidates.push_back(node.name);
  }
  if (choice.candidates.empty()) {
    reader.fail("connect_to", "\"" + text + "\" is no node, no zone, nor any, next, round_robin");
  }
  return choice;
}

std::uint8_t read_qos(Reader& reader) { return static_cast<std::uint8_t>(reader.number("qos", 0, 0, 2)); }

std::uint32_t seconds(Duration time) { return static_cast<std::uint32_t>(time / 1s); }

/// What only MQTT 5 can say.
void read_identifier(Reader& reader, const ClientSpec& spec, SubscribeSpec& item) {
  item.identifier = static_cast<std::uint32_t>(reader.number("identifier", 0, 0, 268'435'455));
  if (item.identifier != 0 && spec.version != mqtt::Version::v5) reader.fail("identifier", "only MQTT 5 has subscription identifiers");
}

bool read_properties(Reader& reader, const ClientSpec& spec) {
  const bool properties = reader.flag("properties", false);
  if (properties && spec.version != mqtt::Version::v5) reader.fail("properties", "only MQTT 5 has properties");
  return properties;
}

void read_problem_information(Reader& reader, ClientSpec& spec) {
  spec.problem_information = reader.flag("problem_information", true);
  if (!spec.problem_information && spec.version != mqtt::Version::v5)
    reader.fail("problem_information", "only MQTT 5 clients can ask for none");
}

/// How long a message lasts, none: for ever.
std::optional<std::uint32_t> read_message_expiry(Reader& reader, const ClientSpec& spec) {
  if (!reader.has("expiry")) return std::nullopt;
  if (spec.version != mqtt::Version::v5) reader.fail("expiry", "only MQTT 5 has messages that expire");
  return seconds(reader.duration("expiry", 1s, 1s));
}

void read_workload(Reader& reader, ClientSpec& spec) {
  reader.each("subscribe", {"name", "filter"}, [&](Reader& r) {
    SubscribeSpec item;
    item.filter = r.text("filter");
    if (item.filter.empty()) r.fail("filter", "a subscription needs a filter");
    item.qos = read_qos(r);
    item.no_local = r.flag("no_local", false);
    item.retain_as_published = r.flag("retain_as_published", false);
    item.retain_handling = static_cast<std::uint8_t>(r.number("retain_handling", 0, 0, 2));
    read_identifier(r, spec, item);
    item.at = r.duration("at", Duration(0));
    item.every = r.duration("every", Duration(0));
    const std::string share = r.text("share");
    if (!share.empty()) item.filter = "$share/" + share + "/" + item.filter;
    spec.subscribe.push_back(std::move(item));
  });
  reader.each("unsubscribe", {"name", "filter"}, [&](Reader& r) {
    UnsubscribeSpec item;
    item.filter = r.text("filter");
    if (item.filter.empty()) r.fail("filter", "an unsubscription needs a filter");
    item.at = r.duration("at", Duration(0));
    item.every = r.duration("every", Duration(0));
    const std::string share = r.text("share");
    if (!share.empty()) item.filter = "$share/" + share + "/" + item.filter;
    spec.unsubscribe.push_back(std::move(item));
  });
  reader.each("publish", {"name", "topic"}, [&](Reader& r) {
    PublishSpec item;
    item.topic = r.text("topic");
    if (item.topic.empty()) r.fail("topic", "a publication needs a topic");
    item.qos = read_qos(r);
    item.interval = r.rate("rate", 1s);
    item.count = static_cast<std::uint64_t>(r.number("count", 0, 0, INT64_MAX / 2));
    item.retain = r.flag("retain", false);
    item.clear = r.flag("clear", false);
    if (item.clear && !item.retain) r.fail("clear", "deletes a retained message: needs \"retain\": true");
    item.size = static_cast<std::uint32_t>(r.size("size", 0, 16U << 20U));
    item.properties = read_properties(r, spec);
    item.at = r.duration("at", Duration(0));
    item.expiry = read_message_expiry(r, spec);
    spec.publish.push_back(std::move(item));
  });
}

constexpr const char* churn_hows = "drop, disconnect, takeover, crash, disconnect_with_will, disconnect_with_expiry";

void read_churn(Reader& reader, ClientSpec& spec) {
  reader.object("churn", [&](Reader& r) {
    ChurnSpec churn;
    churn.every = read_time(r, "every", 10s, 1ms);
    churn.move = r.flag("move", false);
    churn.offline = read_time(r, "offline", Duration(0));
    churn.session_expiry = read_time(r, "session_expiry", Duration(0));
    std::string how = r.text("how", "drop");
    while (!how.empty()) {
      const auto bar = how.find('|');
      const std::string one = how.substr(0, bar);
      how = bar == std::string::npos ? "" : how.substr(bar + 1);
      if (one == "drop") churn.how.push_back(ChurnHow::drop);
      else if (one == "disconnect") churn.how.push_back(ChurnHow::disconnect);
      else if (one == "takeover") churn.how.push_back(ChurnHow::takeover);
      else if (one == "crash") churn.how.push_back(ChurnHow::crash);
      else if (one == "disconnect_with_will") churn.how.push_back(ChurnHow::disconnect_with_will);
      else if (one == "disconnect_with_expiry") churn.how.push_back(ChurnHow::disconnect_with_expiry);
      else r.fail("how", "\"" + one + "\" is none of " + churn_hows);
      if (one.starts_with("disconnect_") && spec.version != mqtt::Version::v5) r.fail("how", "\"" + one + "\" needs MQTT 5");
      // From 0 no DISCONNECT may raise it [MQTT-3.14.2-2].
      if (one == "disconnect_with_expiry" && spec.session_expiry == 0)
        r.fail("how", "\"" + one + "\" needs a \"session_expiry\" of the client");
    }
    if (churn.how.empty()) r.fail("how", std::string("must name one of ") + churn_hows);
    spec.churn = std::move(churn);
  });
}

void read_login(Reader& reader, ClientSpec& spec) {
  spec.user = reader.text("user");
  spec.password = reader.text("password");
  spec.challenge = reader.word("authenticate", {"password", "challenge"}, "password") == "challenge";
  if (spec.challenge && spec.version != mqtt::Version::v5) reader.fail("authenticate", "only MQTT 5 has challenges");
  if (spec.challenge && spec.user.empty()) reader.fail("authenticate", "a challenge needs a \"user\"");
  reader.object("reauthenticate", [&](Reader& r) {
    ReauthenticateSpec again;
    again.every = read_time(r, "every", 10s, 1ms);
    again.user = r.text("user", spec.user);
    again.password = r.text("password", spec.password);
    if (!spec.challenge) r.fail("every", "needs \"authenticate\": \"challenge\"");
    spec.reauthenticate = std::move(again);
  });
}

void read_session(Reader& reader, ClientSpec& spec) {
  spec.version = static_cast<mqtt::Version>(reader.number("mqtt", 5, 3, 5));
  spec.clean_start = reader.flag("clean_start", false);
  if (spec.version == mqtt::Version::v31 && !spec.clean_start)
    reader.fail("mqtt", "3 needs \"clean_start\": true, since MQTT 3.1 does not say whether a session was present");
  read_login(reader, spec);
  spec.session_expiry = seconds(reader.duration("session_expiry", spec.clean_start ? Duration(0) : 1h));
  spec.keep_alive = static_cast<std::uint16_t>(
      seconds(reader.duration("keepalive", 30s, Duration(0), std::chrono::seconds(65'535))));
  spec.receive_maximum = static_cast<std::uint16_t>(reader.number("receive_maximum", 65'535, 1, 65'535));
  spec.topic_aliases = static_cast<std::uint16_t>(reader.number("topic_aliases", 0, 0, 65'535));
  spec.maximum_packet_size = static_cast<std::uint32_t>(reader.size("maximum_packet_size", 0, 268'435'460));
  read_problem_information(reader, spec);
  spec.inflight = static_cast<std::uint16_t>(reader.number("inflight", 16, 1, 1000));
  spec.start = reader.duration("start", Duration(0));
  spec.ack_delay = read_time(reader, "ack_delay", Duration(0));
  reader.object("reconnect", [&](Reader& r) {
    spec.reconnect_min = r.duration("min", spec.reconnect_min, 1ms);
    spec.reconnect_max = r.duration("max", std::max(spec.reconnect_min, spec.reconnect_max), spec.reconnect_min);
    spec.reconnect_jitter = r.flag("jitter", true);
  });
  reader.object("will", [&](Reader& r) {
    WillSpec will;
    will.topic = r.text("topic");
    if (will.topic.empty()) r.fail("topic", "a will needs a topic");
    will.qos = read_qos(r);
    will.retain = r.flag("retain", false);
    will.delay = r.duration("delay", Duration(0));
    will.properties = read_properties(r, spec);
    will.expiry = read_message_expiry(r, spec);
    spec.will = std::move(will);
  });
  for (const auto& behaviour : reader.words("behaviour")) {
    if (behaviour == "one_packet_id") spec.lowest_packet_id = true;
    else if (behaviour == "early_pubrec") spec.acknowledges_early = true;
    else if (behaviour == "resend_after_pubrel" || behaviour == "slow_reader")
      reader.fail("behaviour", behaviour + " is not supported yet");
    else reader.fail("behaviour", "\"" + behaviour + "\" is none of early_pubrec, one_packet_id, resend_after_pubrel, slow_reader");
  }
}

ClientSpec expanded(Reader& reader, const ClientSpec& pattern, std::uint64_t i) {
  ClientSpec spec = pattern;
  spec.id = expand(reader, "id", pattern.id, i);
  if (spec.will) spec.will->topic = expand(reader, "will.topic", spec.will->topic, i);
  for (auto& item : spec.subscribe) item.filter = expand(reader, "subscribe", item.filter, i);
  for (auto& item : spec.unsubscribe) item.filter = expand(reader, "unsubscribe", item.filter, i);
  for (auto& item : spec.publish) item.topic = expand(reader, "publish", item.topic, i);
  return spec;
}

}  // namespace

std::string expand(Reader& reader, std::string_view field, const std::string& text, std::uint64_t i) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '{') {
      out += text[at++];
      continue;
    }
    const auto end = text.find('}', at);
    const std::string inside = end == std::string::npos ? "" : text.substr(at + 1, end - at - 1);
    std::uint64_t modulus = 0;
    bool good = inside == "i" || inside == "n";
    if (!good && inside.size() > 2 && inside.size() < 12 && inside[1] == '%') {
      good = inside[0] == 'i' || inside[0] == 'n';
      for (const char c : inside.substr(2)) {
        good = good && c >= '0' && c <= '9';
        modulus = modulus * 10 + static_cast<std::uint64_t>(c - '0');
      }
      good = good && modulus > 0;
    }
    if (!good || (field == "id" && inside[0] == 'n')) {
      reader.fail(field, "\"" + text + "\": templates are {i}, {i%8}, {n} and {n%8}");
    }
    if (inside[0] == 'i') out += std::to_string(modulus == 0 ? i : i % modulus);
    else out += text.substr(at, end - at + 1);
    at = end + 1;
  }
  return out;
}

void read_client_group(Reader& reader, Scenario& scenario) {
  ClientGroup group;
  ClientSpec pattern;
  const auto count = static_cast<std::uint64_t>(reader.number("count", 1, 1, 1'000'000));
  group.name = reader.text("group", "clients");
  pattern.group = group.name;
  pattern.id = reader.text("id", group.name + (count > 1 ? "-{i}" : ""));
  if (pattern.id.find(' ') != std::string::npos) reader.fail("id", "a client id may have no space here");
  pattern.connect_to = read_choice(reader, scenario.cluster);
  read_session(reader, pattern);
  read_workload(reader, pattern);
  read_churn(reader, pattern);
  std::set<std::string> ids;
  std::uint32_t number = 0;
  for (const auto& other : scenario.clients) {
    for (const auto& client : other.clients) {
      ids.insert(client.id);
      ++number;
    }
    if (other.name == group.name) reader.fail("group", "two groups are called " + group.name);
  }
  for (std::uint64_t i = 1; i <= count; ++i) {
    ClientSpec client = expanded(reader, pattern, i);
    client.number = number++;
    if (!ids.insert(client.id).second) reader.fail("id", "two clients are called " + client.id);
    group.clients.push_back(std::move(client));
  }
  scenario.clients.push_back(std::move(group));
}

}  // namespace hf::sim
