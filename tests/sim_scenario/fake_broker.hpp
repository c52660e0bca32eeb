// A broker of one node with nothing but memory, QoS 0 to 2: for trying out the simulator without the node.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"
#include "sim/check/topic_match.hpp"
#include "sim/scenario/run.hpp"

namespace hf::sim {

/// How it goes wrong on purpose.
enum class FakeFault { none, lose_acknowledged, deliver_twice, reuse_id, garbage };

class FakeBroker final : public env::Handler {
 public:
  FakeBroker(env::Environment& environment, FakeFault fault) : environment_(environment), fault_(fault) {}

  void on_start() override {}
  void on_accepted(StreamId stream, const env::Arrival&) override { streams_[stream]; }
  void on_connected(StreamId) override {}
  void on_closed(StreamId stream, env::CloseReason) override { forget(stream); }
  void on_writable(StreamId) override {}
  void on_committed(env::CommitId, env::CommitStatus) override {}
  void on_rows(env::ReadId, std::vector<env::Row>, env::ReadStatus) override {}
  void on_deadline() override {}
  void on_stop() override { stopped_ = true; }
  void end_turn() override {}
  [[nodiscard]] std::optional<Instant> deadline() const override { return std::nullopt; }
  [[nodiscard]] bool stopped() const override { return stopped_; }

  void on_bytes(StreamId stream, const Bytes& bytes) override {
    const auto it = streams_.find(stream);
    if (it == streams_.end()) return;
    it->second.decoder.feed(bytes);
    mqtt::Packet packet;
    while (streams_.contains(stream) && streams_[stream].decoder.next(packet) == mqtt::Decoded::packet) {
      std::visit([&](const auto& p) { take(stream, p); }, packet);
    }
  }

 private:
  struct Session {
    std::map<std::string, std::uint8_t> filters;
    std::deque<mqtt::Publish> queue;
    std::map<std::uint16_t, mqtt::Publish> flight;
    std::deque<std::uint16_t> order;
    std::set<std::uint16_t> released, received;
    std::uint16_t last_id = 0, window = 16;
    StreamId stream = 0;
    bool persistent = false;
  };
  struct Stream {
    mqtt::Decoder decoder{mqtt::Role::server};
    std::string client;
  };

  template <class P>
  void send(StreamId stream, const P& packet) {
    std::string bytes;
    mqtt::encode(packet, streams_[stream].decoder.version().value_or(mqtt::Version::v5), bytes);
    environment_.send(stream, Bytes(std::move(bytes)));
  }
  Session& session(StreamId stream) { return sessions_[streams_[stream].client]; }

  void forget(StreamId stream) {
    const auto it = streams_.find(stream);
    if (it == streams_.end()) return;
    const auto found = sessions_.find(it->second.client);
    if (found != sessions_.end() && found->second.stream == stream) {
      found->second.stream = 0;
      if (!found->second.persistent) sessions_.erase(found);
    }
    streams_.erase(it);
  }

  void take(StreamId stream, const mqtt::Connect& p) {
    const auto found = sessions_.find(p.client_id);
    if (found != sessions_.end() && found->second.stream != 0) {
      const StreamId old = found->second.stream;
      mqtt::Disconnect bye;
      bye.reason = mqtt::Reason::session_taken_over;
      send(old, bye);
      environment_.close(old, true);
      forget(old);
    }
    if (p.clean_start) sessions_.erase(p.client_id);
    mqtt::Connack answer;
    answer.session_present = sessions_.contains(p.client_id);
    Session& mine = sessions_[p.client_id];
    mine.stream = stream;
    mine.persistent = p.version != mqtt::Version::v5 ? !p.clean_start
                                                       : p.properties->session_expiry_interval.value_or(0) > 0;
    mine.window = std::min<std::uint16_t>(16, p.properties->receive_maximum.value_or(65535));
    streams_[stream].client = p.client_id;
    send(stream, answer);
    if (fault_ == FakeFault::garbage) environment_.send(stream, Bytes("\xf0\xff\xff\xff\xff\xff"));
    for (const std::uint16_t id : mine.order) {
      if (mine.released.contains(id)) {
        mqtt::Pubrel rel;
        rel.packet_id = id;
        send(stream, rel);
      } else {
        mine.flight[id].dup = true;
        send(stream, mine.flight[id]);
      }
    }
    push(mine);
  }

