// Programmer errors stop the process, in every build.
#pragma once

namespace hf {

/// Prints the broken invariant and aborts. Never returns.
[[noreturn]] void assertion_failed(const char* what, const char* file, int line) noexcept;

}  // namespace hf

#define HF_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::hf::assertion_failed(#condition, __FILE__, __LINE__))
