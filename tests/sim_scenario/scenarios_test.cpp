// Every scenario of the tree on the real node: holds, is deterministic, and catches its mutants.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "reports/table.hpp"
#include "sim/scenario/mutants.hpp"
#include "sim/scenario/parse.hpp"
#include "sim/scenario/run.hpp"
#include "sim/scenario/shards.hpp"

namespace hf::sim {
namespace {

/// Without a seed: with the one in the file.
Scenario load(const std::string& name, std::optional<std::uint64_t> seed) {
  std::ifstream in(std::string(HF_SOURCE_DIR "/scenarios/") + name + ".json");
  std::ostringstream text;
  text << in.rdbuf();
  auto scenario = parse_scenario(text.str(), name, seed);
  EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().text);
  return scenario ? *scenario : Scenario{};
}

std::vector<std::string> names(const std::string& folder = "") {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(HF_SOURCE_DIR "/scenarios/" + folder)) {
    if (entry.path().extension() == ".json" && entry.path().stem() != "split-brain-100") {
      found.push_back(entry.path().stem().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

class Scenarios : public testing::TestWithParam<std::string> {};

TEST_P(Scenarios, holds_and_settles) {
  for (const std::uint64_t seed : {1ULL, 2ULL}) {
    const RunResult result = run_scenario(load(GetParam(), seed), shards());
    EXPECT_TRUE(result.held()) << "seed " << seed << "\n" << reports::verdict_table(result) << reports::stories(result);
    EXPECT_TRUE(result.settled) << "seed " << seed << ": "
                                << (result.unsettled.empty() ? "limit" : result.unsettled.front());
  }
}

TEST_P(Scenarios, twice_in_a_process_is_the_same) {
  Scenario scenario = load(GetParam(), 3);
  scenario.heal_at = 10s;
  scenario.settle = 5s;
  const RunResult one = run_scenario(scenario, shards()), two = run_scenario(scenario, shards());
  EXPECT_EQ(one.digest, two.digest);
  EXPECT_EQ(one.events, two.events);
  EXPECT_EQ(one.checkpoints, two.checkpoints);
}

std::string case_name(const testing::TestParamInfo<std::string>& info) {
  std::string text = info.param;
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}
INSTANTIATE_TEST_SUITE_P(tree, Scenarios, testing::ValuesIn(names()), case_name);

std::string digest_in_another_process(const std::string& environment) {
  const std::string command = environment + " " HF_SIM " run " HF_SOURCE_DIR "/scenarios/hopper.json --seed 5 2>/dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "no process";
  std::array<char, 4096> line{};
  std::string digest = "no digest";
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    if (std::string(line.data()).starts_with("digest: ")) digest = line.data();
  }
  ::pclose(pipe);
  return digest;
}

TEST(Determinism, two_processes_are_the_same) {
  const RunResult here = run_scenario(load("hopper", 5), shards());
  const std::string one = digest_in_another_process("env -i");
  EXPECT_EQ(one, digest_in_another_process("env -i MALLOC_PERTURB_=165 TZ=Asia/Tokyo FILL=" + std::string(3000, 'x')));
  EXPECT_EQ(one, reports::digest_line(here.digest));
}

class Regressions : public testing::TestWithParam<std::string> {};

/// Each found a bug once.
TEST_P(Regressions, hold) {
  const RunResult result = run_scenario(load("regressions/" + GetParam(), std::nullopt), shards());
  EXPECT_TRUE(result.held()) << reports::verdict_table(result) << reports::stories(result);
  EXPECT_TRUE(result.settled) << (result.unsettled.empty() ? "limit" : result.unsettled.front());
}

INSTANTIATE_TEST_SUITE_P(tree, Regressions, testing::ValuesIn(names("regressions")), case_name);

struct Catch {
  const char *mutant, *scenario, *guarantee;
  std::uint64_t seed = 1;  ///< the first that is known to catch it
};

class Mutants : public testing::TestWithParam<Catch> {};

/// Within a few seeds from the one known the guarantee named must be violated, and not by the build without the bug.
TEST_P(Mutants, are_caught) {
  const Catch& row = GetParam();
  RunOptions options;
  options.mutant = row.mutant;
  for (std::uint64_t seed = row.seed; seed < row.seed + 24; ++seed) {
    const RunResult result = run_scenario(load(row.scenario, seed), shards(), options);
    for (const auto& verdict : result.verdicts) {
      if (verdict.id != row.guarantee || verdict.violated == 0) continue;
      const RunResult clean = run_scenario(load(row.scenario, seed), shards());
      for (const auto& other : clean.verdicts) {
        if (other.id == row.guarantee) {
          EXPECT_EQ(other.violated, 0U) << "seed " << seed << " is violated without the mutant, too";
        }
      }
      return;
    }
  }
  ADD_FAILURE() << row.mutant << " was not caught by " << row.guarantee;
}

INSTANTIATE_TEST_SUITE_P(table, Mutants,
                         testing::Values(Catch{"two_live_connections", "hopper", "G7"},
                                         Catch{"unsubscribe_not_logged", "split-brain", "G4"},
                                         Catch{"resume_forgets_session", "partial-partition", "G1"},
                                         Catch{"minority_refuses", "split-brain", "G6"},
                                         Catch{"close_ends_successor", "split-brain", "G1"},
                                         Catch{"inbound_id_is_enough", "small-ids", "G2", 30},
                                         Catch{"inbound_ids_forgotten", "hopper", "G3"},
                                         Catch{"log_never_forgotten", "split-brain", "G11"},
                                         Catch{"new_id_on_resume", "partial-partition", "G3"},
                                         Catch{"early_pubrec_unknown", "early-pubrec", "G3"},
                                         Catch{"publish_after_pubrel", "split-brain", "G3"},
                                         Catch{"pubrec_not_logged", "split-brain", "G3"},
                                         Catch{"qos2_without_majority", "split-brain", "G3"},
                                         Catch{"no_striping", "split-brain", "MQTT"},
                                         Catch{"wiped_counts_from_one", "wipe", "G1"},
                                         Catch{"packet_id_in_use_given", "small-ids", "MQTT"},
                                         Catch{"operation_numbers_reused", "storm", "G2", 82},
                                         Catch{"serve_before_caught_up", "young-sessions", "G1", 2},
                                         Catch{"serve_before_routes", "power-loss", "G2"},
                                         Catch{"end_takes_later_connection", "no-expiry", "G7"},
                                         Catch{"ended_session_returns", "ended-elsewhere", "G4"},
                                         Catch{"retained_from_one_slot", "retained", "G8"},
                                         Catch{"retained_last_arrival", "retained", "G8"},
                                         Catch{"retained_tombstone_dropped", "retained", "G8"},
                                         Catch{"reading_without_name", "retained-failover", "G3"},
                                         Catch{"ack_before_sync", "power-loss-slow-disk", "G2"},
                                         Catch{"suback_before_routes", "far-apart", "G2"},
                                         Catch{"will_across_partition", "wills", "G9"},
                                         Catch{"displaced_will_lost", "wills-moved", "G9"},
                                         Catch{"will_name_retired_early", "regressions/small-ids-118", "G3", 118},
                                         Catch{"will_grace_before_known", "regressions/will-known-at-a-heal-1", "G9"},
                                         Catch{"will_after_goodbye", "wills", "G9"},
                                         Catch{"will_dies_with_node", "wills", "G9"},
                                         Catch{"will_twice", "wills", "G9"},
                                         Catch{"close_publishes_successors_will", "wills", "G9"},
                                         Catch{"hints_dropped", "partial-partition", "G2"},
                                         Catch{"resume_behind_newer", "split-brain", "G5"},
                                         Catch{"ack_before_replication", "mute-then-crash", "G5"},
                                         Catch{"hints_in_memory_only", "field-05-publisher-on-the-minority", "G2"},
                                         Catch{"hints_behind_newer", "hints-in-order", "G5"},
                                         Catch{"routes_of_unreachable_dropped", "split-brain", "G2"},
                                         Catch{"tombstone_dropped_early", "split-brain", "G4"},
                                         Catch{"identity_forgotten_early", "hopper", "G3"},
                                         Catch{"session_expired_by_minority", "short-expiry", "G1"},
                                         Catch{"redelivery_without_dup", "split-brain", "MQTT"},
                                         Catch{"receive_not_checked", "access-control", "ACL"},
                                         Catch{"wrong_password_lets_in", "authentication", "ACL"},
                                         Catch{"first_step_lets_in", "authentication", "ACL"},
                                         Catch{"reauthentication_may_change_user", "authentication", "ACL"},
                                         Catch{"failed_reauthentication_ignored", "authentication", "ACL"},
                                         Catch{"challenge_repeats", "authentication", "MQTT"},
                                         Catch{"queue_limit_ignored", "limits", "G13"},
                                         Catch{"dropped_without_counter", "limits", "G13"},
                                         Catch{"full_queue_not_told", "limits", "G2"},
                                         Catch{"queue_full_early", "limits", "G2"},
                                         Catch{"publish_rate_ignored", "limits", "G13"},
                                         Catch{"connection_limit_ignored", "limits", "G13"},
                                         Catch{"subscription_limit_ignored", "limits", "G13"},
                                         Catch{"topic_limits_ignored", "limits", "G13"},
                                         Catch{"alias_above_maximum", "properties", "MQTT"},
                                         Catch{"alias_not_told", "properties", "MQTT"},
                                         Catch{"identifier_never_changes", "properties", "SUBS"},
                                         Catch{"identifiers_lost_in_queue", "properties", "SUBS"},
                                         Catch{"no_local_ignored", "properties", "SUBS"},
                                         Catch{"packet_size_ignored", "small-packets", "MQTT"},
                                         Catch{"packet_size_halved", "small-packets", "G2"},
                                         Catch{"aliases_of_another_connection", "properties", "G4"},
                                         Catch{"deal_without_identifier", "properties", "SUBS"},
                                         Catch{"retained_without_identifier", "properties", "SUBS"},
                                         Catch{"problem_information_unasked", "properties", "MQTT"},
                                         Catch{"properties_lost_in_queue", "properties", "MQTT"},
                                         Catch{"receive_maximum_ignored", "properties", "MQTT"},
                                         Catch{"retain_as_published_ignored", "properties", "SUBS"},
                                         Catch{"retain_as_published_unasked", "properties", "SUBS"},
                                         Catch{"retain_handling_ignored", "properties", "SUBS"},
                                         Catch{"retained_properties_lost", "properties", "MQTT"},
                                         Catch{"retained_without_flag", "properties", "G8"},
                                         Catch{"user_properties_sorted", "properties", "MQTT"},
                                         Catch{"will_properties_lost", "properties", "MQTT"},
                                         Catch{"copy_dropped_early", "hopper", "G11", 4},
                                         Catch{"one_stripe_for_both_qos", "small-ids", "MQTT", 25},
                                         Catch{"any_disconnect_voids_will", "farewell", "G9"},
                                         Catch{"expiry_at_disconnect_ignored", "farewell", "G1"},
                                         Catch{"will_after_resume", "farewell", "G9"},
                                         Catch{"will_delay_ignored", "farewell", "G9"},
                                         Catch{"expired_delivered", "message-expiry", "EXPIRY"},
                                         Catch{"expired_retained_delivered", "message-expiry", "EXPIRY"},
                                         Catch{"message_expiry_not_counted_down", "message-expiry", "EXPIRY"},
                                         Catch{"will_expiry_ignored", "message-expiry", "EXPIRY"},
                                         Catch{"group_forgets_revoked", "shared", "G10"},
                                         Catch{"group_deals_twice", "shared", "G10"}),
                         [](const auto& which) { return std::string(which.param.mutant); });

TEST(MutantTable, names_are_unique) {
  for (const auto& row : mutants()) {
    EXPECT_EQ(std::count_if(mutants().begin(), mutants().end(), [&](const auto& other) { return other.name == row.name; }), 1)
        << row.name;
  }
}

}  // namespace
}  // namespace hf::sim
