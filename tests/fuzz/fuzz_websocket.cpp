// WebSocket from the first byte of HTTP on: cut anywhere it comes to the same; what goes up is no more than what came in.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "broker/wrapping/wrapping.hpp"

namespace {

using hf::wrapping::Plan;
using hf::wrapping::Wrapping;

void must(bool condition) {
  if (!condition) std::abort();
}

struct Outcome {
  std::string up, down, why;
  Wrapping::State state = Wrapping::State::shaking;
};

Outcome fed(std::string_view bytes, std::size_t step, bool upgraded) {
  Plan plan;
  plan.websocket_path = "/mqtt";
  Wrapping wrapping(plan);
  Outcome outcome;
  if (upgraded) {
    wrapping.receive("GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
                     outcome.up, outcome.down);
    must(wrapping.state() == Wrapping::State::open);
  }
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    wrapping.receive(bytes.substr(at, step), outcome.up, outcome.down);
  }
  outcome.state = wrapping.state();
  outcome.why = wrapping.why();
  if (outcome.state == Wrapping::State::open) {
    const std::size_t before = outcome.down.size();
    wrapping.send("answer", 0, outcome.down);
    wrapping.finish(outcome.down);
    must(outcome.down.size() == before + 8 + 4);
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool upgraded = (data[0] & 1U) != 0;
  const std::size_t step = 1 + data[1] % 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome whole = fed(bytes, bytes.size() + 1, upgraded);
  const Outcome parts = fed(bytes, step, upgraded);
  must(whole.up.size() <= bytes.size());
  must(whole.up == parts.up && whole.state == parts.state);
  // Of a header that is both too large and wrong, what is said first depends on the cuts.
  must(upgraded ? whole.down == parts.down && whole.why == parts.why : whole.why.empty() == parts.why.empty());
  return 0;
}
