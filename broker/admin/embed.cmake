# Writes a C++ file that holds a text: cmake -DFROM=... -DTO=... -P embed.cmake
file(READ ${FROM} text)
if(text MATCHES "\\)embedded\"")
  message(FATAL_ERROR "${FROM} holds )embedded\"")
endif()
file(WRITE ${TO} "// Made from ${FROM}\n#include \"broker/admin/page.hpp\"\n\nnamespace hf::admin {\n
std::string_view status_page() {\n  static constexpr std::string_view page = R\"embedded(")
file(APPEND ${TO} "${text}")
file(APPEND ${TO} ")embedded\";\n  return page;\n}\n\n}  // namespace hf::admin\n")
