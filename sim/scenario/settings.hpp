// `cluster.config`: the node's settings by name.
#pragma once

#include <string>
#include <vector>

#include "broker/node/config.hpp"
#include "sim/scenario/reader.hpp"
#include "sim/scenario/scenario.hpp"

namespace hf::sim {

std::vector<std::string> setting_names();
/// Reads the setting `name` of the object, with its own unit and range.
Setting read_setting(Reader& reader, const std::string& name);
void apply_setting(const Setting& setting, node::Config& config);

}  // namespace hf::sim
