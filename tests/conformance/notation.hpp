// A packet written as words: "PUBLISH topic=a/b payload=hi qos=1 pid=7". Shares no code with the broker's codec.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hf::conformance {

struct Field {
  std::string name;
  std::string value;  ///< bytes, escapes resolved
};

/// README.md has the grammar.
struct Words {
  std::string name;
  std::vector<Field> fields;
  bool more = false;  ///< "...": fields that are not named may stand there
  [[nodiscard]] bool has(std::string_view field) const { return find(field) != nullptr; }
  [[nodiscard]] const std::string* find(std::string_view field) const;
  [[nodiscard]] std::string value(std::string_view field, std::string_view otherwise) const;
  [[nodiscard]] std::size_t number(std::string_view field, std::size_t otherwise) const;
};

/// `key` stands where the text says {}. Throws std::invalid_argument.
Words read_words(std::string_view text, std::string_view key);
std::string write_words(const Words& words);

/// A packet as either side sends it; what the words override is overridden, sense or not.
std::string encode(const Words& words, int level);

/// Takes the first whole packet of a server off `bytes`. Nothing: there is none yet. Throws on what no server sends.
std::optional<Words> take_packet(std::string& bytes, int level);

}  // namespace hf::conformance
