// The configuration: every field, every kind of mistake and the words it is answered with.
#include "broker/app/config_file.hpp"

#include <gtest/gtest.h>

#include "broker/app/config_fields.hpp"

namespace hf::app {
namespace {

std::string error_of(std::string_view json) {
  Settings settings;
  const auto done = apply_text(settings, json, "test.json");
  return done ? "" : done.error().text;
}

TEST(ConfigFile, reads_nested_and_dotted_fields_with_comments) {
  Settings settings;
  const auto done = apply_text(settings, R"({
    // a comment
    "node": {"id": 2},
    "listen": {"port": 1884, "bind": "127.0.0.1"},
    "cluster.detect": "1500ms",  /* and another */
    "cluster": {"members": [{"id": 1, "address": "a:7946"}, {"id": 2, "address": "b:7947", "zone": "z"}]},
    "mqtt.max_packet_size": 4096
  })", "test.json");
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(settings.node.id, 2U);
  EXPECT_EQ(settings.port, 1884);
  EXPECT_EQ(settings.bind, "127.0.0.1");
  EXPECT_EQ(settings.node.detect_after, 1500ms);
  EXPECT_EQ(settings.node.max_packet_size, 4096U);
  ASSERT_EQ(settings.node.members.size(), 2U);
  EXPECT_EQ(settings.node.members[0].name, "node-1");
  EXPECT_EQ(settings.node.members[1].zone, "z");
}

TEST(ConfigFile, an_unknown_field_is_named_with_its_nearest) {
  EXPECT_EQ(error_of(R"({"mqtt": {"max_packet_sise": 5}})"),
            "test.json: mqtt.max_packet_sise (unknown field) is 5; expected "
            "\"mqtt.max_packet_size\", the nearest known field");
  EXPECT_EQ(error_of(R"({"port": 5})"),
            "test.json: port (unknown field) is 5; expected \"listen.port\", the nearest known field");
  EXPECT_EQ(error_of(R"({"zebra": {"a": "b"}})"),
            "test.json: zebra (unknown field) is {\"...\":\"...\"}; expected a known field "
            "(--print-config lists all)");
  EXPECT_EQ(error_of(R"({"cluster": {"members": [{"id": 1, "adress": "a:1"}]}})"),
            "test.json: cluster.members[0].adress (unknown field) is \"a:1\"; expected \"address\", "
            "the nearest known field");
}

TEST(ConfigFile, a_wrong_value_is_named_with_what_was_expected) {
  struct Case {
    const char* json;
    const char* error;
  };
  for (const Case& each : std::initializer_list<Case>{
           {R"({"listen.port": 65536})",
            "test.json: listen.port is 65536; expected a whole number from 1 to 65535"},
           {R"({"listen.port": "1883"})",
            "test.json: listen.port is \"1883\"; expected a whole number from 1 to 65535"},
           {R"({"listen.port": -1})",
            "test.json: listen.port is -1; expected a whole number from 1 to 65535"},
           {R"({"listen.port": 18.5})",
            "test.json: listen.port is 18.5; expected a whole number from 1 to 65535"},
           {R"({"clock.max_drift": 5})",
            "test.json: clock.max_drift is 5; expected a duration from 1ms to 1d, such as \"1s\" or "
            "\"250ms\""},
           {R"({"log.level": "loud"})",
            "test.json: log.level is \"loud\"; expected one of \"debug\", \"info\", \"warn\", \"error\""},
           {R"({"mqtt": 5})", "test.json: mqtt is 5; expected a section: {...}"},
           {R"([])", "test.json: the file is []; expected an object: {...}"},
           {R"({"cluster.members": {}})",
            "test.json: cluster.members is {}; expected a list of members"},
           {R"({"cluster.members": [{"id": 1, "address": "nowhere"}]})",
            "test.json: cluster.members[0].address is \"nowhere\"; expected \"host:port\""},
           {R"({"cluster.members": [{"address": "a:1"}]})",
            "test.json: cluster.members[0] is {\"address\":\"a:1\"}; expected an \"id\""},
           {R"({"storage.data_dir": ""})", "test.json: storage.data_dir is \"\"; expected a path"},
           {R"({"mqtt": {"receive_maximum": 1, "receive_maximum": 2}})",
            "test.json: the field \"receive_maximum\" is there twice"}}) {
    EXPECT_EQ(error_of(each.json), each.error);
  }
}

TEST(ConfigFile, broken_json_tells_where) {
  const std::string error = error_of("{\n  \"node\": {\"id\": }\n}");
  EXPECT_EQ(error.rfind("test.json: not JSON: parse error at line 2", 0), 0U) << error;
  Settings settings;
  const auto missing = apply_file(settings, "/nowhere/config.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text, "/nowhere/config.json: cannot be read: No such file or directory");
}

TEST(ConfigFile, what_is_printed_reads_back_the_same) {
  Settings settings;
  ASSERT_TRUE(apply_text(settings, R"({"node.id": 3, "cluster.heartbeat": "150ms",
    "cluster.members": [{"id": 3, "name": "n", "address": "[::1]:99", "zone": "a"}]})", "t"));
  ASSERT_TRUE(complete(settings));
  Settings again;
  const auto done = apply_text(again, print(settings), "printed");
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(print(again), print(settings));
  EXPECT_NE(print(settings), print(Settings{}));
}

TEST(ConfigFile, every_field_takes_its_own_default) {
  const Settings settings;
  for (const Field& field : fields()) {
    Settings other;
    EXPECT_TRUE(field.set(other, field.get(settings))) << field.path;
    const bool list = field.get(settings).is_array();
    EXPECT_FALSE(field.set(other, list ? Json("text") : Json::array())) << field.path;
    EXPECT_FALSE(field.set(other, Json())) << field.path;
  }
}

TEST(ConfigFile, durations) {
  EXPECT_EQ(duration_of(Json("1.5s")), Duration(1500ms));
  EXPECT_EQ(duration_of(Json("2h")), Duration(2h));
  EXPECT_EQ(duration_of(Json("0ms")), Duration::zero());
  for (const char* bad : {"", "s", "5", "-1s", "1 s", "1w", "nan", "1e300s", "1s1", "99999999d"}) {
    EXPECT_EQ(duration_of(Json(bad)), std::nullopt) << bad;
  }
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(120s), "2m");
  EXPECT_EQ(duration_text(1500ms), "1500ms");
}

TEST(ConfigFile, command_line_values) {
  Settings settings;
  EXPECT_TRUE(apply_value(settings, "listen.port", "1999", "--port"));
  EXPECT_TRUE(apply_value(settings, "cluster.name", "42", "--cluster"));
  EXPECT_TRUE(apply_value(settings, "listen.bind", "10.0.0.1", "--bind"));
  EXPECT_TRUE(apply_value(settings, "cluster.detect", "2s", "--set"));
  EXPECT_EQ(settings.port, 1999);
  EXPECT_EQ(settings.node.cluster_name, "42");
  EXPECT_EQ(settings.bind, "10.0.0.1");
  EXPECT_EQ(apply_value(settings, "listen.port", "http", "--port").error().text,
            "--port: listen.port is \"http\"; expected a whole number from 1 to 65535");
  EXPECT_TRUE(add_member(settings, "id=7,address=h:1,zone=a,name=seven", "--member"));
  EXPECT_EQ(settings.node.members.at(0).id, 7U);
  EXPECT_EQ(settings.node.members.at(0).name, "seven");
  for (const char* bad : {"", "7", "id=x,address=h:1", "id=7", "address=h:1", "id=7,address=h",
                          "id=7,address=h:1,colour=red", "id=0,address=h:1"}) {
    EXPECT_FALSE(add_member(settings, bad, "--member")) << bad;
  }
}

TEST(ConfigFile, fields_are_checked_against_each_other) {
  const auto problem = [](std::string_view json) {
    Settings settings;
    const auto read = apply_text(settings, json, "t");
    EXPECT_TRUE(read) << read.error().text;
    const auto done = complete(settings);
    return done ? "" : done.error().text;
  };
  EXPECT_EQ(problem("{}"), "");
  EXPECT_NE(problem(R"({"cluster.write_quorum": 4})").find("cluster.write_quorum is 4"), std::string::npos);
  EXPECT_NE(problem(R"({"mqtt.max_packet_size": 1048576, "cluster.max_outbox": 65536})").find("eight times cluster.max_outbox (65536)"), std::string::npos);
  EXPECT_NE(problem(R"({"cluster.heartbeat": "1s"})").find("cluster.detect is 1s"), std::string::npos);
  EXPECT_NE(problem(R"({"listen.bind": "localhost"})").find("listen.bind is \"localhost\""), std::string::npos);
  EXPECT_NE(problem(R"({"listen.port": 7946})").find("listen.peer_port"), std::string::npos);
  EXPECT_NE(problem(R"({"node.id": 5, "cluster.members": [{"id": 1, "address": "a:1"}]})")
                .find("expected this node among the members"), std::string::npos);
  EXPECT_NE(problem(R"({"cluster.members": [{"id": 1, "address": "a:1"}, {"id": 1, "address": "b:1"}]})")
                .find("id 1 is there twice"), std::string::npos);
}

TEST(ConfigFile, only_loopback_is_administered_without_a_token) {
  const auto problem = [](std::string_view json) {
    Settings settings;
    const auto read = apply_text(settings, json, "t");
    if (!read) return read.error().text;
    const auto done = complete(settings);
    return done ? "" : done.error().text;
  };
  const std::string wanted = "expected an address of loopback, or an admin.token or admin.token_file";
  EXPECT_NE(problem(R"({"admin.bind": "0.0.0.0"})").find(wanted), std::string::npos);
  EXPECT_NE(problem(R"({"admin.bind": "::"})").find(wanted), std::string::npos);
  EXPECT_EQ(problem(R"({"admin.bind": "::1"})"), "");
  EXPECT_EQ(problem(R"({"admin.bind": "0.0.0.0", "admin.enabled": false})"), "");
  EXPECT_EQ(problem(R"({"admin.bind": "0.0.0.0", "admin.token": "0123456789abcdef"})"), "");
  EXPECT_EQ(problem(R"({"admin.bind": "0.0.0.0", "admin.token_file": "/run/token"})"), "");
  EXPECT_NE(problem(R"({"admin.token": "0123456789abcdef", "admin.token_file": "/t"})").find("either"), std::string::npos);
  EXPECT_EQ(problem(R"({"admin.token": "hunter2"})").find("hunter2"), std::string::npos);
}

TEST(ConfigFile, secrets_are_not_printed) {
  Settings settings;
  ASSERT_TRUE(apply_text(settings, R"({"admin.token": "0123456789abcdef"})", "t"));
  EXPECT_EQ(print(settings).find("0123456789abcdef"), std::string::npos);
  EXPECT_NE(print(settings).find("\"token\": \"(hidden)\""), std::string::npos);
  Settings again;
  EXPECT_FALSE(apply_text(again, print(settings), "printed")) << "what was hidden is not taken for a secret";
}

TEST(ConfigFile, errors_do_not_repeat_what_may_be_a_secret) {
  for (const char* json : {R"({"access": {"users": [{"name": "ann", "password": "hunter2\q"}]}})", R"({"admin.token": "hunter2)",
                           R"({"admin.token": "hunter2'; expected hunter2\q"})", "{\"admin.token\": \"hunter2\n\"}", R"({"admin.tokens": hunter2})",
                           R"({"admin": {"tokn": "hunter2"}})", R"({"access.user": [{"name": "ann", "password": "hunter2"}]})",
                           R"({"admin": "hunter2"})", R"("hunter2")"}) {
    const std::string error = error_of(json);
    EXPECT_NE(error, "") << json;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  }
  EXPECT_EQ(error_of("{\n \"admin.token\": \"hunter2\\q\"}"),
            "test.json: not JSON: parse error at line 2, column 26: syntax error while parsing value - invalid string: forbidden character after backslash");
  EXPECT_EQ(error_of(R"({"node.id": 1e999})"), "test.json: not JSON: a number that is too large");
}

