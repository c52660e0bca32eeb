// The writer of /metrics against the strict reader; and the reader against what it must refuse.
#include "broker/admin/prometheus.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "broker/admin/process.hpp"
#include "tests/admin/exposition_reader.hpp"

namespace hf::admin {
namespace {

TEST(Exposition, writes_families) {
  Exposition out;
  out.counter("a_total", "How\nmany \\ of them.");
  out.sample(std::uint64_t{18'446'744'073'709'551'615U}, {{"name", "a\"b\\c\nd"}, {"other", ""}});
  out.gauge("b", "Now.");
  out.sample(0.25);
  out.sample(1e300, {{"x", "y"}});
  EXPECT_EQ(out.text(),
            "# HELP a_total How\\nmany \\\\ of them.\n# TYPE a_total counter\n"
            "a_total{name=\"a\\\"b\\\\c\\nd\",other=\"\"} 18446744073709551615\n"
            "# HELP b Now.\n# TYPE b gauge\nb 0.25\nb{x=\"y\"} 1e+300\n");
  EXPECT_EQ(ExpositionReader(out.text()).complaint, "");
}

TEST(Exposition, histograms_are_cumulative_and_in_seconds) {
  node::Histogram histogram;
  histogram.add(50us);
  histogram.add(100us);
  histogram.add(3ms);
  histogram.add(60s);
  Exposition out;
  out.histogram("h_seconds", "Time.", histogram);
  const ExpositionReader read(out.text());
  EXPECT_EQ(read.complaint, "");
  EXPECT_EQ(read.value("h_seconds_bucket", {{"le", "0.0001"}}), 2);
  EXPECT_EQ(read.value("h_seconds_bucket", {{"le", "0.0025"}}), 2);
  EXPECT_EQ(read.value("h_seconds_bucket", {{"le", "0.005"}}), 3);
  EXPECT_EQ(read.value("h_seconds_bucket", {{"le", "10"}}), 3);
  EXPECT_EQ(read.value("h_seconds_bucket", {{"le", "+Inf"}}), 4);
  EXPECT_EQ(read.value("h_seconds_count"), 4);
  EXPECT_DOUBLE_EQ(read.value("h_seconds_sum"), 60.00315);
}

TEST(ExpositionReader, refuses_what_is_not_allowed) {
  const std::string head = "# HELP a A.\n# TYPE a gauge\n";
  EXPECT_EQ(ExpositionReader(head + "a 1\n").complaint, "");
  for (const std::string bad : {"a 1", "a 1\n\n", "b 1\n", "a 1\na 1\n", "a{x=\"1\"} 1\na{x=\"1\"} 2\n", "a{x=1} 1\n", "a{x=\"\"\"} 1\n", "a one\n",
                                "a{1x=\"y\"} 1\n", "# HELP a A.\na 1\n", "# TYPE a gauge\n", "a  1\n"}) {
    EXPECT_NE(ExpositionReader(head + bad).complaint, "") << bad;
  }
  EXPECT_NE(ExpositionReader("a 1\n").complaint, "");
  EXPECT_NE(ExpositionReader("# HELP a A.\n# TYPE a counter\na 1\n").complaint, "");
  EXPECT_NE(ExpositionReader("# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 1\n").complaint, "");
}

TEST(ProcessFacts, are_told) {
  const ProcessFacts facts = process_facts();
  EXPECT_GT(facts.resident_bytes, 1'000'000U);
  EXPECT_GE(facts.open_fds, 3U);
  EXPECT_LT(facts.open_fds, facts.fds_max);
  EXPECT_GT(facts.started, 1.6e9);
  EXPECT_GE(facts.cpu_seconds, 0);
}

}  // namespace
}  // namespace hf::admin
