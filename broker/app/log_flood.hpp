// Lines that repeat: so many of a kind in a while are written, the rest are counted, and the count is told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/time.hpp"
#include "broker/env/environment.hpp"

namespace hf::app {

/// Lines that name an event are of one kind, whatever else they say; of those about one client (or, without a client id, from
/// one host) fewer are written, so that one client does not use up what there is for all. Lines without an event are of one
/// kind if they differ only in words with digits and in what stands between quotes; of them, warnings and errors are bounded.
/// All tables are of a fixed size: kinds, or clients, that fall on the same place share it.
class LogFlood {
 public:
  static constexpr Duration window = 10s;
  static constexpr std::uint32_t texts_max = 20;      ///< of a kind without an event, in a window
  static constexpr std::uint32_t warnings_max = 200;  ///< of an event
  static constexpr std::uint32_t events_max = 1000;   ///< of an event, where it is no warning
  static constexpr std::uint32_t client_max = 10;     ///< of an event and client

  /// What was not written. `kind`: the event, or the first such line.
  struct HeldBack {
    env::Level level = env::Level::warn;
    std::string event, kind;
    std::uint64_t lines = 0;
    std::int64_t seconds = 0;
  };

  /// Strangers who do not know the seed cannot choose whose place they fall on.
  explicit LogFlood(std::uint64_t seed = 0) : seed_(seed) {}

  /// Whether to write it.
  [[nodiscard]] bool judge(const env::LogLine& line, Instant now);
  /// To be told now: each kind of which lines are held back since a window ago. Then their count begins anew. With `all`,
  /// however short it is.
  [[nodiscard]] std::vector<HeldBack> take(Instant now, bool all = false);

  /// The words without digits and outside of quotes, in a hash.
  [[nodiscard]] static std::uint64_t kind_of(std::string_view text, std::uint64_t seed = 0);

 private:
  struct Window {
    std::optional<Instant> began;
    std::uint32_t written = 0;
    /// Counts a line that may be written.
    bool take(Instant now, std::uint32_t most);
  };
  struct Place {
    Window window;
    Instant since{};  ///< of the first line of `held`
    HeldBack held;
  };

  std::uint64_t seed_;
  std::array<Place, 64> events_{};
  std::array<Place, 256> texts_{};
  std::array<Window, 4096> clients_{};
};

}  // namespace hf::app
