// An access-control file in Mosquitto's format.
#include "broker/auth/acl_file.hpp"

#include <algorithm>
#include <utility>

#include "broker/access/filters.hpp"
#include "broker/auth/text_file.hpp"
#include "broker/files/text_file.hpp"
#include "broker/topic/name.hpp"

namespace hf::auth {

using access::Deed;
using access::Say;
using access::Who;

namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The first word, cut off; words are separated by spaces.
std::string_view next_word(std::string_view& rest) {
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const auto end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return word;
}

bool wild(std::string_view name) { return name.find_first_of("+#") != std::string_view::npos; }

}  // namespace

struct AclFile::Parser {
  AclFile file;
  std::string user;

  /// What is wrong with the line, or nothing.
  std::string take(std::string_view line) {
    if (line.starts_with('#')) return {};
    while (!line.empty() && blank(line.back())) line.remove_suffix(1);
    std::string_view rest = line;
    const std::string_view key = next_word(rest);
    if (key.empty()) return {};
    if (key == "user") return take_user(trimmed(rest));
    if (key == "topic" || key == "pattern") return take_topic(key == "pattern", rest);
    return "'" + std::string(key) + "' is not known; expected user, topic, pattern or a comment";
  }

  std::string take_user(std::string_view name) {
    if (name.empty()) return "user without a name; expected user NAME";
    user = name;
    file.users_.try_emplace(user);
    return {};
  }

  std::string take_topic(bool pattern, std::string_view rest) {
    const std::string_view word = next_word(rest);
    if (word.empty()) return "no filter; expected [read|write|readwrite|deny] FILTER";
    Line line{std::string(word), true, true};
    if (const std::string_view filter = trimmed(rest); !filter.empty()) {
      if (word != "read" && word != "write" && word != "readwrite" && word != "deny")
        return "'" + std::string(word) + "' is not known; expected read, write, readwrite or deny before the filter";
      line = {std::string(filter), word.starts_with("read"), word.ends_with("write")};
    }
    if (!topic::valid_filter(line.filter)) return "'" + line.filter + "' is no topic filter";
    Lines& lines = pattern ? file.patterns_ : file.users_[user];
    lines.push_back(std::move(line));
    return {};
  }
};

Result<AclFile> AclFile::parse(std::string_view text, const std::string& source) {
  Parser parser;
  if (auto done = for_each_line(text, source, [&](std::string_view line) { return parser.take(line); }); !done)
    return tl::make_unexpected(done.error());
  const auto denials_first = [](Lines& lines) {
    std::stable_partition(lines.begin(), lines.end(), [](const Line& line) { return line.denies(); });
  };
  for (auto& [user, lines] : parser.file.users_) denials_first(lines);
  denials_first(parser.file.patterns_);
  return std::move(parser.file);
}

Result<AclFile> AclFile::read(const std::string& path) {
  auto text = files::read_text_file(path);
  if (!text) return tl::make_unexpected(text.error());
  return parse(*text, path);
}

template <class Wanted, class Matches, class Denied>
Say AclFile::ask(const Who& who, Wanted&& wanted, Matches&& matches, Denied&& denied) const {
  const auto look = [&](const Line& line, std::string_view filter) {
    if (line.denies()) return denied(filter) ? Say::deny : Say::nothing;
    return wanted(line) && matches(filter) ? Say::allow : Say::nothing;
  };
  if (const auto own = users_.find(who.user); own != users_.end())
    for (const Line& line : own->second)
      if (const Say said = look(line, line.filter); said != Say::nothing) return said;
  // With such a name a pattern would match what is not the client's.
  if (!patterns_.empty() && (wild(who.user) || wild(who.client))) return Say::deny;
  for (const Line& line : patterns_)
    if (const auto filter = access::filled_in(line.filter, who))
      if (const Say said = look(line, *filter); said != Say::nothing) return said;
  return Say::nothing;
}

Say AclFile::say(Deed deed, const Who& who, std::string_view topic) const {
  const auto matches = [&](std::string_view filter) { return topic::matches(filter, topic); };
  return ask(who, [&](const Line& line) { return deed == Deed::publish ? line.write : line.read; }, matches, matches);
}

Say AclFile::say_filter(const Who& who, std::string_view filter) const {
  return ask(
      who, [](const Line& line) { return line.read; },
      [&](std::string_view mine) { return access::overlap(mine, filter); },
      [&](std::string_view mine) { return access::covers(mine, filter); });
}

Say AclFile::say_all(const Who& who, std::string_view filter) const {
  return ask(
      who, [](const Line& line) { return line.read; },
      [&](std::string_view mine) { return access::covers(mine, filter); },
      [&](std::string_view mine) { return access::overlap(mine, filter); });
}

}  // namespace hf::auth
