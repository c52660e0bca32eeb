// Lines of an operator's files, and what is wrong with one.
#include "broker/auth/text_file.hpp"

namespace hf::auth {

tl::unexpected<Error> at_line(const std::string& source, std::size_t line, const std::string& what) {
  return fail(Blame::user, source + ":" + std::to_string(line) + ": " + what);
}

}  // namespace hf::auth
