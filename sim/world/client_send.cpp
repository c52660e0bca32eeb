// What a client sends: its messages and their flows, its subscriptions.
#include <algorithm>

#include "broker/mqtt/encoder.hpp"
#include "sim/world/client.hpp"
#include "sim/world/message_properties.hpp"

namespace hf::sim {

namespace {

constexpr VirtualTime never = INT64_MAX;

/// "{n}" and "{n%K}" in a topic.
std::string with_number(const std::string& topic, std::uint64_t n) {
  const auto open = topic.find("{n");
  if (open == std::string::npos) return topic;
  const auto close = topic.find('}', open);
  std::uint64_t modulus = 0;
  for (std::size_t i = open + 3; i < close; ++i) {
    modulus = modulus * 10 + static_cast<std::uint64_t>(topic[i] - '0');
  }
  const std::string value = std::to_string(modulus == 0 ? n : n % modulus);
  return topic.substr(0, open) + value + with_number(topic.substr(close + 1), n);
}

}  // namespace

void Client::pump() {
  if (!connected()) return;
  pump_operations();
  resend();
  publish_due();
}

std::size_t Client::quota_used() const {
  std::size_t used = 0;
  for (const auto& [number, flow] : flows_) used += flow.published ? 1U : 0U;
  return used;
}

void Client::resend() {
  for (auto& [number, flow] : flows_) {
    if (flow.sent) continue;
    if (!flow.released && quota_used() >= current_->send_quota) return;
    send_flow(number, flow, true);
  }
}

bool Client::job_ready(std::size_t index) const {
  const PublishSpec& spec = spec_.publish[index];
  const Job& job = jobs_[index];
  if (spec.count != 0 && job.count >= spec.count) return false;
  if (world_.now() >= publish_end_) return false;
  if (spec.qos == 0) return true;
  const auto unsent = [](const auto& entry) { return !entry.second.sent; };
  return flows_.size() < spec_.inflight && quota_used() < current_->send_quota &&
         std::none_of(flows_.begin(), flows_.end(), unsent);
}

void Client::publish_due() {
  const VirtualTime now = world_.now();
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const PublishSpec& spec = spec_.publish[i];
    while (jobs_[i].next <= now && job_ready(i)) {
      Job& job = jobs_[i];
      ++job.count;
      // A client that was away catches up at four times its pace, not in one burst.
      job.next = std::max(job.next + spec.interval.count(), now + spec.interval.count() / 4 + 1);
      const std::uint64_t number = ++last_number_;
      ++counters_.published;
      Flow flow;
      flow.job = i;
      flow.topic = with_number(spec.topic, number);
      if (spec.qos == 0) {
        send_flow(number, flow, false);
        continue;
      }
      flow.id = free_id();
      flow_of_id_[flow.id] = number;
      send_flow(number, flows_[number] = std::move(flow), false);
    }
  }
}

/// Every topic gets an alias while there are any, and is left out once the server knows it.
void Client::put_alias(mqtt::Publish& packet) {
  const auto it = current_->aliases_out.find(packet.topic);
  if (it != current_->aliases_out.end()) {
    packet.properties.edit().topic_alias = it->second;
    packet.topic.clear();
  } else if (current_->aliases_out.size() < current_->aliases_out_max) {
    const auto alias = static_cast<std::uint16_t>(current_->aliases_out.size() + 1);
    current_->aliases_out.emplace(packet.topic, alias);
    packet.properties.edit().topic_alias = alias;
  }
}

