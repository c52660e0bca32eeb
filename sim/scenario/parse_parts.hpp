// The parts of the parser, one a file.
#pragma once

#include <cstdint>
#include <string>

#include "sim/scenario/reader.hpp"
#include "sim/scenario/scenario.hpp"

namespace hf::sim {

WireSpec read_wire(Reader& reader, WireSpec otherwise);
/// Needs the cluster's nodes. Appends one group.
void read_client_group(Reader& reader, Scenario& scenario);
/// Needs the cluster and the clients. Appends one fault.
void read_fault(Reader& reader, Scenario& scenario);
void read_nemesis(Reader& reader, Scenario& scenario);

/// "sub-{i}" or "t/{i%8}" with `i` put in; "{n…}" stays for the client. Fails through the reader.
std::string expand(Reader& reader, std::string_view field, const std::string& text, std::uint64_t i);

}  // namespace hf::sim
