// The guard of simulated clusters: one run of CHALLENGE.
#include "sim/world/challenge_guard.hpp"

#include <algorithm>

#include "sim/world/challenge.hpp"

namespace hf::sim {

namespace {

class Challenge final : public access::Exchange {
 public:
  Challenge(std::vector<access::User> users, const access::Draw& draw) : users_(std::move(users)) {
    nonce_ = "nonce";
    for (const std::uint64_t word : draw) nonce_ += " " + std::to_string(word);
  }

  /// A name that nobody has is challenged like any other: who asks learns nothing from it.
  Step step(std::string_view data) override {
    if (!named_) {
      named_ = true;
      name_ = data;
      return {Next::client, nonce_, {}};
    }
    const auto user = std::find_if(users_.begin(), users_.end(), [&](const access::User& one) { return one.name == name_; });
    if (user == users_.end() || data != challenge_answer(nonce_, user->password)) return {};
    return {Next::done, challenge_proof(nonce_, user->password),
            {.user = name_, .rules = {}, .until_ms = {}, .listed = true}};
  }

 private:
  std::vector<access::User> users_;
  std::string nonce_, name_;
  bool named_ = false;
};

}  // namespace

std::unique_ptr<access::Exchange> ChallengeGuard::begin(std::string_view method, const access::Applicant&,
                                                        const access::Draw& draw) const {
  if (method != challenge_method) return nullptr;
  return std::make_unique<Challenge>(users_, draw);
}

}  // namespace hf::sim
