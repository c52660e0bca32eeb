// Reloading: whole or not at all; what changed, and what waits for a restart, is named.
#include "broker/app/reload.hpp"

#include <string>

#include <gtest/gtest.h>

namespace hf::app {
namespace {

class ReloadTest : public testing::Test {
 protected:
  void SetUp() override {
    reload_.add([this](const Settings& fresh) -> Result<TakeOver> {
      return [this, level = fresh.log_level](Settings& running) { running.log_level = level_ = level; };
    });
  }
  void run(std::string text) {
    text_ = std::move(text);
    said_.clear();
    reload_.run();
  }
  Result<Settings> read() const {
    Settings settings;
    if (auto done = apply_text(settings, text_, "t.json"); !done) return tl::make_unexpected(done.error());
    if (auto done = complete(settings); !done) return tl::make_unexpected(done.error());
    return settings;
  }

  std::string text_ = "{}";
  std::string said_;
  std::string level_ = "info";
  Reload reload_{*read(), [this] { return read(); },
                 [this](env::Level, std::string_view text) { said_ += std::string(text) + "\n"; }};
};

TEST_F(ReloadTest, what_can_change_does_and_the_rest_is_named) {
  run(R"({"log.level": "debug", "listen.port": 1884, "cluster.members": [{"id": 1, "address": "h:1"}]})");
  EXPECT_EQ(level_, "debug");
  EXPECT_EQ(said_, "reloaded; now in force: log.level; in force after a restart only: listen.port, "
                   "cluster.members[0].address\n");
  EXPECT_EQ(reload_.running().port, 1883);
  run(R"({"log.level": "debug"})");
  EXPECT_EQ(said_, "reloaded\n") << "the port is back at what runs";
}

TEST_F(ReloadTest, a_broken_file_changes_nothing) {
  run(R"({"log.level": "debug", "listen.port": 0})");
  EXPECT_EQ(level_, "info");
  EXPECT_EQ(said_, "reload refused, nothing changes: t.json: listen.port is 0; expected a whole number from 1 to 65535\n");
}

TEST_F(ReloadTest, a_subject_that_refuses_holds_all_others_back) {
  reload_.add([](const Settings&) -> Result<TakeOver> { return fail(Blame::user, "users.txt: cannot be read"); });
  run(R"({"log.level": "debug"})");
  EXPECT_EQ(level_, "info");
  EXPECT_EQ(said_, "reload refused, nothing changes: users.txt: cannot be read\n");
}

TEST(Differences, are_told_by_path) {
  Settings one, other;
  EXPECT_TRUE(differences(one, other).empty());
  other.node.max_qos = 1;
  other.log_format = "json";
  other.node.members.push_back({1, "n", "h:1", ""});
  EXPECT_EQ(differences(one, other),
            (std::vector<std::string>{"cluster.members", "mqtt.max_qos", "log.format"}));
}

}  // namespace
}  // namespace hf::app
