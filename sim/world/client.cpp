// A client's connections: whom it dials, when it gives up, when it comes back.
#include "sim/world/client.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "broker/mqtt/encoder.hpp"
#include "sim/world/message_properties.hpp"

namespace hf::sim {

namespace {
constexpr std::size_t zombies_max = 4;
}  // namespace

Client::Connection::Connection() = default;

Client::Client(World& world, ClientSpec spec)
    : world_(world),
      spec_(std::move(spec)),
      choices_(world.draws().of("client.choice", spec_.id)),
      delays_(world.draws().of("client.delay", spec_.id)),
      churns_(world.draws().of("client.churn", spec_.id)) {
  for (const auto& item : spec_.publish) jobs_.push_back({item.at.count(), 0});
  for (const auto& item : spec_.subscribe) subscribe_at_.push_back(item.at.count());
  for (const auto& item : spec_.unsubscribe) unsubscribe_at_.push_back(item.at.count());
}

void Client::start() {
  const Duration spread = choices_.between(Duration(0), 200ms);
  connect_at_ = world_.now() + (spec_.start + spread).count();
  if (spec_.churn) {
    const Duration first = draw(spec_.churn->every, churns_);
    churn_at_ = *connect_at_ + first.count();
  }
  arm();
}

void Client::set_ends(VirtualTime churn_end, VirtualTime publish_end) {
  churn_end_ = churn_end;
  publish_end_ = publish_end;
}

Duration Client::draw(const TimeDraw& time, DrawSequence& draws) {
  if (time.kind == TimeDraw::Kind::uniform) return draws.between(time.low, time.high);
  return draws.exponential(time.low, time.high == Duration(0) ? Duration::max() : time.high);
}

Event Client::event(Event::Kind kind) const {
  Event event;
  event.kind = kind;
  event.client = spec_.id;
  if (current_) {
    event.node = current_->node;
    event.connection = current_->number;
  }
  return event;
}

void Client::violation(std::string text) {
  Event note = event(Event::Kind::protocol_violation);
  note.text = std::move(text);
  world_.note(std::move(note));
}

void Client::send(Connection& connection, const mqtt::Packet& packet) {
  std::string bytes;
  mqtt::encode(packet, spec_.version, bytes);
  world_.send(connection.stream, Bytes(std::move(bytes)));
  connection.last_sent = world_.now();
}

std::string Client::choose_node() {
  const auto& candidates = spec_.connect_to.candidates;
  const std::uint64_t bits = choices_.bits();
  std::size_t index = 0;
  switch (spec_.connect_to.policy) {
    case NodeChoice::Policy::any: index = bits % candidates.size(); break;
    case NodeChoice::Policy::round_robin: index = (spec_.number + dials_) % candidates.size(); break;
    case NodeChoice::Policy::next: index = dials_ % candidates.size(); break;
  }
  ++dials_;
  if (move_ && candidates.size() > 1 && candidates[index] == last_node_) {
    index = (index + 1 + (bits >> 32U) % (candidates.size() - 1)) % candidates.size();
  }
  return candidates[index];
}

void Client::dial() {
  connect_at_.reset();
  const std::string node = choose_node();
  move_ = false;
  last_node_ = node;
  current_.emplace();
  if (spec_.maximum_packet_size != 0) current_->decoder = mqtt::Decoder(mqtt::Role::client, spec_.maximum_packet_size);
  current_->node = node;
  current_->since = current_->last_sent = world_.now();
  current_->decoder.set_version(spec_.version);
  current_->stream = world_.dial_as_client(spec_.id, node, this);
}

void Client::on_connected(StreamId stream) {
  if (!current_ || current_->stream != stream) return;
  send_connect();
  arm();
}

void Client::send_connect() {
  current_->phase = Phase::connecting;
  current_->number = ++connections_;
  mqtt::Connect packet;
  packet.version = spec_.version;
  packet.clean_start = spec_.clean_start;
  packet.keep_alive = spec_.keep_alive;
  packet.client_id = spec_.id;
  if (spec_.challenge) {
    begin_proof(packet);
  } else if (!spec_.user.empty()) {
    packet.username = spec_.user;
    packet.password = spec_.password;
  }
  if (spec_.version == mqtt::Version::v5) {
    if (spec_.session_expiry > 0) packet.properties.edit().session_expiry_interval = spec_.session_expiry;
    if (spec_.receive_maximum != 65'535) packet.properties.edit().receive_maximum = spec_.receive_maximum;
    if (spec_.topic_aliases != 0) packet.properties.edit().topic_alias_maximum = spec_.topic_aliases;
    if (!spec_.problem_information) packet.properties.edit().request_problem_information = false;
    if (spec_.maximum_packet_size != 0) packet.properties.edit().maximum_packet_size = spec_.maximum_packet_size;
  }
  if (spec_.will) {
    mqtt::Will will;
    will.topic = spec_.will->topic;
    std::string payload = "will-" + spec_.id + " " + std::to_string(connections_);
    if (spec_.will->properties) {
      will.properties.edit() = message_properties("will-" + spec_.id, connections_);
      payload = mark_properties(std::move(payload));
    }
    will.payload = Bytes(std::move(payload));
    will.qos = spec_.will->qos;
    will.retain = spec_.will->retain;
    const auto delay = static_cast<std::uint32_t>(spec_.will->delay / 1s);
    if (spec_.version == mqtt::Version::v5 && delay > 0) will.properties.edit().will_delay_interval = delay;
    if (spec_.will->expiry) will.properties.edit().message_expiry_interval = spec_.will->expiry;
    packet.will = std::move(will);
  }
  Event note = event(Event::Kind::connect_sent);
  if (packet.will) {
    note.topic = packet.will->topic;
    note.qos = packet.will->qos;
    note.retained = packet.will->retain;
    note.delay = VirtualTime{packet.will->properties->will_delay_interval.value_or(0)} * 1'000'000'000;
    note.expiry = packet.will->properties->message_expiry_interval;
  }
  note.flag = spec_.clean_start;
  world_.note(std::move(note));
  send(*current_, packet);
  for (const std::uint16_t id : std::exchange(unsent_pubrecs_, {})) {
    mqtt::Pubrec pubrec;
    pubrec.packet_id = id;
    if (received_.contains(id)) send(*current_, pubrec);
  }
}

void Client::handle_connack(const mqtt::Connack& packet) {
  if (mqtt::is_error(packet.reason)) {
    Event note = event(Event::Kind::refused);
    note.code = mqtt::code(packet.reason);
    world_.note(std::move(note));
    const StreamId stream = current_->stream;
    over(*current_, mqtt::code(packet.reason), false, "refused");
    current_.reset();
    world_.close(stream);
    plan_reconnect(std::nullopt, true);
    return;
  }
  if (packet.session_present && spec_.clean_start) violation("session present after clean start [MQTT-3.2.2-2]");
  if (packet.session_present && connections_ == 1) violation("session present for a client that never asked for one");
  current_->phase = Phase::up;
  current_->send_quota = packet.properties->receive_maximum.value_or(65'535);
  current_->keep_alive = packet.properties->server_keep_alive.value_or(spec_.keep_alive);
  failures_ = 0;
  ++counters_.connects;
  current_->aliases_out_max = std::min(spec_.topic_aliases, packet.properties->topic_alias_maximum.value_or(0));
  Event note = event(Event::Kind::connected);
  note.flag = packet.session_present;
  world_.note(std::move(note));
  check_proof(packet);
  if (!current_) return;
  if (!packet.session_present) {
    session_lost();
  } else if (under_way_) {
    operations_.push_front(under_way_->operation);
  }
  under_way_.reset();
  for (auto& [number, flow] : flows_) flow.sent = flow.published = false;
}

void Client::session_lost() {
  for (const auto& [number, flow] : flows_) {
    Event note = event(Event::Kind::publish_abandoned);
    note.number = number;
    note.publisher = spec_.id;
    note.topic = flow.topic;
    note.qos = spec_.publish[flow.job].qos;
    note.packet_id = flow.id;
    world_.note(std::move(note));
  }
  flows_.clear();
  flow_of_id_.clear();
  received_.clear();
  std::deque<Operation> again;
  for (const auto& [filter, what] : wanted_) again.push_back({true, what});
  for (auto& operation : operations_) again.push_back(std::move(operation));
  operations_ = std::move(again);
}

void Client::plan_reconnect(std::optional<Duration> offline, bool move) {
  move_ = move_ || move;
  Duration delay = spec_.reconnect_min;
  if (offline) {
    delay = *offline;
  } else {
    for (std::uint64_t i = 0; i < failures_ && delay < spec_.reconnect_max; ++i) delay *= 2;
    delay = std::min(delay, spec_.reconnect_max);
    ++failures_;
    const std::uint64_t bits = choices_.bits();
    if (spec_.reconnect_jitter) {
      const auto half = static_cast<std::uint64_t>(delay.count() / 2 + 1);
      delay -= Duration(static_cast<std::int64_t>(bits % half));
    }
  }
  connect_at_ = world_.now() + delay.count();
}

void Client::over(Connection& connection, std::uint8_t code, bool clean, std::string text, std::optional<std::uint32_t> session_expiry) {
  if (connection.number == 0) return;
  for (const auto& ack : connection.acks)
    if (const auto* pubrec = std::get_if<mqtt::Pubrec>(&ack.packet); pubrec != nullptr && spec_.acknowledges_early)
      unsent_pubrecs_.push_back(pubrec->packet_id);
  Event note;
  note.kind = Event::Kind::disconnected;
  note.client = spec_.id;
  note.node = connection.node;
  note.connection = connection.number;
  note.code = code;
  note.flag = clean;
  note.text = std::move(text);
  note.expiry = session_expiry;
  world_.note(std::move(note));
}

void Client::abandon(std::string text, std::uint8_t reason) {
  if (!current_) return;
  Connection& connection = *current_;
  if (reason != 0 && connection.phase == Phase::up && spec_.version == mqtt::Version::v5) {
    mqtt::Disconnect packet;
    packet.reason = static_cast<mqtt::Reason>(reason);
    send(connection, packet);
    world_.close(connection.stream);
  } else {
    world_.reset(connection.stream);
  }
  over(connection, 0, false, std::move(text));
  current_.reset();
  plan_reconnect(std::nullopt, true);
}

void Client::drop(Duration offline, bool move) {
  if (!current_) return;
  world_.reset(current_->stream);
  over(*current_, 0, false, "dropped");
  current_.reset();
  plan_reconnect(offline, move);
  arm();
}

void Client::disconnect(Duration offline, bool move, const Farewell& farewell) {
  if (!connected()) return drop(offline, move);
  mqtt::Disconnect packet;
  if (farewell.with_will) packet.reason = mqtt::Reason::disconnect_with_will_message;
  if (farewell.session_expiry) packet.properties.edit().session_expiry_interval = farewell.session_expiry;
  send(*current_, packet);
  world_.close(current_->stream);
  over(*current_, mqtt::code(packet.reason), !farewell.with_will,
       farewell.with_will ? "said goodbye, and wants its will published" : "said goodbye", farewell.session_expiry);
  current_.reset();
  plan_reconnect(offline, move);
  arm();
}

void Client::crash(Duration offline, bool move) {
  world_.vanish(spec_.id);
  for (auto& zombie : zombies_) over(*zombie, 0, false, "vanished");
  zombies_.clear();
  if (current_) over(*current_, 0, false, "vanished");
  current_.reset();
  plan_reconnect(offline, move);
  arm();
}

void Client::takeover(bool move) {
  if (!connected()) return;
  ++counters_.takeovers;
  world_.note(event(Event::Kind::left));
  current_->acks.clear();
  zombies_.push_back(std::make_unique<Connection>(std::move(*current_)));
  current_.reset();
  if (zombies_.size() > zombies_max) {
    world_.reset(zombies_.front()->stream);
    over(*zombies_.front(), 0, false, "dropped, forgotten");
    zombies_.erase(zombies_.begin());
  }
  plan_reconnect(Duration(0), move);
  arm();
}

void Client::come_back() {
  if (connect_at_ && *connect_at_ > world_.now()) connect_at_ = world_.now();
  failures_ = 0;
  arm();
}

void Client::on_closed(StreamId stream, env::CloseReason reason) {
  static constexpr const char* why[] = {"closed by the broker", "reset", "dial refused", "dial failed"};
  const char* text = why[static_cast<std::size_t>(reason)];
  if (current_ && current_->stream == stream) {
    over(*current_, 0, false, text);
    current_.reset();
    plan_reconnect(std::nullopt, true);
  }
  for (std::size_t i = 0; i < zombies_.size(); ++i) {
    if (zombies_[i]->stream != stream) continue;
    over(*zombies_[i], 0, false, text);
    zombies_.erase(zombies_.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  arm();
}

void Client::zombie_bytes(std::size_t index, const Bytes& bytes) {
  Connection& zombie = *zombies_[index];
  zombie.decoder.feed(bytes);
  mqtt::Packet packet;
  while (zombie.decoder.next(packet) == mqtt::Decoded::packet) {
    if (const auto* end = std::get_if<mqtt::Disconnect>(&packet)) {
      over(zombie, mqtt::code(end->reason), false, "taken over");
      world_.close(zombie.stream);
      zombies_.erase(zombies_.begin() + static_cast<std::ptrdiff_t>(index));
      return;
    }
  }
}

void Client::on_timer(std::uint64_t token) {
  if (token != 0) return;
  alarm_ = 0;
  alarm_at_ = -1;
  step();
  arm();
}

bool Client::idle() const {
  return connected() && flows_.empty() && !current_->proof && !under_way_ && operations_.empty() && received_.empty() &&
         current_->acks.empty() && zombies_.empty();
}

std::string Client::waiting_for() const {
  if (!current_) return "offline";
  if (!connected()) return "connecting to " + current_->node;
  std::string text = "at " + current_->node + ":";
  if (!flows_.empty()) text += " " + std::to_string(flows_.size()) + " messages unacknowledged, first #" +
                               std::to_string(flows_.begin()->first);
  if (under_way_ || !operations_.empty()) text += " subscriptions unacknowledged";
  if (current_->proof) text += " an authentication under way";
  if (!received_.empty()) text += " " + std::to_string(received_.size()) + " ids unreleased";
  if (!zombies_.empty()) text += " an old connection at " + zombies_.front()->node + " not closed";
  return text;
}

}  // namespace hf::sim
