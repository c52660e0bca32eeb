// $SYS: measuring, summing up, telling.
#include "broker/node/sys_topics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "broker/node/parts.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

namespace {

constexpr std::string_view root = "$SYS/";
constexpr std::string_view of_all = "$SYS/broker/";
constexpr std::string_view load_prefix = "load/";

/// Loads travel as hundredths: the messages of nodes hold whole numbers only.
std::string payload_of(std::string_view topic, std::uint64_t value) {
  if (topic == "uptime") return std::to_string(value) + " seconds";
  if (!topic.starts_with(load_prefix)) return std::to_string(value);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", static_cast<double>(value) / 100);
  return text.data();
}

/// What is not a sum over the nodes.
bool is_greatest(std::string_view topic) { return topic == "uptime"; }

slot::pb::Message message_of(const std::string& topic, const std::string& payload) {
  slot::pb::Message message;
  message.set_topic(topic);
  message.set_payload(payload);
  message.set_retain(true);
  return message;
}

}  // namespace

void Load::add(std::uint64_t total, Duration since_last) {
  const double seconds = std::chrono::duration<double>(since_last).count();
  if (seconds <= 0) return;
  const double rate = static_cast<double>(total - last_total_) * 60 / seconds;
  last_total_ = total;
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    const double keep = std::exp(-seconds / (60 * static_cast<double>(minutes[i])));
    averages_[i] = rate + keep * (averages_[i] - rate);
  }
}

void SysTopics::measure(pb::SysReport& report) {
  const Counters& c = parts_.counters;
  const Totals t = parts_.inspection.totals();
  const std::uint64_t bound = parts_.slots.held(parts_.local_slot())->state().totals.sessions;
  const std::uint64_t connected = t.connections - t.pending;
  const auto say = [&](std::string topic, std::uint64_t value) {
    pb::SysReport::Value& one = *report.add_values();
    one.set_topic(std::move(topic));
    one.set_value(value);
  };
  const Instant now = parts_.env.now();
  const auto load = [&](const std::string& topic, std::uint64_t total) {
    Load& of = loads_[topic];
    of.add(total, now - last_);
    for (std::size_t i = 0; i < Load::minutes.size(); ++i)
      say("load/" + topic + "/" + std::to_string(Load::minutes[i]) + "min",
          static_cast<std::uint64_t>(std::llround(std::max(0.0, of.average(i)) * 100)));
  };
  report.set_version(parts_.config.version);
  say("uptime", static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now - parts_.started).count()));
  say("clients/connected", connected);
  say("clients/persistent", connected - std::min(connected, bound));
  say("clients/total", t.sessions_served + bound);
  say("clients/maximum", c.connections_max);
  say("clients/expired", c.sessions_expired);
  say("messages/received", c.packets_in);
  say("messages/sent", c.packets_out);
  say("publish/messages/received", c.publishes_in);
  say("publish/messages/sent", c.publishes_out);
  say("publish/messages/dropped", c.dropped + c.refused);
  say("bytes/received", c.bytes_in);
  say("bytes/sent", c.bytes_out);
  say("subscriptions/count", t.subscriptions);
  say("retained messages/count", t.retained_served);
  say("store/messages/count", t.queued_messages + t.retained_served);
  say("store/messages/bytes", t.queued_bytes);
  say("messages/stored", t.queued_messages + t.retained_served);
  load("messages/received", c.packets_in);
  load("messages/sent", c.packets_out);
  load("publish/received", c.publishes_in);
  load("publish/sent", c.publishes_out);
  load("publish/dropped", c.dropped + c.refused);
  load("bytes/received", c.bytes_in);
  load("bytes/sent", c.bytes_out);
  load("connections", c.connects);
  last_ = now;
}

SysTopics::Values SysTopics::compute() {
  Values values;
  std::map<std::string, std::uint64_t> sums;
  for (const auto& [node, report] : reports_) {
    const auto member = std::find_if(parts_.config.members.begin(), parts_.config.members.end(),
                                     [id = node](const MemberConfig& m) { return m.id == id; });
    if (member == parts_.config.members.end()) continue;
    const std::string prefix = "$SYS/nodes/" + (member->name.empty() ? std::to_string(node) : member->name) + "/";
    values[prefix + "version"] = report.version();
    for (const auto& one : report.values()) {
      values[prefix + one.topic()] = payload_of(one.topic(), one.value());
      std::uint64_t& sum = sums[one.topic()];
      sum = is_greatest(one.topic()) ? std::max(sum, one.value()) : sum + one.value();
    }
  }
  const std::uint64_t total = sums["clients/total"];
  // A client may be connected to one node and its session served by another: only the sums can be held against each other.
  const std::uint64_t unbound = sums["clients/persistent"], bound = sums["clients/connected"] - unbound;
  sums["clients/disconnected"] = total - std::min(total, bound + unbound);
  sums["clients/active"] = sums["clients/connected"];
  sums["clients/maximum"] = most_ = std::max(most_, sums["clients/connected"]);  // the nodes' were at other times
  sums["clients/inactive"] = sums["clients/disconnected"];
  sums["nodes/reachable"] = reports_.size();
  sums["nodes/members"] = parts_.config.members.size();
  for (const auto& [topic, value] : sums) values[std::string(of_all) + topic] = payload_of(topic, value);
  values[std::string(of_all) + "version"] = parts_.config.version;
  return values;
}

void SysTopics::tick() {
  const Instant now = parts_.env.now();
  if (parts_.config.sys_interval == Duration{} || now < next_) return;
  if (next_ == Instant{}) last_ = parts_.started;
  next_ = now + parts_.config.sys_interval;
  pb::PeerMessage envelope;
  measure(*envelope.mutable_sys_report());
  reports_[parts_.self.node] = envelope.sys_report();
  for (const NodeId node : parts_.cluster->view())
    if (node != parts_.self.node) parts_.send(node, envelope);
  Values now_told = compute();
  Values changed;
  for (const auto& [topic, payload] : now_told)
    if (const auto it = told_.find(topic); it == told_.end() || it->second != payload) changed.emplace(topic, payload);
  told_ = std::move(now_told);
  tell(changed);
}

void SysTopics::on_report(NodeId from, const pb::SysReport& report) {
  constexpr int values_max = 200;
  if (parts_.config.sys_interval == Duration{} || report.values_size() > values_max) return;
  reports_[from] = report;
}

void SysTopics::tell(const Values& changed) {
  for (SlotId id = 0; id <= parts_.local_slot(); ++id) {
    if (!parts_.slots.serving(id)) continue;
    const auto& filters = parts_.slots.held(id)->state().filters;
    const auto first = filters.lower_bound(root);
    if (first == filters.end() || !first->first.starts_with(root)) continue;  // no other filter can match
    for (const auto& [topic, payload] : changed) parts_.coordinator.cast(id, message_of(topic, payload));
  }
}

void SysTopics::answer(SlotId slot, const std::string& client, std::string_view filter, const slot::pb::Options& options) const {
  if (!filter.starts_with(root)) return;
  for (const auto& [topic, payload] : told_)
    if (topic::matches(filter, topic)) (void)parts_.coordinator.owe_retained(slot, client, options, message_of(topic, payload), nullptr);
}

}  // namespace hf::node
