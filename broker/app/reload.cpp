// Reading the configuration again while the node runs: all of it is checked before any of it changes.
#include "broker/app/reload.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace hf::app {
namespace {

std::string list(const std::vector<std::string>& paths) {
  std::string text;
  for (const auto& path : paths) text += (text.empty() ? "" : ", ") + path;
  return text;
}

}  // namespace

Reload::Reload(Settings running, std::function<Result<Settings>()> read, Log log)
    : running_(std::move(running)), read_(std::move(read)), log_(std::move(log)) {}

void Reload::run() {
  const auto refuse = [this](const Error& error) {
    log_(env::Level::error, "reload refused, nothing changes: " + error.text);
  };
  const auto fresh = read_();
  if (!fresh) return refuse(fresh.error());
  std::vector<TakeOver> prepared;
  for (const auto& subject : subjects_) {
    auto one = subject(*fresh);
    if (!one) return refuse(one.error());
    prepared.push_back(std::move(*one));
  }
  std::vector<std::string> changed = differences(running_, *fresh);
  for (const auto& take_over : prepared) take_over(running_);
  const std::vector<std::string> waiting = differences(running_, *fresh);
  const auto waits = [&](const std::string& path) {
    return std::find(waiting.begin(), waiting.end(), path) != waiting.end();
  };
  changed.erase(std::remove_if(changed.begin(), changed.end(), waits), changed.end());
  std::string text = "reloaded";
  if (!changed.empty()) text += "; now in force: " + list(changed);
  if (!waiting.empty()) text += "; in force after a restart only: " + list(waiting);
  log_(waiting.empty() ? env::Level::info : env::Level::warn, text);
}

}  // namespace hf::app
