// Access-control files: taken, or refused with file and line; what is taken says of a subscription to one topic what it
// says of receiving that topic, and of receiving all that matches it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/auth/acl_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hf;  // NOLINT: a program of one file
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = auth::AclFile::parse(text, "fuzz");
  if (!file) {
    if (!file.error().text.starts_with("fuzz:")) std::abort();
    return 0;
  }
  for (const access::Who& who : {access::Who{"", "c"}, access::Who{"ann", "c"}, access::Who{"ann", "#"}})
    for (const std::string_view topic : {"a", "a/b", "/", "$SYS/a", "a/ann/c"}) {
      if (file->say_filter(who, topic) != file->say(access::Deed::receive, who, topic)) std::abort();
      if (file->say_all(who, topic) != file->say(access::Deed::receive, who, topic)) std::abort();
      static_cast<void>(file->say(access::Deed::publish, who, topic));
    }
  static_cast<void>(file->say_filter({"ann", "c"}, "+/#"));
  return 0;
}
