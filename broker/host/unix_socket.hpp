// A listening Unix socket, and the file that is its address.
#pragma once

#include <string>

#include <sys/types.h>

#include "broker/base/result.hpp"

namespace hf::host {

/// The file of a Unix socket; removed with this, if it is still the same file.
class SocketFile {
 public:
  SocketFile() = default;
  /// Remembers which file is there now.
  explicit SocketFile(std::string path);
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Listens at `path`, with these permissions. A socket that is there and that nobody listens at is
/// replaced; any other file is left alone, and an error.
Result<int> listen_on_unix(const std::string& path, unsigned mode);

}  // namespace hf::host
