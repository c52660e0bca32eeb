// A user name out of a certificate.
#pragma once

#include <optional>
#include <string>

#include "broker/wrapping/tls_context.hpp"

struct x509_st;

namespace hf::wrapping {

/// The common name, or the whole subject as RFC 2253 writes it. Nothing if there is none, or if it could be
/// mistaken for another: several common names, control characters in it.
std::optional<std::string> user_name(x509_st* certificate, UserFrom from);

}  // namespace hf::wrapping
