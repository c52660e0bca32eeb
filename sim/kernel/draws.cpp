// Keyed draws and the logarithm in integers.
#include "sim/kernel/draws.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "broker/base/assert.hpp"

namespace hf::sim {
namespace {

constexpr std::size_t table_bits = 8;
constexpr std::size_t table_size = std::size_t{1} << table_bits;

/// log2(m / 2^31) in 24-bit fixed point by repeated squaring, for m in [2^31, 2^32].
constexpr std::uint64_t log2_q24(std::uint64_t m) {
  if (m == std::uint64_t{1} << 32U) return std::uint64_t{1} << 24U;
  std::uint64_t result = 0;
  for (int bit = 23; bit >= 0; --bit) {
    m = (m * m) >> 31U;
    if (m >= std::uint64_t{1} << 32U) {
      m >>= 1U;
      result |= std::uint64_t{1} << static_cast<unsigned>(bit);
    }
  }
  return result;
}

constexpr auto log_table = [] {
  std::array<std::uint64_t, table_size + 1> table{};
  for (std::size_t i = 0; i <= table_size; ++i) {
    table[i] = log2_q24((std::uint64_t{1} << 31U) + (i << (31 - table_bits)));
  }
  return table;
}();

constexpr std::uint64_t ln2_q32 = 2977044472;  // ln 2 * 2^32

}  // namespace

std::uint64_t minus_log_q24(std::uint64_t n) {
  n = std::max<std::uint64_t>(n, 1);
  const auto zeros = static_cast<unsigned>(std::countl_zero(n));
  const std::uint64_t fraction = (n << zeros) << 1U;  // behind the leading one, at the top
  const std::size_t place = fraction >> (64 - table_bits);
  const std::uint64_t rest = (fraction << table_bits) >> 40U;  // 24 bits between two entries
  const std::uint64_t log2_fraction =
      log_table[place] + (((log_table[place + 1] - log_table[place]) * rest) >> 24U);
  // -log2(n / 2^64) = zeros + 1 - log2(1.fraction)
  const std::uint64_t minus_log2 = (static_cast<std::uint64_t>(zeros + 1) << 24U) - log2_fraction;
  return (minus_log2 * ln2_q32) >> 32U;
}

Duration exponential(std::uint64_t bits, Duration mean, Duration max) {
  HF_ASSERT(mean.count() >= 0 && mean.count() < (std::int64_t{1} << 56));
  const std::uint64_t log = minus_log_q24(bits);
  const auto whole = static_cast<std::uint64_t>(mean.count());
  const std::uint64_t product =
      (whole >> 24U) * log + (((whole & 0xFFFFFFU) * log) >> 24U);
  return std::min(Duration(static_cast<std::int64_t>(product)), max);
}

std::int64_t DrawSequence::between(std::int64_t low, std::int64_t high) {
  HF_ASSERT(low <= high);
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const std::uint64_t drawn = span == 0 ? bits() : below(span);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + drawn);
}

DrawSequence& Draws::of(std::string_view purpose, std::string_view entity) {
  const std::pair name(hash64(purpose), hash64(entity));
  return sequences_.try_emplace(name, key(name.first, name.second)).first->second;
}

}  // namespace hf::sim
