// Standard input, output and error of a process, before it opens anything.
#include "broker/files/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace hf::files {

void hold_standard_streams() {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    // The lowest free number is this one. For reading only: what is written must not seem to arrive.
    if (::fcntl(number, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

}  // namespace hf::files
