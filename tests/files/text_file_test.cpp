// Reading an operator's file: whole, or an error that names it; whatever the name stands for.
#include "broker/files/text_file.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace hf::files {
namespace {

class TextFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf-files-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::string file(const std::string& text) const {
    std::ofstream(directory_ + "/file", std::ios::binary) << text;
    return directory_ + "/file";
  }
  std::string directory_;
};

TEST_F(TextFile, is_read_whole) {
  const std::string text = std::string(300'000, 'x') + std::string("\0\n", 2);
  EXPECT_EQ(read_text_file(file(text)).value(), text);
  EXPECT_EQ(read_text_file(file("")).value(), "");
}

TEST_F(TextFile, that_cannot_be_read_is_named) {
  EXPECT_EQ(read_text_file("/nowhere").error().text, "/nowhere: cannot be read: No such file or directory");
  EXPECT_EQ(read_text_file(directory_).error().text, directory_ + ": cannot be read: Is a directory");
  EXPECT_EQ(first_line_of(directory_).error().text, directory_ + ": cannot be read: Is a directory");
  // A file that opens and then cannot be read, as on a disk that fails: there is nothing at address 0 of a process.
  EXPECT_EQ(read_text_file("/proc/self/mem").error().text, "/proc/self/mem: cannot be read: Input/output error");
}

TEST_F(TextFile, may_be_a_pipe_but_does_not_wait_for_its_writer) {
  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_text_file(pipe).value(), "");
}

TEST_F(TextFile, first_lines_lose_their_ends) {
  EXPECT_EQ(first_line_of(file("token\r\nmore\n")).value(), "token");
  EXPECT_EQ(first_line_of(file("token")).value(), "token");
  EXPECT_EQ(first_line_of(file("\nmore")).value(), "");
  EXPECT_EQ(first_line_of(file("")).error().text, directory_ + "/file: is empty");
}

}  // namespace
}  // namespace hf::files
