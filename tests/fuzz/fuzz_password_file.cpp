// Password files: any text is taken, or refused with file and line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/auth/password_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = hf::auth::PasswordFile::parse(text, "fuzz");
  if (!file) {
    if (!file.error().text.starts_with("fuzz:")) std::abort();
    return 0;
  }
  if (file->size() > size) std::abort();
  if (file->size() != 0 && file->knows("")) std::abort();
  return 0;
}
