// The JSON schema of the configuration file, made from the table of fields.
#pragma once

#include <string>

namespace hf::app {

/// Draft 2020-12. Sections may be nested or written as dotted paths, as the reader takes them.
std::string schema();

}  // namespace hf::app
