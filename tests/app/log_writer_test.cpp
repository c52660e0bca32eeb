// Lines to a reader who does not read: nobody waits, what is lost is counted, the rest keeps its order.
#include "broker/app/log_writer.hpp"

#include <array>
#include <chrono>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace hf::app {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class LogWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe(ends_.data()), 0);
    ::fcntl(ends_[1], F_SETPIPE_SZ, 4096);
  }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  /// Reads until the text has come.
  std::string read_until(const std::string& text) const {
    std::string all;
    std::array<char, 4096> part;
    while (all.find(text) == std::string::npos) {
      const auto got = ::read(ends_[0], part.data(), part.size());
      if (got <= 0) break;
      all.append(part.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  std::array<int, 2> ends_{};
};

std::string line(int number) { return "line " + std::to_string(number) + std::string(90, '.') + "\n"; }

TEST_F(LogWriterTest, writes_lines_in_order_and_ends_when_all_is_out) {
  LogWriter writer(ends_[1]);
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    writer.put(line(i));
    expected += line(i);
  }
  writer.finish(milliseconds(1000));
  EXPECT_EQ(read_until(line(19)), expected);
  EXPECT_EQ(writer.lost(), 0U);
  writer.put("too late\n");
  EXPECT_EQ(writer.lost(), 1U);
}

TEST_F(LogWriterTest, nobody_waits_for_a_reader_who_does_not_read) {
  LogWriter writer(ends_[1], 16'384);
  const auto begin = Clock::now();
  for (int i = 0; i < 10'000; ++i) writer.put(line(i));
  EXPECT_LT(Clock::now() - begin, milliseconds(500));
  EXPECT_GT(writer.lost(), 9'000U);
  EXPECT_EQ(writer.take_lost(), 0U) << "there is no room for the line that would tell it";
  writer.put("the last words\n", true);
  const std::string said = read_until("the last words\n");
  std::uint64_t lines = 0;
  int last = -1;
  for (std::size_t at = said.find("line "); at != std::string::npos; at = said.find("line ", at + 1), ++lines) {
    const int number = std::stoi(said.substr(at + 5));
    EXPECT_GT(number, last) << "in order";
    last = number;
  }
  EXPECT_EQ(lines + writer.lost(), 10'000U);
  EXPECT_EQ(writer.take_lost(), writer.lost());
  EXPECT_EQ(writer.take_lost(), 0U) << "told once";
}

TEST_F(LogWriterTest, the_end_does_not_wait_for_ever) {
  const auto begin = Clock::now();
  {
    LogWriter writer(ends_[1]);
    for (int i = 0; i < 1000; ++i) writer.put(line(i));
    writer.finish(milliseconds(50));
  }
  EXPECT_LT(Clock::now() - begin, milliseconds(1000));
  // Whoever reads in time gets all that was taken.
  const int all = ::dup(ends_[1]);
  EXPECT_NE(read_until(line(999)).find(line(500)), std::string::npos);
  ::close(all);
}

TEST_F(LogWriterTest, what_cannot_be_written_is_counted) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  LogWriter writer(full);
  for (int i = 0; i < 10; ++i) writer.put(line(i));
  writer.finish(milliseconds(1000));
  EXPECT_EQ(writer.lost(), 10U);
  ::close(full);
}

}  // namespace
}  // namespace hf::app
