// Lists of the API, a page at a time: no answer is larger than about body_max, whatever the names in it.
#include <algorithm>
#include <charconv>
#include <optional>

#include "broker/admin/asked.hpp"
#include "broker/admin/views.hpp"

namespace hf::admin {
namespace {

constexpr std::size_t limit_default = 100, limit_max = 1000;
constexpr std::size_t items_at_once = 16;
constexpr std::size_t body_max = 1U << 20U;

std::optional<std::size_t> number(const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Of the parameter "limit"; nothing: it is no such number.
std::optional<std::size_t> limit_of(const Target& target) {
  const auto it = target.query.find("limit");
  if (it == target.query.end()) return limit_default;
  const auto value = number(it->second);
  if (!value || *value == 0 || *value > limit_max) return std::nullopt;
  return value;
}

/// {"items": [...], "next": cursor}; no "next" on the last page. The cursor can be put behind ?after= as it is.
std::string body_of(const std::string& items, const std::optional<std::string>& next) {
  return "{\"items\":[" + items + "]" + (next ? ",\"next\":\"" + percent_encoded(*next) + "\"" : "") + "}\n";
}

void bad_limit(Administration::Respond& respond) {
  respond(error_reply(400, "parameter", "limit: expected a whole number from 1 to " + std::to_string(limit_max)));
}

/// `fetch(after, limit)` gives a page of the shard's.
template <class Fetch>
void answer_page(const Target& target, Administration::Respond& respond, Fetch fetch) {
  const auto limit = limit_of(target);
  if (!limit) return bad_limit(respond);
  const auto after = target.query.find("after");
  std::optional<std::string> next = after == target.query.end() ? std::string() : after->second;
  std::string items;
  for (std::size_t left = *limit; next && left > 0 && items.size() < body_max;) {
    auto page = fetch(*next, std::min(left, items_at_once));
    for (const auto& item : page.items) {
      if (!items.empty()) items += ',';
      items += view(item).dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    left -= std::min(left, page.items.size());
    next = std::move(page.next);
  }
  Reply reply;
  reply.body = body_of(items, next);
  respond(std::move(reply));
}

}  // namespace

void Administration::clients(Asked& asked) {
  answer_page(asked.target, asked.respond, [this](const auto& after, std::size_t limit) { return inspection_.clients(after, limit); });
}

void Administration::sessions(Asked& asked) {
  answer_page(asked.target, asked.respond, [this](const auto& after, std::size_t limit) { return inspection_.sessions(after, limit); });
}

void Administration::subscriptions(Asked& asked) {
  const std::string& client = asked.names[0];
  if (!inspection_.session(client)) return session(asked);  // says that there is none, or where it would be
  answer_page(asked.target, asked.respond,
              [&](const auto& after, std::size_t limit) { return inspection_.subscriptions(client, after, limit); });
}

void Administration::retained(Asked& asked) {
  answer_page(asked.target, asked.respond, [this](const auto& after, std::size_t limit) { return inspection_.retained(after, limit); });
}

void Administration::slots(Asked& asked) {
  const auto limit = limit_of(asked.target);
  if (!limit) return bad_limit(asked.respond);
  const std::string after = asked.parameter("after");
  const auto last = after.empty() ? std::optional<std::size_t>() : number(after);
  if (!after.empty() && !last) return asked.refuse(400, "parameter", "after: expected the \"next\" of an earlier page");
  std::string items;
  std::optional<std::string> next;
  std::size_t count = 0;
  SlotId written = 0;
  for (const auto& slot : inspection_.slots()) {
    if (last && slot.slot <= *last) continue;
    if (count == *limit) {
      next = std::to_string(written);
      break;
    }
    if (count++ > 0) items += ',';
    items += view(slot).dump();
    written = slot.slot;
  }
  Reply reply;
  reply.body = body_of(items, next);
  asked.respond(std::move(reply));
}

}  // namespace hf::admin
