// Reading the configuration again while the node runs: all of it is checked before any of it changes.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "broker/app/config_file.hpp"
#include "broker/env/environment.hpp"

namespace hf::app {

/// Puts what a subject prepared in force, and notes in the running settings which fields it took over.
/// Cannot fail.
using TakeOver = std::function<void(Settings& running)>;
/// A subject that can change while the node runs. Prepares for the fresh settings (reads its files, say)
/// without any effect, or tells what is wrong with them.
using Reloadable = std::function<Result<TakeOver>(const Settings& fresh)>;

class Reload {
 public:
  using Log = std::function<void(env::Level, std::string_view)>;

  /// `read` answers the settings as file and options have them by then.
  Reload(Settings running, std::function<Result<Settings>()> read, Log log);
  void add(Reloadable subject) { subjects_.push_back(std::move(subject)); }
  /// One reload. On any error nothing has changed, and the log tells the error. Else the log names, in one
  /// line, the fields that changed, and those of them that wait for a restart.
  void run();
  [[nodiscard]] const Settings& running() const { return running_; }

 private:
  Settings running_;
  std::function<Result<Settings>()> read_;
  Log log_;
  std::vector<Reloadable> subjects_;
};

}  // namespace hf::app
