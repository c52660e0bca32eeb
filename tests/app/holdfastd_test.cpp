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
#include <vector>

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

TEST(Holdfastd, refuses_files_of_access_control_with_status_2) {
  const Directory directory;
  const std::string file = directory.path + "/pw";
  std::ofstream(file) << "# users\nann:secret\n";
  const std::string error = "holdfastd: " + file + ":2: the password is not hashed; expected $6$ or $7$ after the user "
                            "(run mosquitto_passwd -U on the file)\n";
  for (const char* only : {"", " --check-config"}) {
    const auto [said, status] = run("--set access.password_file=" + file + only);
    EXPECT_EQ(status, 2);
    EXPECT_EQ(said, error);
  }
  EXPECT_EQ(run("--print-config --set access.password_file=" + file).second, 0) << "printing reads no files";
  const auto [said, status] = run("--check-config --set access.acl_file=/nowhere");
  EXPECT_EQ(status, 2);
  EXPECT_EQ(said, "holdfastd: /nowhere: cannot be read: No such file or directory\n");
}

TEST(Holdfastd, refuses_what_cannot_start_with_status_2_without_opening_anything) {
  const Directory directory;
  const std::string tls = R"({"certificate": "/nowhere.pem", "key": "/nowhere.key"})";
  const std::string lost = "/nowhere.pem: no use as a certificate: No such file or directory";
  const std::vector<std::pair<std::string, std::string>> bad{
      {"--set 'listeners=[{\"name\": \"secure\", \"tls\": " + tls + "}]'", "listener 'secure': " + lost},
      {"--set 'listeners=[{\"name\": \"secure\", \"tls\": " + tls.substr(0, tls.size() - 1) + ", \"ciphers\": \"NONSENSE\"}}]'",
       "listener 'secure': TLS: ciphers \"NONSENSE\": no cipher match"},
      {"--set cluster.tls.certificate=/nowhere.pem --set cluster.tls.key=k --set cluster.tls.ca=c", "cluster.tls: " + lost},
      {"--set admin.tls.certificate=/nowhere.pem --set admin.tls.key=k", "admin.tls: " + lost},
      {"--set admin.token_file=/nowhere", "admin.token_file: /nowhere: cannot be read: No such file or directory"},
      {"--admin-port 1883", "admin.port is 1883 at 127.0.0.1; expected another port than listen.port (at 0.0.0.0)"},
      {"--admin-port 7946", "admin.port is 7946 at 127.0.0.1; expected another port than listen.peer_port (at 0.0.0.0)"}};
  for (const auto& [options, error] : bad) {
    for (const char* only : {"", " --check-config"}) {
      const auto [said, status] = run(options + only + " --data-dir " + directory.path + "/data");
      EXPECT_EQ(status, 2) << options << only;
      EXPECT_EQ(said, "holdfastd: " + error + "\n") << options << only;
    }
  }
  EXPECT_FALSE(std::filesystem::exists(directory.path + "/data"));
}

TEST(Holdfastd, what_cannot_be_printed_is_no_success) {
  const std::string error = "holdfastd: standard output cannot be written to\n";
  for (const char* options : {"--print-config", "--print-schema", "--check-config"}) {
    for (const char* lost : {">/dev/full", ">&-"}) {
      FILE* pipe = ::popen((std::string("(" HF_HOLDFASTD " ") + options + " " + lost + ") 2>&1").c_str(), "r");
      std::array<char, 1000> said{};
      static_cast<void>(std::fread(said.data(), 1, said.size() - 1, pipe));
      EXPECT_EQ(WEXITSTATUS(::pclose(pipe)), 5) << options << lost;
      EXPECT_EQ(said.data(), error) << options << lost;
    }
  }
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
      run("--bind 127.0.0.1 --peer-bind 127.0.0.1 --port 21883 --peer-port 27946 --admin-port 0 --data-dir " + file);
  EXPECT_EQ(status, 3) << said;
  EXPECT_NE(said.find(file), std::string::npos) << said;
}

