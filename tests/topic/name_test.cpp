// The rules for names, filters and shared subscriptions, as tables named by normative statement.
#include "broker/topic/name.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hf::topic {
namespace {

using std::string;

string repeat(const string& part, std::size_t times) {
  string all;
  for (std::size_t i = 0; i < times; ++i) all += part;
  return all;
}

struct ValidCase {
  const char* statement;
  string text;
  bool as_name;
  bool as_filter;
};

TEST(Topic, ValidNamesAndFilters) {
  const std::vector<ValidCase> cases = {
      {"MQTT-4.7.0-1 no wildcards in names", "sport/+", false, true},
      {"MQTT-4.7.0-1", "#", false, true},
      {"MQTT-4.7.0-1", "a+b", false, false},
      {"MQTT-4.7.1-1 # is last, and alone in its level", "sport/tennis/#", false, true},
      {"MQTT-4.7.1-1", "sport/tennis#", false, false},
      {"MQTT-4.7.1-1", "sport/tennis/#/ranking", false, false},
      {"MQTT-4.7.1-1", "#/", false, false},
      {"MQTT-4.7.1-1", "##", false, false},
      {"MQTT-4.7.1-1", "/#", false, true},
      {"MQTT-4.7.1-2 + is alone in its level", "+", false, true},
      {"MQTT-4.7.1-2", "+/tennis/#", false, true},
      {"MQTT-4.7.1-2", "sport+", false, false},
      {"MQTT-4.7.1-2", "+sport", false, false},
      {"MQTT-4.7.1-2", "sport/+/player1", false, true},
      {"MQTT-4.7.1-2", "++", false, false},
      {"MQTT-4.7.1-2", "+#", false, false},
      {"MQTT-4.7.1-2", "+/+", false, true},
      {"MQTT-4.7.3-1 at least one character", "", false, false},
      {"MQTT-4.7.3-1", "/", true, true},
      {"MQTT-4.7.3-1", " ", true, true},
      {"MQTT-4.7.3-2 no U+0000", string("a\0b", 3), false, false},
      {"MQTT-4.7.3-3 at most 65535 bytes", string(65535, 'a'), true, true},
      {"MQTT-4.7.3-3", string(65536, 'a'), false, false},
      {"levels_max", string(levels_max - 1, '/'), true, true},
      {"levels_max", string(levels_max, '/'), false, false},
      {"any other character goes", "Accounts payable/$x/\xC3\xA9", true, true},
      {"$ is ordinary here", "$SYS/uptime", true, true},
  };
  for (const ValidCase& c : cases) {
    EXPECT_EQ(valid_name(c.text), c.as_name) << c.statement << ": " << c.text.substr(0, 40);
    EXPECT_EQ(valid_filter(c.text), c.as_filter) << c.statement << ": " << c.text.substr(0, 40);
  }
}

struct ParseCase {
  const char* statement;
  string text;
  bool ok;
  string group;
  string filter;
};

TEST(Topic, ParseFilter) {
  const std::vector<ParseCase> cases = {
      {"plain", "a/+/#", true, "", "a/+/#"},
      {"plain, malformed [MQTT-4.7.1-1]", "a/#/b", false, "", ""},
      {"MQTT-4.8.2-1 a name of one character or more", "$share/g/a", true, "g", "a"},
      {"MQTT-4.8.2-1", "$share//a", false, "", ""},
      {"MQTT-4.8.2-1", "$share/", false, "", ""},
      {"MQTT-4.8.2-2 no / + # in the name", "$share/g+/a", false, "", ""},
      {"MQTT-4.8.2-2", "$share/#/a", false, "", ""},
      {"MQTT-4.8.2-2 followed by / and a filter", "$share/g", false, "", ""},
      {"MQTT-4.8.2-2", "$share/g/", false, "", ""},
      {"MQTT-4.8.2-2", "$share/g//", true, "g", "/"},
      {"MQTT-4.8.2-2", "$share/g//finance", true, "g", "/finance"},
      {"MQTT-4.8.2-2 the filter is well formed", "$share/g/a#", false, "", ""},
      {"MQTT-4.8.2-2", "$share/g/#", true, "g", "#"},
      {"MQTT-4.7.3-2 no U+0000", string("$share/\0/a", 10), false, "", ""},
      {"MQTT-4.7.3-3 the prefix counts",
       "$share/g/" + string(65535 - 9, 'a'),
       true,
       "g",
       string(65535 - 9, 'a')},
      {"MQTT-4.7.3-3", "$share/g/" + string(65535 - 8, 'a'), false, "", ""},
      {"not the prefix", "$share", true, "", "$share"},
      {"not the prefix", "$shared/g/a", true, "", "$shared/g/a"},
      {"not at the start", "x/$share/g", true, "", "x/$share/g"},
      {"nested is a topic like any other", "$share/g/$share/h/a", true, "g", "$share/h/a"},
  };
  for (const ParseCase& c : cases) {
    const auto parsed = parse_filter(c.text);
    ASSERT_EQ(parsed.has_value(), c.ok) << c.statement << ": " << c.text.substr(0, 40);
    if (!parsed) continue;
    EXPECT_EQ(parsed->group, c.group) << c.statement << ": " << c.text.substr(0, 40);
    EXPECT_EQ(parsed->filter, c.filter) << c.statement << ": " << c.text.substr(0, 40);
    EXPECT_EQ(parsed->shared(), !c.group.empty());
  }
}

struct MatchCase {
  const char* statement;
  const char* filter;
  const char* name;
  bool match;
};

TEST(Topic, Matches) {
  const std::vector<MatchCase> cases = {
      {"MQTT-4.7.1-1 # takes the parent", "sport/tennis/player1/#", "sport/tennis/player1", true},
      {"MQTT-4.7.1-1", "sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"MQTT-4.7.1-1", "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"MQTT-4.7.1-1", "sport/#", "sport", true},
      {"MQTT-4.7.1-1", "sport/#", "sports", false},
      {"MQTT-4.7.1-1", "#", "/", true},
      {"MQTT-4.7.1-1", "/#", "/", true},
      {"MQTT-4.7.1-1", "/#", "a", false},
      {"MQTT-4.7.1-1", "+/#", "a", true},
      {"MQTT-4.7.1-2 + takes one level", "sport/tennis/+", "sport/tennis/player1", true},
      {"MQTT-4.7.1-2", "sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"MQTT-4.7.1-2", "sport/+", "sport", false},
      {"MQTT-4.7.1-2", "sport/+", "sport/", true},
      {"MQTT-4.7.1-2", "+/+", "/finance", true},
      {"MQTT-4.7.1-2", "/+", "/finance", true},
      {"MQTT-4.7.1-2", "+", "/finance", false},
      {"MQTT-4.7.2-1 leading wildcards miss $", "#", "$SYS/x", false},
      {"MQTT-4.7.2-1", "+/monitor/Clients", "$SYS/monitor/Clients", false},
      {"MQTT-4.7.2-1", "+", "$SYS", false},
      {"MQTT-4.7.2-1", "$SYS/#", "$SYS/monitor/Clients", true},
      {"MQTT-4.7.2-1", "$SYS/#", "$SYS", true},
      {"MQTT-4.7.2-1", "$SYS/monitor/+", "$SYS/monitor/Clients", true},
      {"MQTT-4.7.2-1 only the first level", "a/+", "a/$SYS", true},
      {"MQTT-4.7.2-1", "/#", "/$SYS", true},
      {"MQTT-4.7.3-4 compared as they are", "ACCOUNTS", "Accounts", false},
      {"MQTT-4.7.3-4", "/finance", "finance", false},
      {"MQTT-4.7.3-4", "a", "a/", false},
      {"MQTT-4.7.3-4", "a//b", "a/b", false},
      {"MQTT-4.7.3-4", "a//b", "a//b", true},
  };
  for (const MatchCase& c : cases) {
    EXPECT_EQ(matches(c.filter, c.name), c.match)
        << c.statement << ": " << c.filter << " " << c.name;
  }
}

TEST(Topic, MatchesDeepNames) {
  const string deep(60000, '/');
  EXPECT_TRUE(matches("#", deep));
  EXPECT_TRUE(matches(repeat("+/", 20000) + "#", deep));
  EXPECT_FALSE(matches(repeat("+/", 20000) + "+", deep));
}

}  // namespace
}  // namespace hf::topic
