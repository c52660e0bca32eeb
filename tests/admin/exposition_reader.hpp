// A strict reader of Prometheus' text format 0.0.4: whatever the specification does not allow is a complaint.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hf::admin {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct Family {
  std::string type, help;
  std::vector<Sample> samples;
};

class ExpositionReader {
 public:
  explicit ExpositionReader(std::string_view text);

  std::map<std::string, Family> families;
  std::string complaint;  ///< the first one; "" is good

  /// Of the sample with these labels; -1: there is none.
  [[nodiscard]] double value(const std::string& name, const std::map<std::string, std::string>& labels = {}) const;

 private:
  void line(std::string_view text);
  void comment(std::string_view text);
  void sample(std::string_view text);
  void check_histograms();
  void complain(const std::string& what);

  std::string current_;
  std::set<std::string> seen_;  ///< sample names with their labels
  std::size_t number_ = 0;
};

}  // namespace hf::admin