/// A node on ports of 127.0.0.1 that runs until it is told to stop; its log is a file.
class Running {
 public:
  Running(const Directory& directory, int port, std::vector<std::string> options)
      : log_(directory.path + "/log") {
    std::vector<std::string> words{"holdfastd", "--bind", "127.0.0.1", "--peer-bind", "127.0.0.1", "--port",
                                   std::to_string(port), "--peer-port", std::to_string(port + 6063),
                                   "--admin-port", "0", "--data-dir", directory.path + "/new/data"};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = ::fork();
    if (child_ != 0) return;
    static_cast<void>(std::freopen(log_.c_str(), "w", stdout));
    ::execv(HF_HOLDFASTD, arguments.data());
    ::_exit(127);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (child_ > 0) stop();
  }
  [[nodiscard]] std::string log() const {
    std::ifstream file(log_);
    return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] bool says(const std::string& text) const {
    for (int i = 0; i < 500 && log().find(text) == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return log().find(text) != std::string::npos;
  }
  void signal(int number) const { ::kill(child_, number); }
  /// Its exit status.
  int stop() {
    signal(SIGTERM);
    int status = 0;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  std::string log_;
  pid_t child_ = -1;
};

TEST(Holdfastd, starts_logs_json_and_stops_on_sigterm) {
  const Directory directory;
  Running node(directory, 21884, {"--log-format", "json"});
  ASSERT_TRUE(node.says("clients at")) << node.log();
  EXPECT_TRUE(node.says("{\"time\":\"")) << node.log();
  const auto [second, second_status] = run("--bind 127.0.0.1 --peer-bind 127.0.0.1 --port 21885 --peer-port "
                                           "27948 --admin-port 0 --data-dir " + directory.path + "/new/data");
  EXPECT_EQ(second_status, 3) << second;
  EXPECT_NE(second.find("in use by another process"), std::string::npos) << second;
  EXPECT_EQ(node.stop(), 0) << node.log();
  EXPECT_TRUE(node.says("\"message\":\"stopped\"")) << node.log();
}

TEST(Holdfastd, sighup_reads_the_configuration_again) {
  const Directory directory;
  const std::string file = directory.path + "/node.json";
  std::ofstream(file) << R"({"mqtt.max_qos": 2})";
  Running node(directory, 21886, {"--config", file});
  ASSERT_TRUE(node.says("clients at")) << node.log();
  std::ofstream(file) << R"({"mqtt.max_qos": 1, "log.level": "warn"})";
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the loop takes signals after its first turn
  node.signal(SIGHUP);
  EXPECT_TRUE(node.says("reloaded; now in force: log.level; in force after a restart only: mqtt.max_qos")) << node.log();
  std::ofstream(file) << R"({"mqtt.max_qos": 7})";
  node.signal(SIGHUP);
  EXPECT_TRUE(node.says("reload refused, nothing changes: " + file + ": mqtt.max_qos is 7")) << node.log();
  EXPECT_EQ(node.stop(), 0) << node.log();
}

TEST(Holdfastd, files_that_cannot_be_read_at_a_reload_change_nothing) {
  const Directory directory;
  const std::string file = directory.path + "/node.json", acl = directory.path + "/acl";
  std::ofstream(file) << R"({"access.acl_file": ")" << acl << R"("})";
  std::ofstream(acl) << "topic #\n";
  Running node(directory, 21890, {"--config", file});
  ASSERT_TRUE(node.says("clients at")) << node.log();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto becomes_a_directory = [](const std::string& path) {
    std::filesystem::rename(path, path + ".old");
    std::filesystem::create_directory(path);
  };
  const std::string refused = "reload refused, nothing changes: ";
  becomes_a_directory(acl);
  node.signal(SIGHUP);
  EXPECT_TRUE(node.says(refused + acl + ": cannot be read: Is a directory")) << node.log();
  becomes_a_directory(file);
  node.signal(SIGHUP);
  EXPECT_TRUE(node.says(refused + file + ": cannot be read: Is a directory")) << node.log();
  EXPECT_EQ(node.stop(), 0) << node.log();
}

}  // namespace
}  // namespace hf::app
