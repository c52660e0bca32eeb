// What the system tells about this process.
#include "broker/admin/process.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hf::admin {
namespace {

/// Seconds since 1970 at which the machine started; 0: not told.
double boot_time() {
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    if (line.rfind("btime ", 0) == 0) return std::stod(line.substr(6));
  }
  return 0;
}

/// Walking a hundred thousand entries would hold up the clients: a kernel from 6.2 on tells the number, and on an older
/// one many open descriptors are told by the lowest number that is free.
std::uint64_t open_descriptors() {
  constexpr int walk_max = 2000;
  struct stat folder {};
  if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return static_cast<std::uint64_t>(folder.st_size);
  const int lowest_free = ::dup(STDIN_FILENO);
  if (lowest_free >= 0) ::close(lowest_free);
  if (lowest_free > walk_max) return static_cast<std::uint64_t>(lowest_free);
  std::error_code failed;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end; at.increment(failed)) ++count;
  return count > 0 ? count - 1 : 0;  // one is the look itself
}

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return facts;
  std::istringstream words(text.substr(name_end + 1));
  std::string skipped;
  double user = 0, system = 0, started = 0;
  std::uint64_t resident_pages = 0;
  for (int field = 3; field < 14; ++field) words >> skipped;  // proc(5) counts from 1
  words >> user >> system;
  for (int field = 16; field < 22; ++field) words >> skipped;
  words >> started >> facts.virtual_bytes >> resident_pages;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  static const double booted = boot_time();
  facts.cpu_seconds = (user + system) / ticks;
  facts.started = booted + started / ticks;
  facts.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.open_fds = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.fds_max = limit.rlim_cur;
  return facts;
}

}  // namespace hf::admin
