// limits.memory: texts, what a share is a share of, and when memory counts as short.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include "broker/app/memory.hpp"

namespace hf::app {
namespace {

using node::Pressure;

TEST(Memory, a_limit_is_bytes_or_a_share) {
  EXPECT_EQ(memory_limit_of("0"), (MemoryLimit{0, 0}));
  EXPECT_EQ(memory_limit_of("1073741824"), (MemoryLimit{1073741824, 0}));
  EXPECT_EQ(memory_limit_of("80%"), (MemoryLimit{0, 80}));
  EXPECT_EQ(text_of({0, 80}), "80%");
  EXPECT_EQ(text_of({1073741824, 0}), "1073741824");
  for (const char* wrong : {"", "%", "0%", "101%", "-1", "1G", "80 %", "1000", "99999999999999999999", "1.5"})
    EXPECT_FALSE(memory_limit_of(wrong)) << wrong;
}

/// A folder that stands for the root of the file system.
class Root {
 public:
  Root() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf-memory-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
    write("/proc/meminfo", "MemFree:        1 kB\nMemTotal:       1000000 kB\n");
  }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  ~Root() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path + name).parent_path());
    std::ofstream(path + name) << text;
  }
  std::string path;
};

TEST(Memory, a_share_is_of_the_machine_or_of_the_narrowest_control_group) {
  const Root root;
  EXPECT_EQ(resolved({0, 50}, root.path), 512'000'000U);
  EXPECT_EQ(resolved({123, 0}, root.path), 123U);
  root.write("/proc/self/cgroup", "0::/a/b\n");
  EXPECT_EQ(resolved({0, 50}, root.path), 512'000'000U);
  root.write("/sys/fs/cgroup/a/b/memory.max", "max\n");
  root.write("/sys/fs/cgroup/a/memory.max", "400000000\n");
  EXPECT_EQ(resolved({0, 50}, root.path), 200'000'000U);
  root.write("/sys/fs/cgroup/a/b/memory.max", "300000000\n");
  EXPECT_EQ(resolved({0, 50}, root.path), 150'000'000U);
  root.write("/sys/fs/cgroup/memory.max", "1000000\n");  // in a container, its own group is the root
  EXPECT_EQ(resolved({0, 50}, root.path), 500'000U);
  root.write("/proc/self/status", "Name: x\nRssAnon:\t    2048 kB\n");
  EXPECT_EQ(resident(root.path), 2U << 20U);
  EXPECT_GT(resident(), 100'000U) << "of this process";
  EXPECT_EQ(resolved({0, 50}, "/nowhere"), 0U);
}

TEST(Memory, short_at_the_limit_and_enough_clearly_below_it) {
  constexpr std::uint64_t limit = 1000;
  EXPECT_EQ(pressure_of(999, limit, Pressure::none), Pressure::none);
  EXPECT_EQ(pressure_of(1000, limit, Pressure::none), Pressure::high);
  EXPECT_EQ(pressure_of(951, limit, Pressure::high), Pressure::high);
  EXPECT_EQ(pressure_of(949, limit, Pressure::high), Pressure::none);
  EXPECT_EQ(pressure_of(1100, limit, Pressure::none), Pressure::critical);
  EXPECT_EQ(pressure_of(1099, limit, Pressure::high), Pressure::high);
  EXPECT_EQ(pressure_of(1060, limit, Pressure::critical), Pressure::critical);
  EXPECT_EQ(pressure_of(1040, limit, Pressure::critical), Pressure::high);
  EXPECT_EQ(pressure_of(960, limit, Pressure::critical), Pressure::high);
  EXPECT_EQ(pressure_of(1'000'000, 0, Pressure::critical), Pressure::none) << "no limit";
}

TEST(Memory, a_watch_tells_what_changed_once) {
  std::vector<Pressure> told;
  std::vector<std::string> said;
  int given_back = 0;
  MemoryWatch watch(1, [&](env::Level, std::string_view text) { said.emplace_back(text); },
                    [&](Pressure pressure) { told.push_back(pressure); }, [&] { ++given_back; });
  watch.look();
  watch.look();
  EXPECT_EQ(given_back, 2);
  EXPECT_EQ(told, std::vector<Pressure>{Pressure::critical});
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].rfind("memory is very short", 0), 0U) << said[0];
}

}  // namespace
}  // namespace hf::app
