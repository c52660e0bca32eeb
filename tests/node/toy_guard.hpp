// A guard with one authentication method, TOY: "hello", "who?", then the user's name; answered "welcome".
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "broker/access/guard.hpp"

namespace hf::bench {

class ToyGuard final : public access::Guard {
 public:
  std::set<std::string, std::less<>> users{"ann", "bob"};
  std::optional<std::uint64_t> login_ms;  ///< how long a login lasts
  std::string challenge = "who?";
  std::string forbidden;  ///< a topic that nobody but "root" may have or publish to

  class Talk final : public access::Exchange {
   public:
    Talk(const ToyGuard& guard, std::uint64_t now) : users_(guard.users), challenge_(guard.challenge) {
      if (guard.login_ms) until_ = now + *guard.login_ms;
    }
    Step step(std::string_view data) override {
      if (!greeted_) {
        greeted_ = true;
        return data == "hello" ? Step{Next::client, challenge_, {}} : Step{};
      }
      if (!users_.contains(data)) return {};
      return {Next::done, "welcome", {.user = std::string(data), .rules = {}, .until_ms = until_, .listed = true}};
    }

   private:
    std::set<std::string, std::less<>> users_;
    std::string challenge_;
    std::optional<std::uint64_t> until_;
    bool greeted_ = false;
  };

  [[nodiscard]] access::Verdict login(const access::Applicant& applicant) const override {
    access::Grant grant;
    if (applicant.name) grant.user = *applicant.name;
    if (login_ms) grant.until_ms = applicant.wall_ms + *login_ms;
    return {access::Login::granted, grant};
  }
  [[nodiscard]] std::unique_ptr<access::Exchange> begin(std::string_view method, const access::Applicant& applicant,
                                                        const access::Draw&) const override {
    if (method != "TOY") return nullptr;
    return std::make_unique<Talk>(*this, applicant.wall_ms);
  }
  [[nodiscard]] bool knows(std::string_view user) const override { return users.contains(user); }
  [[nodiscard]] bool may_publish(const access::Who& who, std::string_view topic) const override { return may(who, topic); }
  [[nodiscard]] bool may_subscribe(const access::Who&, std::string_view) const override { return true; }
  [[nodiscard]] bool may_receive(const access::Who& who, std::string_view topic) const override { return may(who, topic); }
  [[nodiscard]] bool may_receive_all(const access::Who&, std::string_view) const override { return true; }
  [[nodiscard]] bool open() const override { return false; }

 private:
  [[nodiscard]] bool may(const access::Who& who, std::string_view topic) const { return topic != forbidden || who.user == "root"; }
};

}  // namespace hf::bench
