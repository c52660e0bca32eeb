// The guard of simulated clusters: users and rules of the scenario, and the authentication method CHALLENGE.
#pragma once

#include <memory>
#include <string_view>

#include "broker/access/access.hpp"

namespace hf::sim {

/// One exchange: user name, nonce, answer, proof. Everything but `begin` is what users and rules alone say.
class ChallengeGuard final : public access::Guard {
 public:
  explicit ChallengeGuard(const access::Policy& policy) : users_(policy.users), access_(policy) {}

  [[nodiscard]] access::Verdict login(const access::Applicant& applicant) const override { return access_.login(applicant); }
  [[nodiscard]] std::unique_ptr<access::Exchange> begin(std::string_view method, const access::Applicant& applicant,
                                                        const access::Draw& draw) const override;
  [[nodiscard]] bool knows(std::string_view user) const override { return access_.knows(user); }
  [[nodiscard]] bool may_publish(const access::Who& who, std::string_view topic) const override {
    return access_.may_publish(who, topic);
  }
  [[nodiscard]] bool may_subscribe(const access::Who& who, std::string_view filter) const override {
    return access_.may_subscribe(who, filter);
  }
  [[nodiscard]] bool may_receive(const access::Who& who, std::string_view topic) const override {
    return access_.may_receive(who, topic);
  }
  [[nodiscard]] bool may_receive_all(const access::Who& who, std::string_view filter) const override {
    return access_.may_receive_all(who, filter);
  }
  [[nodiscard]] bool open() const override { return access_.open(); }

 private:
  std::vector<access::User> users_;
  access::Access access_;
};

}  // namespace hf::sim
