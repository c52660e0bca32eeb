// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace hf::ctl {

std::string count(std::uint64_t number);         ///< 1,234,567
std::string bytes(std::uint64_t number);         ///< 512 B, 1.5 KiB, 3.2 GiB
std::string duration_s(std::uint64_t seconds);   ///< 45s, 12m 5s, 3h 20m, 5d 2h
std::string duration_ms(std::uint64_t ms);       ///< 250ms, then as above
std::string time_of(std::uint64_t wall_ms);      ///< 2026-11-27 01:30:00 UTC

}  // namespace hf::ctl
