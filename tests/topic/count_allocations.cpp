// Counts every allocation, so that "match allocates nothing" is a test and not a promise. A file of
// its own: inlined into a caller, GCC 12 takes the pair for mismatched.
#include "tests/topic/count_allocations.hpp"

#include <cstdlib>
#include <new>

namespace {
std::size_t counted = 0;
}

namespace hf::topic {
std::size_t allocations() {
  return counted;
}
}  // namespace hf::topic

void* operator new(std::size_t size) {
  ++counted;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
