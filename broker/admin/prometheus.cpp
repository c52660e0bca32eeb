// The text format of Prometheus, version 0.0.4: families, samples, histograms.
#include "broker/admin/prometheus.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace hf::admin {
namespace {

void escape(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

std::string text_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits;
  const bool readable = value == 0 || (std::abs(value) >= 1e-6 && std::abs(value) < 1e15);
  const auto form = readable ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, form);
  return {digits.data(), error == std::errc() ? end : digits.data()};
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  text_ += "# HELP " + name_ + " ";
  escape(text_, help, false);
  text_ += "\n# TYPE " + name_ + " ";
  text_ += type;
  text_ += '\n';
}

void Exposition::line(std::string_view suffix, Labels labels, std::string_view value) {
  text_ += name_;
  text_ += suffix;
  char before = '{';
  for (const auto& [label, content] : labels) {
    text_ += before;
    text_ += label;
    text_ += "=\"";
    escape(text_, content, true);
    text_ += '"';
    before = ',';
  }
  if (before == ',') text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

void Exposition::sample(double value, Labels labels) { line("", labels, text_of(value)); }
void Exposition::sample(std::uint64_t value, Labels labels) { line("", labels, std::to_string(value)); }

void Exposition::histogram(std::string_view name, std::string_view help, const node::Histogram& histogram) {
  family(name, help, "histogram");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < node::Histogram::bounds_us.size(); ++i) {
    sum += histogram.counts[i];
    line("_bucket", {{"le", text_of(static_cast<double>(node::Histogram::bounds_us[i]) / 1e6)}}, std::to_string(sum));
  }
  line("_bucket", {{"le", "+Inf"}}, std::to_string(histogram.count));
  line("_sum", {}, text_of(static_cast<double>(histogram.sum_us) / 1e6));
  line("_count", {}, std::to_string(histogram.count));
}

}  // namespace hf::admin
