// Rights are kept: nobody is let in, or turned away, for a login that does not deserve it; what a client may not have
// does not reach it, and what nobody may publish reaches nobody.
#include <algorithm>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

constexpr std::uint8_t bad_user_name_or_password = 0x86, not_authorized = 0x87, bad_authentication_method = 0x8C;

bool about_login(std::uint8_t code) {
  return code == bad_user_name_or_password || code == not_authorized || code == bad_authentication_method;
}

/// Who may not be let in is refused, and who may is not; an authentication anew changes nothing of that.
void judge_logins(Verdict& v, const Case& c) {
  const auto& clients = c.history.facts.clients;  // the index begins with them; of others nothing is known
  std::vector<std::size_t> wrong(c.index.connections().size(), no_event);  // the latest AUTH that was not in order
  for (std::size_t e = 0; e < c.history.events.size(); ++e) {
    const Event& event = c.event(e);
    const std::size_t i = event.client.empty() ? no_event : c.index.connection_of(e);
    if (i == no_event || c.index.client_of(e) >= clients.size()) continue;
    const bool admitted = clients[c.index.client_of(e)].admitted;
    const Connection& connection = c.index.connections()[i];
    const auto bad = [&](const std::string& text, std::size_t before) {
      ++v.exercised;
      violate(v, c, e, event.client, event.client + text + " by " + event.node + " at " + in_seconds(event.at), {before});
    };
    // A will that may not be published is refused in the same words.
    const bool will = connection.sent != no_event && !c.event(connection.sent).topic.empty();
    switch (event.kind) {
      case Kind::connected:
        if (!admitted) bad(" was let in, with a login that nobody should take,", connection.sent);
        break;
      case Kind::refused:
        if (!about_login(event.code) || (admitted && will)) break;
        if (admitted) bad(" was refused for its login, which is good,", connection.sent);
        else ++v.exercised;
        break;
      case Kind::reauthenticate_sent:
        if (event.flag) wrong[i] = e;
        break;
      case Kind::reauthenticated:
        if (event.flag) bad(" was taken for " + c.event(wrong[i]).text + " on a connection of another login", wrong[i]);
        else ++v.exercised;
        break;
      case Kind::disconnected:
        if (event.code != not_authorized || connection.connected == no_event) break;
        if (wrong[i] == no_event) bad(" was sent away as not authorized", connection.connected);
        else ++v.exercised;
        break;
      default:
        break;
    }
  }
}

}  // namespace

Verdict judge_access(const Case& c) {
  Verdict v = verdict("ACL", "rights are kept");
  judge_logins(v, c);
  const auto& messages = c.index.messages();
  for (const Message& message : messages) {
    if (message.sends.empty() || message.topic == no_id) continue;
    if (!c.rights.may_publish(message.publisher, message.topic)) {
      ++v.exercised;
      continue;
    }
    std::uint32_t counted = no_id;  // one client, however many of its filters match
    for (const std::size_t s : c.subscriptions.matching(message.topic)) {
      const Subscription& one = c.subscriptions.all()[s];
      if (one.client == counted || Subscriptions::covering(one, message.sends.front()) == nullptr) continue;
      counted = one.client;
      if (!c.rights.may_receive(one.client, message.topic)) ++v.exercised;
    }
  }
  for (const Receipt& receipt : c.index.receipts()) {
    const Message& message = messages[receipt.message];
    const std::uint32_t topic = c.index.topic_of(receipt.event);
    if (topic == no_id) continue;
    const Event& got = c.event(receipt.event);
    const bool receives = c.rights.may_receive(receipt.client, topic);
    if (receives && (message.sends.empty() || c.rights.may_publish(message.publisher, topic))) continue;
    violate(v, c, receipt.event, got.client,
            got.client + " received " + named(c, receipt.message) + " at " + in_seconds(got.at) + " from " + got.node +
                (receives ? ", which its publisher may not publish" : ", which it may not have"),
            {message.sends.empty() ? no_event : message.sends.front()});
  }
  return v;
}

}  // namespace hf::sim