void Client::send_flow(std::uint64_t number, Flow& flow, bool dup) {
  const PublishSpec& spec = spec_.publish[flow.job];
  flow.sent = true;
  flow.sent_at = world_.now();
  if (flow.released) {
    mqtt::Pubrel packet;
    packet.packet_id = flow.id;
    send(*current_, packet);
    return;
  }
  flow.published = spec.qos > 0;
  mqtt::Publish packet;
  packet.topic = flow.topic;
  packet.qos = spec.qos;
  packet.retain = spec.retain;
  packet.dup = dup;
  packet.packet_id = flow.id;
  std::string payload = spec_.id + " " + std::to_string(number);
  if (spec.properties && !spec.clear) {  // an empty payload cannot say that there are any
    packet.properties.edit() = message_properties(spec_.id, number);
    payload = mark_properties(std::move(payload));
  }
  if (payload.size() + 1 < spec.size) payload += " " + std::string(spec.size - payload.size() - 1, '.');
  if (!spec.clear) packet.payload = Bytes(std::move(payload));
  Event note = event(Event::Kind::publish_sent);
  note.publisher = spec_.id;
  note.number = number;
  note.topic = flow.topic;
  note.qos = spec.qos;
  note.packet_id = flow.id;
  note.flag = dup;
  note.retained = spec.retain;
  note.empty = spec.clear;
  if (spec.expiry) packet.properties.edit().message_expiry_interval = spec.expiry;
  note.expiry = spec.expiry;
  note.size = static_cast<std::uint32_t>(mqtt::encoded_size(packet, spec_.version));
  world_.note(std::move(note));
  put_alias(packet);
  send(*current_, packet);
}

std::uint16_t Client::free_id() {
  std::uint16_t id = spec_.lowest_packet_id ? 0 : last_id_;
  do {
    id = id == 65'535 ? std::uint16_t{1} : static_cast<std::uint16_t>(id + 1);
  } while (flow_of_id_.contains(id) || (under_way_ && under_way_->id == id));
  last_id_ = id;
  return id;
}

void Client::finish_flow(std::uint64_t number) {
  const auto it = flows_.find(number);
  flow_of_id_.erase(it->second.id);
  flows_.erase(it);
}

void Client::handle_puback(std::uint16_t id, mqtt::Reason reason) {
  const auto it = flow_of_id_.find(id);
  const bool known = it != flow_of_id_.end() && flows_[it->second].sent &&
                     spec_.publish[flows_[it->second].job].qos == 1;
  if (!known) return violation("PUBACK for id " + std::to_string(id) + ", which nothing waits for");
  const Flow& flow = flows_[it->second];
  Event note = event(mqtt::is_error(reason) ? Event::Kind::publish_abandoned : Event::Kind::publish_acked);
  note.publisher = spec_.id;
  note.number = it->second;
  note.topic = flow.topic;
  note.qos = 1;
  note.packet_id = id;
  note.code = mqtt::code(reason);
  world_.note(std::move(note));
  ++counters_.acknowledged;
  finish_flow(it->second);
}

void Client::handle_pubrec(std::uint16_t id, mqtt::Reason reason) {
  const auto it = flow_of_id_.find(id);
  const bool known = it != flow_of_id_.end() && flows_[it->second].published &&
                     spec_.publish[flows_[it->second].job].qos == 2;
  if (!known) {
    violation("PUBREC for id " + std::to_string(id) + ", which no PUBLISH of this connection bears");
    return;
  }
  const std::uint64_t number = it->second;
  Flow& flow = flows_[number];
  if (flow.released) return violation("PUBREC twice for id " + std::to_string(id));
  Event note = event(mqtt::is_error(reason) ? Event::Kind::publish_abandoned : Event::Kind::publish_acked);
  note.publisher = spec_.id;
  note.number = number;
  note.topic = flow.topic;
  note.qos = 2;
  note.packet_id = id;
  note.code = mqtt::code(reason);
  world_.note(std::move(note));
  if (mqtt::is_error(reason)) return finish_flow(number);
  ++counters_.acknowledged;
  flow.released = true;
  send_flow(number, flow, false);
}

void Client::handle_pubcomp(std::uint16_t id) {
  const auto it = flow_of_id_.find(id);
  const bool known = it != flow_of_id_.end() && flows_[it->second].released && flows_[it->second].sent;
  if (!known) return violation("PUBCOMP for id " + std::to_string(id) + ", which nothing waits for");
  Event note = event(Event::Kind::publish_completed);
  note.publisher = spec_.id;
  note.number = it->second;
  note.topic = flows_[it->second].topic;
  note.qos = 2;
  note.packet_id = id;
  world_.note(std::move(note));
  finish_flow(it->second);
}

