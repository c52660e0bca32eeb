// A client of the administration: one request, one answer; or a stream of lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"
#include "broker/base/time.hpp"
#include "broker/ctl/security.hpp"
#include "broker/ctl/url.hpp"

namespace hf::ctl {

struct Answer {
  unsigned status = 0;
  std::string body;
};

class Client {
 public:
  Client(Url url, std::string token, Security security = {}, Duration patience = 10s)
      : url_(std::move(url)), token_(std::move(token)), security_(std::move(security)), patience_(patience) {}

  /// An error: the node cannot be reached, is not the one that it should be, or speaks no HTTP; the user's: a file is no use.
  [[nodiscard]] Result<Answer> ask(std::string_view method, std::string_view target, std::string_view body = {}) const;
  /// Every line as it comes, until the node ends the stream or `line` has enough (false). An answer of another status than 200 comes back whole.
  [[nodiscard]] Result<Answer> follow(std::string_view target, const std::function<bool(std::string_view line)>& line) const;

 private:
  Url url_;
  std::string token_;
  Security security_;
  Duration patience_;
};

}  // namespace hf::ctl
