// What the checks must know of a run: how the cluster was set up, who its clients are.
#pragma once

#include "broker/access/policy.hpp"
#include "broker/node/config.hpp"
#include "sim/check/history.hpp"
#include "sim/scenario/scenario.hpp"

namespace hf::sim {

/// Is the client, by its own login, somebody whom the cluster knows (or need not know)?
[[nodiscard]] bool may_log_in(const access::Policy& policy, const ClientSpec& spec);

/// Everything that is known before the run.
void add_facts(RunFacts& facts, const Scenario& scenario, const node::Config& config);

}  // namespace hf::sim
