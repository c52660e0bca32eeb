// The PROXY header: any bytes. What a prefix decides, the whole decides too; a header lies within the bytes and the limit.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/wrapping/proxy_header.hpp"

namespace {

void must(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hf::wrapping;  // NOLINT: a program of one file
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ProxyHeader whole;
  const ProxyParsed parsed = parse_proxy_header(bytes, whole);
  if (parsed == ProxyParsed::need_more) must(size < proxy_header_max);
  if (parsed == ProxyParsed::header) must(whole.size > 0 && whole.size <= size && whole.size <= proxy_header_max);
  for (std::size_t part = 0; part < size && part < 256; ++part) {
    ProxyHeader header;
    const ProxyParsed early = parse_proxy_header(bytes.substr(0, part), header);
    if (early == ProxyParsed::need_more) continue;
    must(early == parsed);
    must(early == ProxyParsed::broken || (header.size == whole.size && header.source == whole.source));
    break;
  }
  return 0;
}
