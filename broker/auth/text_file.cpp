// Files of an operator that are read whole.
#include "broker/auth/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace hf::auth {

Result<std::string> read_text_file(const std::string& path) {
  std::error_code trouble;
  const auto size = std::filesystem::file_size(path, trouble);
  if (trouble) return fail(Blame::user, path + ": cannot be read: " + trouble.message());
  if (size > file_max)
    return fail(Blame::user, path + ": is " + std::to_string(size) + " bytes; expected at most " + std::to_string(file_max));
  std::ifstream file(path, std::ios::binary);
  const int why = errno;
  if (!file.is_open()) return fail(Blame::user, path + ": cannot be read: " + std::strerror(why));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return fail(Blame::user, path + ": cannot be read");
  return text;
}

tl::unexpected<Error> at_line(const std::string& source, std::size_t line, const std::string& what) {
  return fail(Blame::user, source + ":" + std::to_string(line) + ": " + what);
}

}  // namespace hf::auth
