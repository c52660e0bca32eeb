// Files of a test, and commands that make some of them.
#pragma once

#include <string>

namespace hf::auth {

/// A directory that goes with the test.
class Scratch {
 public:
  Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  /// Writes it and answers its path.
  std::string file(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string read(const std::string& name) const;
  /// Runs a shell command in the directory; its output. A command that fails ends the test.
  std::string run(const std::string& command) const;

 private:
  std::string directory_;
};

}  // namespace hf::auth
