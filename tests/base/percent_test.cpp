// Percent-encoding, against text written out by hand.
#include "broker/base/percent.hpp"

#include <gtest/gtest.h>

namespace hf {
namespace {

TEST(Percent, what_is_not_unreserved_is_two_hex_digits) {
  EXPECT_EQ(percent_encoded("azAZ09-._~"), "azAZ09-._~");
  EXPECT_EQ(percent_encoded("a/b c+d#%"), "a%2Fb%20c%2Bd%23%25");
  EXPECT_EQ(percent_encoded(std::string("\0\x1F\x7F\xAB\xCD\xEF", 6)), "%00%1F%7F%AB%CD%EF");
}

}  // namespace
}  // namespace hf
