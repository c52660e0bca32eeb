// The objects of the API, as JSON.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "broker/node/inspection.hpp"

namespace hf::admin {

/// "starting", "catching_up", "ready", "draining"
std::string_view word_of(node::Readiness readiness);

nlohmann::ordered_json view(const node::NodeView& node);
nlohmann::ordered_json view(const node::SlotView& slot);
nlohmann::ordered_json view(const node::ClientView& client);
nlohmann::ordered_json view(const node::SessionView& session);
nlohmann::ordered_json view(const node::SubscriptionView& subscription);
nlohmann::ordered_json view(const node::RetainedView& retained);
nlohmann::ordered_json view(const node::Totals& totals);
/// What a status page makes rates of; /metrics has all.
nlohmann::ordered_json view(const node::Counters& counters);

}  // namespace hf::admin
