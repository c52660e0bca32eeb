// A Protocol Buffers message whose fields come from fuzz input, so that the input is not spent on tags and lengths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <google/protobuf/message.h>

namespace hf::fuzz {

/// Reads choices off the front of an input; zeros when it is used up.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t byte();
  std::uint64_t number();
  std::string bytes(std::size_t count);
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

void fill(google::protobuf::Message& message, Choices& choices, int depth = 0);

}  // namespace hf::fuzz
