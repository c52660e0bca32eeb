// Settings from the environment: names, order, mistakes, and what others put there.
#include "broker/app/config_environment.hpp"

#include <set>

#include <gtest/gtest.h>

#include "broker/app/config_fields.hpp"

namespace hf::app {
namespace {

std::string error_of(const Variables& variables) {
  Settings settings;
  const auto done = apply_variables(settings, variables);
  return done ? "" : done.error().text;
}

TEST(ConfigEnvironment, sets_fields) {
  Settings settings;
  const auto done = apply_variables(settings, {{"HOLDFAST_ADMIN_ENABLED", "false"},
                                               {"HOLDFAST_CLUSTER_NAME", "42"},
                                               {"HOLDFAST_LISTEN_PORT", "1884"},
                                               {"HOLDFAST_CLUSTER_DETECT", "3s"},
                                               {"HOLDFAST_CLUSTER_MEMBERS", R"([{"id": 1, "address": "a:1"}])"},
                                               {"HOLDFAST_ACCESS_USERS", R"([{"name": "ann", "password": "p"}])"}});
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_FALSE(settings.admin.enabled);
  EXPECT_EQ(settings.node.cluster_name, "42");
  EXPECT_EQ(settings.port, 1884);
  EXPECT_EQ(settings.node.detect_after, 3s);
  ASSERT_EQ(settings.node.members.size(), 1U);
  EXPECT_EQ(settings.node.members[0].address, "a:1");
  EXPECT_EQ(settings.node.access.users.size(), 1U);
}

TEST(ConfigEnvironment, a_mistake_is_named) {
  EXPECT_EQ(error_of({{"HOLDFAST_LISTEN_PORTS", "1"}}),
            "the environment: HOLDFAST_LISTEN_PORTS is no field; expected HOLDFAST_LISTEN_PORT, the nearest known");
  EXPECT_EQ(error_of({{"HOLDFAST_LISTEN_PORT", "http"}}),
            "the environment: HOLDFAST_LISTEN_PORT: listen.port is \"http\"; expected a whole number from 1 to 65535");
  EXPECT_EQ(error_of({{"HOLDFAST_ZEBRA_CROSSING_ON_MAIN_STREET", ""}}),
            "the environment: HOLDFAST_ZEBRA_CROSSING_ON_MAIN_STREET is no field; expected HOLDFAST_ and a field "
            "(--print-config lists all)");
}

TEST(ConfigEnvironment, lists_that_are_no_json_say_where) {
  EXPECT_EQ(error_of({{"HOLDFAST_CLUSTER_MEMBERS", R"([{"id": 1,])"}}),
            "the environment: HOLDFAST_CLUSTER_MEMBERS: cluster.members: not JSON: parse error at line 1, column 11: syntax error while parsing "
            "object key - unexpected ']'; expected string literal");
  EXPECT_EQ(error_of({{"HOLDFAST_LISTENERS", "none"}}).find("<discarded>"), std::string::npos);
}

TEST(ConfigEnvironment, a_secret_is_not_repeated) {
  EXPECT_EQ(error_of({{"HOLDFAST_ADMIN_TOKEN", "short"}}),
            "the environment: HOLDFAST_ADMIN_TOKEN: admin.token is \"(hidden)\"; expected a secret of 16 to 4096 "
            "characters, \"\" for none");
}

TEST(ConfigEnvironment, what_others_put_there_is_passed_over) {
  EXPECT_EQ(error_of({{"HOLDFAST_CONFIG", "/etc/holdfast.json"},
                      {"HOLDFAST_CTL_TOKEN", "t"},
                      {"HOLDFAST_PORT", "tcp://10.0.0.1:1883"},
                      {"HOLDFAST_PORT_1883_TCP", "tcp://10.0.0.1:1883"},
                      {"HOLDFAST_PORT_1883_TCP_ADDR", "10.0.0.1"},
                      {"HOLDFAST_SERVICE_HOST", "10.0.0.1"},
                      {"HOLDFAST_SERVICE_PORT_MQTT", "1883"},
                      {"HOLDFAST_PEERS_SERVICE_PORT", "7946"}}),
            "");
}

TEST(ConfigEnvironment, no_two_fields_have_one_name) {
  std::set<std::string> names{"HOLDFAST_CLUSTER_MEMBERS", "HOLDFAST_CONFIG"};
  for (const Field& field : fields()) EXPECT_TRUE(names.insert(variable_of(field.path)).second) << field.path;
}

}  // namespace
}  // namespace hf::app
