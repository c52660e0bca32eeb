// SCRAM: whatever a client says, line by line, who does not know the password is not let in.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "broker/auth/scram_exchange.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hf;  // NOLINT: a program of one file
  static const auto users = [] {
    auto all = std::make_shared<auth::ScramUsers>("secret of the process");
    all->add_password("ann", "secret");
    return std::shared_ptr<const auth::ScramUsers>(std::move(all));
  }();
  auth::ScramExchange exchange(users, {1, 2, 3});
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  static_cast<void>(auth::ScramVerifier::read(rest));
  static_cast<void>(auth::ClientFinal::read(rest));
  while (true) {
    const auto end = rest.find('\n');
    const auto step = exchange.step(rest.substr(0, end));
    if (step.next == access::Exchange::Next::done) std::abort();
    if (step.next == access::Exchange::Next::failed || end == std::string_view::npos) return 0;
    rest.remove_prefix(end + 1);
  }
}
