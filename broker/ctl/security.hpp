// How a node of https:// is known, and what it is shown.
#pragma once

#include <string>

namespace hf::ctl {

struct Security {
  std::string ca;                ///< a PEM file: who must have signed its certificate; "": those that this machine trusts
  std::string certificate, key;  ///< PEM files: ours, for a node that asks for one; "": none
  bool insecure = false;         ///< whoever answers is believed
};

}  // namespace hf::ctl
