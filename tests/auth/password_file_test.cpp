// Password files: as mosquitto_passwd writes them, and what is wrong with others.
#include "broker/auth/password_file.hpp"

#include <gtest/gtest.h>

#include "broker/auth/base64.hpp"
#include "broker/auth/crypto.hpp"
#include "tests/auth/scratch.hpp"

namespace hf::auth {
namespace {

std::string error_of(const std::string& text) {
  const auto file = PasswordFile::parse(text, "pw");
  return file ? "none" : file.error().text;
}

TEST(PasswordFile, is_what_mosquitto_passwd_writes) {
  const Scratch scratch;
  scratch.run("mosquitto_passwd -b -c pw ann 'a secret: $7$'");
  scratch.run("mosquitto_passwd -b pw bob ''; true");
  scratch.run("mosquitto_passwd -b pw eve 'naïve'");
  EXPECT_NE(scratch.read("pw").find("ann:$7$101$"), std::string::npos);
  const auto file = PasswordFile::read(scratch.path("pw"));
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_TRUE(file->fits("ann", "a secret: $7$"));
  EXPECT_FALSE(file->fits("ann", "a secret: $7"));
  EXPECT_FALSE(file->fits("ann", ""));
  EXPECT_TRUE(file->fits("eve", "naïve"));
  EXPECT_FALSE(file->fits("eve", "a secret: $7$"));
  EXPECT_FALSE(file->fits("zoe", "naïve"));
  EXPECT_TRUE(file->knows("ann"));
  EXPECT_FALSE(file->knows("zoe"));
}

TEST(PasswordFile, plain_text_becomes_one_by_mosquitto_passwd_U) {
  const Scratch scratch;
  scratch.file("pw", "ann:secret\nbob:hidden\n");
  const auto plain = PasswordFile::read(scratch.path("pw"));
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().text, scratch.path("pw") + ":1: the password is not hashed; expected $6$ or $7$ after the user "
                                                     "(run mosquitto_passwd -U on the file)");
  scratch.run("mosquitto_passwd -U pw");
  const auto file = PasswordFile::read(scratch.path("pw"));
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_TRUE(file->fits("ann", "secret"));
  EXPECT_TRUE(file->fits("bob", "hidden"));
}

/// Mosquitto 1.x wrote these.
TEST(PasswordFile, knows_passwords_that_were_hashed_once) {
  const std::string salt = "twelve bytes";
  const std::string line = "ann:$6$" + to_base64(salt) + "$" + to_base64(digest(Hash::sha512, "secret" + salt)) + "\n";
  const auto file = PasswordFile::parse("# old\n\n" + line, "pw");
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_EQ(file->size(), 1U);
  EXPECT_TRUE(file->fits("ann", "secret"));
  EXPECT_FALSE(file->fits("ann", "secre"));
}

TEST(PasswordFile, tells_what_is_wrong_and_where) {
  const std::string hash = to_base64(std::string(64, 'h')), salt = to_base64("salt");
  const std::string good = "ann:$7$101$" + salt + "$" + hash;
  EXPECT_EQ(error_of(good + "\r\n"), "none");
  EXPECT_EQ(error_of("# c\n" + good + "\n" + good), "pw:3: the user 'ann' is there twice");
  EXPECT_EQ(error_of("ann"), "pw:1: no user and password; expected USER:HASH");
  EXPECT_EQ(error_of(":$7$101$" + salt + "$" + hash), "pw:1: no user and password; expected USER:HASH");
  EXPECT_NE(error_of("ann:$5$x$y").find("mosquitto_passwd -U"), std::string::npos);
  EXPECT_NE(error_of("ann:$7$0$" + salt + "$" + hash).find("iterations"), std::string::npos);
  EXPECT_NE(error_of("ann:$7$1x$" + salt + "$" + hash).find("iterations"), std::string::npos);
  EXPECT_NE(error_of("ann:$7$4294967297$" + salt + "$" + hash).find("iterations"), std::string::npos);
  EXPECT_NE(error_of("ann:$7$101$$" + hash).find("salt"), std::string::npos);
  EXPECT_NE(error_of("ann:$7$101$" + salt + "$" + to_base64("short")).find("hash"), std::string::npos);
  EXPECT_NE(error_of("ann:$6$" + salt + "$" + hash + "$x").find("hash"), std::string::npos);
  EXPECT_EQ(PasswordFile::read("/nowhere/pw").error().text, "/nowhere/pw: cannot be read: No such file or directory");
}

TEST(PasswordFile, an_error_does_not_tell_the_password) {
  EXPECT_EQ(error_of("ann:hush").find("hush"), std::string::npos);
}

TEST(PasswordFile, that_is_empty_knows_nobody) {
  const auto file = PasswordFile::parse("", "pw");
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->fits("ann", ""));
}

}  // namespace
}  // namespace hf::auth
