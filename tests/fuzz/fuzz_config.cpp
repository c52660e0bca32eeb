// holdfastd's configuration: any text is taken or refused with words, and what is taken can be printed and taken again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/app/config_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hf::app;  // NOLINT: a program of one file
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Settings settings;
  if (const auto done = apply_text(settings, text, "fuzz.json"); !done) {
    if (done.error().text.find("fuzz.json") == std::string::npos) std::abort();
    return 0;
  }
  if (!complete(settings)) return 0;
  const std::string printed = print(settings);
  if (!settings.admin.token.empty()) return 0;  // hidden, and not taken back
  Settings again;
  if (!apply_text(again, printed, "printed") || !complete(again) || print(again) != printed) std::abort();
  return 0;
}
