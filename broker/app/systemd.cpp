// What systemd is told, by datagrams to the socket it names: ready, reloading, stopping, still alive.
#include "broker/app/systemd.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace hf::app {
namespace {

/// A descriptor of a connected datagram socket, or -1. A name that begins with '@' lies in no file system.
int dial(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) return -1;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const int handle = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (handle < 0) return -1;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const timeval patience{1, 0};  // a manager that hangs shall not hang us
  ::setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(handle, reinterpret_cast<const sockaddr*>(&address), size) == 0) return handle;
  ::close(handle);
  return -1;
}

std::string taken_out(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

Systemd Systemd::of_environment() {
  Systemd systemd;
  const std::string name = taken_out("NOTIFY_SOCKET");
  const std::string usec = taken_out("WATCHDOG_USEC");
  const std::string pid = taken_out("WATCHDOG_PID");
  if (name.empty()) return systemd;
  systemd.socket_ = dial(name);
  const auto patience = number(usec);
  const bool ours = pid.empty() || number(pid) == static_cast<std::uint64_t>(::getpid());
  constexpr std::uint64_t longest = 3'600'000'000;  // microseconds; more is as good as none, and would not fit
  if (systemd.socket_ >= 0 && ours && patience && *patience >= 2 && *patience <= longest) {
    systemd.alive_every_ = std::chrono::microseconds(*patience / 2);
  }
  return systemd;
}

Systemd::Systemd(Systemd&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), alive_every_(other.alive_every_) {}

Systemd::~Systemd() {
  if (socket_ >= 0) ::close(socket_);
}

void Systemd::ready(std::string_view status) const {
  say("READY=1\nSTATUS=" + std::string(status));
}

void Systemd::reloading() const {
  say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_microseconds()));
}

void Systemd::reloaded() const { say("READY=1"); }
void Systemd::stopping() const { say("STOPPING=1\nSTATUS=stopping"); }
// Never waits: the next one is soon due.
void Systemd::alive() const { say("WATCHDOG=1", MSG_DONTWAIT); }

void Systemd::say(std::string_view text, int flags) const {
  if (socket_ >= 0) static_cast<void>(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | flags));
}

}  // namespace hf::app
