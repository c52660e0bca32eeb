// Files of an operator that are read whole.
#include "broker/files/text_file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace hf::files {
namespace {

constexpr std::size_t piece = 64 * 1024;
constexpr int pipe_patience_ms = 1000;

tl::unexpected<Error> unreadable(const std::string& path, int error) {
  return fail(Blame::user, path + ": cannot be read: " + std::generic_category().message(error));
}

/// Until there is something, or the end; false: not in time.
bool wait_for(int handle) {
  pollfd one{handle, POLLIN, 0};
  return ::poll(&one, 1, pipe_patience_ms) > 0;
}

Result<std::string> read_all(int handle, const std::string& path) {
  std::string text;
  for (;;) {
    const std::size_t had = text.size();
    if (had > file_max) return fail(Blame::user, path + ": is too long; expected at most " + std::to_string(file_max) + " bytes");
    text.resize(had + piece);
    const auto got = ::read(handle, text.data() + had, piece);
    const int error = errno;
    text.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) return text;
    if (got > 0 || error == EINTR) continue;
    if (error != EAGAIN) return unreadable(path, error);
    if (!wait_for(handle)) return unreadable(path, ETIMEDOUT);
  }
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  // Non-blocking for pipes only: opening one that nobody writes to would wait for ever.
  const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (handle < 0) return unreadable(path, errno);
  auto text = read_all(handle, path);
  ::close(handle);
  return text;
}

Result<std::string> first_line_of(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) return text;
  if (text->empty()) return fail(Blame::user, path + ": is empty");
  text->resize(std::min(text->find('\n'), text->size()));
  if (!text->empty() && text->back() == '\r') text->pop_back();
  return text;
}

}  // namespace hf::files
