// See model.hpp. Every place where the meaning is not simply "in stamp order" is marked EXACT.
#include "tests/slot/model.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace hf::slot::test {

namespace {

using Moment = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>;  // time, node, boot
using Called = std::string;

Moment moment(const pb::Stamp& s) {
  return {s.time(), s.node(), s.boot()};
}
Moment moment(const Stamp& s) {
  return {s.time, s.origin.node, s.origin.boot};
}
std::string text(const Moment& m) {
  return std::to_string(std::get<0>(m)) + "@" + std::to_string(std::get<1>(m)) + "." +
         std::to_string(std::get<2>(m));
}
std::string text(std::uint32_t node, std::uint32_t boot, std::uint64_t seq) {
  return std::to_string(node) + "." + std::to_string(boot) + "#" + std::to_string(seq);
}
Called called(const pb::Name& n) {
  return (n.identity() ? "identity " : "dot ") + std::to_string(n.slot()) + " " +
         text(n.dot().node(), n.dot().boot(), n.dot().seq());
}
Called called(const Name& n) {
  return (n.identity ? "identity " : "dot ") + std::to_string(n.slot) + " " +
         text(n.dot.origin.node, n.dot.origin.boot, n.dot.seq);
}

struct Owed {
  Moment place;
  std::string payload;
  unsigned qos = 0;
  unsigned packet_id = 0;
  Moment epoch, attach;
  unsigned recd = 0;
  std::string member;  // whom it is dealt to
};

struct Held {
  std::string message;  // or "": released
  Moment attach;
};
using PacketId = std::map<std::pair<Moment, Moment>, Held>;  // by (epoch, operation)

struct Client {
  Moment wiped;
  bool connected = false;  // has a CONNECT since it was wiped
  Moment connect, attach;
  bool closed = false;
  unsigned expiry = 0;
  std::map<std::string, std::string> wills;  // dot of the Connect that brought it -> payload, until that is named
  std::map<std::string, unsigned> subscriptions;  // filter -> qos
  std::map<Called, Owed> queue;
  std::set<Called> known;  // identities that were ever queued here
  std::map<unsigned, PacketId> ids;
  Moment began;  // ids of earlier attachments are gone
};

std::string fact_connect(const Moment& connect, const Moment& attach, bool open, unsigned expiry) {
  return "connect " + text(connect) + " attach " + text(attach) + (open ? " open" : " closed") +
         " expiry " + std::to_string(expiry);
}
std::string fact_owed(std::size_t index, const Called& name, const Owed& o) {
  return "queue " + std::to_string(1000 + index) + " " + name + " at " + text(o.place) +
         " payload " + o.payload + " qos " + std::to_string(o.qos) + " id " +
         std::to_string(o.packet_id) + " recd " + std::to_string(o.recd) + " member " + o.member;
}
std::string fact_held(unsigned id, const std::string& identity) {
  return "held " + std::to_string(id) + " as " + identity;
}
std::string fact_subscription(const std::string& filter, unsigned qos) {
  return "subscription " + filter + " qos " + std::to_string(qos);
}
std::string fact_retained(const std::string& topic, const std::string& payload) {
  return "retained " + topic + " " + payload;
}

struct Broker {
  std::map<std::string, Client> clients;
  std::map<std::string, std::string> retained;
  std::map<std::string, std::string> wills;  // dot of the Fire -> payload

  // A QoS 1 entry is gone. EXACT: an identity stays known: a second Enqueue of it is the same
  // publish seen again by another coordinator, and a single broker would have seen it once, before
  // the end.
  static void wipe(Client& c, const Moment& at) {
    Client fresh;
    fresh.wiped = at;
    fresh.known = std::move(c.known);
    fresh.wills = std::move(c.wills);
    c = std::move(fresh);
  }

  template <class Named>
  static void drop_wills(Client& c, const Named& op) {
    for (const auto& dot : op.wills()) c.wills.erase(text(dot.node(), dot.boot(), dot.seq()));
  }

