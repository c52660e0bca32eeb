// Fills a message field by field, by reflection.
#include "tests/fuzz/random_message.hpp"

#include <algorithm>

#include <google/protobuf/descriptor.h>

namespace hf::fuzz {

std::uint8_t Choices::byte() {
  if (size_ == 0) return 0;
  --size_;
  return *data_++;
}

/// Mostly small: ids, slots and sequences that exist.
std::uint64_t Choices::number() {
  const std::uint8_t first = byte();
  if (first < 0xF0) return first & 0x0FU;
  std::uint64_t out = 0;
  for (int i = 0; i < (first == 0xFF ? 8 : 4); ++i) out = out << 8U | byte();
  return out;
}

std::string Choices::bytes(std::size_t count) {
  count = std::min(count, size_);
  std::string out(reinterpret_cast<const char*>(data_), count);
  data_ += count;
  size_ -= count;
  return out;
}

namespace {

using google::protobuf::FieldDescriptor;

/// Names that other messages name too; now and then any bytes.
std::string text(Choices& choices) {
  static const char* const known[] = {"c", "c2", "t", "t/x", "#", "t/+", "", "n1"};
  const std::uint8_t which = choices.byte();
  if (which < 0xD0) return known[which & 7U];
  return choices.bytes(which & 15U);
}

void fill_field(google::protobuf::Message& message, const FieldDescriptor* field, Choices& choices, int depth) {
  const auto* reflection = message.GetReflection();
  const bool many = field->is_repeated();
  switch (field->cpp_type()) {
#define HF_FIELD(TYPE, Type, value) \
  case FieldDescriptor::CPPTYPE_##TYPE: \
    many ? reflection->Add##Type(&message, field, value) : reflection->Set##Type(&message, field, value); \
    return
    HF_FIELD(INT32, Int32, static_cast<std::int32_t>(choices.number()));
    HF_FIELD(INT64, Int64, static_cast<std::int64_t>(choices.number()));
    HF_FIELD(UINT32, UInt32, static_cast<std::uint32_t>(choices.number()));
    HF_FIELD(UINT64, UInt64, choices.number());
    HF_FIELD(BOOL, Bool, (choices.byte() & 1U) != 0);
    HF_FIELD(DOUBLE, Double, static_cast<double>(choices.number()));
    HF_FIELD(FLOAT, Float, static_cast<float>(choices.number()));
    HF_FIELD(ENUM, EnumValue, static_cast<int>(choices.number()));
    HF_FIELD(STRING, String, text(choices));
#undef HF_FIELD
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return fill(many ? *reflection->AddMessage(&message, field) : *reflection->MutableMessage(&message, field), choices, depth + 1);
  }
}

}  // namespace

void fill(google::protobuf::Message& message, Choices& choices, int depth) {
  const auto* descriptor = message.GetDescriptor();
  if (descriptor->field_count() == 0 || depth > 6) return;
  if (descriptor->oneof_decl_count() > 0 && depth == 0) {  // one kind of message
    const auto* kinds = descriptor->oneof_decl(0);
    return fill_field(message, kinds->field(choices.byte() % kinds->field_count()), choices, depth);
  }
  for (int i = 0; i < descriptor->field_count() && !choices.empty(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    int times = choices.byte() & 3U;  // absent one time in four
    if (!field->is_repeated()) times = std::min(times, 1);
    for (; times > 0; --times) fill_field(message, field, choices, depth);
  }
}

}  // namespace hf::fuzz