TEST(ConfigFile, a_field_that_is_there_twice_is_an_error_however_it_is_written) {
  const std::string error = "test.json: the field \"listen.port\" is there twice";
  EXPECT_EQ(error_of(R"({"listen.port": 3000, "listen": {"port": 2000}})"), error);
  EXPECT_EQ(error_of(R"({"listen": {"port": 2000}, "listen.port": 3000})"), error);
  EXPECT_EQ(error_of(R"({"cluster": {"members": [], "tls.key": "k"}, "cluster.tls": {"key": "l"}})"),
            "test.json: the field \"cluster.tls.key\" is there twice");
  EXPECT_EQ(error_of(R"({"listen": {"port": 2000}, "listen.bind": "127.0.0.1"})"), "");
  Settings settings;
  const auto twice = apply_value(settings, "cluster.members", R"([{"id": 1, "id": 2, "address": "a:1"}])", "--set");
  EXPECT_EQ(twice ? "" : twice.error().text, "--set: cluster.members: the field \"id\" is there twice");
}

TEST(ConfigFile, a_node_without_members_is_alone) {
  Settings settings;
  ASSERT_TRUE(complete(settings));
  ASSERT_EQ(settings.node.members.size(), 1U);
  EXPECT_EQ(settings.node.members[0].id, settings.node.id);
  EXPECT_EQ(settings.node.members[0].address, "127.0.0.1:7946");
}

}  // namespace
}  // namespace hf::app
