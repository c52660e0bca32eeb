// The text format of Prometheus, version 0.0.4: families, samples, histograms.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "broker/node/metrics.hpp"

namespace hf::admin {

/// Writes families one after the other: family(), then its samples.
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  void sample(double value, Labels labels = {});
  void sample(std::uint64_t value, Labels labels = {});
  /// A family of its own, in seconds.
  void histogram(std::string_view name, std::string_view help, const node::Histogram& histogram);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void line(std::string_view suffix, Labels labels, std::string_view value);

  std::string name_, text_;
};

}  // namespace hf::admin
