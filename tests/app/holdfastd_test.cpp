// holdfastd from outside: what it prints, how it exits, what a second one on the same data says.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace hf::app {
namespace {

/// Output (both streams) and exit status.
std::pair<std::string, int> run(const std::string& arguments) {
  std::string said;
  FILE* pipe = ::popen(("timeout 20 " HF_HOLDFASTD " " + arguments + " 2>&1").c_str(), "r");
  std::array<char, 4096> part;
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe)) {
    said.append(part.data(), got);
  }
  const int status = ::pclose(pipe);
  return {said, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf-app-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

TEST(Holdfastd, tells_its_version_and_help) {
  EXPECT_EQ(run("--version").first.rfind("holdfastd ", 0), 0U);
  const auto [help, status] = run("--help");
  EXPECT_EQ(status, 0);
  EXPECT_NE(help.find("--member"), std::string::npos);
}

TEST(Holdfastd, refuses_a_bad_configuration_with_status_2) {
  const Directory directory;
  const std::string file = directory.path + "/bad.json";
  std::ofstream(file) << R"({"mqtt": {"max_packet_sise": 5}})";
  const auto [said, status] = run("--config " + file);
  EXPECT_EQ(status, 2);
  EXPECT_EQ(said, "holdfastd: " + file + ": mqtt.max_packet_sise (unknown field) is 5; expected "
                  "\"mqtt.max_packet_size\", the nearest known field\n");
  EXPECT_EQ(run("--port http").second, 2);
  EXPECT_EQ(run("--colour red").second, 2);
  EXPECT_EQ(run("--config /nowhere.json").second, 2);
  EXPECT_EQ(run("--check-config").second, 0);
}

TEST(Holdfastd, prints_a_configuration_that_it_takes_back) {
  const Directory directory;
  const std::string file = directory.path + "/printed.json";
  const auto [printed, status] = run("--print-config --set cluster.detect=3s --port 1999");
  EXPECT_EQ(status, 0);
  std::ofstream(file) << printed;
  EXPECT_EQ(run("--print-config --config " + file).first, printed);
  EXPECT_NE(printed.find("\"detect\": \"3s\""), std::string::npos);
}

TEST(Holdfastd, storage_that_cannot_be_opened_is_status_3) {
  const Directory directory;
  const std::string file = directory.path + "/a-file";
  std::ofstream(file) << "not a directory";
  const auto [said, status] =
      run("--bind 127.0.0.1 --peer-bind 127.0.0.1 --port 21883 --peer-port 27946 --data-dir " + file);
  EXPECT_EQ(status, 3) << said;
  EXPECT_NE(said.find(file), std::string::npos) << said;
}

TEST(Holdfastd, starts_logs_json_and_stops_on_sigterm) {
  const Directory directory;
  const std::string log = directory.path + "/log";
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(std::freopen(log.c_str(), "w", stdout));
    const std::string data = directory.path + "/new/data";
    ::execl(HF_HOLDFASTD, "holdfastd", "--bind", "127.0.0.1", "--peer-bind", "127.0.0.1", "--port", "21884",
            "--peer-port", "27947", "--data-dir", data.c_str(), "--log-format", "json", nullptr);
    ::_exit(127);
  }
  const auto text = [&] {
    std::ifstream file(log);
    return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  };
  for (int i = 0; i < 500 && text().find("clients at") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(text().find("{\"time\":\""), std::string::npos) << text();
  const auto [second, second_status] = run("--bind 127.0.0.1 --peer-bind 127.0.0.1 --port 21885 --peer-port "
                                           "27948 --data-dir " + directory.path + "/new/data");
  EXPECT_EQ(second_status, 3) << second;
  EXPECT_NE(second.find("in use by another process"), std::string::npos) << second;
  ::kill(child, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status << "\n" << text();
  EXPECT_NE(text().find("\"message\":\"stopped\""), std::string::npos) << text();
}

}  // namespace
}  // namespace hf::app
