// Hashes that are the same on every machine and in every build (std::hash is not).
#pragma once

#include <cstdint>
#include <string_view>

namespace hf {

/// Finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection that scatters all 64 bits.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

/// FNV-1a over the bytes, then mix64. Not keyed: for placement and digests, not for hash tables
/// that strangers can fill.
constexpr std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0) {
  std::uint64_t h = 0xcbf29ce484222325ULL ^ mix64(seed);
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mix64(h);
}

}  // namespace hf
