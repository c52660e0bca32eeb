// Files of a test, and commands that make some of them.
#include "tests/auth/scratch.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

namespace hf::auth {

Scratch::Scratch() : directory_((std::filesystem::temp_directory_path() / "hf-auth-XXXXXX").string()) {
  if (::mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("no directory for the test");
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Scratch::file(const std::string& name, const std::string& text) const {
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

std::string Scratch::read(const std::string& name) const {
  std::ifstream file(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Scratch::run(const std::string& command) const {
  std::string said;
  FILE* pipe = ::popen(("cd " + directory_ + " && (" + command + ") 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("no shell");
  std::array<char, 4096> part;
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe)) said.append(part.data(), got);
  if (const int status = ::pclose(pipe); status != 0) throw std::runtime_error(command + ": " + said);
  return said;
}

}  // namespace hf::auth
