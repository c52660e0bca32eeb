// What systemd is told, by datagrams to the socket it names: ready, reloading, stopping, still alive.
#pragma once

#include <optional>
#include <string_view>

#include "broker/base/time.hpp"

namespace hf::app {

/// Without NOTIFY_SOCKET in the environment every call does nothing: the process was started by hand.
/// What cannot be sent is lost; the manager notices by its own time limits.
class Systemd {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment.
  static Systemd of_environment();
  Systemd(const Systemd&) = delete;
  Systemd& operator=(const Systemd&) = delete;
  Systemd(Systemd&& other) noexcept;
  Systemd& operator=(Systemd&& other) = delete;
  ~Systemd();

  /// `status` is the line that `systemctl status` shows.
  void ready(std::string_view status) const;
  void reloading() const;
  void reloaded() const;
  void stopping() const;
  void alive() const;
  /// How often alive() is due: half of what the manager waits for. None: it watches nothing.
  [[nodiscard]] std::optional<Duration> alive_every() const { return alive_every_; }

 private:
  Systemd() = default;
  void say(std::string_view text, int flags = 0) const;

  int socket_ = -1;
  std::optional<Duration> alive_every_;
};

}  // namespace hf::app
