// The guard that is made of users and rules alone: no files, no hashes.
#pragma once

#include <utility>

#include "broker/access/guard.hpp"
#include "broker/access/rules.hpp"

namespace hf::access {

/// Deny beats allow, whatever the order; once there are rules, what no rule allows is denied (as in Mosquitto).
class Access final : public Guard {
 public:
  explicit Access(Policy policy) : policy_(std::move(policy)) {}

  [[nodiscard]] Verdict login(const Applicant& applicant) const override;
  /// It has no methods.
  [[nodiscard]] std::unique_ptr<Exchange> begin(std::string_view method, const Applicant& applicant,
                                                const Draw& draw) const override;
  [[nodiscard]] bool knows(std::string_view user) const override { return find(user) != nullptr; }

  [[nodiscard]] bool may_publish(const Who& who, std::string_view topic) const override;
  [[nodiscard]] bool may_subscribe(const Who& who, std::string_view filter) const override;
  [[nodiscard]] bool may_receive(const Who& who, std::string_view topic) const override;
  [[nodiscard]] bool may_receive_all(const Who& who, std::string_view filter) const override;
  [[nodiscard]] bool open() const override { return policy_.rules.empty(); }

 private:
  [[nodiscard]] const User* find(std::string_view name) const;
  [[nodiscard]] bool may(Deed deed, const Who& who, std::string_view topic) const;

  Policy policy_;
};

}  // namespace hf::access
