// Base64: the examples of RFC 4648, and one text for each value only.
#include "broker/auth/base64.hpp"

#include <gtest/gtest.h>

namespace hf::auth {
namespace {

TEST(Base64, examples_of_rfc_4648) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},           {"f", "Zg=="},         {"fo", "Zm8="},      {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, every_byte_comes_back) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(from_base64(to_base64(all)), all);
}

TEST(Base64, is_strict) {
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "====", "Z===", "Zm9v====", "Zm9-", "=m9v"})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Base64, for_urls_has_no_padding) {
  EXPECT_EQ(from_base64url("-_8"), "\xFB\xFF");
  EXPECT_EQ(from_base64url(""), "");
  for (const char* bad : {"Zg==", "+/8", "Z", "Zh"}) EXPECT_FALSE(from_base64url(bad)) << bad;
}

}  // namespace
}  // namespace hf::auth
