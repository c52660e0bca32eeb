// The history by message, receipt and connection.
#include "sim/check/index.hpp"

#include <algorithm>

namespace hf::sim {

using Kind = Event::Kind;

Index::Index(const History& history) {
  for (const auto& fact : history.facts.clients) {
    Client& client = clients_[client_id(fact.id)];
    client.listed = true;
    client.persistent = fact.persistent;
    client.draining = fact.draining;
  }
  const std::size_t count = history.events.size();
  client_of_.assign(count, no_id);
  topic_of_.assign(count, no_id);
  message_of_.assign(count, no_id);
  connection_number_of_.assign(count, 0);
  for (std::size_t e = 0; e < count; ++e) {
    const Event& event = history.events[e];
    if (event.kind > Kind::received) continue;
    client_of_[e] = client_id(event.client);
    connection_number_of_[e] = event.connection;
    if (!event.topic.empty()) {
      const auto [it, fresh] =
          topic_names_.emplace(event.topic, static_cast<std::uint32_t>(topics_.size()));
      if (fresh) topics_.push_back(event.topic);
      topic_of_[e] = it->second;
    }
    switch (event.kind) {
      case Kind::connect_sent:
      case Kind::connected:
      case Kind::refused:
      case Kind::disconnected:
      case Kind::left:
        connecting(history, e);
        break;
      case Kind::publish_sent:
      case Kind::publish_acked:
      case Kind::publish_completed:
      case Kind::publish_abandoned:
        publishing(history, e);
        break;
      case Kind::received:
        receiving(history, e);
        break;
      default:
        break;
    }
  }
}

std::uint32_t Index::client_id(const std::string& name) {
  const auto [it, fresh] = client_names_.emplace(name, static_cast<std::uint32_t>(clients_.size()));
  if (fresh) {
    clients_.push_back({});
    clients_.back().id = name;
    session_.push_back(0);
    sessions_made_.push_back(0);
  }
  return it->second;
}

std::uint32_t Index::message_id(std::uint32_t publisher, std::uint64_t number) {
  const auto [it, fresh] = message_names_.emplace(std::make_pair(publisher, number),
                                                  static_cast<std::uint32_t>(messages_.size()));
  if (fresh) {
    messages_.push_back({});
    messages_.back().publisher = publisher;
    messages_.back().number = number;
  }
  return it->second;
}

void Index::connecting(const History& history, std::size_t e) {
  const Event& event = history.events[e];
  const std::uint32_t c = client_of_[e];
  const auto [it, fresh] =
      connection_names_.emplace(std::make_pair(c, event.connection), connections_.size());
  if (fresh) {
    connections_.push_back({});
    connections_.back().client = c;
    connections_.back().number = event.connection;
    if (!clients_[c].connections.empty()) connections_[clients_[c].connections.back()].replaced = e;
    clients_[c].connections.push_back(it->second);
  }
  Connection& connection = connections_[it->second];
  switch (event.kind) {
    case Kind::connect_sent:
      connection.sent = e;
      connection.clean = event.flag;
      if (event.flag) session_[c] = ++sessions_made_[c];
      break;
    case Kind::connected:
      connection.connected = e;
      if (!event.flag) session_[c] = ++sessions_made_[c];
      connection.session = session_[c];
      break;
    case Kind::refused:
      connection.refused = e;
      break;
    case Kind::left:
      connection.left = e;
      break;
    default:
      if (connection.disconnected == no_event) connection.disconnected = e;
      if (event.expiry == 0U) session_[c] = ++sessions_made_[c];  // what is there later is what others knew of it
  }
}

void Index::publishing(const History& history, std::size_t e) {
  const Event& event = history.events[e];
  if (event.number == 0) return;
  const std::uint32_t m = message_id(client_of_[e], event.number);
  message_of_[e] = m;
  Message& message = messages_[m];
  if (event.kind == Kind::publish_sent) {
    if (message.topic == no_id) message.topic = topic_of_[e];
    message.sends.push_back(e);
  } else if (event.kind == Kind::publish_acked && message.acked == no_event) {
    message.acked = e;
    for (const std::size_t send : message.sends)
      if (connection_number_of_[send] == event.connection) message.acked_send = send;
  }
}

void Index::receiving(const History& history, std::size_t e) {
  const Event& event = history.events[e];
  if (event.number == 0) return;
  const std::uint32_t c = client_of_[e];
  const std::uint32_t m = message_id(client_id(event.publisher), event.number);
  message_of_[e] = m;
  if (messages_[m].topic == no_id) messages_[m].topic = topic_of_[e];
  const std::size_t connection = connection_of(e);
  const std::uint32_t session =
      connection == no_event ? session_[c] : connections_[connection].session;
  receipts_.push_back({e, c, m, session});
  clients_[c].first_receipts.emplace(m, e);
}

std::size_t Index::connection_of(std::size_t event) const {
  const auto it = connection_names_.find({client_of_[event], connection_number_of_[event]});
  return it == connection_names_.end() ? no_event : it->second;
}

std::size_t Index::first_receipt(std::uint32_t client, std::uint32_t message) const {
  const auto& receipts = clients_[client].first_receipts;
  const auto it = receipts.find(message);
  return it == receipts.end() ? no_event : it->second;
}

}  // namespace hf::sim
