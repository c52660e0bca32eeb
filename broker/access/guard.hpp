// What a node asks about its clients. Where users and rules come from is the business of who implements it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/access/policy.hpp"

namespace hf::access {

/// A client that was let in. `user` is empty for anonymous ones.
struct Who {
  std::string_view user, client;
  const Rules* rules = nullptr;  ///< of this connection alone, beside those for everybody; null: it has none
};

/// A client that wants to be let in.
struct Applicant {
  std::string_view client{};    ///< client id
  std::string_view listener{};  ///< where it came in
  std::string_view identity{};  ///< the user name that the transport has proved; empty: none
  bool same_machine = false;
  std::uint64_t wall_ms = 0;
  std::optional<std::string_view> name{}, password{};  ///< of its CONNECT
};

/// What a client is let in with.
struct Grant {
  std::string user{};                        ///< proved; empty: anonymous
  std::shared_ptr<const Rules> rules{};      ///< of this connection; null: none
  std::optional<std::uint64_t> until_ms{};   ///< wall time at which it ends; none: with the connection
  bool listed = false;                       ///< the user stands in a list; it ends when the name goes from there
};

enum class Login { granted, bad_credentials, not_authorized };

struct Verdict {
  Login login = Login::not_authorized;
  Grant grant{};  ///< when granted
};

/// Bits that nobody can guess, drawn by the node: implementations draw nothing themselves.
using Draw = std::array<std::uint64_t, 3>;

/// One run of an authentication method. It keeps what it needs: the guard that began it may be gone.
class Exchange {
 public:
  enum class Next { client, done, failed };
  struct Step {
    Next next = Next::failed;
    std::string data{};  ///< for the client, unless failed
    Grant grant{};       ///< when done
  };
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;
  /// What the client sent, in order, its first data included. Not called again after `done` or `failed`.
  virtual Step step(std::string_view data) = 0;
};

/// Answers at once and never calls back; nothing in it changes while a node asks. A node is handed another one instead.
class Guard {
 public:
  Guard() = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  virtual ~Guard() = default;

  /// Name and password of a CONNECT without an authentication method.
  [[nodiscard]] virtual Verdict login(const Applicant& applicant) const = 0;
  /// Null: there is no such method.
  [[nodiscard]] virtual std::unique_ptr<Exchange> begin(std::string_view method, const Applicant& applicant,
                                                        const Draw& draw) const = 0;
  /// The name still stands in a list of users.
  [[nodiscard]] virtual bool knows(std::string_view user) const = 0;

  [[nodiscard]] virtual bool may_publish(const Who& who, std::string_view topic) const = 0;
  /// Some topic that the filter matches may be received, and none of it is denied as a whole.
  [[nodiscard]] virtual bool may_subscribe(const Who& who, std::string_view filter) const = 0;
  [[nodiscard]] virtual bool may_receive(const Who& who, std::string_view topic) const = 0;
  /// Certainly every topic that the filter (without its share name) matches may be received. A member of a group must: what
  /// is dealt to it goes to nobody else.
  [[nodiscard]] virtual bool may_receive_all(const Who& who, std::string_view filter) const = 0;
  /// Everybody may do everything: nobody needs to ask.
  [[nodiscard]] virtual bool open() const = 0;
};

}  // namespace hf::access
