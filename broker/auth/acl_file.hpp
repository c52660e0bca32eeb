// An access-control file in Mosquitto's format, and with its meaning.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/access/guard.hpp"
#include "broker/access/rules.hpp"
#include "broker/base/result.hpp"

namespace hf::auth {

/// `user NAME`, `topic [read|write|readwrite|deny] FILTER` of the user before it (of anonymous clients, before the
/// first), `pattern [...] FILTER` with %c and %u for everybody. What a user's own lines say comes before the patterns;
/// within either, denials come first.
class AclFile {
 public:
  static Result<AclFile> read(const std::string& path);
  /// `source` is what errors call it.
  static Result<AclFile> parse(std::string_view text, const std::string& source);

  [[nodiscard]] access::Say say(access::Deed deed, const access::Who& who, std::string_view topic) const;
  /// As access::say_filter. (Mosquitto grants every subscription, and asks at delivery only.)
  [[nodiscard]] access::Say say_filter(const access::Who& who, std::string_view filter) const;
  /// As access::say_all.
  [[nodiscard]] access::Say say_all(const access::Who& who, std::string_view filter) const;

 private:
  struct Line {
    std::string filter;
    bool read = false, write = false;  ///< neither: denied
    [[nodiscard]] bool denies() const { return !read && !write; }
  };
  using Lines = std::vector<Line>;
  struct Parser;
  /// Either kind of question: `wanted` says whether a line is about it, `matches` and `denied` look at filters.
  template <class Wanted, class Matches, class Denied>
  [[nodiscard]] access::Say ask(const access::Who& who, Wanted&& wanted, Matches&& matches, Denied&& denied) const;

  std::map<std::string, Lines, std::less<>> users_;  ///< "": anonymous
  Lines patterns_;
};

}  // namespace hf::auth
