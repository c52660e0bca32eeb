// The schema in the tree is the one of the table, and it tells the same ranges as the reader keeps.
#include "broker/app/config_schema.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "broker/app/config_fields.hpp"

namespace hf::app {
namespace {

/// HF_REWRITE=1 writes it anew; so does `holdfastd --print-schema > broker/app/holdfast.schema.json`.
TEST(ConfigSchema, the_tree_has_the_one_that_is_in_force) {
  const std::string path = HF_SOURCE_DIR "/broker/app/holdfast.schema.json";
  if (std::getenv("HF_REWRITE") != nullptr) std::ofstream(path) << schema() << "\n";
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(text == schema() + "\n") << path << " is old; run again with HF_REWRITE=1 and read the diff";
}

TEST(ConfigSchema, every_field_is_there_nested_and_dotted) {
  const Json document = Json::parse(schema());
  for (const Field& field : fields()) {
    const Json& dotted = document["properties"][field.path];
    ASSERT_TRUE(dotted.contains("$ref")) << field.path;
    const auto pointer = Json::json_pointer(dotted["$ref"].get<std::string>().substr(1));
    EXPECT_EQ(document[pointer]["default"], field.get(Settings{})) << field.path;
  }
}

TEST(ConfigSchema, ranges_are_those_of_the_reader) {
  std::size_t seen = 0;
  for (const Field& field : fields()) {
    Settings settings;
    if (field.schema.contains("enum")) {
      for (const Json& word : field.schema["enum"]) EXPECT_TRUE(field.set(settings, word)) << field.path;
    }
    if (!field.schema.contains("minimum")) continue;
    ++seen;
    const auto low = field.schema["minimum"].get<std::uint64_t>(), high = field.schema["maximum"].get<std::uint64_t>();
    EXPECT_TRUE(field.set(settings, Json(low))) << field.path;
    EXPECT_TRUE(field.set(settings, Json(high))) << field.path;
    EXPECT_FALSE(field.set(settings, Json(high + 1))) << field.path;
    EXPECT_FALSE(low > 0 && field.set(settings, Json(low - 1))) << field.path;
  }
  EXPECT_GT(seen, 20U);
}

}  // namespace
}  // namespace hf::app
