// One JSON object being read: knows its path, its known names, and how to resolve a draw in place.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "broker/base/time.hpp"
#include "sim/scenario/draw.hpp"

namespace hf::sim {

using Json = nlohmann::ordered_json;

/// Thrown inside this room only; parse() turns it into an Error.
struct ParseFailure {
  std::string path, text;
};

/// The known name that is nearest to `name`, "" when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

/// Reads the fields of one object. Draws are replaced in the JSON by what was drawn, so that after
/// the parse the document is the resolved scenario. Every field asked for becomes a known name;
/// done() complains about the others.
class Reader {
 public:
  /// `key` names the object to the draws: like `path`, but with names in place of indices.
  Reader(Json& value, std::string path, std::string key, std::uint64_t seed);

  bool has(std::string_view name);
  [[noreturn]] void fail(std::string_view name, const std::string& text) const;
  [[nodiscard]] const std::string& path() const { return path_; }

  std::string text(std::string_view name, std::string otherwise = {});
  /// One of `allowed`.
  std::string word(std::string_view name, const std::vector<std::string>& allowed, std::string otherwise);
  bool flag(std::string_view name, bool otherwise);
  std::int64_t number(std::string_view name, std::int64_t otherwise, std::int64_t low, std::int64_t high);
  Duration duration(std::string_view name, Duration otherwise, Duration low = Duration(0),
                    Duration high = 24h * 365);
  /// Nanoseconds from one to the next.
  Duration rate(std::string_view name, Duration otherwise);
  std::uint64_t size(std::string_view name, std::uint64_t otherwise, std::uint64_t high);
  /// Bits a second.
  std::uint64_t bandwidth(std::string_view name, std::uint64_t otherwise);
  /// Parts per billion.
  std::uint32_t probability(std::string_view name, std::uint32_t otherwise);
  std::vector<std::string> words(std::string_view name);

  /// A distribution that stays one: drawn when it is needed.
  Drawn drawn_duration(std::string_view name, Drawn otherwise, Duration low = Duration(0));
  Drawn drawn_number(std::string_view name, Drawn otherwise, std::int64_t low, std::int64_t high);

  void object(std::string_view name, const std::function<void(Reader&)>& read);
  /// An array of objects. `named_by`: the field that names an element to the draws.
  void each(std::string_view name, const std::vector<std::string>& named_by,
            const std::function<void(Reader&)>& read);
  /// Every member of an object of free names: the value is read under its own name.
  void members(std::string_view name, const std::function<void(Reader&, const std::string&)>& read);
  /// The raw value of a field that has shapes of its own, draws resolved.
  Json* raw(std::string_view name);

  /// These fields are in the language, but nothing here understands them.
  void not_yet(const std::vector<std::string>& names);
  void done();

 private:
  Json* find(std::string_view name);
  Json* scalar(std::string_view name);
  Drawn drawn(std::string_view name, Drawn otherwise,
              const std::function<std::int64_t(const Json&)>& unit);
  void resolve(Json& value, const std::string& key, std::string_view name);

  Json& value_;
  std::string path_, key_;
  std::uint64_t seed_;
  std::vector<std::string> known_;
};

}  // namespace hf::sim
