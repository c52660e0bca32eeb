// Scenario files: any text becomes a scenario or an error that names the file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sim/scenario/parse.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto scenario = hf::sim::parse_scenario(text, "fuzz.json");
  if (!scenario && scenario.error().text.find("fuzz.json") == std::string::npos) std::abort();
  return 0;
}
