// Where the token comes from when it is not given itself: a file, or the file of this machine.
#pragma once

#include <string>

#include "broker/base/result.hpp"
#include "broker/ctl/security.hpp"
#include "broker/ctl/url.hpp"

namespace hf::ctl {

inline constexpr const char* machine_token = "/etc/holdfast/token";

/// The first line of a file.
Result<std::string> token_in(const std::string& file);

/// The token of this machine, for a node that cannot be another than it says: on loopback, or verified by TLS. "": none, or it
/// may not be read.
std::string token_of_machine(const Url& url, const Security& security, const std::string& file = machine_token);

}  // namespace hf::ctl
