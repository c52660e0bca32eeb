// The other side: what a node holds of retained messages, how it is looked through, and how much of it there may be.
#include <algorithm>

#include "broker/node/parts.hpp"
#include "broker/node/retained.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

namespace {

// Of one page: what is sent, and what is looked at. A turn must stay short.
constexpr std::size_t page_bytes = 64U * 1024;
constexpr std::size_t page_topics = 10'000;

class AnswerPage {
 public:
  AnswerPage(const pb::RetainedQuery& query, pb::RetainedAnswer& answer, std::uint64_t wall_ms, int messages)
      : filter_(query.filter()), range_(topic_range(query.filter())), answer_(answer), wall_ms_(wall_ms), messages_(messages) {}

  /// False when the page ends within the slot: the answer says where.
  bool read(SlotId slot, const slot::RetainedMessages& retained, const std::string& after) {
    if (!has_wildcard(filter_)) {
      if (const auto it = retained.find(filter_); it != retained.end() && after != filter_) take(it->second);
      return true;
    }
    if (range_.parent && after < *range_.parent)
      if (const auto it = retained.find(*range_.parent); it != retained.end()) take(it->second);
    auto it = after < range_.prefix ? retained.all().lower_bound(range_.prefix) : retained.all().upper_bound(after);
    for (; it != retained.end() && it->first.starts_with(range_.prefix); ++it) {
      if (topic::matches(filter_, it->first)) take(it->second);
      if (++looked_ < page_topics && answer_.messages_size() < messages_ && bytes_ < page_bytes) continue;
      answer_.set_at(slot);
      answer_.set_after(it->first);
      return false;
    }
    return true;
  }

 private:
  void take(const slot::RetainedMessage& one) {
    const bool expired = one.message.expires_ms() != 0 && one.message.expires_ms() <= wall_ms_;
    if (one.deleted() || expired) return;
    *answer_.add_messages() = one.message;
    bytes_ += slot::retained_bytes(one.message);
  }

  const std::string& filter_;
  const TopicRange range_;
  pb::RetainedAnswer& answer_;
  const std::uint64_t wall_ms_;
  const int messages_;
  std::size_t looked_ = 0, bytes_ = 0;
};

}  // namespace

bool has_wildcard(std::string_view filter) { return filter.find_first_of("+#") != std::string_view::npos; }

TopicRange topic_range(std::string_view filter) {
  const std::size_t wild = filter.find_first_of("+#");
  TopicRange range{std::nullopt, std::string(filter.substr(0, wild))};
  // "a/#" matches "a" too; "a/+" does not.
  if (wild != std::string_view::npos && wild > 1 && filter[wild] == '#') range.parent = filter.substr(0, wild - 1);
  return range;
}

void Retained::on_query(NodeId from, const pb::RetainedQuery& query) const {
  pb::PeerMessage message;
  pb::RetainedAnswer& answer = *message.mutable_retained_answer();
  answer.set_id(query.id());
  answer.set_whole(true);
  const std::uint64_t wall_ms = parts_.config.mutant.is("expired_retained_delivered") ? 0 : parts_.env.wall_ms();
  AnswerPage page(query, answer, wall_ms, parts_.config.retained_page);
  for (int i = 0; i < query.slots_size(); ++i) {
    const SlotId slot = query.slots(i);
    if (slot >= parts_.config.slots || !parts_.slots.serving(slot)) {
      answer.add_refused(slot);
      continue;
    }
    answer.set_whole(answer.whole() && parts_.slots.decides(slot));
    if (!page.read(slot, parts_.slots.held(slot)->state().retained, i < query.after_size() ? query.after(i) : "")) break;
    answer.add_done(slot);
  }
  parts_.send(from, std::move(message));
}

bool Retained::has_room(SlotId slot, const slot::pb::Message& message) const {
  if (message.payload().empty()) return true;
  const auto& retained = parts_.slots.held(slot)->state().retained;
  const auto it = retained.find(message.topic());
  const bool replaces = it != retained.end() && !it->second.deleted();
  const std::uint64_t before = it == retained.end() ? 0 : slot::retained_bytes(it->second.message);
  return messages_ + (replaces ? 0 : 1) <= parts_.config.retained_max_messages &&
         bytes_ + slot::retained_bytes(message) - before <= parts_.config.retained_max_bytes;
}

void Retained::measure(SlotId slot) {
  const auto* held = slot < parts_.config.slots ? parts_.slots.held(slot) : nullptr;
  Size& size = sizes_[slot];
  Size now;
  if (held != nullptr) {
    const slot::RetainedMessages& retained = held->state().retained;
    now = {retained.messages(), retained.bytes(), retained.expiring().empty() ? 0 : retained.expiring().begin()->first};
  }
  messages_ += now.messages - size.messages;
  bytes_ += now.bytes - size.bytes;
  if (now.expires != size.expires) {
    expiring_.erase({size.expires, slot});
    if (now.expires != 0) expiring_.insert({now.expires, slot});
  }
  size = now;
}

}  // namespace hf::node