  void operator()(const pb::Connect& op, const Moment& at, const std::string& dot) {
    Client& c = clients[op.client()];
    drop_wills(c, op);
    if (op.has_will()) c.wills[dot] = op.will().payload();
    if (op.has_connect()) {  // only where that very CONNECT is still the latest
      if (!c.connected || c.connect != moment(op.connect())) return;
    } else {
      if (op.clean()) wipe(c, at);
      c.connect = at;
      c.closed = false;
    }
    c.connected = true;
    c.attach = at;
    if (!c.closed) c.expiry = op.expiry_s();
  }
  void operator()(const pb::Disconnect& op, const Moment&, const std::string&) {
    Client& c = clients[op.client()];
    drop_wills(c, op);
    if (!c.connected || c.connect != moment(op.connect())) return;
    if (!c.closed || c.expiry != 0 || op.expiry_s() == 0) {
      c.closed = true;
      c.expiry = op.expiry_s();
    }
  }
  void operator()(const pb::Fire& op, const Moment&, const std::string& dot) {
    Client& c = clients[op.client()];
    drop_wills(c, op);
    if (op.has_message()) wills[dot] = op.message().payload();
  }
  void operator()(const pb::Published& op, const Moment&, const std::string&) {
    for (const auto& dot : op.fires()) wills.erase(text(dot.node(), dot.boot(), dot.seq()));
  }
  void operator()(const pb::End& op, const Moment& at, const std::string&) {
    drop_wills(clients[op.client()], op);
    wipe(clients[op.client()], at);
  }
  // EXACT: whether the session exists is not asked, here and in Enqueue: a side that had not seen
  // the end took these operations, and they lie after the end. A later CONNECT finds them.
  void operator()(const pb::Subscribe& op, const Moment&, const std::string&) {
    for (const auto& one : op.filters())
      clients[op.client()].subscriptions[one.filter()] = one.options().qos();
  }
  void operator()(const pb::Unsubscribe& op, const Moment&, const std::string&) {
    for (const auto& filter : op.filters()) clients[op.client()].subscriptions.erase(filter);
  }
  void operator()(const pb::Enqueue& op, const Moment& at, const std::string& dot) {
    for (const auto& target : op.targets()) {
      Client& c = clients[target.client()];
      Called name = "dot 0 " + dot;
      if (op.message().has_identity()) {
        name = called(op.message().identity());
        if (!c.known.insert(name).second) continue;
      }
      Owed owed;
      owed.place = at;
      owed.payload = op.message().payload();
      owed.qos = target.qos();
      c.queue.emplace(name, owed);
    }
  }
  // EXACT: a later attachment's packet id is not overridden by a Send under an earlier one, nor a later epoch's.
  void operator()(const pb::Send& op, const Moment&, const std::string&) {
    Client& c = clients[op.client()];
    for (const auto& one : op.entries()) {
      const auto it = c.queue.find(called(one.name()));
      if (it == c.queue.end()) continue;
      const auto place = std::pair(moment(op.epoch()), moment(op.attach()));
      if (place < std::pair(it->second.epoch, it->second.attach)) continue;
      it->second.epoch = moment(op.epoch());
      it->second.attach = moment(op.attach());
      it->second.packet_id = one.packet_id();
      it->second.member.clear();
    }
  }
  void operator()(const pb::Recd& op, const Moment&, const std::string&) {
    Client& c = clients[op.client()];
    unsigned place = op.first() == 0 ? 1 : op.first();
    for (const auto& name : op.names()) {
      if (const auto it = c.queue.find(called(name)); it != c.queue.end()) it->second.recd = std::max(it->second.recd, place);
      ++place;
    }
  }
  // A Done comes after an Enqueue of its name in stamps too, as whoever issued it had seen one.
  void operator()(const pb::Done& op, const Moment&, const std::string&) {
    for (const auto& name : op.names()) clients[op.client()].queue.erase(called(name));
  }
  // EXACT: ids belong to attachments: one from before the wipe counts for nothing. And the latest epoch's step counts.
  template <class Step>
  void packet(const Step& op, const Moment& now, const std::string& message) {
    Client& c = clients[op.client()];
    if (moment(op.attach()) < std::max(c.wiped, c.began)) return;
    c.ids[op.packet_id()].emplace(std::pair(moment(op.epoch()), now), Held{message, moment(op.attach())});
  }
  void operator()(const pb::Began& op, const Moment&, const std::string&) {
    Client& c = clients[op.client()];
    if (!c.connected || moment(op.connect()) < c.wiped) return;
    c.began = std::max(c.began, moment(op.connect()));
    for (auto& [packet_id, held] : c.ids) std::erase_if(held, [&](const auto& one) { return one.second.attach < c.began; });
  }
  void operator()(const pb::Inbound& op, const Moment& now, const std::string& dot) {
    packet(op, now, op.has_name() ? text(op.name().node(), op.name().boot(), op.name().seq()) : dot);
  }
  void operator()(const pb::Release& op, const Moment& now, const std::string&) { packet(op, now, ""); }
  void operator()(const pb::Assign& op, const Moment&, const std::string&) {
    Client& c = clients[op.group()];
    const auto it = c.queue.find(called(op.name()));
    if (it == c.queue.end()) return;
    if (std::pair(moment(op.epoch()), Moment{}) < std::pair(it->second.epoch, it->second.attach)) return;
    it->second.epoch = moment(op.epoch());
    it->second.attach = Moment{};
    it->second.packet_id = 0;
    it->second.member = op.member();
  }
  void operator()(const pb::Settle&, const Moment&, const std::string&) {}  // forgotten with its name
  void operator()(const pb::Retire&, const Moment&, const std::string&) {}
  void operator()(const pb::Retained& op, const Moment&, const std::string&) {
    retained[op.message().topic()] = op.message().payload();
  }

