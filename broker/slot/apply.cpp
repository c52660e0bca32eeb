// One operation, one helper: what each kind does to the state.
#include "broker/slot/apply.hpp"

#include <algorithm>
#include <tuple>

#include "broker/base/assert.hpp"
#include "broker/slot/edit.hpp"
#include "broker/slot/keys.hpp"

namespace hf::slot {

namespace {

struct Applying {
  State& state;
  Changes& changes;
  const Dot dot;
  const Stamp stamp;

  static void drop_wills(SessionEdit& edit, const google::protobuf::RepeatedPtrField<pb::Dot>& dots) {
    for (const auto& one : dots) edit.drop_will(from_pb(one));
  }

  /// A re-attachment repeats its CONNECT: clean start too counts from the CONNECT's stamp.
  void connect(const pb::Connect& op) {
    const Stamp connect_stamp = op.has_connect() ? from_pb(op.connect()) : stamp;
    SessionEdit edit(state, changes, op.client());
    drop_wills(edit, op.wills());
    if (op.has_will()) edit.add_will(dot, {connect_stamp, std::min(op.will_delay_s(), op.expiry_s()), op.has_connect(), op.will()});
    if (op.clean()) edit.raise_end(connect_stamp, dot);
    edit.join_connect(op, connect_stamp, stamp, dot);
  }

  void disconnect(const pb::Disconnect& op) {
    SessionEdit edit(state, changes, op.client());
    drop_wills(edit, op.wills());
    edit.join_closed(from_pb(op.connect()), stamp, dot, op.expiry_s(), op.closed_ms());
    if (op.expiry_s() == 0) edit.raise_ended(stamp, dot);
    if (op.goodbye()) edit.join_will_over(from_pb(op.connect()));
  }

  void fire(const pb::Fire& op) {
    SessionEdit edit(state, changes, op.client());
    drop_wills(edit, op.wills());
    edit.join_will_over(from_pb(op.connect()));
    if (!op.has_message()) return;
    state.wills[dot] = {stamp, op.message()};
    state.dirty.insert(keys::will(dot));
    changes.wills.insert(dot);
  }

  /// Who wrote it had seen each Fire, so it comes after them everywhere.
  void published(const pb::Published& op) {
    for (const auto& fire : op.fires())
      if (state.wills.erase(from_pb(fire)) != 0) state.dirty.insert(keys::will(from_pb(fire)));
  }

  void end(const pb::End& op) {
    SessionEdit edit(state, changes, op.client());
    drop_wills(edit, op.wills());
    edit.raise_end(op.has_before() ? from_pb(op.before()) : stamp, dot);
  }

  void subscribe(const pb::Subscribe& op) {
    SessionEdit edit(state, changes, op.client());
    for (const auto& one : op.filters()) {
      Subscription value{stamp, dot, true, one.options(), {}};
      if (one.owed()) {
        Owed& owed = value.owing.edit();
        owed.asked = one.has_asked() ? from_pb(one.asked()) : op.has_asked() ? from_pb(op.asked()) : stamp;
        for (const auto& read : one.read()) owed.read[read.slot()] = read.topic();
      }
      edit.join_subscription(one.filter(), value);
    }
  }

  void unsubscribe(const pb::Unsubscribe& op) {
    SessionEdit edit(state, changes, op.client());
    for (const auto& filter : op.filters()) edit.join_subscription(filter, {stamp, dot, false, {}, {}});
  }

  void enqueue(const pb::Enqueue& op) {
    Entry entry;
    entry.name.dot = dot;
    if (op.message().has_identity()) entry.name = from_pb(op.message().identity());
    entry.name.identity = op.message().has_identity();
    entry.first = entry.last_stamp = stamp;
    entry.message = entry.last = dot;
    for (const auto& target : op.targets()) {
      entry.qos = target.qos();
      entry.retain = target.retain();
      entry.identifiers.assign(target.identifiers().begin(), target.identifiers().end());
      SessionEdit edit(state, changes, target.client());
      edit.join_entry(entry, &op.message());
      if (op.has_reading())
        edit.read_subscription(op.reading().filter(), from_pb(op.reading().subscribed()), op.reading().slot(), op.message().topic());
    }
  }

  void send(const pb::Send& op) {
    SessionEdit edit(state, changes, op.client());
    const Stamp epoch = from_pb(op.epoch());
    const Stamp attach = from_pb(op.attach());
    for (const auto& one : op.entries())
      edit.bind_entry(
          from_pb(one.name()), static_cast<std::uint16_t>(one.packet_id()), epoch, attach, stamp, dot);
  }

  void recd(const pb::Recd& op) {
    SessionEdit edit(state, changes, op.client());
    std::uint32_t place = std::max(op.first(), 1U);
    for (const auto& name : op.names()) edit.receive_entry(from_pb(name), std::max(place++, 1U), stamp, dot);
  }

