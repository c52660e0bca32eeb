// Each client's requests about each of its filters, and which of them may have been in force for a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/check/case.hpp"

namespace hf::sim {

/// A SUBSCRIBE or UNSUBSCRIBE of one filter.
struct Request {
  std::size_t sent = no_event, answered = no_event;  ///< events; `answered` on the same connection
  bool subscribe = true, shared = false;
  std::uint32_t identifier = 0;  ///< 0 is none
  bool no_local = false, as_published = false;
  std::uint8_t handling = 0;
};

class Requests {
 public:
  explicit Requests(const Case& c);

  /// Consecutive requests of one filter.
  struct Span {
    std::span<const Request> requests;
    bool ruled = false;  ///< the first was surely known wherever the message was sent, before it was
    [[nodiscard]] bool subscribes() const;
    [[nodiscard]] bool has(std::uint32_t identifier) const;
    [[nodiscard]] bool has_any() const;
    [[nodiscard]] std::uint32_t only_identifier() const;  ///< the one of each SUBSCRIBE; 0: none, or they differ
    [[nodiscard]] bool all_of(bool Request::*option) const;  ///< each SUBSCRIBE asks for it
    [[nodiscard]] bool may_bring_flag() const;               ///< one asks for retained messages, or for RETAIN as published
    [[nodiscard]] const Request* last() const { return &requests.back(); }
  };
  /// Those before `event`.
  [[nodiscard]] Span all(std::size_t subscription, std::size_t event) const;
  /// Those whose word may have counted when the message was matched, `event` being its receipt: the last one surely known by
  /// then, and all that came after it.
  [[nodiscard]] Span possible(std::size_t subscription, const Message& message, std::size_t event) const;
  /// The one whose word did count, or null: the filter stood from before the first send until `event`, and nothing changed it.
  [[nodiscard]] const Request* sure(std::size_t subscription, const Span& possible, const Message& message, std::size_t event) const;
  [[nodiscard]] const std::vector<Request>& of(std::size_t subscription) const { return of_[subscription]; }
  /// The client asked for any option at any time.
  [[nodiscard]] bool any(std::uint32_t client) const { return any_[client]; }

 private:
  [[nodiscard]] bool stale_may_arrive(const std::vector<Request>& requests, std::size_t i) const;

  const Case& c_;
  std::vector<std::vector<Request>> of_;  ///< by subscription, ascending
  std::vector<bool> any_;                 ///< by client
};

/// Who asks again for what it holds, with retain handling 1, gets no retained message [MQTT-3.3.1-10].
void judge_asked_again(Verdict& verdict, const Case& c);

}  // namespace hf::sim