  void take(StreamId stream, const mqtt::Publish& p) {
    Session& mine = session(stream);
    const bool fresh = p.qos < 2 || mine.received.insert(p.packet_id).second;
    ++published_;
    const bool lost = fault_ == FakeFault::lose_acknowledged && published_ % 10 == 0;
    if (fresh && !lost) {
      for (auto& [id, target] : sessions_) route(target, p);
    }
    if (p.qos == 1) {
      mqtt::Puback answer;
      answer.packet_id = p.packet_id;
      send(stream, answer);
      environment_.reached("publish.acked");
    } else if (p.qos == 2) {
      mqtt::Pubrec answer;
      answer.packet_id = p.packet_id;
      send(stream, answer);
      environment_.reached("publish.acked");
    }
  }

  void route(Session& target, const mqtt::Publish& p) {
    int qos = -1;
    for (const auto& [filter, granted] : target.filters) {
      if (filter_matches(filter, p.topic)) qos = std::max<int>(qos, granted);
    }
    if (qos < 0) return;
    mqtt::Publish copy = p;
    copy.qos = std::min(p.qos, static_cast<std::uint8_t>(qos));
    copy.dup = copy.retain = false;
    copy.packet_id = 0;
    if (copy.qos == 0 && target.stream == 0) return;
    target.queue.push_back(copy);
    if (fault_ == FakeFault::deliver_twice && copy.qos == 2 && published_ % 7 == 0) target.queue.push_back(copy);
    push(target);
  }

  void push(Session& target) {
    while (target.stream != 0 && !target.queue.empty()) {
      mqtt::Publish next = target.queue.front();
      if (next.qos > 0) {
        if (target.order.size() >= target.window) return;
        do ++target.last_id;
        while (target.last_id == 0 || target.flight.contains(target.last_id));
        next.packet_id = fault_ == FakeFault::reuse_id ? std::uint16_t{1} : target.last_id;
        target.flight[next.packet_id] = next;
        target.order.push_back(next.packet_id);
      }
      target.queue.pop_front();
      send(target.stream, next);
    }
  }

  void finished(StreamId stream, std::uint16_t id) {
    Session& mine = session(stream);
    mine.flight.erase(id);
    mine.released.erase(id);
    std::erase(mine.order, id);
    push(mine);
  }

  void take(StreamId stream, const mqtt::Puback& p) { finished(stream, p.packet_id); }
  void take(StreamId stream, const mqtt::Pubcomp& p) { finished(stream, p.packet_id); }
  void take(StreamId stream, const mqtt::Pubrec& p) {
    session(stream).released.insert(p.packet_id);
    mqtt::Pubrel answer;
    answer.packet_id = p.packet_id;
    send(stream, answer);
  }
  void take(StreamId stream, const mqtt::Pubrel& p) {
    session(stream).received.erase(p.packet_id);
    mqtt::Pubcomp answer;
    answer.packet_id = p.packet_id;
    send(stream, answer);
  }
  void take(StreamId stream, const mqtt::Subscribe& p) {
    mqtt::Suback answer;
    answer.packet_id = p.packet_id;
    for (const auto& item : p.subscriptions) {
      session(stream).filters[item.filter] = item.qos;
      answer.codes.push_back(item.qos);
    }
    send(stream, answer);
  }
  void take(StreamId stream, const mqtt::Unsubscribe& p) {
    mqtt::Unsuback answer;
    answer.packet_id = p.packet_id;
    for (const auto& filter : p.filters) {
      session(stream).filters.erase(filter);
      answer.codes.push_back(0);
    }
    send(stream, answer);
  }
  void take(StreamId stream, const mqtt::Pingreq&) { send(stream, mqtt::Pingresp{}); }
  void take(StreamId stream, const mqtt::Disconnect&) {
    environment_.close(stream, true);
    forget(stream);
  }
  template <class P>
  void take(StreamId, const P&) {}

  env::Environment& environment_;
  FakeFault fault_;
  std::map<StreamId, Stream> streams_;
  std::map<std::string, Session> sessions_;
  std::uint64_t published_ = 0;
  bool stopped_ = false;
};

inline Inside fake_inside(FakeFault fault = FakeFault::none) {
  Inside inside;
  inside.factory = [fault](env::Environment& environment, const node::Config&) {
    return std::make_unique<FakeBroker>(environment, fault);
  };
  return inside;
}

}  // namespace hf::sim
