// A strict reader of Prometheus' text format 0.0.4: whatever the specification does not allow is a complaint.
#include "tests/admin/exposition_reader.hpp"

#include <cmath>
#include <cstdlib>
#include <regex>

namespace hf::admin {

ExpositionReader::ExpositionReader(std::string_view text) {
  if (text.empty() || text.back() != '\n') complain("the last line has no end");
  while (!text.empty() && complaint.empty()) {
    const auto end = text.find('\n');
    ++number_;
    line(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  for (const auto& [name, family] : families) {
    if (family.type.empty()) complain(name + " has no TYPE");
    if (family.help.empty()) complain(name + " has no HELP");
    if (family.type == "counter" && !std::regex_match(name, std::regex(".+_total"))) complain(name + ": a counter's name ends with _total");
  }
  check_histograms();
}

void ExpositionReader::complain(const std::string& what) {
  if (complaint.empty()) complaint = "line " + std::to_string(number_) + ": " + what;
}

void ExpositionReader::line(std::string_view text) {
  if (text.empty()) return complain("an empty line");
  if (text.front() == '#') return comment(text);
  sample(text);
}

void ExpositionReader::comment(std::string_view text) {
  static const std::regex form("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
  std::cmatch parts;
  if (!std::regex_match(text.data(), text.data() + text.size(), parts, form)) return complain("neither HELP nor TYPE");
  const std::string what = parts[1], name = parts[2], rest = parts[3];
  if (what == "HELP") {
    if (families.count(name) != 0) return complain("a family comes twice: " + name);
    families[name].help = rest;
    current_ = name;
    return;
  }
  if (name != current_) return complain("TYPE of another family than HELP");
  if (rest != "counter" && rest != "gauge" && rest != "histogram") return complain("type " + rest);
  if (!families[name].samples.empty() || !families[name].type.empty()) return complain("TYPE is late, or there twice");
  families[name].type = rest;
}

void ExpositionReader::sample(std::string_view text) {
  static const std::regex form(R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+))re");
  static const std::regex label(R"re(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$))re");
  std::cmatch parts;
  if (!std::regex_match(text.data(), text.data() + text.size(), parts, form)) return complain("no sample: " + std::string(text));
  Sample one;
  one.name = parts[1];
  const std::string labels = parts[3];
  for (auto at = labels.cbegin(); at != labels.cend();) {
    std::smatch found;
    if (!std::regex_search(at, labels.cend(), found, label, std::regex_constants::match_continuous)) return complain("labels: " + labels);
    if (!one.labels.emplace(found[1], found[2]).second) return complain("a label comes twice");
    at = found[0].second;
  }
  const std::string value = parts[4];
  char* end = nullptr;
  one.value = value == "+Inf" ? INFINITY : std::strtod(value.c_str(), &end);
  if (end != nullptr && *end != '\0') return complain("no number: " + value);
  if (!seen_.insert(one.name + labels).second) return complain("a sample comes twice: " + std::string(text));
  auto& family = families[current_];
  const bool histogram = family.type == "histogram";
  const bool own = histogram ? one.name == current_ + "_bucket" || one.name == current_ + "_sum" || one.name == current_ + "_count" : one.name == current_;
  if (!own) return complain(one.name + " stands in family " + current_);
  if (family.type == "counter" && !(one.value >= 0)) return complain("a counter below 0");
  family.samples.push_back(std::move(one));
}

void ExpositionReader::check_histograms() {
  for (const auto& [name, family] : families) {
    if (family.type != "histogram") continue;
    double bound = -INFINITY, before = 0, infinite = -1, count = -2;
    for (const Sample& one : family.samples) {
      if (one.name == name + "_count") count = one.value;
      if (one.name != name + "_bucket") continue;
      const auto le = one.labels.find("le");
      if (le == one.labels.end()) return complain(name + ": a bucket without le");
      const double here = le->second == "+Inf" ? INFINITY : std::strtod(le->second.c_str(), nullptr);
      if (!(here > bound) || one.value < before) return complain(name + ": buckets are not cumulative at " + le->second);
      bound = here;
      before = one.value;
      if (std::isinf(here)) infinite = one.value;
    }
    if (infinite != count) return complain(name + ": the bucket +Inf is not the count");
  }
}

double ExpositionReader::value(const std::string& name, const std::map<std::string, std::string>& labels) const {
  for (const auto& [family_name, family] : families) {
    for (const Sample& one : family.samples) {
      if (one.name == name && one.labels == labels) return one.value;
    }
  }
  return -1;
}

}  // namespace hf::admin