void Client::schedule_operations() {
  const VirtualTime now = world_.now();
  const auto again = [&](VirtualTime& at, Duration every) {
    at = every.count() > 0 && at + every.count() < churn_end_ ? at + every.count() : never;
  };
  for (std::size_t i = 0; i < subscribe_at_.size(); ++i) {
    while (subscribe_at_[i] <= now) {
      operations_.push_back({true, spec_.subscribe[i]});
      again(subscribe_at_[i], spec_.subscribe[i].every);
    }
  }
  for (std::size_t i = 0; i < unsubscribe_at_.size(); ++i) {
    while (unsubscribe_at_[i] <= now) {
      SubscribeSpec what;
      what.filter = spec_.unsubscribe[i].filter;
      operations_.push_back({false, std::move(what)});
      again(unsubscribe_at_[i], spec_.unsubscribe[i].every);
    }
  }
}

void Client::pump_operations() {
  if (under_way_ || operations_.empty()) return;
  const Operation operation = std::move(operations_.front());
  operations_.pop_front();
  const std::uint16_t id = free_id();
  under_way_ = UnderWay{operation, id, world_.now()};
  Event note = event(operation.subscribe ? Event::Kind::subscribe_sent : Event::Kind::unsubscribe_sent);
  note.topic = operation.what.filter;
  note.qos = operation.what.qos;
  note.as_published = operation.what.retain_as_published;
  note.handling = operation.what.retain_handling;
  note.no_local = operation.what.no_local && spec_.version == mqtt::Version::v5;
  if (operation.subscribe && operation.what.identifier != 0) note.identifiers = {operation.what.identifier};
  note.packet_id = id;
  world_.note(std::move(note));
  if (operation.subscribe) {
    wanted_[operation.what.filter] = operation.what;
    mqtt::Subscribe packet;
    packet.packet_id = id;
    mqtt::Subscription item;
    item.filter = operation.what.filter;
    item.qos = operation.what.qos;
    const bool v5 = spec_.version == mqtt::Version::v5;
    item.no_local = operation.what.no_local && v5;
    item.retain_as_published = operation.what.retain_as_published && v5;
    item.retain_handling = v5 ? operation.what.retain_handling : std::uint8_t{0};
    packet.subscriptions.push_back(std::move(item));
    if (operation.what.identifier != 0) packet.properties.edit().subscription_identifiers = {operation.what.identifier};
    send(*current_, packet);
  } else {
    wanted_.erase(operation.what.filter);
    mqtt::Unsubscribe packet;
    packet.packet_id = id;
    packet.filters.push_back(operation.what.filter);
    send(*current_, packet);
  }
}

void Client::handle_suback(const mqtt::Suback& packet) {
  if (!under_way_ || !under_way_->operation.subscribe || under_way_->id != packet.packet_id ||
      packet.codes.size() != 1) {
    return violation("SUBACK that answers no SUBSCRIBE");
  }
  Event note = event(Event::Kind::subscribed);
  note.topic = under_way_->operation.what.filter;
  note.packet_id = packet.packet_id;
  note.code = packet.codes[0];
  note.qos = packet.codes[0] < 3 ? packet.codes[0] : std::uint8_t{0};
  if (note.qos > under_way_->operation.what.qos) violation("SUBACK grants more than was asked for");
  world_.note(std::move(note));
  under_way_.reset();
}

void Client::handle_unsuback(const mqtt::Unsuback& packet) {
  if (!under_way_ || under_way_->operation.subscribe || under_way_->id != packet.packet_id) {
    return violation("UNSUBACK that answers no UNSUBSCRIBE");
  }
  Event note = event(Event::Kind::unsubscribed);
  note.topic = under_way_->operation.what.filter;
  note.packet_id = packet.packet_id;
  note.code = packet.codes.empty() ? std::uint8_t{0} : packet.codes[0];
  world_.note(std::move(note));
  under_way_.reset();
}

}  // namespace hf::sim