  [[nodiscard]] std::vector<std::string> facts() const {
    std::vector<std::string> out;
    for (const auto& [id, c] : clients) {
      const std::string who = id + ": ";
      const bool over = c.closed && c.expiry == 0;
      if (c.connected && !over) out.push_back(who + fact_connect(c.connect, c.attach, !c.closed, c.expiry));
      for (const auto& [dot, payload] : c.wills) out.push_back(who + "will " + dot + " " + payload);
      for (const auto& [filter, qos] : c.subscriptions)
        out.push_back(who + fact_subscription(filter, qos));
      std::vector<std::pair<std::pair<Moment, Called>, Owed>> order;
      for (const auto& [name, owed] : c.queue) order.push_back({{owed.place, name}, owed});
      std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
        return a.first < b.first;
      });
      for (std::size_t i = 0; i < order.size(); ++i)
        out.push_back(who + fact_owed(i, order[i].first.second, order[i].second));
      for (const auto& [packet_id, held] : c.ids)
        if (!held.empty() && !held.rbegin()->second.message.empty())
          out.push_back(who + fact_held(packet_id, held.rbegin()->second.message));
    }
    for (const auto& [topic, payload] : retained)
      if (!payload.empty()) out.push_back(fact_retained(topic, payload));
    for (const auto& [dot, payload] : wills) out.push_back("fired " + dot + " " + payload);
    std::sort(out.begin(), out.end());
    return out;
  }
};

}  // namespace

std::vector<std::string> visible(const State& state) {
  std::vector<std::string> out;
  for (const auto& [id, s] : state.sessions) {
    const std::string who = id + ": ";
    if (s.exists())
      out.push_back(
          who +
          fact_connect(moment(s.connect_stamp), moment(s.attach_stamp), s.open(), s.expiry_s));
    for (const auto& [dot, will] : s.wills)
      out.push_back(who + "will " + text(dot.origin.node, dot.origin.boot, dot.seq) + " " + will.message.payload());
    for (const auto& [filter, value] : s.subscriptions)
      if (value.present) out.push_back(who + fact_subscription(filter, value.options.qos()));
    std::size_t index = 0;
    for (const auto& [place, entry] : s.queue) {
      const Owed owed{moment(entry->first),
                      state.messages.at(entry->message).message.payload(),
                      entry->qos,
                      entry->packet_id,
                      moment(entry->epoch),
                      moment(entry->attach),
                      entry->recd,
                      entry->member};
      out.push_back(who + fact_owed(index++, called(entry->name), owed));
    }
    for (unsigned packet_id = 0; packet_id < 16; ++packet_id)
      if (const Inbound* one = s.inbound_of(static_cast<std::uint16_t>(packet_id)); one != nullptr && !one->released())
        out.push_back(who + fact_held(packet_id, text(one->name.origin.node, one->name.origin.boot, one->name.seq)));
  }
  for (const auto& [topic, value] : state.retained)
    if (!value.message.payload().empty())
      out.push_back(fact_retained(topic, value.message.payload()));
  for (const auto& [dot, will] : state.wills)
    out.push_back("fired " + text(dot.origin.node, dot.origin.boot, dot.seq) + " " + will.message.payload());
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> expected(std::vector<pb::Operation> operations) {
  const auto at = [](const pb::Operation& o) {
    return Moment{o.time(), o.dot().node(), o.dot().boot()};
  };
  std::sort(operations.begin(), operations.end(), [&](const auto& a, const auto& b) {
    return at(a) < at(b);
  });
  Broker broker;
  for (const auto& o : operations) {
    const std::string dot = text(o.dot().node(), o.dot().boot(), o.dot().seq());
    if (o.has_connect()) broker(o.connect(), at(o), dot);
    if (o.has_disconnect()) broker(o.disconnect(), at(o), dot);
    if (o.has_end()) broker(o.end(), at(o), dot);
    if (o.has_subscribe()) broker(o.subscribe(), at(o), dot);
    if (o.has_unsubscribe()) broker(o.unsubscribe(), at(o), dot);
    if (o.has_enqueue()) broker(o.enqueue(), at(o), dot);
    if (o.has_send()) broker(o.send(), at(o), dot);
    if (o.has_recd()) broker(o.recd(), at(o), dot);
    if (o.has_done()) broker(o.done(), at(o), dot);
    if (o.has_inbound()) broker(o.inbound(), at(o), dot);
    if (o.has_release()) broker(o.release(), at(o), dot);
    if (o.has_began()) broker(o.began(), at(o), dot);
    if (o.has_assign()) broker(o.assign(), at(o), dot);
    if (o.has_settle()) broker(o.settle(), at(o), dot);
    if (o.has_retire()) broker(o.retire(), at(o), dot);
    if (o.has_retained()) broker(o.retained(), at(o), dot);
    if (o.has_fire()) broker(o.fire(), at(o), dot);
    if (o.has_published()) broker(o.published(), at(o), dot);
  }
  return broker.facts();
}

}  // namespace hf::slot::test
