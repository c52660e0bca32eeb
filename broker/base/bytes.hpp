// Shared, immutable bytes: a payload is held once, however many subscribers it goes to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace hf {

/// A slice of an immutable, reference-counted buffer. Copying copies no bytes.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string text) {
    if (text.empty()) return;
    owner_ = std::make_shared<const std::string>(std::move(text));
    view_ = *owner_;
  }
  /// Copies `text` into a buffer of its own.
  static Bytes copy(std::string_view text) { return Bytes(std::string(text)); }

  /// A part of the same buffer; `offset + size` must lie within it.
  [[nodiscard]] Bytes slice(std::size_t offset, std::size_t size) const {
    Bytes part;
    if (size == 0) return part;
    part.owner_ = owner_;
    part.view_ = view_.substr(offset, size);
    return part;
  }

  [[nodiscard]] std::string_view view() const { return view_; }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }
  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view_ == b.view_; }

 private:
  std::shared_ptr<const std::string> owner_;
  std::string_view view_;
};

}  // namespace hf
