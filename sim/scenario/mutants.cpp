// One row a seeded bug; the node asks for them by these names.
#include "sim/scenario/mutants.hpp"

namespace hf::sim {

const std::vector<MutantRow>& mutants() {
  static const std::vector<MutantRow> rows = {
      {"ack_before_replication", "G2",
       "PUBACK goes out before W replicas have the message"},
      {"ack_before_sync", "G2",
       "PUBACK goes out before the message is on stable storage"},
      {"close_ends_successor", "G1",
       "the closing of an old connection ends its successor's session"},
      {"hints_dropped", "G2",
       "what a stand-in took for a slot is thrown away"},
      {"inbound_ids_forgotten", "G3",
       "QoS 2 ids received are forgotten on restart"},
      {"log_never_forgotten", "G11",
       "a slot's log keeps its tail for ever"},
      {"minority_refuses", "G6",
       "a side without a majority turns clients away"},
      {"new_id_on_resume", "G3",
       "what was in flight gets a new packet id on resume"},
      {"no_striping", "G3",
       "two sides give out the same packet ids"},
      {"publish_after_pubrel", "G3",
       "PUBLISH is sent again where PUBREC had come"},
      {"operation_numbers_reused", "G11",
       "a stand-in that let its copy go numbers operations from one again"},
      {"pubrec_not_logged", "G3",
       "that PUBREC came is not replicated"},
      {"qos2_without_majority", "G3",
       "a QoS 2 step is taken without a majority"},
      {"retained_from_one_slot", "G8",
       "a wildcard subscription gets the retained messages of one slot only"},
      {"retained_last_arrival", "G8",
       "of two retained messages the one that arrives last wins, not the one stamped last"},
      {"retained_tombstone_dropped", "G8",
       "that a retained message was deleted is forgotten at once"},
      {"resume_forgets_session", "G1",
       "a resume answers with no session"},
      {"serve_before_caught_up", "G2",
       "a coordinator serves before it has caught up"},
      {"suback_before_routes", "G2",
       "SUBACK goes out before the routes stand"},
      {"two_live_connections", "G7",
       "a takeover leaves the old connection open"},
      {"unsubscribe_not_logged", "G4",
       "an UNSUBSCRIBE is acknowledged and not kept"},
  };
  return rows;
}

}  // namespace hf::sim
