// The table of all fields: path, what is expected there, how it is set and read.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "broker/app/config_file.hpp"
#include "broker/app/config_values.hpp"

namespace hf::app {

struct Field {
  std::string path;      ///< "mqtt.max_packet_size"
  std::string expected;  ///< "a whole number from 256 to 268435455"
  std::function<bool(Settings&, const Json&)> set;  ///< false: not what is expected
  std::function<Json(const Settings&)> get;
  Json schema = Json::object();  ///< JSON Schema keywords; empty: the type of the default is all there is to say
  bool secret = false;           ///< never shown, also not in an error
};

/// In the order in which they are printed. `cluster.members` and `listeners` are not among them: they are lists.
const std::vector<Field>& fields();

}  // namespace hf::app
