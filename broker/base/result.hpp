// The world's errors are values, sorted by blame.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace hf {

enum class Blame { ours, peer, disk, user };

/// What went wrong, whose fault it is, and a sentence for a person.
struct Error {
  Blame blame = Blame::ours;
  std::string text;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Blame blame, std::string text) {
  return tl::make_unexpected(Error{blame, std::move(text)});
}

}  // namespace hf
