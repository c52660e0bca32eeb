// A listening Unix socket, and the file that is its address.
#include "broker/host/unix_socket.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace hf::host {
namespace {

int new_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

/// Nothing is there, or a socket of a process that has ended: removed. Else an errno.
int make_way(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(found.st_mode)) return EEXIST;
  const int handle = new_socket();
  if (handle < 0) return errno;
  const int done = ::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = done == 0 ? EADDRINUSE : errno;
  ::close(handle);
  if (error == EAGAIN) return EADDRINUSE;  // somebody listens, and is busy
  if (error != ECONNREFUSED) return error;
  return ::unlink(path.c_str()) == 0 ? 0 : errno;
}

int bind_and_listen(int handle, const sockaddr_un& address, unsigned mode) {
  // The file has its permissions from the first moment on; chmod adds what the umask took.
  if (::fchmod(handle, mode) != 0) return errno;
  if (::bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return errno;
  if (::chmod(address.sun_path, mode) != 0) return errno;
  return ::listen(handle, 4096) == 0 ? 0 : errno;
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat found {};
  if (::lstat(path_.c_str(), &found) != 0) return;
  device_ = found.st_dev;
  inode_ = found.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

SocketFile::~SocketFile() {
  struct stat found {};
  if (path_.empty() || ::lstat(path_.c_str(), &found) != 0) return;
  if (found.st_dev == device_ && found.st_ino == inode_) ::unlink(path_.c_str());
}

Result<int> listen_on_unix(const std::string& path, unsigned mode) {
  const auto refused = [&](int error) {
    return fail(Blame::user, "cannot listen on " + path + ": " + std::strerror(error));
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return refused(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (const int error = make_way(path, address); error != 0) return refused(error);
  const int handle = new_socket();
  if (handle < 0) return refused(errno);
  if (const int error = bind_and_listen(handle, address, mode); error != 0) {
    ::close(handle);
    return refused(error);
  }
  return handle;
}

}  // namespace hf::host
