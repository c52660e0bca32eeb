// Fields of a JSON object: types, ranges, unknown names.
#include "sim/scenario/reader.hpp"

#include <algorithm>

#include "sim/scenario/units.hpp"

namespace hf::sim {

namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string range(const std::string& low, const std::string& high) { return low + " .. " + high; }

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, name.size() / 2) + 1;
  for (const auto& candidate : known) {
    const std::size_t d = distance(name, candidate);
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

Reader::Reader(Json& value, std::string path, std::string key, std::uint64_t seed)
    : value_(value), path_(std::move(path)), key_(std::move(key)), seed_(seed) {
  if (!value_.is_object()) throw ParseFailure{path_, "must be an object"};
}

void Reader::fail(std::string_view name, const std::string& text) const {
  const std::string where = path_.empty() || name.empty() ? path_ : path_ + ".";
  throw ParseFailure{where + std::string(name), text};
}

Json* Reader::find(std::string_view name) {
  if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.emplace_back(name);
  const auto it = value_.find(std::string(name));
  return it == value_.end() ? nullptr : &*it;
}

bool Reader::has(std::string_view name) { return find(name) != nullptr; }

Json* Reader::scalar(std::string_view name) {
  Json* value = find(name);
  if (value == nullptr) return nullptr;
  resolve(*value, key_ + "." + std::string(name), name);
  if (value->is_null()) {
    value_.erase(std::string(name));
    return nullptr;
  }
  return value;
}

Json* Reader::raw(std::string_view name) { return scalar(name); }

std::string Reader::text(std::string_view name, std::string otherwise) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) fail(name, "must be a string");
  return value->get<std::string>();
}

std::string Reader::word(std::string_view name, const std::vector<std::string>& allowed,
                         std::string otherwise) {
  const std::string value = text(name, std::move(otherwise));
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  const std::string near = nearest(value, allowed);
  fail(name, "\"" + value + "\" is none of " + list(allowed) +
                 (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

bool Reader::flag(std::string_view name, bool otherwise) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) fail(name, "must be true or false");
  return value->get<bool>();
}

std::int64_t Reader::number(std::string_view name, std::int64_t otherwise, std::int64_t low,
                            std::int64_t high) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  std::int64_t result = 0;
  if (value->is_number_float()) {  // 5e7 is a fine way to write a whole number
    const double real = value->get<double>();
    if (real < -9e15 || real > 9e15) fail(name, "is out of range");
    result = static_cast<std::int64_t>(real);
    if (static_cast<double>(result) != real) fail(name, "must be a whole number");
  } else if (value->is_number_integer()) {
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX) {
      fail(name, "is out of range");
    }
    result = value->get<std::int64_t>();
  } else {
    fail(name, "must be a whole number");
  }
  if (result < low || result > high) {
    fail(name, std::to_string(result) + " is out of range " +
                   range(std::to_string(low), std::to_string(high)));
  }
  return result;
}

Duration Reader::duration(std::string_view name, Duration otherwise, Duration low, Duration high) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  const auto parsed = value->is_string() ? parse_duration(value->get<std::string>()) : std::nullopt;
  if (!parsed) fail(name, "must be a duration such as \"250ms\"");
  if (*parsed < low.count() || *parsed > high.count()) {
    fail(name, value->get<std::string>() + " is out of range " +
                   range(show_duration(low.count()), show_duration(high.count())));
  }
  return Duration(*parsed);
}

Duration Reader::rate(std::string_view name, Duration otherwise) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  const auto parsed = value->is_string() ? parse_rate(value->get<std::string>()) : std::nullopt;
  if (!parsed) fail(name, "must be a rate such as \"50/s\"");
  return Duration(*parsed);
}

std::uint64_t Reader::size(std::string_view name, std::uint64_t otherwise, std::uint64_t high) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  std::optional<std::int64_t> parsed;
  if (value->is_string()) parsed = parse_size(value->get<std::string>());
  if (value->is_number_unsigned()) parsed = value->get<std::int64_t>();
  if (!parsed) fail(name, "must be a size such as \"64KiB\"");
  if (static_cast<std::uint64_t>(*parsed) > high) {
    fail(name, std::to_string(*parsed) + "B is out of range " + range("0B", std::to_string(high) + "B"));
  }
  return static_cast<std::uint64_t>(*parsed);
}

std::uint64_t Reader::bandwidth(std::string_view name, std::uint64_t otherwise) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  const auto parsed = value->is_string() ? parse_bandwidth(value->get<std::string>()) : std::nullopt;
  if (!parsed) fail(name, "must be a bandwidth such as \"1gbit\" or \"500MB/s\"");
  return static_cast<std::uint64_t>(*parsed);
}

std::uint32_t Reader::probability(std::string_view name, std::uint32_t otherwise) {
  const Json* value = scalar(name);
  if (value == nullptr) return otherwise;
  if (!value->is_number()) fail(name, "must be a probability 0..1");
  const double real = value->get<double>();
  if (!(real >= 0.0 && real <= 1.0)) fail(name, value->dump() + " is out of range 0 .. 1");
  return static_cast<std::uint32_t>(real * 1e9 + 0.5);
}

std::vector<std::string> Reader::words(std::string_view name) {
  const Json* value = scalar(name);
  std::vector<std::string> result;
  if (value == nullptr) return result;
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array()) fail(name, "must be a list of strings");
  for (const auto& item : *value) {
    if (!item.is_string()) fail(name, "must be a list of strings");
    result.push_back(item.get<std::string>());
  }
  return result;
}

void Reader::object(std::string_view name, const std::function<void(Reader&)>& read) {
  Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_object()) fail(name, "must be an object");
  Reader inner(*value, (path_.empty() ? "" : path_ + ".") + std::string(name),
               key_ + "." + std::string(name), seed_);
  read(inner);
  inner.done();
}

void Reader::each(std::string_view name, const std::vector<std::string>& named_by,
                  const std::function<void(Reader&)>& read) {
  Json* value = find(name);
  if (value == nullptr) return;
  if (!value->is_array()) fail(name, "must be a list");
  std::size_t index = 0;
  for (auto& item : *value) {
    const std::string at = "[" + std::to_string(index) + "]";
    std::string key = at;
    for (const auto& field : named_by) {
      const auto it = item.is_object() ? item.find(field) : item.end();
      if (item.is_object() && it != item.end() && it->is_string()) {
        key = "[" + it->get<std::string>() + "]";
        break;
      }
    }
    ++index;
    Reader inner(item, (path_.empty() ? "" : path_ + ".") + std::string(name) + at,
                 key_ + "." + std::string(name) + key, seed_);
    read(inner);
    inner.done();
  }
}

void Reader::members(std::string_view name,
                     const std::function<void(Reader&, const std::string&)>& read) {
  object(name, [&](Reader& inner) {
    std::vector<std::string> names;
    for (const auto& [key, unused] : inner.value_.items()) names.push_back(key);
    for (const auto& key : names) read(inner, key);
  });
}

void Reader::not_yet(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (value_.contains(name)) fail(name, "not supported yet");
  }
}

void Reader::done() {
  for (const auto& [name, unused] : value_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::string near = nearest(name, known_);
    fail(name, "unknown field" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  }
}

}  // namespace hf::sim