  void done(const pb::Done& op) {
    SessionEdit edit(state, changes, op.client());
    for (const auto& name : op.names()) edit.finish_entry(from_pb(name), stamp, dot);
  }

  void inbound(const pb::Inbound& op) {
    SessionEdit(state, changes, op.client())
        .join_inbound({static_cast<std::uint16_t>(op.packet_id()), dot},
                      {from_pb(op.epoch()), stamp, from_pb(op.attach()), op.has_name() ? from_pb(op.name()) : dot, op.content()});
  }

  void began(const pb::Began& op) {
    SessionEdit edit(state, changes, op.client());
    if (edit.session().connect) edit.raise_began(from_pb(op.connect()));  // else it ended since: who logs this has seen that CONNECT
  }

  void release(const pb::Release& op) {
    SessionEdit(state, changes, op.client())
        .join_inbound({static_cast<std::uint16_t>(op.packet_id()), dot},
                      {from_pb(op.epoch()), stamp, from_pb(op.attach()), {}, 0});
  }

  void retire(const pb::Retire& op) {
    for (const auto& name : op.names()) {
      Retired& here = state.retired[from_pb(name)];
      if (stamp > here.stamp) here = {stamp, dot};
      state.dirty.insert(keys::retired(from_pb(name)));
    }
  }

  /// An identity is remembered as a delivered entry of `retained_writer`, until its publisher has released it.
  void assign(const pb::Assign& op) {
    SessionEdit(state, changes, op.group())
        .assign_entry(from_pb(op.name()), op.member(), op.has_deal() ? from_pb(op.deal()) : dot, from_pb(op.epoch()), stamp,
                      dot);
  }

  void settle(const pb::Settle& op) {
    const Settled now{from_pb(op.epoch()), stamp, dot, static_cast<Outcome>(op.outcome())};
    for (const auto& name : op.names()) {
      Settled& here = state.settled[from_pb(name)];
      if (std::tie(now.epoch, now.stamp) > std::tie(here.epoch, here.stamp)) here = now;
      state.dirty.insert(keys::settled(from_pb(name)));
    }
  }

  void retained(const pb::Retained& op) {
    const pb::Message& message = op.message();
    if (message.has_identity()) {
      Entry memory;
      memory.name = from_pb(message.identity());
      memory.name.identity = memory.name.written = memory.done = true;
      memory.first = memory.last_stamp = stamp;
      memory.message = memory.last = dot;
      SessionEdit(state, changes, retained_writer).join_entry(memory, nullptr);
    }
    const auto here = state.retained.find(message.topic());
    if (here != state.retained.end() && stamp <= here->second.stamp) return;
    RetainedMessage value{stamp, dot, from_pb(op.connected()), message};
    value.message.clear_identity();  // what is remembered of it stands above
    state.retained.put(message.topic(), std::move(value));
    state.dirty.insert(keys::retained(message.topic()));
  }

  void answered(const pb::Answered& op) {
    SessionEdit(state, changes, op.client()).answer_subscription(op.filter(), from_pb(op.subscribed()));
  }
};

}  // namespace

void apply(State& state, const pb::Operation& operation, Changes& changes) {
  const Dot dot = from_pb(operation.dot());
  HF_ASSERT(state.seen.seen(dot.origin) + 1 == dot.seq);
  state.seen.raise(dot);
  state.dirty.insert(keys::seen);
  Applying applying{state, changes, dot, stamp_of(operation)};
  switch (operation.kind_case()) {
    case pb::Operation::kConnect:
      return applying.connect(operation.connect());
    case pb::Operation::kDisconnect:
      return applying.disconnect(operation.disconnect());
    case pb::Operation::kEnd:
      return applying.end(operation.end());
    case pb::Operation::kSubscribe:
      return applying.subscribe(operation.subscribe());
    case pb::Operation::kUnsubscribe:
      return applying.unsubscribe(operation.unsubscribe());
    case pb::Operation::kEnqueue:
      return applying.enqueue(operation.enqueue());
    case pb::Operation::kSend:
      return applying.send(operation.send());
    case pb::Operation::kRecd:
      return applying.recd(operation.recd());
    case pb::Operation::kDone:
      return applying.done(operation.done());
    case pb::Operation::kInbound:
      return applying.inbound(operation.inbound());
    case pb::Operation::kRelease:
      return applying.release(operation.release());
    case pb::Operation::kRetire:
      return applying.retire(operation.retire());
    case pb::Operation::kRetained:
      return applying.retained(operation.retained());
    case pb::Operation::kBegan:
      return applying.began(operation.began());
    case pb::Operation::kAnswered:
      return applying.answered(operation.answered());
    case pb::Operation::kFire:
      return applying.fire(operation.fire());
    case pb::Operation::kPublished:
      return applying.published(operation.published());
    case pb::Operation::kAssign:
      return applying.assign(operation.assign());
    case pb::Operation::kSettle:
      return applying.settle(operation.settle());
    case pb::Operation::KIND_NOT_SET:
      return;
  }
}

}  // namespace hf::slot
